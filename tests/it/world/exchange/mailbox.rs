//! One mailbox of the tenant: its folders, and what Exchange knows of its items that IMAP does not show.

use std::collections::{BTreeMap, BTreeSet};

use super::super::imapd::{Folder, FolderId, MailId, Store};

/// The language that a mailbox's folders are named in, as it was when it was first opened (M22).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    English,
    German,
}

/// Folders that every mailbox has: special use, English and German name (M20).
const FOLDERS: &[(&str, &str, &str)] = &[
    ("", "INBOX", "INBOX"),
    ("\\Archive", "Archive", "Archiv"),
    ("", "Calendar", "Kalender"),
    ("", "Contacts", "Kontakte"),
    ("", "Conversation History", "Aufgezeichnete Unterhaltungen"),
    ("\\Trash", "Deleted Items", "Gelöschte Elemente"),
    ("\\Drafts", "Drafts", "Entwürfe"),
    ("", "Journal", "Journal"),
    ("\\Junk", "Junk Email", "Junk-E-Mail"),
    ("", "Notes", "Notizen"),
    ("", "Outbox", "Postausgang"),
    ("\\Sent", "Sent Items", "Gesendete Elemente"),
    ("", "Tasks", "Aufgaben"),
];

/// What every folder says; it is unique to none (M49).
pub(crate) const UID_VALIDITY: u32 = 14;

/// What Exchange knows of a message beyond IMAP.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    /// Outlook's colour categories (M30).
    pub(crate) categories: Vec<String>,
    /// The follow-up flag as Outlook knows it; `\Flagged` from APPEND never gets here (M32).
    pub(crate) followed_up: bool,
    /// When a person moved it last, in seconds since 1970, and out of which folder (M33).
    pub(crate) moved: Option<(i64, FolderId)>,
    /// When it was found to have changed last, and how it looked then: for Graph.
    pub(crate) changed: (i64, String),
}

/// A category in the mailbox's list (M111).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Category {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `preset0` to `preset24`, or `none`.
    pub(crate) colour: String,
}

/// One message as a person or a test sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) folder: String,
    pub(crate) uid: u32,
    /// With its angle brackets; empty if there is none.
    pub(crate) message_id: String,
    pub(crate) flags: BTreeSet<String>,
    pub(crate) categories: Vec<String>,
}

/// A mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) address: String,
    pub(crate) store: Store,
    pub(crate) items: BTreeMap<MailId, Item>,
    pub(crate) categories: Vec<Category>,
    /// Who has Full Access besides the owner: addresses of members, client ids of apps (M65, M70).
    pub(crate) full_access: Vec<String>,
    /// Who may send as this address (M65): addresses of members, client ids of apps.
    pub(crate) send_as: Vec<String>,
    /// The default folders, which nobody may delete.
    pub(crate) fixed: Vec<FolderId>,
    /// How many copies lie in Recoverable Items, and count towards the quota (M43).
    pub(crate) recoverable_items: usize,
}

impl Mailbox {
    pub(crate) fn new(address: &str, language: Language) -> Mailbox {
        let mut store = Store::default();
        let mut fixed = Vec::new();
        for (special, english, german) in FOLDERS {
            let name = if language == Language::German { german } else { english };
            let attributes: &[&str] = if special.is_empty() { &[] } else { &[special] };
            let folder = store.add_folder(name, attributes);
            fixed.push(folder);
        }
        let mut mailbox = Mailbox {
            address: address.to_owned(),
            store,
            items: BTreeMap::new(),
            categories: Vec::new(),
            full_access: Vec::new(),
            send_as: Vec::new(),
            fixed,
            recoverable_items: 0,
        };
        mailbox.store.folders.iter_mut().for_each(|folder| folder.uid_validity = UID_VALIDITY);
        mailbox
    }

    /// A mailbox without folders, for those who have none.
    pub(super) fn nowhere() -> Mailbox {
        let mut nowhere = Mailbox::new("", Language::English);
        nowhere.store = Store::default();
        nowhere
    }

    /// Adds a folder, and those above it.
    pub(crate) fn add_folder(&mut self, name: &str) -> FolderId {
        if let Some((above, _)) = name.rsplit_once('/')
            && self.store.find(above).is_none()
        {
            self.add_folder(above);
        }
        let id = self.store.add_folder(name, &[]);
        if let Some(folder) = self.store.folder_mut(id) {
            folder.uid_validity = UID_VALIDITY;
        }
        id
    }

    /// The folder with this name, or with this special use; a test that names another is wrong.
    #[track_caller]
    pub(crate) fn folder(&self, name: &str) -> &Folder {
        let found = self.store.find(name).or_else(|| self.store.special(name));
        found.unwrap_or_else(|| panic!("{} has no folder {name}", self.address))
    }

    /// Finds out which messages have changed, now at the latest.
    pub(crate) fn date_changes(&mut self, now: i64) {
        for folder in &self.store.folders {
            for entry in &folder.entries {
                let item = self.items.entry(entry.mail).or_default();
                let flags = self.store.flags(entry);
                let look = format!("{} {flags:?} {:?}", folder.id, item.categories);
                if item.changed.1 != look {
                    item.changed = (now, look);
                }
            }
        }
    }

    /// What is known of a message.
    pub(crate) fn item(&mut self, mail: MailId) -> &mut Item {
        self.items.entry(mail).or_default()
    }

    /// Where the messages with this Message-ID lie.
    pub(crate) fn places(&self, message_id: &str) -> Vec<(FolderId, u32, MailId)> {
        let mut found = Vec::new();
        for folder in &self.store.folders {
            for entry in &folder.entries {
                if self.message_id(entry.mail) == message_id {
                    found.push((folder.id, entry.uid, entry.mail));
                }
            }
        }
        found
    }

    /// The Message-ID with its brackets; empty if there is none.
    pub(crate) fn message_id(&self, mail: MailId) -> String {
        self.header(mail, "message-id")
    }

    /// The value of the first header of this name, folding taken away.
    pub(crate) fn header(&self, mail: MailId, name: &str) -> String {
        let Some(mail) = self.store.mails.get(&mail) else { return String::new() };
        let text = String::from_utf8_lossy(&mail.bytes).replace("\r\n", "\n");
        let header = text.split("\n\n").next().unwrap_or_default();
        let header = header.replace("\n ", " ").replace("\n\t", " ");
        let mut fields = header.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }

    /// Everything that lies in the mailbox.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let in_folder = |folder: &Folder| {
            let entries = folder.entries.clone();
            let name = folder.name.clone();
            entries.into_iter().map(move |entry| Shown {
                folder: name.clone(),
                uid: entry.uid,
                message_id: self.message_id(entry.mail),
                flags: self.store.flags(&entry).into_iter().map(str::to_owned).collect(),
                categories: self
                    .items
                    .get(&entry.mail)
                    .map(|item| item.categories.clone())
                    .unwrap_or_default(),
            })
        };
        self.store.folders.iter().flat_map(in_folder).collect()
    }
}
