//! STORE, COPY, MOVE and EXPUNGE.

use super::dialect::Moment;
use super::parse::{Change, Command, Set, compact};
use super::turn::Turn;
use super::view::{Known, Selected};

/// How a STORE is to be done.
struct Manner {
    uid: bool,
    silent: bool,
    unchanged_since: Option<u64>,
}

impl Turn<'_> {
    pub(super) fn change(&mut self, selected: &mut Selected, command: Command) -> String {
        match command {
            Command::Store { set, uid, change, silent, unchanged_since } => {
                self.stores(selected, &set, &change, &Manner { uid, silent, unchanged_since })
            }
            Command::Copy { set, uid, to, remove } => self.copies(selected, &set, uid, &to, remove),
            Command::Expunge(only) => {
                let only = only.map(|set| uids(&selected.within(&set, true)));
                let account = self.account();
                self.dialect.expunge(&account, selected.folder, only.as_deref());
                self.done()
            }
            _ => self.words(Moment::Unparsable { verb: self.verb }),
        }
    }

    fn stores(
        &mut self,
        selected: &mut Selected,
        set: &Set,
        change: &Change,
        manner: &Manner,
    ) -> String {
        self.session.condstore |= manner.unchanged_since.is_some();
        let account = self.account();
        let mut modified = Vec::new();
        for (number, known) in selected.within(set, manner.uid) {
            let mail = self.store().mails.get(&known.mail);
            let changed =
                mail.zip(manner.unchanged_since).is_some_and(|(mail, since)| mail.modseq > since);
            if changed {
                modified.push(if manner.uid { known.uid } else { number });
                continue;
            }
            if let Err(refused) = self.dialect.change(&account, selected.folder, known.uid, change)
            {
                return refused;
            }
            if !self.is_gone(selected, &known) {
                self.echo(selected, number, &known, change, manner);
            }
        }
        if modified.is_empty() {
            return self.done();
        }
        self.words(Moment::Modified(&compact(&modified)))
    }

    /// Tells what the message has now.
    fn echo(
        &mut self,
        selected: &mut Selected,
        number: u32,
        known: &Known,
        change: &Change,
        manner: &Manner,
    ) {
        let flags = self.flags(selected, known);
        let value = match change.what.as_str() {
            "FLAGS" => Some(flags.clone()),
            item => {
                let store = self.store();
                let mail = store.mails.get(&known.mail);
                let pair = mail.zip(store.folder(selected.folder));
                pair.and_then(|(mail, folder)| {
                    self.dialect.fetch_extra(self.session, folder, mail, item)
                })
            }
        };
        if change.what == "FLAGS" {
            selected.told(known.uid, &flags);
        }
        let mut words = Vec::new();
        if !manner.silent {
            words.push(format!("{} {}", change.what, value.as_deref().unwrap_or("NIL")));
        }
        // RFC 7162 wants it with flags; Gmail's answers to a STORE of labels are known without.
        if self.session.condstore && change.what == "FLAGS" {
            let modseq = self.store().mails.get(&known.mail).map_or(0, |mail| mail.modseq);
            words.push(format!("MODSEQ ({modseq})"));
        }
        if words.is_empty() {
            return;
        }
        if manner.uid || self.session.condstore {
            words.push(format!("UID {}", known.uid));
        }
        self.say(&format!("* {number} FETCH ({})", words.join(" ")));
    }

    fn copies(
        &mut self,
        selected: &Selected,
        set: &Set,
        uid: bool,
        to: &str,
        remove: bool,
    ) -> String {
        let Some(target) = self.dialect.find(self.session, to) else {
            return self.words(Moment::NoSuchTarget(to));
        };
        let mut chosen = selected.within(set, uid);
        chosen.retain(|(_, known)| !self.is_gone(selected, known));
        let (account, uids) = (self.account(), uids(&chosen));
        let done = match remove {
            true => self.dialect.relocate(&account, selected.folder, &uids, target),
            false => self.dialect.copy(&account, selected.folder, &uids, target),
        };
        let pairs = match done {
            Ok(pairs) => pairs,
            Err(refused) => return refused,
        };
        let uid_validity = self.store().folder(target).map_or(0, |folder| folder.uid_validity);
        let copied = self.dialect.copied(self.verb, uid_validity, &pairs);
        copied.untagged.iter().for_each(|line| self.say(line));
        copied.tagged
    }
}

fn uids(chosen: &[(u32, Known)]) -> Vec<u32> {
    chosen.iter().map(|(_, known)| known.uid).collect()
}
