//! The forms in which a mail says its text, as places in its bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mail::outgoing::{Field, split};

/// How deep parts in parts are followed.
const DEPTH_MAX: usize = 8;
/// How many parts of one are looked at.
const PARTS_MAX: usize = 100;
/// The longest line of base64 and of quoted-printable (RFC 2045, sections 6.7 and 6.8).
const CODED_LINE: usize = 76;

/// What a leaf is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Plain,
    /// Plain text whose lines may go on (RFC 3676).
    Flowed,
    Html,
    Other,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Coding {
    None,
    Quoted,
    Base64,
}

/// One form of the text.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) form: Form,
    /// Whether ASCII letters are written as such in its charset.
    pub(super) is_ascii_like: bool,
    /// Where it lies in the mail, coded.
    pub(super) range: Range<usize>,
    /// Without its coding.
    pub(super) text: Vec<u8>,
    coding: Coding,
}

/// All forms of the text.
#[derive(Debug, Default)]
pub(super) struct Forms {
    pub(super) leaves: Vec<Leaf>,
    /// Whether something is signed or sealed (RFC 1847, RFC 8551).
    pub(super) signed: bool,
    /// Whether a file is attached.
    pub(super) attaches: bool,
}

/// The forms of the text; `None` where its parts cannot be told apart.
pub(super) fn leaves(raw: &[u8]) -> Option<Forms> {
    let mut forms = Forms::default();
    walk(raw, 0..raw.len(), 0, &mut forms)?;
    Some(forms)
}

fn walk(raw: &[u8], range: Range<usize>, depth: usize, forms: &mut Forms) -> Option<()> {
    let (fields, body) = split(raw.get(range.clone())?);
    let range = range.end - body.len()..range.end;
    let kind = value(&fields, "content-type").unwrap_or_else(|| "text/plain".into());
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let many = name.strip_prefix("multipart/");
    forms.signed |= matches!(many, Some("signed" | "encrypted")) || name.contains("pkcs7-mime");
    let Some(sort) = many else {
        forms.leaves.push(leaf(raw, range, &fields, &name, &kind)?);
        return Some(());
    };
    if depth == DEPTH_MAX {
        return None;
    }
    let parts = parts(raw, range, &parameter(&kind, "boundary")?)?;
    let is_file = |part: &Range<usize>| {
        let (fields, _) = split(raw.get(part.clone()).unwrap_or_default());
        let place = value(&fields, "content-disposition").unwrap_or_default();
        place.trim_start().to_ascii_lowercase().starts_with("attachment")
    };
    forms.attaches |= parts.iter().any(is_file);
    match sort {
        "alternative" => parts.into_iter().try_for_each(|part| walk(raw, part, depth + 1, forms)),
        _ => walk(raw, parts.into_iter().next()?, depth + 1, forms),
    }
}

fn leaf(
    raw: &[u8],
    range: Range<usize>,
    fields: &[Field<'_>],
    name: &str,
    kind: &str,
) -> Option<Leaf> {
    let flowed =
        parameter(kind, "format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
    let form = match name {
        "text/plain" if flowed => Form::Flowed,
        "text/plain" => Form::Plain,
        "text/html" => Form::Html,
        _ => Form::Other,
    };
    let charset = parameter(kind, "charset").unwrap_or_default().to_ascii_lowercase();
    let coding = value(fields, "content-transfer-encoding").unwrap_or_default();
    let coding = match coding.trim().to_ascii_lowercase().as_str() {
        "" | "7bit" | "8bit" | "binary" => Coding::None,
        "quoted-printable" => Coding::Quoted,
        "base64" => Coding::Base64,
        _ => return None,
    };
    let coded = raw.get(range.clone())?;
    let text = match (form, coding) {
        (Form::Other, _) => Vec::new(),
        (_, Coding::None) => coded.to_vec(),
        (_, Coding::Quoted) => unquoted(coded, usize::MAX).0,
        (_, Coding::Base64) => {
            let letters: Vec<u8> =
                coded.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(letters).ok()?
        }
    };
    let is_ascii_like = !charset.starts_with("utf-16")
        && !charset.starts_with("utf-32")
        && !charset.starts_with("utf-7")
        && !charset.starts_with("ucs")
        && !charset.contains("ebcdic");
    Some(Leaf { form, is_ascii_like, range, text, coding })
}

impl Leaf {
    /// Its coded bytes without these parts of its text; what stands behind the last of them stays byte for byte.
    pub(super) fn without(&self, raw: &[u8], cuts: &[Range<usize>]) -> Vec<u8> {
        let end = cuts.last().map_or(0, |cut| cut.end);
        let mut before = Vec::new();
        let mut at = 0;
        for cut in cuts {
            before.extend_from_slice(self.text.get(at..cut.start).unwrap_or_default());
            at = cut.end;
        }
        let behind = self.text.get(end..).unwrap_or_default();
        let coded = raw.get(self.range.clone()).unwrap_or_default();
        match self.coding {
            Coding::None => [&before, behind].concat(),
            Coding::Base64 => based(&[&before, behind].concat()),
            Coding::Quoted => {
                let (_, length) = unquoted(coded, end);
                let mut out = quoted(&before);
                let behind = coded.get(length..).unwrap_or_default();
                // What goes on within a line would make it too long.
                if !before.is_empty() && !before.ends_with(b"\n") && !behind.is_empty() {
                    out.extend_from_slice(b"=\r\n");
                }
                out.extend_from_slice(behind);
                out
            }
        }
    }
}

/// Quoted-printable undone for so many bytes of text; also how many coded bytes they take.
fn unquoted(coded: &[u8], bytes: usize) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut at = 0;
    while text.len() < bytes {
        let Some(byte) = coded.get(at) else { break };
        let three = coded.get(at + 1).zip(coded.get(at + 2));
        let hex =
            |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = three.and_then(|(high, low)| Some(hex(high)? * 16 + hex(low)?));
        match (byte, pair, three) {
            (b'=', Some(letter), _) => {
                text.push(letter);
                at += 3;
            }
            (b'=', None, Some((b'\r', b'\n'))) => at += 3,
            _ => {
                text.push(*byte);
                at += 1;
            }
        }
    }
    (text, at)
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut column = 0;
    let mut rest = text.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte == b'\r' && rest.peek() == Some(&&b'\n') {
            rest.next();
            out.extend_from_slice(b"\r\n");
            column = 0;
            continue;
        }
        let ends = matches!(rest.peek(), None | Some(b'\r'));
        let is_safe = matches!(byte, b'!'..=b'~' if *byte != b'=') || *byte == b' ' && !ends;
        let coded = if is_safe { vec![*byte] } else { format!("={byte:02X}").into_bytes() };
        if column + coded.len() >= CODED_LINE {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        column += coded.len();
        out.extend(coded);
    }
    out
}

fn based(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in STANDARD.encode(text).as_bytes().chunks(CODED_LINE) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The parts between lines of `--boundary` (RFC 2046, section 5.1.1).
fn parts(raw: &[u8], range: Range<usize>, boundary: &str) -> Option<Vec<Range<usize>>> {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begin = None;
    let mut at = range.start;
    while at < range.end {
        let rest = raw.get(at..range.end)?;
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length)?.trim_ascii_end();
        let behind = line.strip_prefix(mark.as_bytes());
        if behind.is_some_and(|behind| behind.is_empty() || behind == b"--") {
            // The line end in front belongs to the boundary.
            parts.extend(begin.map(|begin: usize| begin..at.saturating_sub(2).max(begin)));
            begin = (behind == Some(b"")).then_some(at + length);
            if begin.is_none() || parts.len() == PARTS_MAX {
                return Some(parts);
            }
        }
        at += length;
    }
    parts.extend(begin.map(|begin| begin..range.end));
    Some(parts)
}

/// A field's value, with its folds undone.
fn value(fields: &[Field<'_>], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.is(name))?;
    let text = String::from_utf8_lossy(field.raw).replace(['\r', '\n'], "");
    text.split_once(':').map(|(_, value)| value.to_owned())
}

/// A parameter of a value (RFC 2045, section 5.1).
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value;
    while let Some(semicolon) = rest.find(';') {
        rest = rest.get(semicolon + 1..)?;
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (found, behind) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = after.find(|letter: char| letter == ';' || letter.is_whitespace());
                after.split_at_checked(end.unwrap_or(after.len()))?
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.to_owned());
        }
        rest = behind;
    }
    None
}
