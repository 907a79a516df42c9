//! Bytes of a message in, a [`Message`] out, whatever the bytes.
//!
//! The header is read by our own splitter, the parts by mail-parser, which nothing else in this room names except
//! `kind`. The library is run where a panic is caught: several were found in earlier versions. What cannot be read
//! becomes a message that says so, never an error. Every step is linear in the length of the input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use mail_parser::{HeaderName, MessageParser, PartType};
use sha2::{Digest, Sha256};

use super::body::{self, Body};
use super::header::{self, Fields};
use super::kind::{self, Finding};
use super::message::{Forwarded, Kind, Message};
use super::newtext::{self, Context};
use super::proof::Mark;
use super::{forward, subject, submitter, words};

/// The length of the Thread-Index of a first mail, 22 bytes in base64; each answer adds to it.
const THREAD_INDEX_FIRST: usize = 32;
/// How many From fields are looked at.
const FROM_MAX: usize = 10;

/// The library's parser, for the parts and for what [`kind`] asks of the header; the rest of the header is ours.
static PARTS: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .with_mime_headers()
        .header_text(HeaderName::Subject)
        .header_address(HeaderName::From)
        .header_address(HeaderName::ReplyTo)
        .header_address(HeaderName::To)
        .header_id(HeaderName::MessageId)
        .default_header_ignore()
});

/// Understands one message: all of it, only its header, or its beginning.
pub fn parse(raw: &[u8]) -> Message {
    let fields = Fields::read(raw);
    let mut problems = Vec::new();
    if fields.cut {
        problems.push("its header is longer than any mail's; not all of it is read".to_owned());
    }
    let (body, finding) = read(raw, &mut problems);
    let unreadable = !fields.known();
    if unreadable {
        problems.push(
            if raw.is_empty() { "it is empty" } else { "it has no header of a mail" }.to_owned(),
        );
    }
    let finding = finding.filter(|_| !unreadable).unwrap_or_else(|| Finding {
        kind: Kind::Human,
        reason: "it cannot be read, so a person must look at it".to_owned(),
        bounce: None,
        may_answer_automatically: false,
    });
    let mut message = envelope(&fields, raw, &mut problems);
    message.forwarded = forwarded(&message.subject, &body);
    message.new_text = newtext::new_text(&body.plain, context(&message));
    message.text = body.plain.text;
    message.attachments = body.attachments;
    message.kind = finding.kind;
    message.kind_reason = finding.reason;
    message.bounce = finding.bounce;
    message.may_answer_automatically = finding.may_answer_automatically;
    message.unreadable = unreadable;
    problems.extend(body.problems);
    message.problems = problems;
    message
}

/// The parts, and the judgement; without the library's help when it fails.
fn read(raw: &[u8], problems: &mut Vec<String>) -> (Body, Option<Finding>) {
    let (raw, cut) = header::bearable(raw);
    let raw = &*raw;
    if cut {
        problems
            .push("it has more parts or fields than any mail; not all of them are read".to_owned());
    }
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let tree = tree(raw)?;
        let body = body::read(&tree.0);
        let finding = kind::of(&tree.0, raw, &body.plain.text);
        Some((body, finding))
    }));
    match parsed {
        Ok(Some((body, finding))) => (body, Some(finding)),
        Ok(None) => (raw_body(raw), None),
        Err(_) => {
            problems
                .push("its parts cannot be told apart; the text is shown as it came".to_owned());
            (raw_body(raw), None)
        }
    }
}

/// What stands below the header, as it came.
fn raw_body(raw: &[u8]) -> Body {
    let below = |mark: &[u8]| {
        raw.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len())
    };
    let start = below(b"\r\n\r\n").or_else(|| below(b"\n\n")).unwrap_or(0);
    let bytes = raw.get(start..).unwrap_or_default();
    let bytes = bytes.get(..body::TEXT_MAX).unwrap_or(bytes);
    let mut body = Body::default();
    body.plain.text = body::lines(&words::guess(bytes));
    body
}

/// A parsed message that is taken apart level by level when it is dropped: mails attached to mails a hundred
/// thousand deep would otherwise exhaust the stack, which no `catch_unwind` catches.
pub(super) struct Tree<'x>(pub(super) mail_parser::Message<'x>);

/// The parts, as the library tells them apart. It may panic.
pub(super) fn tree(raw: &[u8]) -> Option<Tree<'_>> {
    PARTS.parse(raw).map(Tree)
}

impl Drop for Tree<'_> {
    fn drop(&mut self) {
        let mut waiting = vec![std::mem::take(&mut self.0)];
        while let Some(mut message) = waiting.pop() {
            for part in message.parts.drain(..) {
                if let PartType::Message(inner) = part.body {
                    waiting.push(inner);
                }
            }
        }
    }
}

fn forwarded(subject: &str, body: &Body) -> Option<Forwarded> {
    let found = forward::find(&body.plain.text, subject);
    match &body.inner {
        Some((from, text)) if found.is_none() && forward::announced(subject) => {
            Some(Forwarded { from: from.clone(), text: text.trim().to_owned() })
        }
        _ => found,
    }
}

/// Whether older mail is to be expected below the new text.
pub(super) fn context(message: &Message) -> Context {
    let answers = !message.in_reply_to.is_empty()
        || !message.references.is_empty()
        || message.thread_index.as_ref().is_some_and(|index| index.len() > THREAD_INDEX_FIRST)
        || subject::first_mark(&message.subject).is_some();
    match (forward::announced(&message.subject) || message.forwarded.is_some(), answers) {
        (true, _) => Context::Forward,
        (false, true) => Context::Answer,
        (false, false) => Context::Fresh,
    }
}

/// What the header says.
fn envelope(fields: &Fields, raw: &[u8], problems: &mut Vec<String>) -> Message {
    let written_ids = header::message_ids(fields);
    let message_id = match written_ids.as_slice() {
        [one] => one.clone(),
        [] => {
            problems.push("it has no Message-ID".to_owned());
            stable_id(raw)
        }
        _ => {
            problems.push("it has several Message-IDs".to_owned());
            stable_id(raw)
        }
    };
    let from = sender(fields, problems);
    let date = header::date(fields);
    if date.is_none() {
        problems.push("it has no Date that can be read".to_owned());
    }
    let subject = fields.first("subject").map(words::text).unwrap_or_default();
    Message {
        fingerprint: fingerprint(&written_ids, &from, fields, &subject),
        message_id,
        written_ids,
        in_reply_to: fields.all("in-reply-to").flat_map(header::ids).collect(),
        references: header::references(fields),
        from,
        sender: header::addresses(fields, "sender").into_iter().next(),
        written_by: header::addresses(fields, "x-google-original-from").into_iter().next(),
        submitted_by: submitter::submitters(fields),
        to: header::addresses(fields, "to"),
        cc: header::addresses(fields, "cc"),
        bcc: header::addresses(fields, "bcc"),
        reply_to: header::addresses(fields, "reply-to"),
        base_subject: subject::base_subject(&subject),
        subject,
        date,
        kind: Kind::Human,
        kind_reason: String::new(),
        bounce: None,
        may_answer_automatically: false,
        text: String::new(),
        new_text: String::new(),
        forwarded: None,
        attachments: Vec::new(),
        list_id: fields.first("list-id").and_then(list_id),
        list_post: fields.first("list-post").and_then(list_post),
        thread_index: fields
            .first("thread-index")
            .map(|value| words::guess(value).replace([' ', '\t'], "")),
        baton: mark(fields),
        language: language(fields),
        unreadable: false,
        problems: Vec::new(),
    }
}

/// What it says about having been made by a Baton.
fn mark(fields: &Fields) -> Option<Mark> {
    let submitted = fields.first("auto-submitted").map(|value| words::guess(value).to_lowercase());
    fields.any_begins("x-baton-").then(|| Mark {
        id: fields.first("x-baton-loop").and_then(|value| header::ids(value).into_iter().next()),
        automatic: submitted.is_some_and(|value| !value.starts_with("no")),
    })
}

/// The language that the sender says it is in, or that the sender's program asks for.
fn language(fields: &Fields) -> Option<String> {
    let said = fields.first("content-language").or_else(|| fields.first("accept-language"))?;
    let said = words::guess(said);
    let first = said.split([',', ';']).next().unwrap_or_default().trim();
    (!first.is_empty()).then(|| first.to_owned())
}

/// The From addresses. Of several From fields the first that names an address counts, as clients show it.
fn sender(fields: &Fields, problems: &mut Vec<String>) -> Vec<super::message::Address> {
    let lists: Vec<_> = fields
        .all("from")
        .take(FROM_MAX)
        .map(header::address_list)
        .filter(|list| !list.is_empty())
        .collect();
    if lists.len() > 1 {
        problems.push("it has several From fields; the first counts".to_owned());
    }
    let named = lists.iter().find(|list| list.iter().any(|one| !one.address.is_empty()));
    if named.is_none() {
        problems.push("it has no From address".to_owned());
    }
    named.or(lists.first()).cloned().unwrap_or_default()
}

/// An id made from the bytes. Line ends and a missing last one do not count: servers change them.
fn stable_id(raw: &[u8]) -> String {
    let mut digest = Sha256::new();
    for line in raw.trim_ascii_end().split(|byte| *byte == b'\n') {
        digest.update(line.strip_suffix(b"\r").unwrap_or(line));
        digest.update(b"\n");
    }
    format!("sha256-{}@baton.invalid", hex(&digest.finalize(), 20))
}

fn fingerprint(
    ids: &[String],
    from: &[super::message::Address],
    fields: &Fields,
    subject: &str,
) -> String {
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        digest.update(part.as_bytes());
        digest.update([0]);
    };
    ids.iter().for_each(|id| add(id));
    from.iter().for_each(|one| add(&one.address.to_lowercase()));
    add(&fields.first("date").map(words::text).unwrap_or_default());
    add(subject);
    hex(&digest.finalize(), 16)
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

/// `Ana's list <ana.x.example>` names `ana.x.example`; some write only the id, or only a phrase.
fn list_id(value: &[u8]) -> Option<String> {
    let text = words::text(value);
    let id = match text.rsplit_once('<') {
        Some((_, id)) => id.split('>').next().unwrap_or(id),
        None => &text,
    };
    Some(id.trim().to_lowercase()).filter(|id| !id.is_empty())
}

/// `<mailto:list@x.example?subject=x>`; `NO` means that nobody may post.
fn list_post(value: &[u8]) -> Option<String> {
    let text = words::text(value).to_lowercase();
    let (_, address) = text.split_once("mailto:")?;
    let address = address.split(['>', '?', ' ', ',']).next()?;
    address.contains('@').then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Message-ID: <a@x>\r\nFrom: Ana <ana@x.example>\r\nTo: b@x.example\r\nSubject: Re: kettle\r\n\
        Date: Mon, 2 Nov 2026 09:30:00 +0100\r\nList-Id: The list <List.x.example>\r\n\
        List-Post: <mailto:list@x.example>\r\n\r\nHello\r\n\r\n> old\r\n";

    #[test]
    fn a_plain_mail_is_understood() {
        let mail = parse(MAIL.as_bytes());
        assert_eq!(mail.message_id, "a@x");
        assert_eq!(mail.base_subject, "kettle");
        assert_eq!(mail.new_text, "Hello");
        assert_eq!(mail.list_id.as_deref(), Some("list.x.example"));
        assert_eq!(mail.list_post.as_deref(), Some("list@x.example"));
        assert!(!mail.unreadable);
        assert_eq!(mail.problems, Vec::<String>::new());
    }

    #[test]
    fn the_header_alone_has_the_same_fingerprint_as_the_whole_mail() {
        let (header, _) = MAIL.split_once("\r\n\r\n").unwrap();
        for header in [header.to_owned(), format!("{header}\r\n"), format!("{header}\r\n\r\n")] {
            let alone = parse(header.as_bytes());
            assert_eq!(alone.fingerprint, parse(MAIL.as_bytes()).fingerprint);
            assert_eq!(alone.text, "");
            assert!(!alone.unreadable);
        }
        let other = MAIL.replace("kettle", "pot");
        assert_ne!(parse(other.as_bytes()).fingerprint, parse(MAIL.as_bytes()).fingerprint);
    }

    #[test]
    fn a_mail_without_a_sure_id_gets_a_stable_one() {
        let without = MAIL.replace("Message-ID: <a@x>\r\n", "");
        let empty = MAIL.replace("<a@x>", "<>");
        let doubled = MAIL.replace("From:", "Message-ID: <b@x>\r\nFrom:");
        for mail in [&without, &empty, &doubled] {
            let found = parse(mail.as_bytes());
            assert!(
                found.message_id.starts_with("sha256-")
                    && found.message_id.ends_with("@baton.invalid")
            );
            assert_eq!(found.message_id.len(), "sha256-@baton.invalid".len() + 40);
            assert_eq!(found.message_id, parse(mail.replace("\r\n", "\n").as_bytes()).message_id);
        }
        assert_eq!(parse(doubled.as_bytes()).written_ids, ["a@x", "b@x"]);
        assert_ne!(
            parse(without.as_bytes()).message_id,
            parse((without.clone() + "x").as_bytes()).message_id
        );
    }

    #[test]
    fn what_is_no_mail_is_unreadable_and_says_so() {
        for bytes in [b"".as_slice(), b"\x00\x01\x02\xff", b"hello world", b"\r\n\r\nhello"] {
            let found = parse(bytes);
            assert!(found.unreadable);
            assert!(!found.problems.is_empty());
            assert!(!found.may_answer_automatically);
        }
    }

    #[test]
    fn attached_mails_under_a_forwarding_subject_are_forwards() {
        let mail = "From: a@x\nSubject: Fwd: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\n\
            Content-Type: message/rfc822\n\nFrom: Eva <eva@x.example>\nSubject: x\n\ninner\n--b--\n";
        let found = parse(mail.as_bytes());
        assert_eq!(found.new_text, "see below");
        let inner = found.forwarded.unwrap();
        assert_eq!((inner.from.as_deref(), inner.text.as_str()), (Some("eva@x.example"), "inner"));
        assert_eq!(found.attachments.first().unwrap().media_type, "message/rfc822");
    }

    #[test]
    fn charsets_that_are_named_wrongly_are_mended() {
        for (charset, bytes) in [
            ("iso-8859-1", b"Gr\xfc\xdfe".as_slice()),
            ("us-ascii", b"Gr\xc3\xbc\xc3\x9fe"),
            ("utf-8", b"Gr\xfc\xdfe"),
            ("x-none", b"Gr\xc3\xbc\xc3\x9fe"),
        ] {
            let mut mail =
                format!("From: a@x\nContent-Type: text/plain; charset={charset}\n\n").into_bytes();
            mail.extend_from_slice(bytes);
            assert_eq!(parse(&mail).text, "Grüße", "{charset}");
        }
    }

    #[test]
    fn parts_without_bounds_are_shown_as_they_came() {
        let mail = "From: a@x\nContent-Type: multipart/mixed; boundary=b\n\n--c\n\nwords\n--c--\n";
        let found = parse(mail.as_bytes());
        assert!(found.text.contains("words") && found.attachments.is_empty());
        assert!(!found.problems.is_empty());
    }

    #[test]
    fn mails_attached_to_mails_without_end_do_not_exhaust_the_stack() {
        let mail = "From: a@x\n".to_owned() + &"Content-Type: message/rfc822\n\n".repeat(100_000);
        assert_eq!(parse(mail.as_bytes()).from.len(), 1);
        assert!(!parse(mail.as_bytes()).problems.is_empty());
    }

    #[test]
    fn any_beginning_of_a_mail_is_taken() {
        let mail = MAIL.replace("\r\n\r\nHello", "\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x");
        for end in 0..mail.len() {
            let _ = parse(mail.as_bytes().get(..end).unwrap());
        }
    }
}
