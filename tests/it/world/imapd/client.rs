//! A client that says what it is told to and shows every line of the answer: for transcripts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::super::PATIENCE;

/// A connection to an emulator.
pub(crate) struct Talk {
    stream: BufReader<TcpStream>,
    tags: usize,
}

impl Talk {
    /// Connects; the greeting is the first line to read.
    pub(crate) fn with(port: u16) -> Talk {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the emulator does not listen");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Talk { stream: BufReader::new(stream), tags: 0 }
    }

    /// The next line without its line end; literals stand in it behind their `{n}`. Empty at the end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            let mut piece = String::new();
            self.stream.read_line(&mut piece).expect("no line came");
            line.push_str(piece.trim_end_matches(['\r', '\n']));
            let length =
                line.rsplit_once('{').and_then(|(_, rest)| rest.strip_suffix('}')?.parse().ok());
            let Some(length) = length else { return line };
            let mut literal = vec![0; length];
            self.stream.read_exact(&mut literal).expect("the literal is too short");
            line.push_str(&String::from_utf8_lossy(&literal));
        }
    }

    /// Sends a line.
    pub(crate) fn send(&mut self, line: &str) {
        self.raw(format!("{line}\r\n").as_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the emulator does not read");
    }

    /// Sends a command under the next tag (`a1`, `a2`, …); the lines of the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, command: &str) -> Vec<String> {
        self.tags += 1;
        self.send(&format!("a{} {command}", self.tags));
        self.answer()
    }

    /// The lines up to the tagged one of the last command, or to a continuation or the end.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Vec<String> {
        let tag = format!("a{} ", self.tags);
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            let last = line.is_empty() || line.starts_with(&tag) || line.starts_with('+');
            lines.extend((!line.is_empty()).then_some(line));
            if last {
                return lines;
            }
        }
    }

    /// Sends a command that must succeed; the lines of the answer but the last.
    #[track_caller]
    pub(crate) fn fine(&mut self, command: &str) -> Vec<String> {
        let mut lines = self.ask(command);
        let tagged = lines.pop().unwrap_or_default();
        assert!(
            tagged.starts_with(&format!("a{} OK", self.tags)),
            "{command}: {lines:#?} {tagged}"
        );
        lines
    }

    /// Appends a message.
    #[track_caller]
    pub(crate) fn append(&mut self, folder: &str, flags: &str, message: &str) -> String {
        let go = self.ask(&format!("APPEND \"{folder}\" ({flags}) {{{}}}", message.len()));
        assert!(go.last().is_some_and(|line| line.starts_with('+')), "{go:?}");
        self.send(message);
        self.answer().pop().unwrap_or_default()
    }
}
