//! What a SEARCH may ask for.

use jiff::civil::Date;

use super::cursor::{Cursor, Parsed, Unparsable};
use super::set::Set;

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    All,
    And(Vec<Key>),
    Or(Box<Key>, Box<Key>),
    Not(Box<Key>),
    Numbers(Set),
    Uids(Set),
    Flag(String),
    Header {
        name: String,
        value: String,
    },
    Body(String),
    Text(String),
    /// Received (or sent: by its Date header) before, on, or since the day.
    Day {
        sent: bool,
        when: When,
        day: Date,
    },
    Larger(u64),
    Smaller(u64),
    ModSeq(u64),
    /// Only this dialect knows it: name in capitals, and its argument.
    Extra(String, String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    Before,
    On,
    Since,
}

/// The keys up to the end of the command, all of which must hold.
pub(crate) fn keys(cursor: &mut Cursor<'_>, extra: &[&str]) -> Parsed<Key> {
    cursor.words(|cursor| key(cursor, extra)).map(Key::And)
}

fn key(cursor: &mut Cursor<'_>, extra: &[&str]) -> Parsed<Key> {
    match cursor.peek() {
        Some(b'(') => return cursor.list(|cursor| key(cursor, extra)).map(Key::And),
        Some(b'0'..=b'9' | b'*') => return Set::parse(cursor).map(Key::Numbers),
        _ => {}
    }
    let name = cursor.atom()?.to_ascii_uppercase();
    if let Some(key) = flag_key(&name) {
        return Ok(key);
    }
    let (sent, day_name) = match name.strip_prefix("SENT") {
        Some(rest) => (true, rest),
        None => (false, name.as_str()),
    };
    cursor.space()?;
    let when = match day_name {
        "BEFORE" => Some(When::Before),
        "ON" => Some(When::On),
        "SINCE" => Some(When::Since),
        _ => None,
    };
    if let Some(when) = when {
        return Ok(Key::Day { sent, when, day: day(cursor)? });
    }
    argument_key(cursor, &name, extra)
}

/// The keys without argument.
fn flag_key(name: &str) -> Option<Key> {
    let flag = |flag: &str| Key::Flag(flag.to_owned());
    Some(match name {
        "ALL" | "OLD" => Key::All,
        "NEW" | "RECENT" => Key::Not(Box::new(Key::All)),
        "ANSWERED" => flag("\\Answered"),
        "DELETED" => flag("\\Deleted"),
        "DRAFT" => flag("\\Draft"),
        "FLAGGED" => flag("\\Flagged"),
        "SEEN" => flag("\\Seen"),
        _ => Key::Not(Box::new(match name.strip_prefix("UN")? {
            word @ ("ANSWERED" | "DELETED" | "DRAFT" | "FLAGGED" | "SEEN") => flag_key(word)?,
            _ => return None,
        })),
    })
}

fn argument_key(cursor: &mut Cursor<'_>, name: &str, extra: &[&str]) -> Parsed<Key> {
    let header =
        |cursor: &mut Cursor<'_>, name: String| Ok(Key::Header { name, value: cursor.text()? });
    Ok(match name {
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" => header(cursor, name.to_owned())?,
        "HEADER" => {
            let name = cursor.text()?;
            cursor.space()?;
            header(cursor, name)?
        }
        "BODY" => Key::Body(cursor.text()?),
        "TEXT" => Key::Text(cursor.text()?),
        "KEYWORD" => Key::Flag(cursor.atom()?),
        "UNKEYWORD" => Key::Not(Box::new(Key::Flag(cursor.atom()?))),
        "LARGER" => Key::Larger(cursor.number()?),
        "SMALLER" => Key::Smaller(cursor.number()?),
        "MODSEQ" => Key::ModSeq(cursor.number()?),
        "UID" => Key::Uids(Set::parse(cursor)?),
        "NOT" => Key::Not(Box::new(key(cursor, extra)?)),
        "OR" => {
            let one = key(cursor, extra)?;
            cursor.space()?;
            Key::Or(Box::new(one), Box::new(key(cursor, extra)?))
        }
        other if extra.contains(&other) => Key::Extra(name.to_owned(), extra_argument(cursor)?),
        _ => return Err(Unparsable),
    })
}

/// A label may be one of the server's, `\Inbox`, which is no astring.
fn extra_argument(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if cursor.peek() == Some(b'\\') { cursor.flag() } else { cursor.text() }
}

/// `1-Feb-2026`, quoted or not.
fn day(cursor: &mut Cursor<'_>) -> Parsed<Date> {
    let text = cursor.text()?;
    Date::strptime("%d-%b-%Y", text.trim()).map_err(|_| Unparsable)
}
