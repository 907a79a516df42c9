//! Delivery reports: which mail bounced, for whom, and whether trying again helps.
//!
//! Start with [`report`], the machine-readable form (RFC 3464). What older systems write in words is read
//! by `bounce_words`, which also fills in what a report leaves out. Whether a message is a bounce at all
//! is decided by `kind`.

use std::sync::LazyLock;

use mail_parser::{Message, PartType};
use regex::Regex;

use super::message::{Bounce, BounceClass, BounceRecipient};
use super::signs::{part_text, parts, pattern, words};

/// How many recipients of one report are kept.
pub(super) const RECIPIENTS_MAX: usize = 500;
/// How many characters of what the other server said are kept.
pub(super) const DIAGNOSTIC_MAX: usize = 1000;

static STATUS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:$|[^\d.]|\.(?:$|\D))"));
static REPLY_CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^\d.,:\[-])([45])\d\d(?:$|[ -][^@]|:\s|[,;]\s|\.\s)"));
static TRANSIENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"time(d)?[ -]?out|\bdeferred\b|temporar(y|il)|try(ing)? (again )?later|retry tim|too long|expired",
        r"|connection (refused|reset|lost|dropped|closed)|greylist|could not (connect|be reached)|unable to connect|no route to host|host .{0,60}(not reachable|unreachable)",
        r"|(undeliver(ed|able)|undelivered|in the queue|cannot send|could not send|could not be delivered) for (more than |over |the (past|last) )?\W*\d+ (hour|day)|failed \d+ attempts|zu lange|zeit(ü|ue)berschreitung|vor(ü|ue)bergehend|délai|temporairement|tiempo de espera",
    ))
});
static MESSAGE_ID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^[ \t>]*message-?id[ \t]*:\s*<\s*([^<>\s]{1,900})\s*>"));
static ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"<\s*([^<>\s]{1,900}@[^<>\s]{1,900})\s*>"));

/// Reads the machine-readable parts of the outer message, or `None` when there is no recipient in them.
pub(super) fn report(message: &Message<'_>) -> Option<Bounce> {
    let mut recipients = Vec::new();
    for part in parts(message, "message/delivery-status")
        .chain(parts(message, "message/global-delivery-status"))
    {
        recipients_of(&part_text(part), &mut recipients);
    }
    (!recipients.is_empty()).then(|| verdict(recipients, original_message_id(message, "")))
}

/// Reads the same fields where a broken or home-made report has them as plain text.
pub(super) fn report_in_text(text: &str) -> Vec<BounceRecipient> {
    let lower = text.to_ascii_lowercase();
    let mut recipients = Vec::new();
    if lower.contains("final-recipient:") || lower.contains("original-recipient:") {
        recipients_of(text, &mut recipients);
    }
    recipients
}

/// The class and permanence that follow from the recipients' actions and codes.
pub(super) fn verdict(
    recipients: Vec<BounceRecipient>,
    original_message_id: Option<String>,
) -> Bounce {
    let is = |action: &str| recipients.iter().any(|r| r.action.as_deref() == Some(action));
    let class = match () {
        () if is("failed") => BounceClass::Failed,
        () if is("delayed") => BounceClass::Delayed,
        () if is("delivered") || is("relayed") || is("expanded") => BounceClass::Delivered,
        () => class_of_status(&recipients),
    };
    let permanent = class == BounceClass::Failed
        && recipients
            .iter()
            .any(|r| r.action.as_deref().is_none_or(|action| action == "failed") && permanent(r));
    Bounce { class, permanent, recipients, original_message_id }
}

fn class_of_status(recipients: &[BounceRecipient]) -> BounceClass {
    let digits: Vec<_> =
        recipients.iter().filter_map(|r| r.status.as_ref()?.chars().next()).collect();
    match () {
        () if digits.is_empty() || digits.contains(&'5') => BounceClass::Failed,
        () if digits.contains(&'4') => BounceClass::Delayed,
        () => BounceClass::Delivered,
    }
}

/// RFC 3463, section 2: class 5 is permanent, class 4 is not. Without a code, the words decide.
fn permanent(recipient: &BounceRecipient) -> bool {
    let said = recipient.diagnostic.as_deref().unwrap_or_default();
    match recipient.status.as_deref().and_then(|s| s.chars().next()) {
        Some('5') => true,
        Some(_) => false,
        None => permanent_words(said),
    }
}

/// Whether an answer without an enhanced status code means a permanent failure.
pub(super) fn permanent_words(said: &str) -> bool {
    let codes = REPLY_CODE.captures_iter(said).filter_map(|c| c.get(1)).map(|m| m.as_str());
    match codes.last() {
        Some(code) => code == "5",
        None => !TRANSIENT.is_match(said),
    }
}

/// Blocks are separated by empty lines; fields are folded as in a header. The first block is about the
/// message; a block that names a recipient, an action or a status is about a recipient.
fn recipients_of(text: &str, recipients: &mut Vec<BounceRecipient>) {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if recipients.len() >= RECIPIENTS_MAX {
            return;
        }
        if line.trim().is_empty() {
            push_recipient(&std::mem::take(&mut fields), recipients);
        } else if line.starts_with([' ', '\t']) && !fields.is_empty() {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            let name = name.trim().to_ascii_lowercase();
            // Some systems leave out the empty line between two recipients.
            if name == "final-recipient" && fields.iter().any(|(n, _)| *n == name) {
                push_recipient(&std::mem::take(&mut fields), recipients);
            }
            fields.push((name, value.trim().to_string()));
        }
    }
}

fn push_recipient(fields: &[(String, String)], recipients: &mut Vec<BounceRecipient>) {
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let address = ["final-recipient", "original-recipient", "x-actual-recipient"]
        .into_iter()
        .find_map(|name| field(name).and_then(typed_address));
    let action = field("action").and_then(action);
    if address.is_none() && action.is_none() {
        return;
    }
    let diagnostic = field("diagnostic-code").map(diagnostic).filter(|d| !d.is_empty());
    let status = best_status(field("status").unwrap_or_default(), diagnostic.as_deref());
    let address = address.unwrap_or_default();
    let known = recipients.iter().position(|r| r.address.eq_ignore_ascii_case(&address));
    let new = BounceRecipient { address, action, status, diagnostic };
    match known.and_then(|at| recipients.get_mut(at)) {
        // A second block for one recipient supersedes only when it says more.
        Some(old) if old.status.is_none() && new.status.is_some() => *old = new,
        Some(_) => {}
        None => recipients.push(new),
    }
}

/// `rfc822; ana@example.org`, `<ana@example.org>`, `LOCAL;ana`, RFC 3464, section 2.3.2.
fn typed_address(value: &str) -> Option<String> {
    let address = match value.split_once(';') {
        Some((kind, rest)) if !kind.contains('@') => rest,
        _ => value,
    };
    let address = match (address.find('<'), address.rfind('>')) {
        (Some(start), Some(end)) if start < end => address.get(start + 1..end)?,
        _ => address,
    };
    let address = address.trim().trim_matches(['"', '\'', '<', '>', ' ']);
    let address = address.split_whitespace().next()?.trim_start_matches("mailto:");
    (!address.is_empty()).then(|| address.to_string())
}

/// The five words of RFC 3464, section 2.3.3, and what some systems write for them.
fn action(value: &str) -> Option<String> {
    let word: String = value
        .trim()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_lowercase();
    let word = match word.as_str() {
        "failed" | "failure" | "fail" | "expired" | "error" | "undeliverable" | "hardfail" => {
            "failed"
        }
        "delayed" | "delay" | "deferred" => "delayed",
        "delivered" | "deliverable" | "success" => "delivered",
        "relayed" => "relayed",
        "expanded" => "expanded",
        _ => return None,
    };
    Some(word.to_string())
}

fn diagnostic(value: &str) -> String {
    let said = match value.split_once(';') {
        Some((kind, rest)) if !kind.trim().contains(' ') => rest,
        _ => value,
    };
    words(said).chars().take(DIAGNOSTIC_MAX).collect()
}

/// The Status field; but what the other server said is nearer to the truth than a bare `5.0.0`.
fn best_status(field: &str, diagnostic: Option<&str>) -> Option<String> {
    let stated = status_in(field);
    let vague = stated.as_deref().is_none_or(|s| s.ends_with(".0.0"));
    let said = diagnostic.filter(|_| vague).and_then(status_in);
    match (stated, said) {
        (Some(stated), Some(said)) if !said.ends_with(".0.0") && same_class(&stated, &said) => {
            Some(said)
        }
        (None, said) => said,
        (stated, _) => stated,
    }
}

fn same_class(a: &str, b: &str) -> bool {
    a.chars().next() == b.chars().next()
}

/// The first enhanced status code of a text.
pub(super) fn status_in(text: &str) -> Option<String> {
    STATUS.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str().to_string())
}

/// Whether a text contains an SMTP reply code of a failure.
pub(super) fn has_reply_code(text: &str) -> bool {
    REPLY_CODE.is_match(text)
}

/// The Message-ID of the mail that bounced: from the attached mail, from its attached header, from the
/// copy in the text, else from the threading fields of the report itself.
pub(super) fn original_message_id(message: &Message<'_>, text: &str) -> Option<String> {
    attached_id(message)
        .or_else(|| {
            ["text/rfc822-headers", "text/rfc822-header", "message/global-headers"]
                .into_iter()
                .flat_map(|kind| parts(message, kind).collect::<Vec<_>>())
                .find_map(|part| id_field(&part_text(part)))
        })
        .or_else(|| id_field(text))
        .or_else(|| text_attachments(message).find_map(|text| id_field(&text)))
        .or_else(|| {
            ["x-original-message-id", "original-message-id", "in-reply-to", "references"]
                .into_iter()
                .filter_map(|name| message.header_raw(name))
                .find_map(|value| ID.captures_iter(value).last()?.get(1).map(|m| m.as_str().into()))
        })
}

fn attached_id(message: &Message<'_>) -> Option<String> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Message(inner) => inner.message_id().map(|id| id.trim().to_string()),
        _ => None,
    })
}

/// Parts that carry a header or a mail under another type, as `text/plain; name="mailheaders.txt"`.
fn text_attachments<'a>(message: &'a Message<'a>) -> impl Iterator<Item = String> + 'a {
    message.parts.iter().filter(|p| matches!(p.body, PartType::Text(_))).map(part_text)
}

fn id_field(text: &str) -> Option<String> {
    MESSAGE_ID.captures(text).and_then(|c| c.get(1)).map(|m| m.as_str().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<BounceRecipient> {
        let mut recipients = Vec::new();
        recipients_of(text, &mut recipients);
        recipients
    }

    #[test]
    fn every_pattern_compiles() {
        for found in [&STATUS, &REPLY_CODE, &TRANSIENT, &MESSAGE_ID, &ID] {
            assert_ne!(found.as_str(), "[^\\s\\S]");
        }
    }

    #[test]
    fn every_block_of_a_report_is_read() {
        let found = read(concat!(
            "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; ana@example.org\n",
            "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550\n 5.1.1 no such person\n\n",
            "Original-Recipient: rfc822;ben@example.org\nAction: Delayed (will retry)\nStatus: 4.4.1\n",
        ));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].diagnostic.as_deref(), Some("550 5.1.1 no such person"));
        assert_eq!(found[1].address, "ben@example.org");
        assert_eq!(found[1].action.as_deref(), Some("delayed"));
    }

    #[test]
    fn a_failure_with_a_temporary_status_is_not_permanent() {
        let bounce = verdict(
            read("Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 4.4.7\n"),
            None,
        );
        assert_eq!((bounce.class, bounce.permanent), (BounceClass::Failed, false));
    }

    #[test]
    fn numbers_that_look_like_codes_are_not_taken_for_them() {
        assert_eq!(status_in("from 5.1.1.2 at noon"), None);
        assert_eq!(status_in("said: 550 #5.1.1 unknown"), Some("5.1.1".into()));
        assert_eq!(status_in("(#5.5.0)"), Some("5.5.0".into()));
        assert!(!has_reply_code("order 4711, 192.0.2.550"));
        assert!(has_reply_code("550 no such user"));
    }

    #[test]
    fn words_decide_where_no_code_does() {
        assert!(permanent_words("user unknown"));
        assert!(!permanent_words("421 connection timed out"));
        assert!(!permanent_words("retry timeout exceeded"));
        assert!(permanent_words("550 mailbox temporarily disabled"));
    }
}
