//! A mailbox in memory: folders with UIDs, flags and counters. It promises what an IMAP server promises and nothing more.

use std::collections::{BTreeMap, BTreeSet};

use baton::clock::Timestamp;
use baton::engine::{Action, Outcome, Write};

/// What the server can tell of changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Telling {
    /// Flags and what is gone (RFC 7162, QRESYNC).
    All,
    /// Flags only (CONDSTORE).
    Flags,
    /// Nothing: it has to be compared.
    Nothing,
}

/// One copy of a mail in a folder.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// Which mail.
    pub(super) mail: usize,
    pub(super) flags: BTreeSet<String>,
    pub(super) arrived_at: Timestamp,
    pub(super) modseq: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    /// As in [`baton::engine::ListedFolder`].
    pub(super) role: &'static str,
    pub(super) uidvalidity: u32,
    pub(super) uidnext: u32,
    pub(super) highest: u64,
    pub(super) copies: BTreeMap<u32, Copy>,
    /// UIDs that are gone, and since which HIGHESTMODSEQ.
    pub(super) expunged: Vec<(u32, u64)>,
}

impl Folder {
    fn add(&mut self, copy: Copy) -> u32 {
        let uid = self.uidnext;
        self.uidnext += 1;
        self.highest += 1;
        self.copies.insert(uid, Copy { modseq: self.highest, ..copy });
        uid
    }

    fn take(&mut self, uid: u32) -> Option<Copy> {
        let copy = self.copies.remove(&uid)?;
        self.highest += 1;
        self.expunged.push((uid, self.highest));
        Some(copy)
    }
}

/// The account.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) folders: Vec<Folder>,
    pub(super) telling: Telling,
    /// How often Baton wrote on each mail.
    pub(super) writes: BTreeMap<usize, u32>,
}

impl Server {
    pub(super) fn new(telling: Telling) -> Server {
        let mut server = Server { folders: Vec::new(), telling, writes: BTreeMap::new() };
        for (name, role) in [
            ("INBOX", "inbox"),
            ("Sent", "sent"),
            ("Drafts", "drafts"),
            ("Junk", "junk"),
            ("Archive", "archive"),
            ("Trash", "trash"),
            ("Recipes", "other"),
        ] {
            server.create(name, role);
        }
        server
    }

    pub(super) fn create(&mut self, name: &str, role: &'static str) {
        self.folders.push(Folder {
            name: name.to_string(),
            role,
            uidvalidity: 1000 + self.folders.len() as u32,
            uidnext: 1,
            highest: 1,
            copies: BTreeMap::new(),
            expunged: Vec::new(),
        });
    }

    pub(super) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }

    fn folder_mut(&mut self, name: &str) -> Option<&mut Folder> {
        self.folders.iter_mut().find(|folder| folder.name == name)
    }

    pub(super) fn deliver(&mut self, folder: &str, mail: usize, arrived_at: Timestamp) {
        let copy = Copy { mail, flags: BTreeSet::new(), arrived_at, modseq: 0 };
        self.folder_mut(folder).unwrap().add(copy);
    }

    /// Where every copy lies.
    pub(super) fn everything(&self) -> Vec<(String, u32)> {
        let of = |folder: &Folder| {
            folder.copies.keys().map(|uid| (folder.name.clone(), *uid)).collect::<Vec<_>>()
        };
        self.folders.iter().flat_map(of).collect()
    }

    pub(super) fn copy(&self, folder: &str, uid: u32) -> Option<&Copy> {
        self.folder(folder)?.copies.get(&uid)
    }

    pub(super) fn copies_of(&self, mail: usize) -> usize {
        let of = |folder: &Folder| folder.copies.values().filter(|one| one.mail == mail).count();
        self.folders.iter().map(of).sum()
    }

    pub(super) fn store(&mut self, folder: &str, uid: u32, add: &[String], remove: &[String]) {
        let Some(folder) = self.folder_mut(folder) else { return };
        let Some(copy) = folder.copies.get_mut(&uid) else { return };
        folder.highest += 1;
        copy.modseq = folder.highest;
        copy.flags.retain(|flag| !remove.contains(flag));
        copy.flags.extend(add.iter().cloned());
    }

    pub(super) fn expunge(&mut self, folder: &str, uid: u32) {
        self.folder_mut(folder).unwrap().take(uid);
    }

    /// Answers the new UID.
    pub(super) fn shift(&mut self, from: &str, uid: u32, to: &str) -> Option<u32> {
        if from == to || self.folder(to).is_none() {
            return None;
        }
        let copy = self.folder_mut(from)?.take(uid)?;
        Some(self.folder_mut(to)?.add(copy))
    }

    pub(super) fn duplicate(&mut self, from: &str, uid: u32, to: &str) {
        let Some(copy) = self.copy(from, uid).cloned() else { return };
        if let Some(folder) = self.folder_mut(to) {
            folder.add(copy);
        }
    }

    /// The folder gets another UIDVALIDITY; perhaps its keywords are lost, as after a restored backup.
    pub(super) fn renumber(&mut self, folder: &str, forgets_flags: bool) {
        let Some(folder) = self.folder_mut(folder) else { return };
        let copies = std::mem::take(&mut folder.copies);
        folder.uidvalidity += 100;
        folder.uidnext = 1;
        folder.highest += 1;
        folder.expunged.clear();
        for mut copy in copies.into_values() {
            if forgets_flags {
                copy.flags.clear();
            }
            folder.add(copy);
        }
    }

    /// Carries out what Baton wants. `tells` is whether a MOVE is answered with COPYUID.
    pub(super) fn carry_out(&mut self, write: &Write, tells: bool) -> Outcome {
        let Some(folder) = self.folder(&write.folder) else { return Outcome::Stale };
        if folder.uidvalidity != write.uidvalidity {
            return Outcome::Stale;
        }
        let there: Vec<(u32, usize)> = write
            .uids
            .iter()
            .filter_map(|uid| folder.copies.get(uid).map(|copy| (*uid, copy.mail)))
            .collect();
        for (_, mail) in &there {
            *self.writes.entry(*mail).or_default() += 1;
        }
        match &write.action {
            Action::Flags { add, remove } => {
                for (uid, _) in &there {
                    self.store(&write.folder, *uid, add, remove);
                }
                Outcome::Done(None)
            }
            Action::MoveTo(target) => {
                if self.folder(target).is_none() {
                    return Outcome::Refused("[TRYCREATE] no such folder".into());
                }
                let mut pairs = Vec::new();
                for (uid, _) in &there {
                    pairs.extend(self.shift(&write.folder, *uid, target).map(|new| (*uid, new)));
                }
                let uidvalidity = self.folder(target).map_or(0, |folder| folder.uidvalidity);
                Outcome::Done((tells && !pairs.is_empty()).then_some((uidvalidity, pairs)))
            }
        }
    }
}
