//! What the commands that change something do on an ordinary server: a mail lies in one folder, a copy is another mail.
//!
//! These are the defaults of [`super::Dialect`]; they only need to know the [`Store`].

use std::collections::BTreeSet;

use super::parse::{Change, How};
use super::store::{FolderId, Store};

/// A message on its way into a folder.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) bytes: Vec<u8>,
    pub(crate) flags: Vec<String>,
    pub(crate) received: jiff::Timestamp,
}

/// Where a message has come to lie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Placed {
    pub(crate) uid_validity: u32,
    pub(crate) uid: u32,
}

/// UIDs before and after a COPY or MOVE.
pub(crate) type Pairs = Vec<(u32, u32)>;

pub(crate) fn append(store: &mut Store, folder: FolderId, incoming: Incoming) -> Placed {
    let deleted = incoming.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted"));
    let flags: BTreeSet<String> = incoming
        .flags
        .iter()
        .filter(|flag| !unsettable(flag))
        .map(|flag| canonical(flag))
        .collect();
    let mail = store.add_mail(incoming.bytes, incoming.received, flags);
    let uid = store.place(mail, folder);
    set_deleted(store, folder, uid, deleted);
    let uid_validity = store.folder(folder).map_or(0, |folder| folder.uid_validity);
    Placed { uid_validity, uid }
}

pub(crate) fn copy(store: &mut Store, from: FolderId, uids: &[u32], to: FolderId) -> Pairs {
    let mut pairs = Vec::new();
    for uid in uids {
        let entry = store.folder(from).and_then(|folder| folder.entry(*uid));
        let Some(mail) = entry.and_then(|entry| store.mails.get(&entry.mail)).cloned() else {
            continue;
        };
        let copy = store.add_mail(mail.bytes.to_vec(), mail.received, mail.flags);
        pairs.push((*uid, store.place(copy, to)));
    }
    pairs
}

pub(crate) fn relocate(store: &mut Store, from: FolderId, uids: &[u32], to: FolderId) -> Pairs {
    let mut pairs = Vec::new();
    for uid in uids {
        let Some(mail) = mail_of(store, from, *uid) else { continue };
        store.displace(mail, from);
        pairs.push((*uid, store.place(mail, to)));
    }
    pairs
}

/// Removes what is marked `\Deleted`, of these UIDs only if some are given.
pub(crate) fn expunge(store: &mut Store, from: FolderId, only: Option<&[u32]>) {
    let Some(folder) = store.folder(from) else { return };
    let doomed: Vec<_> = folder
        .entries
        .iter()
        .filter(|entry| entry.deleted && only.is_none_or(|uids| uids.contains(&entry.uid)))
        .map(|entry| entry.mail)
        .collect();
    for mail in doomed {
        store.displace(mail, from);
    }
    store.forget_the_unplaced();
}

pub(crate) fn change_flags(store: &mut Store, folder: FolderId, uid: u32, change: &Change) {
    let Some(mail) = mail_of(store, folder, uid) else { return };
    let named = |flag: &str| change.values.iter().any(|value| value.eq_ignore_ascii_case(flag));
    match change.how {
        How::Replace => set_deleted(store, folder, uid, named("\\Deleted")),
        how if named("\\Deleted") => set_deleted(store, folder, uid, how == How::Add),
        _ => {}
    }
    let modseq = store.next_modseq();
    let Some(mail) = store.mails.get_mut(&mail) else { return };
    match change.how {
        How::Replace => mail.flags.clear(),
        How::Remove => mail.flags.retain(|flag| !named(flag)),
        How::Add => {}
    }
    if change.how != How::Remove {
        for flag in change.values.iter().filter(|flag| !unsettable(flag)) {
            let known = mail.flags.iter().any(|own| own.eq_ignore_ascii_case(flag));
            if !known {
                mail.flags.insert(canonical(flag));
            }
        }
    }
    mail.modseq = modseq;
}

pub(crate) fn mail_of(store: &Store, folder: FolderId, uid: u32) -> Option<u64> {
    store.folder(folder)?.entry(uid).map(|entry| entry.mail)
}

pub(crate) fn set_deleted(store: &mut Store, folder: FolderId, uid: u32, deleted: bool) {
    let Some(mail) = mail_of(store, folder, uid) else { return };
    store.touch(mail);
    let entries = store.folder_mut(folder).map(|folder| folder.entries.iter_mut());
    for entry in entries.into_iter().flatten().filter(|entry| entry.uid == uid) {
        entry.deleted = deleted;
    }
}

/// Flags that are kept elsewhere, or not at all.
fn unsettable(flag: &str) -> bool {
    ["\\Deleted", "\\Recent"].iter().any(|other| other.eq_ignore_ascii_case(flag))
}

/// System flags in the case that everybody knows, keywords as they were written.
fn canonical(flag: &str) -> String {
    let system = ["\\Answered", "\\Flagged", "\\Draft", "\\Seen"];
    system.iter().find(|known| known.eq_ignore_ascii_case(flag)).unwrap_or(&flag).to_string()
}
