//! A mail to a customer that Baton puts together of what an agent wrote elsewhere. It is handed in like an agent's own.

use super::letter::{unstructured, write_body};
use super::{date, mailbox_text, write_ids, write_text};
use crate::clock::Timestamp;
use crate::mail::message::Address;

/// What the mail is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Who wrote it.
    pub from: Address,
    /// To.
    pub to: Vec<Address>,
    /// Cc.
    pub cc: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// The ids of the conversation, oldest first, without angle brackets; the last is the mail that is answered.
    pub references: Vec<String>,
    /// What it says; lines end with LF.
    pub text: String,
    /// Further parts, each with its header.
    pub parts: Vec<Vec<u8>>,
    /// When it was written.
    pub at: Timestamp,
    /// Something that no other mail has, of letters and digits.
    pub unique: String,
}

/// The bytes.
pub fn answer(answer: &Answer) -> Vec<u8> {
    let size: usize = answer.parts.iter().map(Vec::len).sum();
    let mut out = Vec::with_capacity(size + answer.text.len() + 2048);
    write_text(&mut out, "From", &mailbox_text(&answer.from));
    write_addresses(&mut out, "To", &answer.to);
    write_addresses(&mut out, "Cc", &answer.cc);
    write_text(&mut out, "Subject", &unstructured(&answer.subject));
    write_text(&mut out, "Date", &date(answer.at));
    let references: Vec<&str> = answer.references.iter().map(String::as_str).collect();
    if let Some(newest) = references.last() {
        write_ids(&mut out, "In-Reply-To", &[newest]);
        write_ids(&mut out, "References", &references);
    }
    write_text(&mut out, "MIME-Version", "1.0");
    if answer.parts.is_empty() {
        write_text(&mut out, "Content-Type", "text/plain; charset=utf-8");
        write_body(&mut out, &answer.text);
        return out;
    }
    let boundary = boundary(answer);
    let value = format!("multipart/mixed;\r\n boundary=\"{boundary}\"");
    write_text(&mut out, "Content-Type", &value);
    let between = format!("\r\n--{boundary}\r\n");
    out.extend_from_slice(between.as_bytes());
    write_text(&mut out, "Content-Type", "text/plain; charset=utf-8");
    write_body(&mut out, &answer.text);
    for part in &answer.parts {
        out.extend_from_slice(between.as_bytes());
        out.extend_from_slice(part);
    }
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}

/// One address a line, so that no line grows too long.
fn write_addresses(out: &mut Vec<u8>, name: &str, addresses: &[Address]) {
    let all: Vec<String> = addresses.iter().map(mailbox_text).collect();
    if !all.is_empty() {
        write_text(out, name, &all.join(",\r\n "));
    }
}

/// A line that stands nowhere in what it divides (RFC 2046, section 5.1.1).
fn boundary(answer: &Answer) -> String {
    let mut boundary = format!("=_{}", answer.unique);
    let stands_in =
        |text: &[u8], mark: &str| text.windows(mark.len()).any(|window| window == mark.as_bytes());
    while stands_in(answer.text.as_bytes(), &boundary)
        || answer.parts.iter().any(|part| stands_in(part, &boundary))
    {
        boundary.push('_');
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::message::Kind;
    use crate::mail::parse::parse;

    fn sample() -> Answer {
        let address =
            |name: &str, address: &str| Address { name: name.into(), address: address.into() };
        Answer {
            from: address("Ana Ruiz", "support@example.test"),
            to: vec![address("Carla, Käufer", "carla@shop.test")],
            cc: vec![address("", "boss@shop.test"), address("Li", "li@shop.test")],
            subject: "Re: Kaputter Wasserkessel für Süßes".into(),
            references: vec!["1@shop.test".into(), "2@shop.test".into()],
            text: "Grüße,\nAna\n".into(),
            parts: Vec::new(),
            at: Timestamp(0),
            unique: "abc".into(),
        }
    }

    #[test]
    fn it_is_read_as_it_was_meant() {
        let part = b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO=_abc";
        for parts in [vec![], vec![part.to_vec()]] {
            let made = answer(&Answer { parts: parts.clone(), ..sample() });
            let lines: Vec<&[u8]> = made.split(|byte| *byte == b'\n').collect();
            assert!(lines.iter().all(|line| line.is_empty() || line.ends_with(b"\r")));
            let message = parse(&made);
            assert_eq!(message.kind, Kind::Human);
            assert_eq!(message.text.trim(), "Grüße,\nAna");
            assert_eq!(message.subject, sample().subject);
            assert_eq!(message.to, sample().to);
            assert_eq!(message.cc, sample().cc);
            assert_eq!(message.in_reply_to, ["2@shop.test"]);
            assert_eq!(message.references, sample().references);
            assert_eq!(message.attachments.len(), parts.len());
            assert!(message.problems.iter().all(|one| one.contains("Message-ID")), "{message:?}");
        }
    }
}
