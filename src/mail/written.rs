//! What a person wrote in answer to a mail, to be sent on: their words with their signature, and what they attached.
//!
//! Attachments are taken over as the bytes of their parts, so that nothing in them is coded anew. Start with [`written`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{MessagePart, MimeHeaders, PartType};

use super::message::Message;
use super::{newtext, parse};

/// What was written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// The words, without the mail that they answer; lines end with LF.
    pub text: String,
    /// The parts that are not the words, each with its header, as it came.
    pub parts: Vec<Vec<u8>>,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

/// Signatures over a mail that is not the one that leaves.
const SIGNATURES: [&str; 4] = [
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
    "application/pgp-keys",
];
const ENCRYPTED: [&str; 3] =
    ["application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"];

/// Reads an answer whose bytes are `raw`, and of which `message` is known.
pub fn written(raw: &[u8], message: &Message) -> Written {
    // As in `parse`: the library is run where a panic is caught.
    catch_unwind(AssertUnwindSafe(|| read(raw, message))).unwrap_or_default()
}

fn read(raw: &[u8], message: &Message) -> Written {
    let Some(tree) = parse::tree(raw) else { return Written::default() };
    let parsed = &tree.0;
    let (body, context) = (super::body::read(parsed), parse::context(message));
    let mut written =
        Written { text: newtext::own_words(&body.plain, context), ..Written::default() };
    let named = |id: &&u32| {
        parsed.part(**id).is_some_and(|part| part.is_text() && super::body::named(part))
    };
    let texts = parsed.text_body.iter().filter(named);
    for id in parsed.attachments.iter().chain(texts) {
        let Some(part) = parsed.part(*id) else { continue };
        let kind = media_type(part);
        written.encrypted |= ENCRYPTED.contains(&kind.as_str());
        if !SIGNATURES.contains(&kind.as_str()) && !kind.starts_with("multipart/") {
            written.parts.extend(bytes(raw, part));
        }
    }
    written
}

fn media_type(part: &MessagePart<'_>) -> String {
    match part.content_type() {
        Some(kind) => {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase()
        }
        None if matches!(part.body, PartType::Message(_)) => "message/rfc822".into(),
        None => String::new(),
    }
}

/// A part as it came: of its header only what describes it, since that of a mail of one part is the mail's own.
fn bytes(raw: &[u8], part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let header = raw.get(part.offset_header as usize..part.offset_body as usize)?;
    let body = raw.get(part.offset_body as usize..part.offset_end as usize)?;
    let (fields, _) = super::outgoing::split(header);
    let mut bytes = Vec::with_capacity(header.len() + body.len());
    for field in fields.iter().filter(|field| field.name.starts_with("content-")) {
        bytes.extend_from_slice(field.raw);
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_lines(lines: &str) -> Written {
        let raw = lines.replace('\n', "\r\n");
        written(raw.as_bytes(), &parse::parse(raw.as_bytes()))
    }

    const HEAD: &str =
        "From: ana@team.test\nSubject: Re: #4 Kettle\nIn-Reply-To: <a@x>\nMIME-Version: 1.0\n";

    #[test]
    fn the_words_stay_with_their_signature_and_the_answered_mail_goes() {
        let cases = [
            (
                "Yes, of course.\n\nBest,\nAna\n-- \nAna Ruiz\nExample Ltd\n\nOn Mon, 24 Nov 2026 at 09:00, Carla via Support <support@example.test> wrote:\n> --- Write\n> Broken\n",
                "Yes, of course.\n\nBest,\nAna\n-- \nAna Ruiz\nExample Ltd",
            ),
            (
                "Yes.\n\nSent from my iPhone\n\n> On 24 Nov 2026, at 09:00, Carla via Support <support@example.test> wrote:\n>\n> Broken\n",
                "Yes.\n\nSent from my iPhone",
            ),
            (
                "Yes.\n\nFrom: Carla via Support <support@example.test>\nSent: Monday, 24 November 2026 09:00\nTo: Ana Ruiz <ana@team.test>\nSubject: #4 Kettle\n\nBroken\n",
                "Yes.",
            ),
        ];
        for (text, expected) in cases {
            let found =
                read_lines(&format!("{HEAD}Content-Type: text/plain; charset=utf-8\n\n{text}"));
            let trimmed: Vec<&str> = found.text.lines().map(str::trim_end).collect();
            let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
            assert_eq!(trimmed, expected);
            assert!(found.parts.is_empty() && !found.encrypted);
        }
    }

    #[test]
    fn attachments_and_inline_images_are_taken_over_as_they_came() {
        let found = read_lines(&format!(
            "{HEAD}Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; boundary=i\n\n\
             --i\nContent-Type: text/html; charset=utf-8\n\n<p>Look:</p><img src=\"cid:1\">\n--i\nContent-Type: image/png; name=a.png\n\
             Content-ID: <1>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0K\n--i--\n--o\n\
             Content-Type: application/pdf;\n name=\"=?utf-8?Q?K=C3=A4se.pdf?=\"\nX-Apple: y\nContent-Disposition: attachment;\n \
             filename*=utf-8''K%C3%A4se.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\nAAAA\n--o\nContent-Type: text/plain\n\
             Content-Disposition: attachment; filename=notes.txt\n\nNotes\n--o\nContent-Type: application/pgp-signature\n\nx\n--o--\n"
        ));
        assert_eq!(found.text, "Look:");
        let parts: Vec<String> = found
            .parts
            .iter()
            .map(|part| String::from_utf8_lossy(part).replace("\r\n", "\n"))
            .collect();
        assert_eq!(
            parts,
            [
                "Content-Type: image/png; name=a.png\nContent-ID: <1>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0K",
                "Content-Type: application/pdf;\n name=\"=?utf-8?Q?K=C3=A4se.pdf?=\"\nContent-Disposition: attachment;\n filename*=utf-8''K%C3%A4se.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\nAAAA",
                "Content-Type: text/plain\nContent-Disposition: attachment; filename=notes.txt\n\nNotes",
            ]
        );
    }

    #[test]
    fn what_is_encrypted_or_broken_is_not_guessed_at() {
        let encrypted = read_lines(&format!(
            "{HEAD}Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n"
        ));
        assert!(encrypted.encrypted);
        assert_eq!(written(b"", &parse::parse(b"")), Written::default());
    }
}
