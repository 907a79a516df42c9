//! Reads a message off the wire: the lines of DATA up to the lone dot, or the counted bytes of BDAT.
//!
//! Lines end with CR and LF together and with nothing else (RFC 5321, section 2.3.8). A CR or LF that stands alone is never
//! repaired: two servers that read it differently see two different mails, and what one takes for text the next takes for
//! commands. Nothing is kept beyond the limit.

/// What no mail may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// A CR without an LF behind it.
    BareCr,
    /// An LF without a CR before it.
    BareLf,
    /// A byte of value zero (RFC 5322, section 4).
    Nul,
}

/// What came of some bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// All were taken, and more are expected.
    More,
    /// The message ends; so many bytes belonged to it.
    End(usize),
    /// It may not be read on.
    Flawed(Flaw),
}

/// Where in a line the reader stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Start,
    /// Behind a dot at the start.
    Dot,
    /// Behind a dot and a CR.
    DotCr,
    Middle,
    /// Behind a CR.
    Cr,
}

/// A message that is being read.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Bytes read, kept or not.
    read: u64,
    bytes_max: usize,
    at: At,
}

impl Text {
    pub(super) fn new(bytes_max: usize) -> Text {
        Text { bytes: Vec::new(), read: 0, bytes_max, at: At::Start }
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.read > u64::try_from(self.bytes_max).unwrap_or(u64::MAX)
    }

    /// Bytes read so far, kept or not.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.bytes.capacity()
    }

    /// Takes bytes that follow 354.
    pub(super) fn take_dotted(&mut self, input: &[u8]) -> Taken {
        let mut used = 0;
        while let Some(byte) = input.get(used).copied() {
            match (self.at, byte) {
                (At::Start, b'.') => (self.at, used) = (At::Dot, used + 1),
                (At::Dot, b'\r') => (self.at, used) = (At::DotCr, used + 1),
                (At::DotCr, b'\n') => return Taken::End(used + 1),
                (At::DotCr, _) => return Taken::Flawed(Flaw::BareCr),
                // RFC 5321, section 4.5.2: the client doubled the dot of a line that is more than a dot.
                (At::Start | At::Dot, _) => self.at = At::Middle,
                (At::Middle | At::Cr, _) => match self.take_plain(input.get(used..).unwrap_or(&[]))
                {
                    Ok(taken) => used += taken,
                    Err(flaw) => return Taken::Flawed(flaw),
                },
            }
        }
        Taken::More
    }

    /// Takes bytes of a chunk (RFC 3030), all of which belong to the message.
    pub(super) fn take_counted(&mut self, input: &[u8]) -> Result<(), Flaw> {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            if self.at != At::Cr {
                self.at = At::Middle;
            }
            used += self.take_plain(rest)?;
        }
        Ok(())
    }

    /// Takes what is left of a line, at most; answers how many bytes that were.
    fn take_plain(&mut self, input: &[u8]) -> Result<usize, Flaw> {
        if self.at == At::Cr {
            if input.first() != Some(&b'\n') {
                return Err(Flaw::BareCr);
            }
            self.keep(b"\r\n");
            self.at = At::Start;
            return Ok(1);
        }
        let odd = input.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0));
        self.keep(input.get(..odd.unwrap_or(input.len())).unwrap_or(&[]));
        match odd.and_then(|at| input.get(at)) {
            None => Ok(input.len()),
            Some(b'\r') => {
                self.at = At::Cr;
                Ok(odd.unwrap_or_default() + 1)
            }
            Some(b'\n') => Err(Flaw::BareLf),
            Some(_) => Err(Flaw::Nul),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        if self.is_too_large() {
            self.bytes = Vec::new();
        } else {
            if self.bytes.capacity() - self.bytes.len() < bytes.len() {
                // Doubling, but never beyond the limit by more than its last line's end.
                let wanted = (2 * self.bytes.len()).clamp(4096.min(self.bytes_max), self.bytes_max);
                self.bytes.reserve_exact(bytes.len().max(wanted.saturating_sub(self.bytes.len())));
            }
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The message, its last line ended; `None` when it was too large.
    ///
    /// # Errors
    /// When it stops between a CR and its LF.
    pub(super) fn finish(mut self) -> Result<Option<Vec<u8>>, Flaw> {
        if self.at == At::Cr {
            return Err(Flaw::BareCr);
        }
        if !self.bytes.is_empty() && !self.bytes.ends_with(b"\r\n") {
            self.keep(b"\r\n");
        }
        Ok((!self.is_too_large()).then_some(self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads it in pieces of every size, which must not matter.
    #[track_caller]
    fn dotted(input: &[u8]) -> Result<(Vec<u8>, usize), Option<Flaw>> {
        let mut all = Vec::new();
        for piece in [1, 2, 3, 1000] {
            let mut text = Text::new(100);
            let mut used = 0;
            let mut outcome = Err(None);
            for part in input.chunks(piece) {
                match text.take_dotted(part) {
                    Taken::More => used += part.len(),
                    Taken::End(end) => {
                        outcome = Ok((text.finish().unwrap().unwrap(), used + end));
                        break;
                    }
                    Taken::Flawed(flaw) => {
                        outcome = Err(Some(flaw));
                        break;
                    }
                }
            }
            all.push(outcome);
        }
        assert!(all.windows(2).all(|two| two[0] == two[1]), "{all:?}");
        all.remove(0)
    }

    #[test]
    fn a_message_ends_with_its_dot_and_nothing_else() {
        let read = |input: &[u8]| dotted(input).map(|(bytes, _)| String::from_utf8(bytes).unwrap());
        assert_eq!(read(b".\r\n").as_deref(), Ok(""));
        assert_eq!(read(b"a\r\n.\r\nRSET\r\n").as_deref(), Ok("a\r\n"));
        assert_eq!(read(b"..\r\n.x\r\n...\r\n.\r\n").as_deref(), Ok(".\r\nx\r\n..\r\n"));
        assert_eq!(read(b"a.\r\n.\r\n").as_deref(), Ok("a.\r\n"));
        assert_eq!(read(b"a\r\n. \r\n"), Err(None));
        assert_eq!(dotted(b"a\r\n.\r\nx").unwrap().1, 6);
    }

    #[test]
    fn chunks_hold_the_same_as_lines() {
        let mut text = Text::new(100);
        for chunk in [b".\r".as_slice(), b"\n", b"", b"..b"] {
            text.take_counted(chunk).unwrap();
        }
        assert_eq!(text.finish(), Ok(Some(b".\r\n..b\r\n".to_vec())));
        let flaw = |chunks: &[&[u8]]| {
            let mut text = Text::new(100);
            chunks.iter().try_for_each(|chunk| text.take_counted(chunk))?;
            text.finish().map(|_| ())
        };
        assert_eq!(flaw(&[b"a\r", b"b"]), Err(Flaw::BareCr));
        assert_eq!(flaw(&[b"a\r"]), Err(Flaw::BareCr));
        assert_eq!(flaw(&[b"a\n"]), Err(Flaw::BareLf));
        assert_eq!(flaw(&[b"\0"]), Err(Flaw::Nul));
    }

    #[test]
    fn nothing_is_kept_beyond_the_limit() {
        let mut text = Text::new(10);
        assert_eq!(text.take_dotted(&[b'x'; 4000]), Taken::More);
        assert!(text.is_too_large() && text.bytes.capacity() == 0);
        assert_eq!(text.take_dotted(b"\r\n.\r\n"), Taken::End(5));
        assert_eq!(text.finish(), Ok(None));
    }

    proptest! {
        #[test]
        fn what_is_read_holds_no_bare_line_end(input in "[a.\r\n\0]{0,40}") {
            if let Ok((bytes, used)) = dotted(input.as_bytes()) {
                let text = String::from_utf8(bytes).unwrap();
                prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
                let ended = &input.as_bytes()[..used];
                prop_assert!(ended.ends_with(b"\r\n.\r\n") || ended == b".\r\n");
            }
        }
    }
}
