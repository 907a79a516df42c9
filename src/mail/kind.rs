//! What sort of message it is, why, and whether it may be answered by a machine.
//!
//! Start with [`of`]. The order matters: a report is told by its structure before anything else, since
//! bounces and read receipts are also auto-submitted, and an out-of-office note may also be bulk.
//! Doubt goes one way: a mail that may be a person's is human, but then gets no automatic answer.

use std::sync::LazyLock;

use mail_parser::{Message, MimeHeaders};
use regex::Regex;

use super::message::{Bounce, Kind};
use super::signs::{Sender, Signs, parts, pattern, report_type};
use super::{absence, bounce, bounce_words};

/// What [`of`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What sort of message it is.
    pub kind: Kind,
    /// Why, naming the header or the part.
    pub reason: String,
    /// The delivery report, when it is one.
    pub bounce: Option<Bounce>,
    /// Whether an automatic answer may be sent, RFC 3834, section 2.
    pub may_answer_automatically: bool,
}

/// How many bytes of a broken body are looked at.
const RESCUE_MAX: usize = 64 * 1024;

/// Header names with which vacation programs mark their answers; Exchange's X-Auto-Response-Suppress is
/// not among them: it asks for silence, and stands on ordinary mail too.
static AUTO_REPLY_FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^x-([a-z]+-)?auto-?(reply|replied|respond|responder|response|answer)(-(from|by|id|type|sender))?$|^x-vacation$|^vacation-",
    )
});
static COMPLAINT_SUBJECT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^complaint about message from|^email feedback report for"));

/// Judges a message. `text` is its plain text; `raw` are the bytes it was parsed from.
pub fn of(message: &Message<'_>, raw: &[u8], text: &str) -> Finding {
    let signs = Signs::of(message);
    let rescued = if text.trim().is_empty() { body_of(message, raw) } else { String::new() };
    let text = if rescued.is_empty() { text } else { &rescued };
    let (kind, reason, bounce) = judge(message, &signs, text);
    let silent = silence(&signs, text);
    let may_answer_automatically = kind == Kind::Human && silent.is_none();
    let reason = match silent {
        Some(why) if kind == Kind::Human => format!("{reason}; no automatic answer: {why}"),
        _ => reason,
    };
    Finding { kind, reason, bounce, may_answer_automatically }
}

/// The undecoded body, for mail whose MIME structure is too broken to yield a text.
fn body_of(message: &Message<'_>, raw: &[u8]) -> String {
    let start = message.parts.first().map_or(0, |root| root.offset_body as usize);
    let body = raw.get(start..raw.len().min(start.saturating_add(RESCUE_MAX)));
    String::from_utf8_lossy(body.unwrap_or_default()).into_owned()
}

type Judgement = (Kind, String, Option<Bounce>);

fn judge(message: &Message<'_>, signs: &Signs, text: &str) -> Judgement {
    if let Some((name, _)) = signs.fields().find(|(name, _)| name.starts_with("x-baton-")) {
        return (Kind::Own, format!("{name} is written by Baton only"), None);
    }
    let by_structure = report(message, signs, text);
    if let Some(found) = by_structure {
        return found;
    }
    if let Some(reason) = calendar(message) {
        return (Kind::Calendar, reason, None);
    }
    if let Some(reason) = bounce_words::looks_like_one(message, signs, text) {
        let bounce = bounce_words::read(message, signs, text);
        return (Kind::Bounce, reason, Some(bounce));
    }
    let (kind, reason) = auto_reply(signs, text)
        .map(|reason| (Kind::AutoReply, reason))
        .or_else(|| list(signs).map(|reason| (Kind::List, reason)))
        .or_else(|| notification(message, signs).map(|reason| (Kind::Notification, reason)))
        .unwrap_or_else(|| (Kind::Human, "nothing says that a machine wrote it".into()));
    (kind, reason, None)
}

/// The kinds that have a machine-readable part.
fn report(message: &Message<'_>, signs: &Signs, text: &str) -> Option<Judgement> {
    let root = report_type(message);
    let has = |kind: &str| parts(message, kind).next().is_some();
    let is = |kind: &str| root.as_deref() == Some(kind);
    if is("feedback-report") || has("message/feedback-report") {
        return Some((Kind::Complaint, "a feedback report (RFC 5965)".into(), None));
    }
    if COMPLAINT_SUBJECT.is_match(&signs.subject) && has("message/rfc822") {
        return Some((
            Kind::Complaint,
            "the subject and the attached mail of a complaint".into(),
            None,
        ));
    }
    if is("disposition-notification")
        || root.is_some() && has("message/disposition-notification")
        || has("message/disposition-notification") && !signs.replies_or_forwards()
    {
        return Some((Kind::Receipt, "a disposition notification (RFC 8098)".into(), None));
    }
    let status = has("message/delivery-status") || has("message/global-delivery-status");
    // A person who passes a bounce on may flatten it into the new mail's parts.
    let passed_on = || {
        root.is_none()
            && signs.sender() == Sender::Ordinary
            && !signs.null_return_path()
            && !bounce_words::subject_reports(signs)
    };
    if is("delivery-status") || status && !passed_on() {
        let from_words = || bounce_words::read(message, signs, text);
        let bounce = bounce::report(message)
            .map(|mut bounce| {
                if bounce.recipients.iter().all(|r| r.address.is_empty()) {
                    bounce.recipients = from_words().recipients;
                }
                if bounce.original_message_id.is_none() {
                    bounce.original_message_id = bounce::original_message_id(message, text);
                }
                bounce
            })
            .unwrap_or_else(from_words);
        return Some((Kind::Bounce, "a delivery report (RFC 3464)".into(), Some(bounce)));
    }
    None
}

/// RFC 6047: a calendar part with a method is a request or an answer; a file that merely hangs on is not.
fn calendar(message: &Message<'_>) -> Option<String> {
    parts(message, "text/calendar").find_map(|part| {
        let kind = part.content_type()?;
        let method = kind.attribute("method").map(str::to_ascii_uppercase);
        let method = method.or_else(|| {
            let inline = !part.content_disposition().is_some_and(|d| d.is_attachment());
            let text = String::from_utf8_lossy(part.contents()).to_ascii_uppercase();
            let line = text
                .lines()
                .find_map(|line| line.trim().strip_prefix("METHOD:").map(str::to_string));
            line.filter(|_| inline)
        })?;
        let asks = ["REQUEST", "REPLY", "CANCEL", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH"]
            .contains(&method.trim());
        asks.then(|| format!("a calendar part with the method {}", method.trim()))
    })
}

fn auto_reply(signs: &Signs, text: &str) -> Option<String> {
    let submitted = signs.auto_submitted();
    if submitted.as_deref().is_some_and(|value| value.starts_with("auto-repl")) {
        return Some("Auto-Submitted: auto-replied (RFC 3834)".into());
    }
    if let Some(reason) = auto_reply_field(signs) {
        return Some(reason);
    }
    let labelled = absence::labelled(&signs.subject);
    let subject = labelled || absence::in_subject(&signs.subject);
    let marked = submitted.is_some()
        || signs.null_return_path()
        || signs.has("x-auto-response-suppress")
        || signs.has("x-ms-exchange-inbox-rules-loop")
        || signs.precedence().is_some_and(|p| p != "list")
        || signs.has("x-autogenerated");
    // The text of an ordinary mail need not be searched: its words alone say nothing.
    let absent = (labelled || marked) && absence::in_text(text);
    let replies = signs.replies_or_forwards();
    let answers = signs.has("in-reply-to") || replies;
    let private = !listed(signs);
    match () {
        () if subject && marked && private => {
            Some("the subject of an automatic answer, and the mark of a machine".into())
        }
        () if subject && answers && !replies => {
            Some("the subject of an automatic answer, in answer to a mail".into())
        }
        () if labelled && absent => {
            Some("the label of an automatic answer, and words of absence".into())
        }
        () if marked && private && absent && (answers || signs.null_return_path()) => {
            Some("words of absence, and the mark of a machine".into())
        }
        () if signs.null_return_path() && answers && private => {
            Some("an answer with the null return path".into())
        }
        () => None,
    }
}

fn is_auto_reply_field(name: &str) -> bool {
    // Nearly every field is told apart without the pattern.
    (name.contains("auto") || name.contains("vacation")) && AUTO_REPLY_FIELD.is_match(name)
}

fn auto_reply_field(signs: &Signs) -> Option<String> {
    let says_no =
        |value: &str| matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "none" | "0");
    if let Some((name, _)) =
        signs.fields().find(|(name, value)| is_auto_reply_field(name) && !says_no(value))
    {
        return Some(format!("{name} marks an automatic answer"));
    }
    for name in ["precedence", "x-precedence"] {
        let value = signs.keyword(name).unwrap_or_default();
        if ["auto_reply", "auto-reply", "autoreply"].contains(&value.as_str()) {
            return Some(format!("{name}: {value}"));
        }
    }
    signs.fields().find_map(|(name, value)| {
        let value = value.to_ascii_lowercase();
        let marks = match name {
            "x-autogenerated" => value.starts_with("reply"),
            "x-post-messageclass" => value.contains("autoresponder"),
            "delivered-to" => value == "autoresponder",
            "x-apple-action" => value.contains("vacation"),
            "x-mailer" | "user-agent" => {
                value.contains("vacation") || value.contains("autorespond")
            }
            _ => false,
        };
        marks.then(|| format!("{name}: {value}"))
    })
}

fn listed(signs: &Signs) -> bool {
    ["list-id", "list-post", "list-unsubscribe"].into_iter().any(|name| signs.has(name))
}

fn list(signs: &Signs) -> Option<String> {
    let named = ["list-id", "list-post", "mailing-list", "x-mailing-list"];
    if let Some(name) = named.into_iter().find(|name| signs.has(name)) {
        return Some(format!("{name} names a mailing list"));
    }
    let transaction = signs.auto_submitted().is_some();
    if signs.has("list-unsubscribe") && !transaction {
        return Some("list-unsubscribe: sent to many".into());
    }
    let precedence = signs.precedence().unwrap_or_default();
    let bulk = ["bulk", "list", "junk"].contains(&precedence.as_str()) && !transaction;
    if bulk && signs.sender() != Sender::NoReply {
        return Some(format!("precedence: {precedence}"));
    }
    None
}

fn notification(message: &Message<'_>, signs: &Signs) -> Option<String> {
    if let Some(value) = signs.auto_submitted() {
        return Some(format!("auto-submitted: {value}"));
    }
    if signs.field("x-fc-machinegenerated").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return Some("x-fc-machinegenerated".into());
    }
    if signs.null_return_path() {
        return Some("the null return path".into());
    }
    match signs.sender() {
        Sender::Mailer => Some(format!("sent by a mail system ({})", signs.from)),
        Sender::ListMachine => Some(format!("sent by the machinery of a list ({})", signs.from)),
        // Contact forms send a person's words from an address that nobody reads.
        Sender::NoReply if signs.person_in_reply_to(message).is_none() => {
            Some(format!("sent by an address that nobody reads ({})", signs.from))
        }
        Sender::NoReply | Sender::Postmaster | Sender::Ordinary => None,
    }
}

/// Why a message must not get an automatic answer, RFC 3834, section 2, and what Exchange adds to it.
fn silence(signs: &Signs, text: &str) -> Option<String> {
    if signs.null_return_path() {
        return Some("null return path".into());
    }
    if !signs.from.contains('@') {
        return Some("no sender".into());
    }
    if let Some(value) = signs.auto_submitted() {
        return Some(format!("auto-submitted: {value}"));
    }
    if let Some((name, _)) = signs.fields().find(|(name, _)| forbids(name)) {
        return Some(format!("{name} is there"));
    }
    if signs.field("x-auto-response-suppress").is_some_and(|v| !v.eq_ignore_ascii_case("none")) {
        return Some("x-auto-response-suppress".into());
    }
    if let Some(value) = signs.precedence().filter(|p| !p.is_empty() && p != "first-class") {
        return Some(format!("precedence: {value}"));
    }
    if signs.sender() != Sender::Ordinary {
        return Some(format!("the sender {} is a machine", signs.from));
    }
    let labelled = absence::labelled(&signs.subject) && !signs.replies_or_forwards();
    let suspect = labelled || absence::in_subject(&signs.subject) && absence::in_text(text);
    suspect.then(|| "the subject of an automatic answer".into())
}

fn forbids(name: &str) -> bool {
    name.starts_with("list-")
        || name.starts_with("x-list")
        || is_auto_reply_field(name)
        || matches!(
            name,
            "x-loop"
                | "x-no-loop"
                | "x-otrs-loop"
                | "x-otobo-loop"
                | "x-rt-loop-prevention"
                | "x-fc-machinegenerated"
                | "x-autogenerated"
                | "mailing-list"
                | "x-mailing-list"
                | "x-failed-recipients"
                | "feedback-id"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for found in [&AUTO_REPLY_FIELD, &COMPLAINT_SUBJECT] {
            assert_ne!(found.as_str(), "[^\\s\\S]");
        }
    }

    fn judged(raw: &str) -> Finding {
        let message = mail_parser::MessageParser::default().parse(raw).unwrap();
        let text = message.body_text(0).unwrap_or_default();
        of(&message, raw.as_bytes(), &text)
    }

    #[test]
    fn each_header_means_what_its_rfc_says() {
        for (header, kind, may) in [
            ("", Kind::Human, true),
            ("Auto-Submitted: no\n", Kind::Human, true),
            ("Auto-Submitted: NO (a person)\n", Kind::Human, true),
            ("Auto-Submitted: auto-replied (vacation)\n", Kind::AutoReply, false),
            ("Auto-Submitted: auto-generated\n", Kind::Notification, false),
            ("Auto-Submitted: auto-notified; owner-email=\"a@b\"\n", Kind::Notification, false),
            ("X-Auto-Response-Suppress: All\n", Kind::Human, false),
            ("X-Auto-Response-Suppress: None\n", Kind::Human, true),
            ("X-Autoreply: yes\n", Kind::AutoReply, false),
            ("Precedence: bulk\n", Kind::List, false),
            ("Precedence: first-class\n", Kind::Human, true),
            ("Precedence: auto_reply\n", Kind::AutoReply, false),
            ("List-Id: Cats <cats.example.org>\n", Kind::List, false),
            ("List-Unsubscribe: <mailto:u@example.org>\n", Kind::List, false),
            ("Return-Path: <>\n", Kind::Notification, false),
            ("Return-Path: <ana@example.org>\n", Kind::Human, true),
            ("X-Loop: ana@example.org\n", Kind::Human, false),
            ("X-Baton-Note: 1\n", Kind::Own, false),
        ] {
            let found =
                judged(&format!("{header}From: ana@example.org\nSubject: kettle\n\nhello\n"));
            assert_eq!((found.kind, found.may_answer_automatically), (kind, may), "{header}");
        }
    }

    #[test]
    fn a_subject_of_absence_needs_a_further_sign() {
        let mail = |header: &str, subject: &str| {
            judged(&format!("{header}From: ana@example.org\nSubject: {subject}\n\nback soon\n"))
                .kind
        };
        assert_eq!(mail("", "Out of office next week"), Kind::Human);
        assert_eq!(mail("Return-Path: <>\n", "Out of office"), Kind::AutoReply);
        assert_eq!(mail("In-Reply-To: <a@b>\n", "Automatic reply: kettle"), Kind::AutoReply);
        assert_eq!(mail("In-Reply-To: <a@b>\n", "Re: Automatic reply: kettle"), Kind::Human);
    }

    #[test]
    fn a_calendar_file_without_a_request_is_only_a_file() {
        let mail = |method: &str| {
            judged(&format!(
                "From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/calendar{method}\n\nBEGIN:VCALENDAR\n"
            ))
            .kind
        };
        assert_eq!(mail("; method=REQUEST"), Kind::Calendar);
        assert_eq!(mail("; method=PUBLISH"), Kind::Human);
        assert_eq!(mail(""), Kind::Human);
    }

    #[test]
    fn a_mail_without_structure_is_read_as_it_came() {
        let raw = "Return-Path: <>\nFrom: mailer-daemon@example.org\nSubject: failure notice\nMIME-Version: 1.0\n\
                   Content-Type: multipart/mixed\n\n--b\nundeliverable\n<ana@example.org>: 550 no\n--b--\n";
        let message = mail_parser::MessageParser::default().parse(raw).unwrap();
        let bounce = of(&message, raw.as_bytes(), "").bounce.unwrap();
        assert_eq!(bounce.recipients[0].address, "ana@example.org");
    }
}
