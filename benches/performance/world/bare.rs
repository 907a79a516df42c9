//! The floor: a client that sends the same commands, waits for each answer, and throws it away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::PASSWORD;
use super::proxy::literal_size;

/// A logged-in connection.
pub(crate) struct Bare {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
    tags: u32,
    /// The bytes that were thrown away.
    pub(crate) bytes: u64,
}

impl Bare {
    pub(crate) fn login(port: u16, user: &str) -> Bare {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        let stream = BufReader::with_capacity(64 * 1024, stream);
        let mut bare = Bare { stream, line: Vec::new(), tags: 0, bytes: 0 };
        bare.read_line();
        bare.run(&format!("LOGIN \"{user}\" \"{PASSWORD}\""));
        bare
    }

    /// Sends a command and reads to its tagged OK.
    pub(crate) fn run(&mut self, command: &str) {
        let tag = self.send(command);
        self.until(|line| line.starts_with(tag.as_bytes()));
        let line = String::from_utf8_lossy(&self.line);
        assert!(line.starts_with(&format!("{tag} OK")), "{command}: {line}");
    }

    /// Sends a command; the answer is for [`Bare::until`].
    pub(crate) fn send(&mut self, command: &str) -> String {
        self.tags += 1;
        let tag = format!("f{}", self.tags);
        self.write(&format!("{tag} {command}\r\n"));
        tag
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Reads lines, their literals skipped, until one is wanted.
    pub(crate) fn until(&mut self, wanted: impl Fn(&[u8]) -> bool) {
        loop {
            self.read_line();
            if wanted(&self.line) {
                return;
            }
        }
    }

    fn read_line(&mut self) {
        self.line.clear();
        let count = self.stream.read_until(b'\n', &mut self.line).unwrap();
        assert!(0 < count, "the server closed the connection");
        self.bytes += count as u64;
        if self.line.ends_with(b"}\r\n") {
            let text = String::from_utf8_lossy(&self.line);
            if let Some(size) = literal_size(text.trim_end()) {
                let mut literal = (&mut self.stream).take(size as u64);
                self.bytes += std::io::copy(&mut literal, &mut std::io::sink()).unwrap();
            }
        }
    }
}
