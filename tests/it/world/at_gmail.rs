//! What people do with a mailbox at Gmail, on the web: labels, the star and the archive, mostly on whole conversations.
//!
//! Stories speak of folders and keywords as everybody knows them; here is what each means at Gmail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::eyes::Place;
use super::gmail::{Account, Gmail};
use super::imapd::MailId;
use super::shown::label_of;

/// The Gmail account of a shared mailbox.
pub(super) struct AtGmail {
    pub(super) gmail: Arc<Gmail>,
    pub(super) address: String,
}

/// The folder of Gmail that a story means.
pub(super) fn folder(name: &str) -> &str {
    match name {
        "Sent" => "[Gmail]/Sent Mail",
        "Drafts" => "[Gmail]/Drafts",
        "Junk" => "[Gmail]/Spam",
        "Trash" => "[Gmail]/Trash",
        "Archive" => ALL_MAIL,
        name => name,
    }
}

const ALL_MAIL: &str = "[Gmail]/All Mail";

impl AtGmail {
    /// Acts on a message, and knows its conversation.
    fn on<T>(
        &self,
        message_id: &str,
        act: impl FnOnce(&mut Account, MailId, Vec<MailId>) -> T,
    ) -> T {
        self.gmail.person(&self.address, |account| {
            let mail = account.find(message_id);
            let mail = mail.unwrap_or_else(|| panic!("no message <{message_id}> at Gmail"));
            let conversation = account.conversation(mail);
            act(account, mail, conversation)
        })
    }

    pub(super) fn moves(&self, message_id: &str, to: &str) {
        self.on(message_id, |account, mail, all| match to {
            "Archive" => account.archive(&all),
            "INBOX" => account.put_in_inbox(&[mail]),
            "Trash" => account.trash(&[mail]),
            "Junk" => account.spam(&[mail]),
            label => account.label(&all, label),
        });
    }

    /// Puts a keyword or a flag on, or takes it off: on Gmail a label of the conversation, or the star.
    pub(super) fn stores(&self, message_id: &str, sign: &str, word: &str) {
        self.on(message_id, |account, mail, all| match (word.strip_prefix("baton-"), sign) {
            (Some(word), "+") => account.label(&all, &label_of(word)),
            (Some(word), _) => account.unlabel(&all, &label_of(word)),
            (None, sign) if word == "\\Flagged" => account.star(&[mail], sign == "+"),
            (None, sign) if word == "\\Seen" => account.read(&[mail], sign == "+"),
            (None, _) => panic!("nobody does {sign}{word} at Gmail"),
        });
    }

    pub(super) fn reads(&self, message_id: &str) {
        self.on(message_id, |account, mail, _| account.read(&[mail], true));
    }

    /// Deletes for good: a draft at once, anything else by way of the Trash, which it leaves when thirty days are over.
    pub(super) fn expunges(&self, message_id: &str) {
        self.on(message_id, |account, mail, _| match account.labels(mail).contains("\\Draft") {
            true => account.delete_forever(&[mail]),
            false => account.trash(&[mail]),
        });
    }

    /// Everything there is, by Message-ID: each folder that shows it.
    pub(super) fn look(&self) -> BTreeMap<String, Vec<Place>> {
        let mut all: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for mail in self.gmail.dump(&self.address) {
            let has = |label: &str| mail.labels.contains(label);
            let away = has("\\Trash") || has("\\Spam") || has("\\Draft");
            let flags: BTreeSet<String> =
                mail.flags.iter().map(|flag| flag.to_lowercase()).collect();
            let mut ours: BTreeSet<String> =
                mail.labels.iter().filter(|label| label.starts_with("Baton/")).cloned().collect();
            if flags.contains("\\flagged") {
                ours.insert("\\Starred".to_owned());
            }
            let places = mail.uids.iter().map(|(folder, uid)| Place {
                folder: folder.clone(),
                uid: *uid,
                flags: flags.clone(),
                labels: (folder == ALL_MAIL).then(|| ours.clone()),
                away,
            });
            all.entry(mail.message_id).or_default().extend(places);
        }
        all
    }
}
