//! A short, plain mail that Baton itself writes, as it leaves.

use base64::Engine as _;

use super::{date, encoded_words, mailbox_text, write_ids, write_text};
use crate::clock::Timestamp;
use crate::mail::message::Address;
use crate::mail::proof::LOOP;

/// The longest line of a coded text (RFC 2045, section 6.8).
const CODED_LINE: usize = 76;
/// The longest line that is sent as it is: longer ones are coded.
const PLAIN_LINE: usize = 990;

/// The sort of letter that tells a customer that a mail has come.
pub const ACKNOWLEDGEMENT: &str = "acknowledgement";

/// A mail of Baton's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Letter {
    /// Whom it is from: the shared address.
    pub from: Address,
    /// To whom it goes.
    pub to: Address,
    /// To whom an answer goes, where that is another address.
    pub reply_to: Option<Address>,
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// The ids under which clients are to file it, without angle brackets.
    pub references: Vec<String>,
    /// What it is about.
    pub subject: String,
    /// What it says; lines end with LF.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
    /// What sort of mail of Baton's it is, one word: the value of `X-Baton-Letter`, by which Baton knows its own.
    pub sort: &'static str,
}

/// The bytes. `Auto-Submitted` (RFC 3834, section 5) and Exchange's own field keep other machines from answering it.
pub fn letter(letter: &Letter) -> Vec<u8> {
    let mut out = Vec::with_capacity(letter.text.len() + 1024);
    write_text(&mut out, "From", &mailbox_text(&letter.from));
    write_text(&mut out, "To", &mailbox_text(&letter.to));
    if let Some(address) = &letter.reply_to {
        write_text(&mut out, "Reply-To", &mailbox_text(address));
    }
    write_text(&mut out, "Subject", &unstructured(&letter.subject));
    write_text(&mut out, "Date", &date(letter.at));
    write_text(&mut out, "Message-ID", &format!("<{}>", letter.message_id));
    let references: Vec<&str> = letter.references.iter().map(String::as_str).collect();
    if let Some(newest) = references.last() {
        write_ids(&mut out, "In-Reply-To", &[newest]);
        write_ids(&mut out, "References", &references);
    }
    let answers = letter.sort == ACKNOWLEDGEMENT;
    let submitted = if answers { "auto-replied" } else { "auto-generated" };
    write_text(&mut out, "Auto-Submitted", submitted);
    write_text(&mut out, "X-Auto-Response-Suppress", "All");
    if answers {
        // RFC 3834, section 3.1.8, asks for none, and much that answers by itself knows nothing else.
        write_text(&mut out, "Precedence", "bulk");
    }
    write_text(&mut out, "X-Loop", &letter.from.address);
    write_text(&mut out, LOOP, &format!("<{}>", letter.message_id));
    write_text(&mut out, "X-Baton-Letter", letter.sort);
    write_text(&mut out, "MIME-Version", "1.0");
    write_text(&mut out, "Content-Type", "text/plain; charset=utf-8");
    write_body(&mut out, &letter.text);
    out
}

/// A subject on lines of its own length, encoded where it has to be.
pub(super) fn unstructured(text: &str) -> String {
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.contains("=?");
    if is_plain && text.len() < PLAIN_LINE { text } else { encoded_words(&text) }
}

pub(super) fn write_body(out: &mut Vec<u8>, text: &str) {
    let plain = text.is_ascii()
        && text.lines().all(|line| line.len() <= PLAIN_LINE)
        && !text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\n' && byte != b'\t');
    let text = text.lines().fold(String::new(), |text, line| text + line + "\r\n");
    if plain {
        write_text(out, "Content-Transfer-Encoding", "7bit");
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(text.as_bytes());
        return;
    }
    write_text(out, "Content-Transfer-Encoding", "base64");
    out.extend_from_slice(b"\r\n");
    let coded = base64::engine::general_purpose::STANDARD.encode(text);
    for line in coded.as_bytes().chunks(CODED_LINE) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::message::Kind;
    use crate::mail::parse::parse;

    fn written(subject: &str, text: &str) -> Vec<u8> {
        letter(&Letter {
            from: Address { name: "Baton".into(), address: "support@example.test".into() },
            to: Address { name: "Jürgen".into(), address: "j@example.test".into() },
            message_id: "1.baton@example.test".into(),
            reply_to: None,
            references: vec!["thread-4.baton@example.test".into()],
            subject: subject.into(),
            text: text.into(),
            at: Timestamp(0),
            sort: "notice",
        })
    }

    #[test]
    fn it_is_read_as_it_was_written_and_known_as_our_own() {
        let long = "x".repeat(3000);
        let cases =
            [("#4 Kettle", "One.\n\nTwo.\n"), ("#4 Käse\r\nBcc: x@y", "Grüße\n"), ("s", &long)];
        for (subject, text) in cases {
            let raw = written(subject, text);
            let lines = raw.split(|byte| *byte == b'\n');
            assert!(raw.is_ascii() && lines.into_iter().all(|line| line.len() < 999));
            let message = parse(&raw);
            assert_eq!(message.kind, Kind::Own);
            assert_eq!(message.subject, subject.replace("\r\n", ""));
            assert_eq!(message.new_text.trim(), text.trim());
            assert_eq!(message.message_id, "1.baton@example.test");
            assert_eq!(message.to[0].name, "Jürgen");
        }
    }
}
