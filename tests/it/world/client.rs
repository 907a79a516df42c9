//! A minimal blocking IMAP client that shares no code with Baton's own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::proxy::literal_size;

/// A connection to the server; every command waits for its tagged answer.
pub(crate) struct Imap {
    stream: BufReader<TcpStream>,
    tags: u32,
}

/// One untagged response: its text, with every literal as `{N}` in place, and the literals apart.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) text: String,
    pub(crate) literals: Vec<Vec<u8>>,
}

impl Imap {
    /// Whether a server greets on this port.
    pub(crate) fn greeting(port: u16) -> io::Result<()> {
        let mut imap = Imap::open(port)?;
        let greeting = imap.read_response()?;
        if greeting.text.starts_with("* OK") {
            Ok(())
        } else {
            Err(io::Error::other(greeting.text))
        }
    }

    /// Connects and reads the greeting.
    pub(crate) fn connect(port: u16) -> io::Result<Imap> {
        let mut imap = Imap::open(port)?;
        imap.read_response()?;
        Ok(imap)
    }

    /// Connects and logs in.
    pub(crate) fn login(port: u16, user: &str, password: &str) -> io::Result<Imap> {
        let mut imap = Imap::connect(port)?;
        imap.run(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(imap)
    }

    fn open(port: u16) -> io::Result<Imap> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Imap { stream: BufReader::new(stream), tags: 0 })
    }

    /// Sends one command and collects what comes before its OK; a NO or BAD is an error with the server's words.
    pub(crate) fn run(&mut self, command: &str) -> io::Result<Vec<Response>> {
        self.run_with(command, None)
    }

    /// The same for a command that ends in a literal.
    pub(crate) fn run_with(
        &mut self,
        command: &str,
        literal: Option<&[u8]>,
    ) -> io::Result<Vec<Response>> {
        self.tags += 1;
        let tag = format!("e{}", self.tags);
        let mut bytes = format!("{tag} {command}").into_bytes();
        if let Some(literal) = literal {
            bytes.extend_from_slice(format!(" {{{}}}\r\n", literal.len()).as_bytes());
            self.stream.get_mut().write_all(&bytes)?;
            let response = self.read_response()?;
            if response.text.starts_with("* BYE") {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if !response.text.starts_with('+') {
                return Err(io::Error::other(format!("{command}: {}", response.text)));
            }
            bytes = literal.to_vec();
        }
        bytes.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&bytes)?;
        let mut responses = Vec::new();
        loop {
            let response = self.read_response()?;
            match response.text.strip_prefix(&tag).map(str::trim_start) {
                Some(done) if done.starts_with("OK") => {
                    responses.push(response);
                    return Ok(responses);
                }
                Some(refused) => {
                    return Err(io::Error::other(format!("{command}: {refused}")));
                }
                None if response.text.starts_with("* BYE") && command != "LOGOUT" => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                None => responses.push(response),
            }
        }
    }

    fn read_response(&mut self) -> io::Result<Response> {
        let mut response = Response::default();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            response.text.push_str(line);
            let Some(size) = literal_size(line) else { return Ok(response) };
            let mut literal = vec![0; size];
            self.stream.read_exact(&mut literal)?;
            response.literals.push(literal);
        }
    }
}

/// APPEND without its literal; `date` is the internal date.
pub(crate) fn append_command(folder: &str, flags: &str, date: Option<&str>) -> String {
    let date = date.map(|date| format!(" {}", quoted(date))).unwrap_or_default();
    format!("APPEND {} ({flags}){date}", quoted(folder))
}

/// An IMAP quoted string.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
