//! The header of a message as fields, and what they say: ids, addresses, date, subject.
//!
//! Read with our own splitter rather than from the library's message, so that a header can be read when the body
//! cannot, and every copy of a doubled field is seen. Never fails; what is odd goes into `problems`.

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{DateTime, HeaderValue};

use super::message::{Address, REFERENCES_MAX};
use super::words;
use crate::clock::Timestamp;

/// How many fields are read; the rest is ignored with a problem.
const FIELDS_MAX: usize = 10_000;
/// The longest field that is read, in bytes; two thousand addresses fit.
const FIELD_MAX: usize = 256 * 1024;
/// How many lines that could begin a part are handed to the library.
const PARTS_MAX: usize = 50_000;
/// The longest header that is handed to the library as it is, in bytes.
const HEADER_MAX: usize = 1024 * 1024;
/// How many addresses of one field are kept.
const ADDRESSES_MAX: usize = 2_000;
/// The longest id that is believed, in bytes; IMAP servers refuse to search for longer lines.
const ID_MAX: usize = 1_000;

/// The fields in the order in which they were written, unfolded.
pub(super) struct Fields {
    fields: Vec<(String, Vec<u8>)>,
    /// Whether there were more than are kept.
    pub(super) cut: bool,
}

impl Fields {
    /// Reads up to the first empty line.
    pub(super) fn read(raw: &[u8]) -> Fields {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let mut cut = false;
        for line in raw.trim_ascii_start().split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(b' ');
                    cut |= push(value, line.trim_ascii());
                }
            } else if let Some((name, value)) = split(line) {
                if fields.len() == FIELDS_MAX {
                    cut = true;
                    break;
                }
                let mut kept = Vec::new();
                cut |= push(&mut kept, value.trim_ascii());
                fields.push((name, kept));
            }
        }
        Fields { fields, cut }
    }

    /// Every value of one field; `name` in lower case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of one field that is not empty.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Whether the name of any field begins so.
    pub(super) fn any_begins(&self, beginning: &str) -> bool {
        self.fields.iter().any(|(name, _)| name.starts_with(beginning))
    }

    /// Whether this looks like the header of a mail at all.
    pub(super) fn known(&self) -> bool {
        const KNOWN: [&str; 14] = [
            "from",
            "to",
            "cc",
            "subject",
            "date",
            "message-id",
            "received",
            "return-path",
            "sender",
            "reply-to",
            "content-type",
            "mime-version",
            "in-reply-to",
            "references",
        ];
        self.fields.iter().any(|(name, _)| KNOWN.contains(&name.as_str()))
    }
}

/// Appends as much as fits; says whether something was left out.
fn push(value: &mut Vec<u8>, more: &[u8]) -> bool {
    let room = FIELD_MAX.saturating_sub(value.len());
    value.extend_from_slice(more.get(..room).unwrap_or(more));
    more.len() > room
}

/// The message with a header of bearable length and a bearable number of parts: long fields are left out, and
/// what follows too many lines that could begin a part. The flag says that something was.
pub(super) fn bearable(raw: &[u8]) -> (Cow<'_, [u8]>, bool) {
    // Too short for either: a line that could begin a part has three bytes at least.
    if raw.len() <= 3 * PARTS_MAX {
        return (Cow::Borrowed(raw), false);
    }
    let mut end = 0;
    let begins = |line: &[u8]| {
        line.starts_with(b"--")
            || line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
    };
    let mut parts = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        parts += usize::from(begins(line));
        if parts > PARTS_MAX {
            break;
        }
        end += line.len();
    }
    let kept = raw.get(..end).unwrap_or(raw);
    let short = short_header(kept);
    let cut = end < raw.len() || matches!(short, Cow::Owned(_));
    (short, cut)
}

fn short_header(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut end = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if end > 0 && matches!(line, b"\n" | b"\r\n") {
            break;
        }
        end += line.len();
    }
    let (header, body) = raw.split_at_checked(end).unwrap_or((raw, &[]));
    if header.len() <= HEADER_MAX {
        return Cow::Borrowed(raw);
    }
    let mut kept = Vec::with_capacity(HEADER_MAX + body.len());
    let mut field = Vec::new();
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            append(&mut kept, &mut field);
        }
        field.extend_from_slice(line);
    }
    append(&mut kept, &mut field);
    kept.extend_from_slice(body);
    Cow::Owned(kept)
}

fn append(kept: &mut Vec<u8>, field: &mut Vec<u8>) {
    if field.len() <= HEADER_MAX / 16 && kept.len() + field.len() <= HEADER_MAX {
        kept.append(field);
    }
    field.clear();
}

/// `Name: value`; blanks before the colon are tolerated, other lines are not fields.
fn split(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    Some((String::from_utf8_lossy(name).to_ascii_lowercase(), value.get(1..)?))
}

/// The ids in a field, without angle brackets, in order, each once.
pub(super) fn ids(field: &[u8]) -> Vec<String> {
    let text = words::guess(field);
    let mut found: Vec<String> = Vec::new();
    let mut keep = |id: &str| {
        let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if !id.is_empty() && id.len() <= ID_MAX {
            found.push(id);
        }
    };
    if text.contains('<') {
        for part in text.split('<').skip(1) {
            // `<a@b <c@d>`: a bracket that was never closed ends at the next blank.
            keep(part.split('>').next().unwrap_or(part));
        }
    } else {
        text.split([' ', '\t', ',']).filter(|word| word.contains('@')).for_each(keep);
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|id| seen.insert(id.clone()));
    found
}

/// The ids of the Message-ID fields; one written without brackets or without `@` counts too.
pub(super) fn message_ids(fields: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    for field in fields.all("message-id") {
        let mut these = ids(field);
        if these.is_empty() {
            let whole: String = words::guess(field)
                .chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '<' | '>'))
                .collect();
            if !whole.is_empty() && whole.len() <= ID_MAX {
                these.push(whole);
            }
        }
        found.extend(these);
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|id: &String| seen.insert(id.clone()));
    found
}

/// The References, oldest first, at most [`REFERENCES_MAX`]: the first, which names the thread, and the newest.
pub(super) fn references(fields: &Fields) -> Vec<String> {
    let mut all: Vec<String> = fields.all("references").flat_map(ids).collect();
    if all.len() > REFERENCES_MAX {
        all.drain(1..=all.len() - REFERENCES_MAX);
    }
    all
}

/// The addresses of every field of this name, groups flattened.
pub(super) fn addresses(fields: &Fields, name: &str) -> Vec<Address> {
    fields.all(name).flat_map(address_list).take(ADDRESSES_MAX).collect()
}

/// The addresses of one field.
pub(super) fn address_list(field: &[u8]) -> Vec<Address> {
    let mut phrases = words::phrases(field);
    // Addresses with nothing but blanks between them.
    let bare = !phrases.iter().any(|byte| b"<>\"(),;:\\".contains(byte));
    if bare && phrases.split(u8::is_ascii_whitespace).all(|word| word.contains(&b'@')) {
        phrases.iter_mut().filter(|byte| byte.is_ascii_whitespace()).for_each(|byte| *byte = b',');
    }
    phrases.push(b'\n');
    let HeaderValue::Address(found) = MessageStream::new(&phrases).parse_address() else {
        return Vec::new();
    };
    found
        .iter()
        .take(ADDRESSES_MAX)
        .filter_map(|one| {
            address(one.name().unwrap_or_default(), one.address().unwrap_or_default())
        })
        .collect()
}

fn address(name: &str, written: &str) -> Option<Address> {
    let clean = |text: &str| -> String {
        text.split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (mut name, mut written) = (clean(name), clean(written).replace(' ', ""));
    if let Some(bare) =
        written.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map(str::len)
    {
        written = written.get(bare..).unwrap_or_default().to_owned();
    }
    // `"ana@example.com"` in quotes, and nothing else, is an address.
    if written.is_empty() && name.contains('@') && !name.contains(' ') {
        written = std::mem::take(&mut name);
    }
    // Quotes around quotes: `"'Ana'" <ana@example.com>`, as Outlook writes it.
    if let Some(inner) = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        name = inner.to_owned();
    }
    (!name.is_empty() || !written.is_empty()).then_some(Address { name, address: written })
}

/// The Date field; `None` when it is missing or says nothing.
pub(super) fn date(fields: &Fields) -> Option<Timestamp> {
    let text = words::guess(fields.first("date")?);
    let text = text.replace(['\r', '\n'], " ") + "\n";
    let read: DateTime = DateTime::parse_rfc822(&text)?;
    read.is_valid().then(|| Timestamp(read.to_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(header: &str) -> Vec<(String, String)> {
        address_list(header.as_bytes()).into_iter().map(|a| (a.name, a.address)).collect()
    }

    #[test]
    fn addresses_are_read_as_people_and_programs_write_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("ana@x.example", &[("", "ana@x.example")]),
            ("Ana <ana@x.example>", &[("Ana", "ana@x.example")]),
            (
                "\"Roe, Ana\" <ana@x.example>, b@x.example",
                &[("Roe, Ana", "ana@x.example"), ("", "b@x.example")],
            ),
            (
                "Team: Ana <a@x.example>, b@x.example;",
                &[("Ana", "a@x.example"), ("", "b@x.example")],
            ),
            ("undisclosed-recipients:;", &[]),
            ("ana@x.example (Ana)", &[("Ana", "ana@x.example")]),
            ("\"ana@x.example\"", &[("", "ana@x.example")]),
            ("\"'Ana Roe'\" <ana@x.example>", &[("Ana Roe", "ana@x.example")]),
            ("=?utf-8?Q?M=C3=BCller=2C_Eva?= <eva@x.example>", &[("Müller, Eva", "eva@x.example")]),
            ("Mailer-Daemon", &[("Mailer-Daemon", "")]),
            ("a@x.example b@x.example", &[("", "a@x.example"), ("", "b@x.example")]),
            ("<>", &[]),
            ("", &[]),
        ];
        for (header, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(n, a)| ((*n).to_owned(), (*a).to_owned())).collect();
            assert_eq!(one(header), expected, "{header}");
        }
    }

    #[test]
    fn ids_are_found_in_any_dress() {
        let cases: &[(&str, &[&str])] = &[
            ("<a@x>", &["a@x"]),
            ("<a@x> <b@y>\t<a@x>", &["a@x", "b@y"]),
            ("<a@x><b@y>", &["a@x", "b@y"]),
            ("Your message of Monday <a@x>", &["a@x"]),
            ("a@x", &["a@x"]),
            ("Your message of Monday", &[]),
            ("<a @x>", &["a@x"]),
            ("", &[]),
            ("<>", &[]),
        ];
        for (field, expected) in cases {
            assert_eq!(ids(field.as_bytes()), *expected, "{field}");
        }
    }

    #[test]
    fn of_too_many_references_the_first_and_the_newest_stay() {
        let many: String = (0..900).map(|n| format!("<{n}@x> ")).collect();
        let kept = references(&Fields::read(format!("References: {many}\n\n").as_bytes()));
        assert_eq!(kept.len(), REFERENCES_MAX);
        assert_eq!(kept.first().unwrap(), "0@x");
        assert_eq!(kept.get(1).unwrap(), "401@x");
        assert_eq!(kept.last().unwrap(), "899@x");
    }

    #[test]
    fn folded_odd_and_doubled_fields_are_all_seen() {
        let fields =
            Fields::read(b"\r\nSubject: a\r\n b\r\nX-Bad line\r\nSubject : c\r\n\r\nSubject: body");
        let all: Vec<&[u8]> = fields.all("subject").collect();
        assert_eq!(all, [b"a b".as_slice(), b"c"]);
        assert!(fields.known());
        assert!(!Fields::read(b"hello\n\x00\x01:").known());
    }

    #[test]
    fn dates_are_read_or_are_not_there() {
        let date = |text: &str| date(&Fields::read(format!("Date: {text}\n\n").as_bytes()));
        assert_eq!(
            date("Mon, 2 Nov 2026 09:30:00 +0100"),
            Timestamp::parse("2026-11-02T08:30:00Z")
        );
        assert_eq!(date("yesterday"), None);
        assert_eq!(date(""), None);
    }
}
