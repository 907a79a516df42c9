//! The words of a header: RFC 2047 encoded words, raw 8-bit bytes, UTF-8 (RFC 6532), in any mixture.
//!
//! More forgiving than the standard, because senders are: encoded words are decoded inside quoted strings, glued
//! to other text, and when a character was split over two of them. Start with [`text`] and [`phrases`].

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

/// The longest encoded word that is looked for; the standard allows 75 bytes, senders write whole subjects.
const WORD_MAX: usize = 16 * 1024;

/// Reads an unstructured field, such as Subject, without line folds.
pub(super) fn text(field: &[u8]) -> String {
    let mut out = String::with_capacity(field.len());
    for piece in Pieces::new(field) {
        match piece {
            Piece::Plain(bytes) => out.push_str(&guess(bytes)),
            Piece::Decoded(word) => out.push_str(&word),
        }
    }
    tidy(&out)
}

/// Rewrites an address field so that an address parser can read it: what was encoded becomes a quoted string.
/// A comma that was hidden inside an encoded word therefore does not separate addresses.
pub(super) fn phrases(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut quoted = false;
    for piece in Pieces::new(field) {
        match piece {
            Piece::Plain(bytes) => {
                let mut escaped = false;
                for byte in bytes {
                    if *byte == b'"' && !escaped {
                        quoted = !quoted;
                    }
                    escaped = *byte == b'\\' && !escaped;
                }
                out.extend_from_slice(guess(bytes).as_bytes());
            }
            Piece::Decoded(word) => push_phrase(&mut out, &word, quoted),
        }
    }
    out
}

fn push_phrase(out: &mut Vec<u8>, word: &str, quoted: bool) {
    // Some senders put the quotes of a quoted string inside the encoded word.
    let word = word.trim_matches('"');
    if !quoted {
        out.push(b'"');
    }
    for letter in word.chars() {
        match letter {
            '"' | '\\' => out.extend_from_slice(&[b'\\', letter as u8]),
            '\r' | '\n' | '\0' => out.push(b' '),
            _ => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if !quoted {
        out.push(b'"');
    }
}

/// Bytes of unknown charset as text: UTF-8 when they are UTF-8, else Windows-1252, which never fails.
pub(super) fn guess(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => match charset_decoder(b"windows-1252") {
            Some(decode) => decode(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

/// Bytes with the charset that the sender named; [`guess`] when it is unknown or plainly wrong.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> String {
    let charset = charset.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    let western = matches!(
        charset.as_str(),
        "" | "us-ascii" | "ascii" | "iso-8859-1" | "iso-8859-15" | "latin1" | "windows-1252"
    );
    // Text that is well-formed UTF-8 with letters beyond ASCII is never meant as Latin-1.
    if western && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
        return guess(bytes);
    }
    match charset_decoder(charset.as_bytes()) {
        Some(_) if charset == "utf-8" || charset == "utf8" => guess(bytes),
        Some(decode) => decode(bytes),
        None => guess(bytes),
    }
}

enum Piece<'a> {
    Plain(&'a [u8]),
    Decoded(String),
}

/// Splits a field into plain runs and runs of adjacent encoded words, the latter decoded together.
struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    fn new(field: &'a [u8]) -> Pieces<'a> {
        Pieces { rest: field }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        if let Some((decoded, rest)) = run(self.rest) {
            self.rest = rest;
            return Some(Piece::Decoded(decoded));
        }
        // The first byte is plain whatever it is; look for the next place where a word can begin.
        let end = self
            .rest
            .windows(2)
            .enumerate()
            .skip(1)
            .find(|(_, two)| *two == b"=?")
            .map_or(self.rest.len(), |(at, _)| at);
        let (plain, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        Some(Piece::Plain(plain))
    }
}

/// Decodes the encoded words at the start of `bytes`; blanks between them are dropped (RFC 2047, section 6.2).
/// Words of one charset are joined as bytes before they are decoded: a character may be split between them.
fn run(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (first, mut rest) = word(bytes)?;
    let mut out = String::new();
    let (mut charset, mut joined) = (first.charset, first.bytes);
    while let Some((next, after)) = word(rest.trim_ascii_start()) {
        rest = after;
        if next.charset.eq_ignore_ascii_case(&charset) && !stateful(&charset) {
            joined.extend_from_slice(&next.bytes);
        } else {
            out.push_str(&decode(&charset, &joined));
            (charset, joined) = (next.charset, next.bytes);
        }
    }
    out.push_str(&decode(&charset, &joined));
    Some((out, rest))
}

/// Charsets whose every word begins anew; joined, the switch in the middle would read as an error.
fn stateful(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    charset.starts_with("iso-2022") || charset.starts_with("utf-7") || charset.starts_with("hz-")
}

struct Word {
    charset: String,
    bytes: Vec<u8>,
}

/// Reads one `=?charset?encoding?text?=`.
fn word(bytes: &[u8]) -> Option<(Word, &[u8])> {
    let inner = bytes.strip_prefix(b"=?")?;
    let inner = inner.get(..WORD_MAX.min(inner.len()))?;
    let mut parts = inner.splitn(3, |byte| *byte == b'?');
    let (charset, encoding, text) = (parts.next()?, parts.next()?, parts.next()?);
    if charset.is_empty() || charset.len() > 45 || !charset.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let end = end_of_word(text)?;
    let coded = text.get(..end)?;
    let used = 2 + charset.len() + 1 + encoding.len() + 1 + end + 2;
    let decoded = match encoding {
        b"b" | b"B" => base64_decode(&padded(coded))?,
        b"q" | b"Q" => unquote(coded),
        _ => return None,
    };
    let charset = String::from_utf8_lossy(charset).into_owned();
    Some((Word { charset, bytes: decoded }, bytes.get(used..)?))
}

/// Where `?=` ends a word. The beginning of another word comes first when this one was never closed; searching
/// on would take quadratic time.
fn end_of_word(text: &[u8]) -> Option<usize> {
    let mut ahead = text.windows(2).enumerate().peekable();
    while let Some((at, two)) = ahead.next() {
        let closes_next = ahead.peek().is_some_and(|(_, next)| *next == b"?=");
        match two {
            b"?=" => return Some(at),
            b"=?" if !closes_next => return None,
            _ => {}
        }
    }
    None
}

/// Base64 without blanks and with the padding that many senders forget.
fn padded(coded: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = coded
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    if out.len() % 4 == 1 {
        out.pop();
    }
    while !out.len().is_multiple_of(4) {
        out.push(b'=');
    }
    out
}

fn unquote(coded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(coded.len());
    let mut bytes = coded.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'_' => out.push(b' '),
            b'=' => {
                let mut ahead = bytes.clone();
                match (ahead.next().and_then(hex), ahead.next().and_then(hex)) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        bytes = ahead;
                    }
                    _ => out.push(b'='),
                }
            }
            _ => out.push(byte),
        }
    }
    out
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// One line without control characters, ends trimmed, runs of blanks made one.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}') {
        if !part.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_letters_beyond_ascii_is_read() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain", "plain"),
            (b"=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
            (b"=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),
            (b"=?ISO-8859-1?Q?Gr=FC=DFe_aus?= Bonn", "Grüße aus Bonn"),
            (b"=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"),
            (b"=?utf-8?B?R3LD?=\t=?UTF-8?B?vMOfZQ==?=", "Grüße"),
            (b"a =?x-unknown?Q?b=FC?= c", "a bü c"),
            (b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
            (b"Gr\xfc\xdfe", "Grüße"),
            (b"=?us-ascii?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?utf-8?Q?broken", "=?utf-8?Q?broken"),
            (b"=?utf-8?X?odd?=", "=?utf-8?X?odd?="),
            (b"=?utf-8?Q?100=?=", "100="),
            (b"Re:=?utf-8?Q?_you?=", "Re: you"),
            (b"=?utf-8*en?Q?hi?=", "hi"),
            (b"=?ISO-2022-JP?B?GyRCJUYbKEI=?= =?ISO-2022-JP?B?GyRCJUYbKEI=?=", "テテ"),
            (b" two\tblanks  here ", "two blanks here"),
        ];
        for (field, expected) in cases {
            assert_eq!(text(field), *expected, "{}", String::from_utf8_lossy(field));
        }
    }

    #[test]
    fn a_comma_inside_an_encoded_word_stays_inside_the_name() {
        let phrase = phrases(b"=?utf-8?Q?M=C3=BCller=2C_Eva?= <eva@x.example>");
        assert_eq!(String::from_utf8(phrase).unwrap(), "\"Müller, Eva\" <eva@x.example>");
        let phrase = phrases(b"\"=?utf-8?Q?M=C3=BCller?=\" <eva@x.example>");
        assert_eq!(String::from_utf8(phrase).unwrap(), "\"Müller\" <eva@x.example>");
    }
}
