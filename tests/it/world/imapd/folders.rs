//! The commands about folders as a whole: SELECT, LIST, STATUS, CREATE and the like, and APPEND.

use std::fmt::Write as _;

use super::dialect::{Listed, Moment, Refused};
use super::parse::{Command, ListVerb, Listing};
use super::plain::Incoming;
use super::render::{parenthesised, parse_date_time, wire_name};
use super::store::FolderId;
use super::turn::Turn;
use super::view::Selected;

/// RFC 6154 and RFC 8457.
const SPECIAL_USES: &[&str] =
    &["\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash", "\\Important"];

impl Turn<'_> {
    pub(super) fn about_folders(&mut self, command: Command) -> String {
        let session = self.session.clone();
        let done: Result<(), Refused> = match command {
            Command::Select { name, read_only, condstore } => {
                return self.select(&name, read_only, condstore);
            }
            Command::List(listing) => return self.list(&listing),
            Command::Status { name, items } => self.status(&name, &items),
            Command::Append { name, flags, date, message } => {
                return self.append(&name, flags, date, message);
            }
            Command::Create(name) => self.dialect.create(&session, &name),
            Command::Delete(name) => self.dialect.delete(&session, &name),
            Command::Rename(from, to) => self.dialect.rename(&session, &from, &to),
            Command::Subscribe(name, subscribed) => {
                self.dialect.subscribe(&session, &name, subscribed)
            }
            _ => Err(self.words(Moment::Unparsable { verb: self.verb })),
        };
        done.err().unwrap_or_else(|| self.done())
    }

    fn select(&mut self, name: &str, read_only: bool, condstore: bool) -> String {
        self.session.condstore |= condstore;
        // RFC 3501, section 6.3.1: whatever was selected is no longer, even if this fails.
        *self.selected = None;
        self.session.selected = None;
        let Some(id) = self.dialect.find(self.session, name) else {
            return self.words(Moment::CannotSelect(name));
        };
        self.session.selected = Some(id);
        *self.selected = Some(Selected::open(self.dialect, self.session, id, read_only));
        let Some(folder) = self.store().folder(id) else {
            return self.words(Moment::CannotSelect(name));
        };
        let name = folder.name.clone();
        for line in self.dialect.opened(self.session, folder, read_only) {
            self.say(&line);
        }
        let name = wire_name(&name, self.session);
        self.words(Moment::Selected { name: &name, read_only })
    }

    fn list(&mut self, listing: &Listing) -> String {
        let verb = listing.verb.name();
        if listing.patterns == [""] {
            self.say(&format!("* {verb} (\\Noselect) \"/\" \"\""));
            return self.done();
        }
        let subscribed_only =
            listing.verb == ListVerb::Lsub || listing.only.iter().any(|only| only == "SUBSCRIBED");
        let special_only = listing.only.iter().any(|only| only == "SPECIAL-USE");
        let tell_subscribed = subscribed_only && listing.verb == ListVerb::List
            || listing.returns.iter().any(|one| one == "SUBSCRIBED");
        for Listed { folder: id, mut attributes } in self.dialect.listed(self.session) {
            let Some(folder) = self.store().folder(id) else { continue };
            let (name, subscribed, selectable) =
                (folder.name.clone(), folder.subscribed, folder.selectable);
            let special = attributes.iter().any(|one| SPECIAL_USES.contains(&one.as_str()));
            let fits = listing.patterns.iter().any(|pattern| matches(pattern, &name));
            if !fits || (subscribed_only && !subscribed) || (special_only && !special) {
                continue;
            }
            if listing.verb == ListVerb::Xlist {
                attributes = self.dialect.xlist_attributes(&name, attributes);
            }
            if tell_subscribed && subscribed {
                attributes.push("\\Subscribed".into());
            }
            let quoted = self.dialect.quoted_name(&wire_name(&name, self.session));
            self.say(&format!("* {verb} {} \"/\" {quoted}", parenthesised(&attributes)));
            if selectable && !listing.status.is_empty() {
                self.say_status(id, &listing.status);
            }
        }
        self.done()
    }

    fn status(&mut self, name: &str, items: &[String]) -> Result<(), Refused> {
        let gone = self.words(Moment::NoSuchFolder(name));
        let id = self.dialect.find(self.session, name).ok_or(gone)?;
        match self.say_status(id, items) {
            Some(()) => Ok(()),
            None => Err(self.words(Moment::Unparsable { verb: self.verb })),
        }
    }

    fn say_status(&mut self, id: FolderId, items: &[String]) -> Option<()> {
        let folder = self.store().folder(id)?;
        let entries = self.dialect.visible(self.session, folder);
        let unseen = entries.iter().filter(|entry| !self.store().flags(entry).contains(&"\\Seen"));
        let mut words = String::new();
        for item in items {
            let value = match item.as_str() {
                "MESSAGES" => entries.len() as u64,
                "RECENT" => 0,
                "UIDNEXT" => folder.uid_next.into(),
                "UIDVALIDITY" => folder.uid_validity.into(),
                "UNSEEN" => unseen.clone().count() as u64,
                "HIGHESTMODSEQ" if self.dialect.grammar().condstore => self.store().modseq,
                _ => return None,
            };
            let space = if words.is_empty() { "" } else { " " };
            let _ = write!(words, "{space}{item} {value}");
        }
        let name = self.dialect.quoted_name(&wire_name(&folder.name, self.session));
        self.say(&format!("* STATUS {name} ({words})"));
        Some(())
    }

    fn append(
        &mut self,
        name: &str,
        flags: Vec<String>,
        date: Option<String>,
        bytes: Vec<u8>,
    ) -> String {
        let Some(folder) = self.dialect.find(self.session, name) else {
            return self.words(Moment::NoSuchTarget(name));
        };
        let received = match date.as_deref().map(parse_date_time) {
            Some(Some(date)) => date,
            Some(None) => return self.words(Moment::Unparsable { verb: self.verb }),
            None => jiff::Timestamp::now(),
        };
        let account = self.account();
        match self.dialect.append(&account, folder, Incoming { bytes, flags, received }) {
            Ok(placed) => self.words(Moment::Appended(placed)),
            Err(refused) => refused,
        }
    }
}

/// Whether a name fits a LIST pattern; INBOX in whatever case.
fn matches(pattern: &str, name: &str) -> bool {
    if name == "INBOX" && pattern.eq_ignore_ascii_case("INBOX") {
        return true;
    }
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    if first != '*' && first != '%' {
        return name.strip_prefix(first).is_some_and(|name| matches(rest, name));
    }
    let mut tails = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    tails.any(|at| (first == '*' || !name[..at].contains('/')) && matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_levels() {
        assert!(matches("*", "a/b") && matches("a/%", "a/b") && matches("%/b", "a/b"));
        assert!(!matches("%", "a/b") && !matches("a", "a/b"));
        assert!(matches("inbox", "INBOX"));
    }
}
