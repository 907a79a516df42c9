//! SEARCH.

use mail_parser::MessageParser;
use mail_parser::parsers::MessageStream;

use super::mime;
use super::parse::{Key, Set, When, compact};
use super::store::Mail;
use super::turn::Turn;
use super::view::{Known, Selected};

impl Turn<'_> {
    pub(super) fn search(
        &mut self,
        selected: &Selected,
        uid: bool,
        returns: Option<Vec<String>>,
        key: &Key,
    ) -> String {
        let found = self.found(selected, key);
        let numbers: Vec<u32> =
            found.iter().map(|(number, known)| if uid { known.uid } else { *number }).collect();
        let highest = found.iter().filter_map(|(_, known)| self.store().mails.get(&known.mail));
        let highest = highest.map(|mail| mail.modseq).max().filter(|_| asks_modseq(key));
        self.session.condstore |= asks_modseq(key);
        let line = match returns {
            Some(returns) => esearch(self.tag, uid, &returns, &numbers, highest),
            None => {
                let numbers: String = numbers.iter().map(|number| format!(" {number}")).collect();
                let highest = highest.map(|highest| format!(" (MODSEQ {highest})"));
                format!("* SEARCH{numbers}{}", highest.unwrap_or_default())
            }
        };
        self.say(&line);
        self.done()
    }

    fn found(&self, selected: &Selected, key: &Key) -> Vec<(u32, Known)> {
        let everything = Set::parse(&mut super::parse::Cursor::new(b"1:*"));
        let all = everything.map(|set| selected.within(&set, false)).unwrap_or_default();
        let (last_number, last_uid) =
            all.last().map(|(number, known)| (*number, known.uid)).unwrap_or_default();
        let fits = |(number, known): &(u32, Known)| {
            let Some(mail) = self.store().mails.get(&known.mail) else { return false };
            let flags = self.flags(selected, known).to_lowercase();
            let look =
                Look { turn: self, number: *number, known, mail, flags, last_number, last_uid };
            !self.is_gone(selected, known) && look.fits(key)
        };
        all.into_iter().filter(fits).collect()
    }
}

fn asks_modseq(key: &Key) -> bool {
    match key {
        Key::ModSeq(_) => true,
        Key::And(keys) => keys.iter().any(asks_modseq),
        Key::Or(one, other) => asks_modseq(one) || asks_modseq(other),
        Key::Not(key) => asks_modseq(key),
        _ => false,
    }
}

/// RFC 4731.
fn esearch(
    tag: &str,
    uid: bool,
    returns: &[String],
    numbers: &[u32],
    highest: Option<u64>,
) -> String {
    let asks = |word: &str| returns.iter().any(|one| one == word);
    let mut line = format!("* ESEARCH (TAG \"{tag}\")");
    if uid {
        line.push_str(" UID");
    }
    if let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max()) {
        if asks("MIN") {
            line.push_str(&format!(" MIN {first}"));
        }
        if asks("MAX") {
            line.push_str(&format!(" MAX {last}"));
        }
        if asks("ALL") || returns.is_empty() {
            line.push_str(&format!(" ALL {}", compact(numbers)));
        }
    }
    if asks("COUNT") {
        line.push_str(&format!(" COUNT {}", numbers.len()));
    }
    if let Some(highest) = highest {
        line.push_str(&format!(" MODSEQ {highest}"));
    }
    line
}

/// A message that a key is held against.
struct Look<'a> {
    turn: &'a Turn<'a>,
    number: u32,
    known: &'a Known,
    mail: &'a Mail,
    /// `(\seen work)`, in small letters.
    flags: String,
    last_number: u32,
    last_uid: u32,
}

impl Look<'_> {
    fn fits(&self, key: &Key) -> bool {
        let bytes = &self.mail.bytes;
        let size = bytes.len() as u64;
        match key {
            Key::All => true,
            Key::And(keys) => keys.iter().all(|key| self.fits(key)),
            Key::Or(one, other) => self.fits(one) || self.fits(other),
            Key::Not(key) => !self.fits(key),
            Key::Numbers(set) => set.contains(self.number, self.last_number),
            Key::Uids(set) => set.contains(self.known.uid, self.last_uid),
            Key::Flag(flag) => {
                let mut flags = self.flags.trim_matches(['(', ')']).split(' ');
                flags.any(|own| own == flag.to_lowercase())
            }
            Key::Header { name, value } => header_contains(bytes, name, value),
            Key::Body(text) => body_contains(bytes, text),
            Key::Text(text) => {
                let header = &bytes[..mime::header_length(bytes)];
                contains(&decoded(header), text) || body_contains(bytes, text)
            }
            Key::Day { sent, when, day } => {
                let moment =
                    if *sent { sent_day(bytes) } else { Some(utc_day(self.mail.received)) };
                moment.is_some_and(|own| match when {
                    When::Before => own < *day,
                    When::On => own == *day,
                    When::Since => own >= *day,
                })
            }
            Key::Larger(limit) => size > *limit,
            Key::Smaller(limit) => size < *limit,
            Key::ModSeq(since) => self.mail.modseq >= *since,
            Key::Extra(name, argument) => {
                self.turn.dialect.matches_extra(self.turn.session, self.mail, name, argument)
            }
        }
    }
}

fn utc_day(moment: jiff::Timestamp) -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(moment).date()
}

fn sent_day(message: &[u8]) -> Option<jiff::civil::Date> {
    let parsed = MessageParser::default().parse_headers(message)?;
    let date = parsed.date()?;
    jiff::civil::Date::new(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}

/// Whether a field of this name contains the text, in whatever case and coding; the empty text is in each.
pub(crate) fn header_contains(message: &[u8], name: &str, text: &str) -> bool {
    let header = &message[..mime::header_length(message)];
    let fields = mime::fields(header).into_iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    fields
        .map(|(_, field)| field.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default().to_vec())
        .any(|value| {
            contains(&decoded(&value), text) || contains(&String::from_utf8_lossy(&value), text)
        })
}

/// Header text with its encoded words decoded.
pub(crate) fn decoded(value: &[u8]) -> String {
    let mut line = value.to_vec();
    if !line.ends_with(b"\n") {
        line.push(b'\n');
    }
    MessageStream::new(&line).parse_unstructured().as_text().unwrap_or_default().to_owned()
}

/// Whether the text of the message contains this.
pub(crate) fn body_contains(message: &[u8], text: &str) -> bool {
    let Some(parsed) = MessageParser::default().parse(message) else { return false };
    let count = parsed.text_body_count();
    (0..count).filter_map(|index| parsed.body_text(index)).any(|body| contains(&body, text))
}

pub(crate) fn contains(whole: &str, part: &str) -> bool {
    whole.to_lowercase().contains(&part.to_lowercase())
}
