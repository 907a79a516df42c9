//! The selected folder as one session knows it, and telling the client what has changed in it.
//!
//! There are no queues of news: a session compares what it has told with what is there. Message numbers are those of
//! what was told, so that they stay true until the client has seen an EXPUNGE (RFC 3501, section 7.4.1).

use super::dialect::{Dialect, Session};
use super::render::parenthesised;
use super::store::{Entry, FolderId, MailId, Store};

/// A message that the client knows of.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) uid: u32,
    pub(crate) mail: MailId,
    /// As they were told last.
    pub(crate) flags: String,
}

/// The selected folder.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) folder: FolderId,
    pub(crate) read_only: bool,
    pub(crate) known: Vec<Known>,
}

/// What may be told now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum May {
    Expunge,
    /// Message numbers must not move: FETCH, STORE and SEARCH by number.
    NotExpunge,
}

impl Selected {
    /// The folder with everything in it known.
    pub(crate) fn open(
        dialect: &dyn Dialect,
        session: &Session,
        folder: FolderId,
        read_only: bool,
    ) -> Selected {
        let mut selected = Selected { folder, read_only, known: Vec::new() };
        selected.news(dialect, session, May::Expunge);
        selected
    }

    /// The lines that tell what has changed; afterwards it is known.
    pub(crate) fn news(
        &mut self,
        dialect: &dyn Dialect,
        session: &Session,
        may: May,
    ) -> Vec<String> {
        let account = session.account.as_deref().unwrap_or_default();
        let store = dialect.store(account);
        let entries = store.folder(self.folder).map(|folder| dialect.visible(session, folder));
        let entries = entries.unwrap_or_default();
        let mut lines = Vec::new();
        let expunged = may == May::Expunge && self.tell_expunged(entries, &mut lines);
        let last = self.known.last().map_or(0, |known| known.uid);
        let fresh = entries.iter().filter(|entry| entry.uid > last);
        let before = self.known.len();
        self.known.extend(fresh.map(|entry| known(store, entry)));
        if self.known.len() > before || expunged {
            lines.push(format!("* {} EXISTS", self.known.len()));
        }
        self.tell_flags(store, entries, session, &mut lines);
        lines
    }

    fn tell_expunged(&mut self, entries: &[Entry], lines: &mut Vec<String>) -> bool {
        let before = self.known.len();
        let mut number = 0;
        self.known.retain(|known| {
            number += 1;
            let stays = entries.binary_search_by_key(&known.uid, |entry| entry.uid).is_ok();
            if !stays {
                lines.push(format!("* {number} EXPUNGE"));
                number -= 1;
            }
            stays
        });
        self.known.len() < before
    }

    fn tell_flags(
        &mut self,
        store: &Store,
        entries: &[Entry],
        session: &Session,
        lines: &mut Vec<String>,
    ) {
        for (number, known) in (1..).zip(&mut self.known) {
            let Ok(at) = entries.binary_search_by_key(&known.uid, |entry| entry.uid) else {
                continue;
            };
            let flags = parenthesised(&store.flags(&entries[at]));
            if flags == known.flags {
                continue;
            }
            // RFC 7162, section 3.1.2: with MODSEQ once the client has shown that it knows it.
            let modseq = match (session.condstore, store.mails.get(&known.mail)) {
                (true, Some(mail)) => format!("UID {} MODSEQ ({}) ", known.uid, mail.modseq),
                _ => String::new(),
            };
            lines.push(format!("* {number} FETCH ({modseq}FLAGS {flags})"));
            known.flags = flags;
        }
    }

    /// The message numbers, UIDs and mails in the set.
    pub(crate) fn within(&self, set: &super::parse::Set, uid: bool) -> Vec<(u32, Known)> {
        let largest = match uid {
            true => self.known.last().map_or(0, |known| known.uid),
            false => u32::try_from(self.known.len()).unwrap_or(u32::MAX),
        };
        let numbered = (1..).zip(&self.known);
        let inside = numbered
            .filter(|(number, known)| set.contains(if uid { known.uid } else { *number }, largest));
        inside.map(|(number, known)| (number, known.clone())).collect()
    }

    /// The client has been told these flags.
    pub(crate) fn told(&mut self, uid: u32, flags: &str) {
        if let Ok(at) = self.known.binary_search_by_key(&uid, |known| known.uid) {
            flags.clone_into(&mut self.known[at].flags);
        }
    }
}

fn known(store: &Store, entry: &Entry) -> Known {
    Known { uid: entry.uid, mail: entry.mail, flags: parenthesised(&store.flags(entry)) }
}
