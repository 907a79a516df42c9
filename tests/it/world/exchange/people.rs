//! What people do with Outlook on a mailbox of the tenant, and what the post brings.

use std::collections::BTreeSet;

use super::super::imapd::{FolderId, MailId, plain};
use super::knobs::SentCopy;
use super::mailbox::Mailbox;
use super::rendering::rendered;
use super::service::Exchange;

/// Somebody with Outlook open on a mailbox.
pub(crate) struct Person<'a> {
    exchange: &'a mut Exchange,
    mailbox: String,
}

impl Exchange {
    /// Somebody opens the mailbox in Outlook.
    pub(crate) fn outlook(&mut self, mailbox: &str) -> Person<'_> {
        Person { exchange: self, mailbox: mailbox.to_owned() }
    }

    /// A mail arrives in the Inbox.
    pub(crate) fn delivers(&mut self, mailbox: &str, message: &str) {
        self.puts(mailbox, "INBOX", message, &[]);
    }

    /// A message comes to lie in a folder.
    pub(super) fn puts(
        &mut self,
        mailbox: &str,
        folder: &str,
        message: &str,
        flags: &[&str],
    ) -> MailId {
        self.puts_received(mailbox, folder, message.as_bytes(), flags, jiff::Timestamp::now())
    }

    /// The same, with the time at which it was received.
    pub(super) fn puts_received(
        &mut self,
        mailbox: &str,
        folder: &str,
        message: &[u8],
        flags: &[&str],
        received: jiff::Timestamp,
    ) -> MailId {
        let renders = self.knobs.renders;
        let mailbox = self.mailbox(mailbox);
        let number = mailbox.store.modseq;
        let bytes = if renders { rendered(message, number) } else { message.to_vec() };
        let flags: BTreeSet<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let folder = mailbox.folder(folder).id;
        let mail = mailbox.store.add_mail(bytes, received, flags);
        mailbox.store.place(mail, folder);
        mail
    }
}

impl Person<'_> {
    #[track_caller]
    fn here(&mut self) -> &mut Mailbox {
        self.exchange.mailbox(&self.mailbox)
    }

    /// The messages with this Message-ID; a test that means another is wrong.
    #[track_caller]
    fn mails(&mut self, message_id: &str) -> Vec<MailId> {
        let places = self.here().places(message_id);
        assert!(!places.is_empty(), "no message {message_id}");
        places.into_iter().map(|(_, _, mail)| mail).collect()
    }

    /// Drags a message into a folder, by name or special use.
    #[track_caller]
    pub(crate) fn moves(&mut self, message_id: &str, to: &str) {
        let now = self.exchange.ledger.now();
        self.mails(message_id);
        let to = self.here().folder(to).id;
        self.here().drag(message_id, to, now);
    }

    /// Drags those that lie in one folder into another.
    #[track_caller]
    pub(crate) fn moves_from(&mut self, message_id: &str, from: &str, to: &str) {
        let now = self.exchange.ledger.now();
        let (from, to) = (self.here().folder(from).id, self.here().folder(to).id);
        self.here().drag_from(message_id, Some(from), to, now);
    }

    /// Deletes it, which is moving it to the Deleted Items.
    #[track_caller]
    pub(crate) fn deletes(&mut self, message_id: &str) {
        self.moves(message_id, "\\Trash");
    }

    /// Deletes it for good.
    #[track_caller]
    pub(crate) fn deletes_for_good(&mut self, message_id: &str) {
        for (folder, _, mail) in self.here().places(message_id) {
            self.here().store.displace(mail, folder);
        }
        self.here().store.forget_the_unplaced();
    }

    /// Sets or clears the follow-up flag (M32).
    #[track_caller]
    pub(crate) fn flags(&mut self, message_id: &str, flagged: bool) {
        for mail in self.mails(message_id) {
            self.here().item(mail).followed_up = flagged;
            self.set_flag(mail, "\\Flagged", flagged);
        }
    }

    /// Opens it, or marks it as unread; what one reads, all have read (M35).
    #[track_caller]
    pub(crate) fn reads(&mut self, message_id: &str, read: bool) {
        for mail in self.mails(message_id) {
            self.set_flag(mail, "\\Seen", read);
        }
    }

    fn set_flag(&mut self, mail: MailId, flag: &str, set: bool) {
        let store = &mut self.here().store;
        store.touch(mail);
        let Some(mail) = store.mails.get_mut(&mail) else { return };
        if set {
            mail.flags.insert(flag.to_owned());
        } else {
            mail.flags.remove(flag);
        }
    }

    /// Gives it colour categories, in place of those it has (M30).
    #[track_caller]
    pub(crate) fn categorises(&mut self, message_id: &str, categories: &[&str]) {
        for mail in self.mails(message_id) {
            let categories = categories.iter().map(|&category| category.to_owned()).collect();
            self.here().item(mail).categories = categories;
        }
    }

    /// Begins to write.
    pub(crate) fn drafts(&mut self, message: &str) {
        let mailbox = self.mailbox.clone();
        self.exchange.puts(&mailbox, "\\Drafts", message, &["\\Draft", "\\Seen"]);
    }

    /// Throws a draft away, or sends it: it is gone.
    #[track_caller]
    pub(crate) fn discards(&mut self, message_id: &str) {
        self.deletes_for_good(message_id);
    }

    /// A member answers as the shared address; the copies lie where the tenant's settings say (M95, M96). The mail
    /// that is answered may get its icon over IMAP, or not (M34): here it does not.
    pub(crate) fn replies(&mut self, member: &str, message: &str) {
        let shared = self.mailbox.clone();
        let copy = self.exchange.knobs.sent_copy;
        if matches!(copy, SentCopy::Member | SentCopy::Both) {
            self.exchange.puts(member, "\\Sent", message, &["\\Seen"]);
        }
        if matches!(copy, SentCopy::Shared | SentCopy::Both) {
            self.exchange.puts(&shared, "\\Sent", message, &["\\Seen"]);
        }
    }

    /// Makes a folder.
    pub(crate) fn makes_folder(&mut self, name: &str) -> FolderId {
        self.here().add_folder(name)
    }

    /// Renames a folder.
    #[track_caller]
    pub(crate) fn renames_folder(&mut self, from: &str, to: &str) {
        let id = self.here().folder(from).id;
        self.here().rename_folder(id, to);
    }

    /// Deletes a folder with everything in it.
    #[track_caller]
    pub(crate) fn removes_folder(&mut self, name: &str) {
        let id = self.here().folder(name).id;
        self.here().remove_folder(id);
    }

    /// Copies a message into a folder.
    #[track_caller]
    pub(crate) fn copies(&mut self, message_id: &str, to: &str) {
        let to = self.here().folder(to).id;
        let (from, uid, _) = self.here().places(message_id)[0];
        plain::copy(&mut self.here().store, from, &[uid], to);
    }
}
