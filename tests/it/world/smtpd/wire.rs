//! The bytes between a client and the server: lines end with CRLF and with nothing else.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// The longest line that is read.
const LINE_BYTES: usize = 64 * 1024;

/// One side of a connection, with what was read and not used.
pub(super) struct Wire<'a> {
    socket: &'a TcpStream,
    buffer: Vec<u8>,
}

/// The connection has come to its end.
pub(super) fn over() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

impl<'a> Wire<'a> {
    pub(super) fn new(socket: &'a TcpStream) -> Wire<'a> {
        let _ = socket.set_nodelay(true);
        Wire { socket, buffer: Vec::new() }
    }

    /// Says lines, the last without its end.
    pub(super) fn say(&mut self, lines: &str) -> io::Result<()> {
        self.socket.write_all(format!("{}\r\n", lines.replace('\n', "\r\n")).as_bytes())
    }

    /// Says the first half of a line.
    pub(super) fn say_half(&mut self, line: &str) -> io::Result<()> {
        self.socket.write_all(&line.as_bytes()[..line.len() / 2])
    }

    /// Reads and forgets until the client has gone.
    pub(super) fn waits_for_the_end(&mut self) -> io::Error {
        let mut chunk = [0; 8192];
        while self.socket.read(&mut chunk).is_ok_and(|count| 0 < count) {}
        over()
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8192];
        let count = self.socket.read(&mut chunk)?;
        if count == 0 {
            return Err(over());
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }

    /// The next line without its CRLF; a bare LF ends none.
    pub(super) fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut looked_at = 0;
        loop {
            let from = looked_at;
            if let Some(at) = self.buffer[from..].windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer[..from + at].to_vec();
                self.buffer.drain(..from + at + 2);
                return Ok(line);
            }
            looked_at = self.buffer.len().saturating_sub(1);
            if LINE_BYTES < self.buffer.len() {
                return Err(io::Error::other("a line without end"));
            }
            self.fill()?;
        }
    }

    /// Reads so many bytes and forgets them.
    pub(super) fn skips(&mut self, bytes: usize) -> io::Result<()> {
        while self.buffer.len() < bytes {
            self.fill()?;
        }
        self.buffer.drain(..bytes);
        Ok(())
    }

    /// The mail up to the lonely dot, without the dots that were stuffed (RFC 5321, section 4.5.2).
    pub(super) fn mail(&mut self) -> io::Result<Vec<u8>> {
        let mut mail = Vec::new();
        loop {
            let line = self.line()?;
            if line == b"." {
                return Ok(mail);
            }
            mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            mail.extend_from_slice(b"\r\n");
        }
    }
}
