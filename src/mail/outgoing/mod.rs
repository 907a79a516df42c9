//! Makes of the mail that an agent wrote the mail that leaves under the shared address.
//!
//! Only the header is touched: what names the writer or the writer's program goes, From, Message-ID and the ids of the
//! conversation are written anew. The body leaves byte for byte, so that signatures over it (RFC 1847), attachments and
//! charsets stay what they were. Nothing here decides whether a mail may leave. Start with [`compose`]; [`answer()`] puts a
//! mail to a customer together, [`letter()`] is for what Baton itself writes.

mod answer;
mod field;
mod letter;

pub use answer::{Answer, answer};
pub use letter::{ACKNOWLEDGEMENT, Letter, letter};

pub(in crate::mail) use field::{Field, split};

use super::message::Address;
use crate::clock::Timestamp;

/// The longest line that may leave, in bytes without its end (RFC 5322, section 2.1.1).
const LINE_MAX: usize = 998;
/// The line length at which ids are folded.
const FOLD_AT: usize = 78;
/// How many ids of a long conversation are named: the first, and the newest.
const REFERENCES_MAX: usize = 100;

/// What is written over a mail that leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Letterhead {
    /// Whom it is from: the shared address, under the name that customers see.
    pub from: Address,
    /// Baton's own Message-ID for it, without angle brackets.
    pub message_id: String,
    /// The ids of the conversation, oldest first, without angle brackets; the last is the mail that is answered.
    pub references: Vec<String>,
    /// The writer's own addresses, of which nothing may be left.
    pub writer: Vec<String>,
    /// When it was handed in, for a mail without a date.
    pub at: Timestamp,
}

/// Why a mail cannot be made ready to leave.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsendable {
    /// No field was found in it.
    #[error("the mail has no header")]
    NoHeader,
    /// A CR or an LF stands alone (RFC 5322, section 2.3): where lines end would be a matter of opinion.
    #[error("line {line} of the mail is not ended by CR and LF")]
    BareLineEnd {
        /// Counted from 1.
        line: usize,
    },
    /// A line is longer than any server must take.
    #[error("line {line} of the mail has {bytes} bytes; no more than {LINE_MAX} may leave")]
    LongLine {
        /// Counted from 1.
        line: usize,
        /// Without its end.
        bytes: usize,
    },
}

/// The mail as it leaves.
///
/// # Errors
/// When no server could be relied on to read it as it was meant.
pub fn compose(raw: &[u8], letterhead: &Letterhead) -> Result<Vec<u8>, Unsendable> {
    check_lines(raw)?;
    let (fields, body) = split(raw);
    if fields.is_empty() {
        return Err(Unsendable::NoHeader);
    }
    let mut out = Vec::with_capacity(raw.len() + 1024);
    write_text(&mut out, "From", &mailbox_text(&letterhead.from));
    for field in fields.iter().filter(|field| stays(field, letterhead)) {
        out.extend_from_slice(field.raw);
    }
    if !fields.iter().any(|field| field.is("date")) {
        write_text(&mut out, "Date", &date(letterhead.at));
    }
    write_text(&mut out, "Message-ID", &format!("<{}>", letterhead.message_id));
    let references = cited(&letterhead.references);
    if let Some(answered) = references.last() {
        write_ids(&mut out, "In-Reply-To", &[answered]);
        write_ids(&mut out, "References", &references);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    Ok(out)
}

/// A copy of the mail that nobody takes for the mail itself: under a Message-ID of its own.
pub fn under_another_id(raw: &[u8], message_id: &str) -> Vec<u8> {
    let (fields, body) = split(raw);
    let mut out = Vec::with_capacity(raw.len() + 128);
    for field in fields.iter().filter(|field| !field.is("message-id")) {
        out.extend_from_slice(field.raw);
    }
    write_text(&mut out, "Message-ID", &format!("<{message_id}>"));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// Fields that are written anew, or that tell of the way the mail has come or of the program it was written with.
const GONE: [&str; 28] = [
    "from",
    "sender",
    "message-id",
    "in-reply-to",
    "references",
    "bcc",
    "return-path",
    "received",
    "received-spf",
    "delivered-to",
    "envelope-to",
    "x-original-to",
    "x-originating-ip",
    "x-sender-ip",
    "user-agent",
    "x-mailer",
    "x-identity-key",
    "x-account-key",
    "x-unsent",
    "fcc",
    "status",
    "x-status",
    "x-keywords",
    "x-uid",
    // What was signed is another mail than the one that leaves.
    "dkim-signature",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
];

/// Fields that may name the writer, and are dropped where they do.
const NAMING: [&str; 8] = [
    "reply-to",
    "mail-followup-to",
    "disposition-notification-to",
    "return-receipt-to",
    "errors-to",
    "autocrypt",
    "organization",
    "x-sender",
];

/// Beginnings of names that are the business of one program only.
const PRIVATE: [&str; 5] =
    ["x-baton-", "x-mozilla-", "x-ms-exchange-", "x-ms-has-attach", "authentication-results"];

fn stays(field: &Field<'_>, letterhead: &Letterhead) -> bool {
    let name = field.name.as_str();
    if GONE.contains(&name) || PRIVATE.iter().any(|start| name.starts_with(start)) {
        return false;
    }
    let names_writer = || letterhead.writer.iter().any(|address| field.holds(address));
    // A copy that fetched mail leaves its traces as `Resent-` fields (RFC 5322, section 3.6.6).
    !(name.starts_with("resent-") || NAMING.contains(&name) && names_writer())
}

/// The ids that are named: each once, none that does not fit on a line.
fn cited(references: &[String]) -> Vec<&str> {
    let mut cited: Vec<&str> = Vec::new();
    for id in references.iter().rev() {
        let fits = id.len() + 3 <= LINE_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && !id.is_empty() && !cited.contains(&id.as_str()) {
            cited.push(id);
        }
    }
    cited.reverse();
    if cited.len() > REFERENCES_MAX {
        let cut = cited.len() - REFERENCES_MAX;
        cited.drain(1..=cut);
    }
    cited
}

/// Writes ids as servers and clients want them: bare, folded between them, never encoded (M102).
fn write_ids(out: &mut Vec<u8>, name: &str, ids: &[&str]) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut length = name.len() + 1;
    for (at, id) in ids.iter().enumerate() {
        let fold = at > 0 && length + id.len() + 3 > FOLD_AT;
        if fold {
            out.extend_from_slice(b"\r\n");
            length = 0;
        }
        out.extend_from_slice(format!(" <{id}>").as_bytes());
        length += id.len() + 3;
    }
    out.extend_from_slice(b"\r\n");
}

fn write_text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
}

/// A date as RFC 5322, section 3.3, wants it, in UTC.
fn date(at: Timestamp) -> String {
    let zoned = jiff::Timestamp::from_second(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zoned.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// An address with its display name, quoted or encoded where it has to be.
fn mailbox_text(address: &Address) -> String {
    let Address { name, address } = address;
    if name.is_empty() {
        return address.clone();
    }
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&byte);
    if name.bytes().all(is_plain) && name.trim() == name && !name.contains("=?") {
        return format!("{name} <{address}>");
    }
    if name.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !name.contains("=?") {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    format!("{} <{address}>", encoded_words(name))
}

/// Words of RFC 2047, each at most 75 bytes long, letters never torn apart.
fn encoded_words(text: &str) -> String {
    use base64::Engine as _;
    const BYTES_MAX: usize = 45;
    let mut words: Vec<String> = vec![String::new()];
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        let full = words.last().is_none_or(|word| word.len() + letter.len_utf8() > BYTES_MAX);
        if full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    let encode = |word: &String| {
        format!("=?utf-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(word))
    };
    words.iter().map(encode).collect::<Vec<_>>().join("\r\n ")
}

fn check_lines(raw: &[u8]) -> Result<(), Unsendable> {
    let mut line = 1;
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = raw.get(at) {
        match (byte, raw.get(at + 1)) {
            (b'\r', Some(b'\n')) => {
                check_length(line, at - start)?;
                (line, start, at) = (line + 1, at + 2, at + 2);
                continue;
            }
            (b'\r' | b'\n', _) => return Err(Unsendable::BareLineEnd { line }),
            _ => at += 1,
        }
    }
    check_length(line, at - start)
}

fn check_length(line: usize, bytes: usize) -> Result<(), Unsendable> {
    match bytes {
        0..=LINE_MAX => Ok(()),
        _ => Err(Unsendable::LongLine { line, bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letterhead() -> Letterhead {
        Letterhead {
            from: Address { name: "Ana at Example".into(), address: "support@example.org".into() },
            message_id: "1@baton.example.org".into(),
            references: vec!["a@c".into(), "b@c".into()],
            writer: vec!["ana@example.org".into()],
            at: Timestamp(0),
        }
    }

    fn composed(raw: &str) -> String {
        String::from_utf8(compose(raw.as_bytes(), &letterhead()).unwrap()).unwrap()
    }

    #[test]
    fn what_names_the_writer_goes_and_the_rest_stays() {
        let raw = "Received: from laptop\r\n\tby baton\r\nFrom: Ana <ana@example.org>\r\n\
            Reply-To: ana@example.org\r\nTo: Carla <c@c>\r\nBcc: boss@example.org\r\nSubject: Re: =?utf-8?Q?K=C3=A4se?=\r\n\
            Message-ID: <x@laptop>\r\nIn-Reply-To: <b@c>\r\nUser-Agent: Mutt\r\nX-Baton-Thread: 7\r\n\
            Thread-Index: AdQ=\r\nThread-Topic: K\r\nX-Originating-IP: [10.0.0.1]\r\n\
            Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nContent-Type: text/plain; format=flowed\r\n\r\nHello \r\n..\r\n";
        let expected = "From: Ana at Example <support@example.org>\r\nTo: Carla <c@c>\r\nSubject: Re: =?utf-8?Q?K=C3=A4se?=\r\n\
            Thread-Index: AdQ=\r\nThread-Topic: K\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n\
            Content-Type: text/plain; format=flowed\r\nMessage-ID: <1@baton.example.org>\r\nIn-Reply-To: <b@c>\r\n\
            References: <a@c> <b@c>\r\n\r\nHello \r\n..\r\n";
        assert_eq!(composed(raw), expected);
    }

    #[test]
    fn an_address_to_answer_to_that_is_not_the_writers_stays() {
        let out = composed("Reply-To: press@example.org\r\nTo: c@c\r\n\r\nx");
        assert!(out.contains("Reply-To: press@example.org\r\n"), "{out}");
        assert!(out.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{out}");
    }

    #[test]
    fn long_conversations_are_folded_and_shortened() {
        let mut head = letterhead();
        head.references = (0..300).map(|n| format!("{n}.{}@c", "x".repeat(40))).collect();
        head.references.push("y".repeat(997));
        let out = compose(b"To: c@c\r\n\r\nx", &head).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().all(|line| line.len() <= FOLD_AT), "{out}");
        let ids: Vec<&str> = out
            .split("References:")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .filter(|word| word.starts_with('<'))
            .collect();
        assert_eq!(ids.len(), REFERENCES_MAX);
        assert!(
            ids[0].starts_with("<0.")
                && ids[1].starts_with("<201.")
                && ids[99].starts_with("<299."),
            "{ids:?}"
        );
    }

    #[test]
    fn names_are_quoted_or_encoded_where_they_have_to_be() {
        let cases = [
            ("", "s@e"),
            ("Ana at Example", "Ana at Example <s@e>"),
            ("Ana, \"Support\"", "\"Ana, \\\"Support\\\"\" <s@e>"),
            ("Jürgen", "=?utf-8?B?SsO8cmdlbg==?= <s@e>"),
            ("=?x", "=?utf-8?B?PT94?= <s@e>"),
        ];
        for (name, expected) in cases {
            let address = Address { name: name.into(), address: "s@e".into() };
            assert_eq!(mailbox_text(&address), expected);
        }
        let long = encoded_words(&"ä".repeat(60));
        assert!(long.split("\r\n ").all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn lines_that_others_might_read_differently_do_not_leave() {
        let refused = |raw: &[u8]| compose(raw, &letterhead()).unwrap_err();
        assert_eq!(refused(b"To: c@c\n\nx"), Unsendable::BareLineEnd { line: 1 });
        assert_eq!(refused(b"To: c@c\r\n\r\nx\r.\r\n"), Unsendable::BareLineEnd { line: 3 });
        assert_eq!(refused(b"To: c@c\r\n\r\nx\r"), Unsendable::BareLineEnd { line: 3 });
        assert_eq!(refused(b"\r\nx\r\n"), Unsendable::NoHeader);
        let long = [b"To: c@c\r\n\r\n".as_slice(), &[b'x'; 999]].concat();
        assert_eq!(refused(&long), Unsendable::LongLine { line: 3, bytes: 999 });
    }
}
