//! FETCH.

use super::dialect::Moment;
use super::mime::{self, Part};
use super::parse::{Change, How, Item, Piece, Section, Set};
use super::render::{date_time, literal, nstring, parenthesised};
use super::store::Mail;
use super::structure::{envelope, structure};
use super::turn::Turn;
use super::view::{Known, Selected};

impl Turn<'_> {
    pub(super) fn fetch(
        &mut self,
        selected: &mut Selected,
        set: &Set,
        uid: bool,
        mut items: Vec<Item>,
        changed_since: Option<u64>,
    ) -> String {
        if changed_since.is_some() && !items.contains(&Item::ModSeq) {
            items.push(Item::ModSeq);
        }
        self.session.condstore |= items.contains(&Item::ModSeq);
        let mut gone = false;
        for (number, known) in selected.within(set, uid) {
            if self.is_gone(selected, &known) || self.is_withheld(&known) {
                gone = true;
            } else if self.is_newer(&known, changed_since) {
                self.fetch_one(selected, number, &known, &items);
            }
        }
        if gone { self.words(Moment::SomeAreGone) } else { self.done() }
    }

    /// Whether the message has been taken away, and the client does not know yet.
    pub(super) fn is_gone(&self, selected: &Selected, known: &Known) -> bool {
        let folder = self.store().folder(selected.folder);
        folder.is_none_or(|folder| folder.entry(known.uid).is_none())
    }

    fn is_withheld(&self, known: &Known) -> bool {
        self.store().mails.get(&known.mail).is_some_and(|mail| self.dialect.withholds(mail))
    }

    fn is_newer(&self, known: &Known, changed_since: Option<u64>) -> bool {
        let mail = self.store().mails.get(&known.mail);
        mail.is_some_and(|mail| changed_since.is_none_or(|since| mail.modseq > since))
    }

    fn fetch_one(&mut self, selected: &mut Selected, number: u32, known: &Known, items: &[Item]) {
        let mut items = items.to_vec();
        let reads = |item: &Item| matches!(item, Item::Section(section) if !section.peek);
        if items.iter().any(reads) && !selected.read_only && self.marks_seen(selected, known) {
            items.push(Item::Flags);
        }
        let Some(mail) = self.store().mails.get(&known.mail).cloned() else { return };
        let parsed = mime::parse(&mail.bytes);
        let mut line = format!("* {number} FETCH (").into_bytes();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            self.render(selected, known, &mail, &parsed, item, &mut line);
        }
        line.extend_from_slice(b")\r\n");
        self.out.extend_from_slice(&line);
    }

    /// Sets `\Seen`, and tells whether it was not set before.
    fn marks_seen(&mut self, selected: &Selected, known: &Known) -> bool {
        let mail = self.store().mails.get(&known.mail);
        if mail.is_none_or(|mail| mail.flags.contains("\\Seen")) {
            return false;
        }
        let values = vec!["\\Seen".to_owned()];
        let change = Change { how: How::Add, what: "FLAGS".into(), values };
        let account = self.account();
        self.dialect.change(&account, selected.folder, known.uid, &change).is_ok()
    }

    fn render(
        &self,
        selected: &mut Selected,
        known: &Known,
        mail: &Mail,
        parsed: &Part,
        item: &Item,
        line: &mut Vec<u8>,
    ) {
        let mut say = |text: String| line.extend_from_slice(text.as_bytes());
        match item {
            Item::Flags => {
                let flags = self.flags(selected, known);
                say(format!("FLAGS {flags}"));
                selected.told(known.uid, &flags);
            }
            Item::Uid => say(format!("UID {}", known.uid)),
            Item::InternalDate => say(format!("INTERNALDATE \"{}\"", date_time(mail.received))),
            Item::Size => say(format!("RFC822.SIZE {}", self.dialect.size(mail))),
            Item::ModSeq => say(format!("MODSEQ ({})", mail.modseq)),
            Item::Envelope => {
                say("ENVELOPE ".into());
                envelope(&mail.bytes, parsed, line);
            }
            Item::Structure { extended } => {
                say(if *extended { "BODYSTRUCTURE " } else { "BODY " }.into());
                structure(&mail.bytes, parsed, *extended, line);
            }
            Item::Section(section) => {
                say(format!("{} ", section.label));
                match piece(&mail.bytes, parsed, section) {
                    Some(bytes) if bytes.is_empty() => nstring(Some(b""), line),
                    Some(bytes) => literal(&bytes, line),
                    None => nstring(None, line),
                }
            }
            Item::Extra(name) => {
                let folder = self.store().folder(selected.folder);
                let value = folder
                    .and_then(|folder| self.dialect.fetch_extra(self.session, folder, mail, name));
                say(format!("{name} {}", value.as_deref().unwrap_or("NIL")));
            }
        }
    }

    pub(super) fn flags(&self, selected: &Selected, known: &Known) -> String {
        let store = self.store();
        let entry = store.folder(selected.folder).and_then(|folder| folder.entry(known.uid));
        parenthesised(&entry.map(|entry| store.flags(entry)).unwrap_or_default())
    }
}

/// The bytes that a section names, if there are such.
fn piece(message: &[u8], parsed: &Part, section: &Section) -> Option<Vec<u8>> {
    let part = parsed.at(&section.path)?;
    let whole = section.path.is_empty();
    // RFC 3501, section 6.4.5: HEADER and TEXT of a part are those of the message in it.
    let message_part = if whole { Some(part) } else { part.inner() };
    let bytes = match &section.piece {
        Piece::All if whole => message.to_vec(),
        Piece::All => message[part.body.clone()].to_vec(),
        Piece::Header => message[message_part?.header.clone()].to_vec(),
        Piece::Text => message[message_part?.body.clone()].to_vec(),
        Piece::Mime => message[part.header.clone()].to_vec(),
        Piece::Fields { names, except } => {
            let header = &message[message_part?.header.clone()];
            let named = |own: &str| names.iter().any(|name| name.eq_ignore_ascii_case(own));
            let chosen = mime::fields(header).into_iter().filter(|(own, _)| named(own) != *except);
            let mut bytes: Vec<u8> = chosen.flat_map(|(_, field)| field).copied().collect();
            bytes.extend_from_slice(b"\r\n");
            bytes
        }
    };
    let Some((from, count)) = section.partial else { return Some(bytes) };
    Some(bytes.into_iter().skip(from).take(count).collect())
}
