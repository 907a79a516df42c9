//! X-GM-RAW: Gmail's own search, as far as a mail client needs it (point 10).
//!
//! All words must hold; `-` before one turns it round; `"…"` keeps blanks together. What is no operator is looked for
//! in the whole mail. Like the web, it does not look into spam and trash unless it is told to.

use jiff::{SignedDuration, Timestamp};

use super::super::imapd::{MailId, search};
use super::account::Account;
use super::threads::field;

/// Whether the message fits.
pub(crate) fn matches(account: &Account, mail: MailId, query: &str) -> bool {
    let words = words(query);
    let labels = account.labels(mail);
    let away = labels.contains("\\Spam") || labels.contains("\\Trash");
    let asks = |place: &&str| {
        words.iter().any(|word| word.to_lowercase().starts_with(&format!("in:{place}")))
    };
    if away && !["anywhere", "spam", "trash"].iter().any(asks) {
        return false;
    }
    words.iter().all(|word| match word.strip_prefix('-') {
        Some(unwanted) => !fits(account, mail, unwanted),
        None => fits(account, mail, word),
    })
}

fn words(query: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in query.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn fits(account: &Account, mail: MailId, word: &str) -> bool {
    let Some(message) = account.store.mails.get(&mail) else { return false };
    let bytes = &message.bytes;
    let header = |name: &str, value: &str| search::header_contains(bytes, name, value);
    let Some((operator, value)) = word.split_once(':') else { return anywhere(bytes, word) };
    match operator.to_lowercase().as_str() {
        "from" | "subject" => header(operator, value),
        "to" => ["to", "cc", "bcc"].iter().any(|name| header(name, value)),
        "rfc822msgid" => {
            field(bytes, "message-id").trim_matches(['<', '>']) == value.trim_matches(['<', '>'])
        }
        "label" => account.labels(mail).iter().any(|own| dashed(own) == dashed(value)),
        "in" => is_in(account, mail, &value.to_lowercase()),
        "is" => is(account, mail, &value.to_lowercase()),
        "has" => value == "attachment" && header("content-type", "multipart/mixed"),
        "newer_than" => age(value).is_some_and(|age| Timestamp::now() - age <= message.received),
        "older_than" => age(value).is_some_and(|age| Timestamp::now() - age > message.received),
        _ => anywhere(bytes, word),
    }
}

fn anywhere(bytes: &[u8], word: &str) -> bool {
    ["from", "to", "cc", "subject"].iter().any(|name| search::header_contains(bytes, name, word))
        || search::body_contains(bytes, word)
}

/// In a search blanks and slashes of a label are dashes.
fn dashed(label: &str) -> String {
    label.trim_start_matches('\\').to_lowercase().replace([' ', '/'], "-")
}

fn is_in(account: &Account, mail: MailId, place: &str) -> bool {
    let labels = account.labels(mail);
    let place = if place == "drafts" { "draft" } else { place };
    match place {
        "anywhere" => true,
        "unread" | "read" => is(account, mail, place),
        _ => labels.iter().any(|own| dashed(own) == dashed(place)),
    }
}

fn is(account: &Account, mail: MailId, what: &str) -> bool {
    let flags = account.store.mails.get(&mail).map(|mail| &mail.flags);
    let has = |flag: &str| flags.is_some_and(|flags| flags.contains(flag));
    match what {
        "unread" => !has("\\Seen"),
        "read" => has("\\Seen"),
        "starred" => has("\\Flagged"),
        "important" => account.labels(mail).contains("\\Important"),
        _ => false,
    }
}

/// `2d`, `3m`, `1y`.
fn age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let days = match unit {
        'd' => 1,
        'm' => 30,
        'y' => 365,
        _ => return None,
    };
    Some(SignedDuration::from_hours(24 * days * count))
}
