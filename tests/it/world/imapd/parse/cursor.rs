//! Reading one command, byte by byte, as strictly as Gmail does (G16): one space between words and none at the end.
//!
//! The bytes are a whole command as [`super::super::wire`] hands it over, literals in place behind their `{n}`.

/// The command is no command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unparsable;

pub(crate) type Parsed<T> = Result<T, Unparsable>;

/// A place in a command.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(command: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: command }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether the command ends here.
    pub(crate) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left, as it is.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn end(&self) -> Parsed<()> {
        if self.at_end() { Ok(()) } else { Err(Unparsable) }
    }

    /// Takes the word if it comes next, in whatever case.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let found = head.eq_ignore_ascii_case(word.as_bytes());
        if found {
            self.rest = &self.rest[word.len()..];
        }
        found
    }

    pub(crate) fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.eat(word) { Ok(()) } else { Err(Unparsable) }
    }

    pub(crate) fn space(&mut self) -> Parsed<()> {
        self.expect(" ")
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|byte| !fits(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// One or more bytes that fit, as text.
    pub(crate) fn word(&mut self, fits: impl Fn(u8) -> bool) -> Parsed<String> {
        let taken = self.take_while(fits);
        if taken.is_empty() {
            return Err(Unparsable);
        }
        Ok(String::from_utf8_lossy(taken).into_owned())
    }

    pub(crate) fn atom(&mut self) -> Parsed<String> {
        self.word(is_atom_char)
    }

    /// A flag: an atom, with a backslash before it if it is one of the server's.
    pub(crate) fn flag(&mut self) -> Parsed<String> {
        let backslash = if self.eat("\\") { "\\" } else { "" };
        Ok(format!("{backslash}{}", self.atom()?))
    }

    pub(crate) fn number(&mut self) -> Parsed<u64> {
        self.word(|byte| byte.is_ascii_digit())?.parse().map_err(|_| Unparsable)
    }

    /// A quoted string or a literal.
    pub(crate) fn string(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{' | b'~') => self.literal(),
            _ => Err(Unparsable),
        }
    }

    /// A string, or an atom that may contain `]`.
    pub(crate) fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.string() {
            Ok(string) => Ok(string),
            Err(Unparsable) => {
                self.word(|byte| is_atom_char(byte) || byte == b']').map(String::into_bytes)
            }
        }
    }

    /// An astring as text; bytes that are no UTF-8 are replaced.
    pub(crate) fn text(&mut self) -> Parsed<String> {
        self.astring().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.expect("\"")?;
        let mut text = Vec::new();
        loop {
            text.extend(self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n')));
            if self.eat("\"") {
                return Ok(text);
            }
            self.expect("\\")?;
            let escaped = self.peek().filter(|byte| matches!(byte, b'"' | b'\\'));
            text.push(escaped.ok_or(Unparsable)?);
            self.rest = &self.rest[1..];
        }
    }

    fn literal(&mut self) -> Parsed<Vec<u8>> {
        self.eat("~");
        self.expect("{")?;
        let length = usize::try_from(self.number()?).map_err(|_| Unparsable)?;
        self.eat("+");
        self.expect("}\r\n")?;
        let (literal, rest) = self.rest.split_at_checked(length).ok_or(Unparsable)?;
        self.rest = rest;
        Ok(literal.to_vec())
    }

    /// `(` items with one space between them `)`; may be empty.
    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect("(")?;
        let mut items = Vec::new();
        if self.eat(")") {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(")") {
                return Ok(items);
            }
            self.space()?;
        }
    }

    /// Items with one space between them, up to the end of the command; at least one.
    pub(crate) fn words<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while !self.at_end() {
            self.space()?;
            items.push(item(self)?);
        }
        Ok(items)
    }
}

/// RFC 3501: ATOM-CHAR, with 8-bit bytes let through for UTF8=ACCEPT.
pub(crate) fn is_atom_char(byte: u8) -> bool {
    byte > b' '
        && byte != 0x7f
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}
