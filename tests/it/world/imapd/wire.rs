//! From a socket to whole commands: lines, and the literals in them.

use std::io::{self, Read};

use super::dialect::Limits;

/// What comes from a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    /// A line without its line end; literals lie in it behind their `{n}\r\n`.
    Line(Vec<u8>),
    /// Too much of something; what there is of the line tells the tag.
    Excess(Vec<u8>, Excess),
    /// Something has changed that may concern the session.
    Wake,
    Closed,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Excess {
    /// A non-synchronising literal that is longer than those may be; it was read and thrown away.
    NotAsked,
    /// A literal that nobody may send; the client was not told to go on.
    Literal,
    Line,
}

/// Reads commands. `ask` is called when the client waits for leave to send a literal.
pub(crate) struct Reader<R, A> {
    from: R,
    ask: A,
    limits: Limits,
    buffer: Vec<u8>,
    /// How much of the buffer is used up.
    used: usize,
}

impl<R: Read, A: FnMut() -> io::Result<()>> Reader<R, A> {
    pub(crate) fn new(from: R, limits: Limits, ask: A) -> Self {
        Reader { from, ask, limits, buffer: Vec::new(), used: 0 }
    }

    /// The next command; [`Input::Closed`] when there is none.
    pub(crate) fn next(&mut self) -> io::Result<Input> {
        let mut command = Vec::new();
        let mut excess = None;
        let mut line_bytes = 0;
        loop {
            let line = self.line(&mut excess)?;
            line_bytes += line.len();
            command.extend_from_slice(&line);
            if line_bytes > self.limits.line {
                excess = Some(Excess::Line);
                command.truncate(1024);
            }
            let Some((length, asks)) = announced(&line) else { break };
            if asks {
                if excess.is_some() {
                    break;
                }
                if length > self.limits.literal {
                    return Ok(Input::Excess(command, Excess::Literal));
                }
                (self.ask)()?;
            } else if length > self.limits.non_sync_literal {
                excess = excess.or(Some(Excess::NotAsked));
            }
            let literal = self.take(length)?;
            if excess.is_none() {
                command.extend_from_slice(b"\r\n");
                command.extend_from_slice(&literal);
            }
        }
        Ok(match excess {
            Some(excess) => Input::Excess(command, excess),
            None => Input::Line(command),
        })
    }

    fn line(&mut self, excess: &mut Option<Excess>) -> io::Result<Vec<u8>> {
        let mut searched = self.used;
        loop {
            if let Some(found) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer[self.used..searched + found].to_vec();
                self.used = searched + found + 1;
                return Ok(line.strip_suffix(b"\r").map(<[u8]>::to_vec).unwrap_or(line));
            }
            searched = self.buffer.len();
            // A line without end must not fill the memory: its tail is dropped as it comes.
            if searched - self.used > self.limits.line + 1024 {
                *excess = Some(Excess::Line);
                self.buffer.truncate(self.used + self.limits.line);
                searched = self.buffer.len();
            }
            searched -= self.used;
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() - self.used < count {
            self.fill()?;
        }
        let taken = self.buffer[self.used..self.used + count].to_vec();
        self.used += count;
        Ok(taken)
    }

    /// Reads more; what is used up goes.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let mut chunk = [0; 16 * 1024];
        let count = self.from.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}

/// The literal that the line announces at its end: how long, and whether the client asks first.
fn announced(line: &[u8]) -> Option<(usize, bool)> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|byte| *byte == b'{')?;
    let inside = std::str::from_utf8(&inside[open + 1..]).ok()?;
    let (digits, asks) = match inside.strip_suffix('+') {
        Some(digits) => (digits, false),
        None => (inside, true),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, asks))
}
