//! What the people at Gmail's web and phone apps do, and what one may look at.
//!
//! They act on mails or on whole conversations: `let mails = account.conversation(mail)`, then
//! `account.label(&mails, "Owner/Ana")`. What they put on a conversation is put on the messages that are in it then; a
//! later answer does not inherit it (U1).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::imapd::{MailId, Refused};
use super::account::Account;
use super::threads::field;

/// A message, as [`Account::dump`] shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Dumped {
    pub(crate) mail: MailId,
    pub(crate) msgid: u64,
    pub(crate) thrid: u64,
    /// Of the header, without angle brackets.
    pub(crate) message_id: String,
    pub(crate) subject: String,
    pub(crate) labels: BTreeSet<String>,
    /// Flags and keywords.
    pub(crate) flags: BTreeSet<String>,
    /// The UID in each folder that shows it.
    pub(crate) uids: BTreeMap<String, u32>,
}

impl Account {
    /// A mail arrives in the inbox.
    pub(crate) fn deliver(&mut self, message: &str) -> MailId {
        self.take_in(crlf(message), Timestamp::now(), &[], &["\\Inbox"])
    }

    /// A mail that arrived in the inbox some days ago.
    pub(crate) fn holds(&mut self, message: &str, at: Timestamp) -> MailId {
        self.take_in(crlf(message), at, &[], &["\\Inbox"])
    }

    /// A mail arrives that Gmail takes for spam.
    pub(crate) fn deliver_spam(&mut self, message: &str) -> MailId {
        self.take_in(crlf(message), Timestamp::now(), &[], &["\\Spam"])
    }

    /// A mail that was sent, by the web or through Gmail's SMTP server: it is in Sent and All Mail (G96, G97).
    pub(crate) fn file_as_sent(&mut self, message: &str) -> MailId {
        self.take_in(crlf(message), Timestamp::now(), &["\\Seen".to_owned()], &["\\Sent"])
    }

    /// Somebody begins to write.
    pub(crate) fn compose_draft(&mut self, message: &str) -> MailId {
        self.take_in(crlf(message), Timestamp::now(), &["\\Seen".to_owned()], &["\\Draft"])
    }

    /// Somebody writes on: for IMAP this is another message in the same place.
    pub(crate) fn edit_draft(&mut self, draft: MailId, message: &str) -> MailId {
        self.destroy(draft);
        self.compose_draft(message)
    }

    /// The draft is sent: it leaves Drafts and appears in Sent.
    pub(crate) fn send_draft(&mut self, draft: MailId) {
        self.remove_label(draft, "\\Draft");
        self.add_label(draft, "\\Sent");
    }

    pub(crate) fn label(&mut self, mails: &[MailId], label: &str) {
        // One that is there is used; a new one is made on the way.
        let _there_already = self.create_label(label);
        mails.iter().for_each(|mail| self.add_label(*mail, label));
    }

    pub(crate) fn unlabel(&mut self, mails: &[MailId], label: &str) {
        mails.iter().for_each(|mail| self.remove_label(*mail, label));
    }

    pub(crate) fn archive(&mut self, mails: &[MailId]) {
        self.unlabel(mails, "\\Inbox");
    }

    pub(crate) fn put_in_inbox(&mut self, mails: &[MailId]) {
        mails.iter().for_each(|mail| self.add_label(*mail, "\\Inbox"));
    }

    pub(crate) fn star(&mut self, mails: &[MailId], starred: bool) {
        mails.iter().for_each(|mail| self.set_flag(*mail, "\\Flagged", starred));
    }

    pub(crate) fn read(&mut self, mails: &[MailId], read: bool) {
        mails.iter().for_each(|mail| self.set_flag(*mail, "\\Seen", read));
    }

    pub(crate) fn trash(&mut self, mails: &[MailId]) {
        mails.iter().for_each(|mail| self.add_label(*mail, "\\Trash"));
    }

    pub(crate) fn spam(&mut self, mails: &[MailId]) {
        mails.iter().for_each(|mail| self.add_label(*mail, "\\Spam"));
    }

    /// "Delete forever", or the thirty days are over.
    pub(crate) fn delete_forever(&mut self, mails: &[MailId]) {
        mails.iter().for_each(|mail| self.destroy(*mail));
    }

    /// "Show in IMAP" of a label or of All Mail (G23). `folder` is its name in LIST.
    pub(crate) fn show_in_imap(&mut self, folder: &str, shown: bool) -> Result<(), Refused> {
        let id = self.store.find(folder).map(|folder| folder.id).ok_or("no such label")?;
        if shown {
            self.hidden.remove(&id)
        } else {
            self.hidden.insert(id)
        };
        Ok(())
    }

    /// Every message of the conversation that this one is in, the oldest first.
    pub(crate) fn conversation(&self, mail: MailId) -> Vec<MailId> {
        let thread = self.letters.get(&mail).map(|letter| letter.thread);
        let letters = self.letters.iter().filter(|(_, letter)| Some(letter.thread) == thread);
        letters.map(|(mail, _)| *mail).collect()
    }

    /// The message with this Message-ID, angle brackets or not.
    pub(crate) fn find(&self, message_id: &str) -> Option<MailId> {
        let wanted = format!("<{}>", message_id.trim_matches(['<', '>']));
        let mut mails = self.store.mails.values();
        mails.find(|mail| field(&mail.bytes, "message-id") == wanted).map(|mail| mail.id)
    }

    /// Everything there is, the oldest first.
    pub(crate) fn dump(&self) -> Vec<Dumped> {
        let mails = self.store.mails.values();
        mails
            .map(|mail| Dumped {
                mail: mail.id,
                msgid: Account::msgid(mail.id),
                thrid: self.letters.get(&mail.id).map_or(0, |letter| letter.thread),
                message_id: field(&mail.bytes, "message-id").trim_matches(['<', '>']).to_owned(),
                subject: field(&mail.bytes, "subject"),
                labels: self.labels(mail.id),
                flags: mail.flags.clone(),
                uids: self.uids(mail.id),
            })
            .collect()
    }

    fn uids(&self, mail: MailId) -> BTreeMap<String, u32> {
        let folders = self.store.folders.iter();
        folders.filter_map(|one| Some((one.name.clone(), one.entry_of(mail)?.uid))).collect()
    }
}

/// Mail has CRLF at the ends of its lines, whatever a test has.
fn crlf(message: &str) -> Vec<u8> {
    message.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
