//! What becomes of messages and folders beyond the ordinary.

use super::super::imapd::{FolderId, MailId, Pairs, plain};
use super::knobs::CachedMode;
use super::mailbox::Mailbox;

impl Mailbox {
    /// Copies carry the categories along.
    pub(super) fn copies(&mut self, from: FolderId, uids: &[u32], to: FolderId) -> Pairs {
        let pairs = plain::copy(&mut self.store, from, uids, to);
        for (old, new) in &pairs {
            let old = plain::mail_of(&self.store, from, *old);
            let new = plain::mail_of(&self.store, to, *new);
            if let Some((old, new)) = old.zip(new) {
                let item = self.item(old).clone();
                self.items.insert(new, item);
            }
        }
        pairs
    }

    /// A robot has touched a message that a person moved a moment ago, and that person's Outlook puts it back, as a
    /// copy under a new UID: into the folder that the robot has taken it from, or that the person has (M33).
    pub(super) fn bounce(
        &mut self,
        mail: MailId,
        taken_from: Option<FolderId>,
        now: i64,
        cached: CachedMode,
    ) {
        let Some((then, person_from)) = self.item(mail).moved else { return };
        if now - then >= cached.seconds {
            return;
        }
        let Some(old) = self.store.mails.get(&mail).cloned() else { return };
        self.item(mail).moved = None;
        for _ in 0..cached.copies {
            let copy = self.store.add_mail(old.bytes.to_vec(), old.received, old.flags.clone());
            self.store.place(copy, taken_from.unwrap_or(person_from));
            let item = self.item(mail).clone();
            self.items.insert(copy, item);
        }
    }

    /// A person moves the messages with this Message-ID; a copy of each lies in Recoverable Items then (M43).
    pub(super) fn drag(&mut self, message_id: &str, to: FolderId, now: i64) {
        self.drag_from(message_id, None, to, now);
    }

    /// The same with those of one folder only.
    pub(super) fn drag_from(
        &mut self,
        message_id: &str,
        only: Option<FolderId>,
        to: FolderId,
        now: i64,
    ) {
        for (from, uid, mail) in self.places(message_id) {
            if from == to || only.is_some_and(|only| only != from) {
                continue;
            }
            plain::relocate(&mut self.store, from, &[uid], to);
            self.item(mail).moved = Some((now, from));
            self.recoverable_items += 1;
        }
    }

    /// A folder goes, with all below it and everything in them.
    pub(super) fn remove_folder(&mut self, id: FolderId) {
        let Some(name) = self.store.folder(id).map(|folder| folder.name.clone()) else { return };
        let below = format!("{name}/");
        self.store.folders.retain(|folder| folder.id != id && !folder.name.starts_with(&below));
        self.store.forget_the_unplaced();
    }

    /// A folder gets another name, and those below it with it.
    pub(super) fn rename_folder(&mut self, id: FolderId, to: &str) {
        let Some(name) = self.store.folder(id).map(|folder| folder.name.clone()) else { return };
        let below = format!("{name}/");
        for folder in &mut self.store.folders {
            if folder.id == id {
                to.clone_into(&mut folder.name);
            } else if let Some(rest) = folder.name.strip_prefix(&below) {
                folder.name = format!("{to}/{rest}");
            }
        }
    }
}
