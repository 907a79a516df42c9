//! What one mailbox holds: mails, each once, and folders that show them under UIDs of their own.
//!
//! On most servers a mail lies in one folder; on Gmail a folder is a view, and a mail is in many (G44). Both are told
//! here in the same words: a [`Folder`] is a list of entries, an [`Entry`] is a UID and the mail it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

/// Names a mail within its [`Store`].
pub(crate) type MailId = u64;
/// Names a folder within its [`Store`], whatever it is called by now.
pub(crate) type FolderId = u64;

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) id: MailId,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// INTERNALDATE.
    pub(crate) received: Timestamp,
    /// Flags and keywords; `\Deleted` belongs to an [`Entry`].
    pub(crate) flags: BTreeSet<String>,
    /// The store's counter when this mail, its flags or its places last changed.
    pub(crate) modseq: u64,
}

/// A mail in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) uid: u32,
    pub(crate) mail: MailId,
    pub(crate) deleted: bool,
}

/// A folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) id: FolderId,
    /// Decoded, with `/` between the levels.
    pub(crate) name: String,
    /// Its special use and the like, as LIST shows them: `\Sent`.
    pub(crate) attributes: Vec<String>,
    pub(crate) selectable: bool,
    pub(crate) subscribed: bool,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    /// Ordered by UID.
    pub(crate) entries: Vec<Entry>,
}

impl Folder {
    pub(crate) fn entry(&self, uid: u32) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&uid, |entry| entry.uid).ok()?;
        self.entries.get(at)
    }

    /// The mail's entry, if it is shown here.
    pub(crate) fn entry_of(&self, mail: MailId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.mail == mail)
    }

    pub(crate) fn has_attribute(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute))
    }
}

/// Everything one mailbox holds.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) mails: BTreeMap<MailId, Mail>,
    pub(crate) folders: Vec<Folder>,
    /// One counter for the whole mailbox, as Gmail has it (G52).
    pub(crate) modseq: u64,
    last_mail: MailId,
    last_folder: FolderId,
}

impl Store {
    /// A counter value that no change has had.
    pub(crate) fn next_modseq(&mut self) -> u64 {
        self.modseq += 1;
        self.modseq
    }

    /// Keeps a mail, in no folder yet.
    pub(crate) fn add_mail(
        &mut self,
        bytes: Vec<u8>,
        received: Timestamp,
        flags: BTreeSet<String>,
    ) -> MailId {
        self.last_mail += 1;
        let (id, modseq) = (self.last_mail, self.next_modseq());
        let mail = Mail { id, bytes: Arc::new(bytes), received, flags, modseq };
        self.mails.insert(id, mail);
        id
    }

    /// Adds a folder; its UIDVALIDITY is one that no folder of this store has had.
    pub(crate) fn add_folder(&mut self, name: &str, attributes: &[&str]) -> FolderId {
        self.last_folder += 1;
        let id = self.last_folder;
        self.folders.push(Folder {
            id,
            name: name.to_owned(),
            attributes: attributes.iter().map(|&attribute| attribute.to_owned()).collect(),
            selectable: true,
            subscribed: true,
            uid_validity: u32::try_from(id).unwrap_or(u32::MAX),
            uid_next: 1,
            entries: Vec::new(),
        });
        id
    }

    pub(crate) fn folder(&self, id: FolderId) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.id == id)
    }

    /// The folder gets another UIDVALIDITY, and its messages other UIDs (M49).
    pub(crate) fn renumber(&mut self, folder: FolderId) {
        let Some(folder) = self.folder_mut(folder) else { return };
        folder.uid_validity += 1;
        // Numbers that were others' before, so that who keeps them finds the wrong message.
        for (uid, entry) in (2..).zip(&mut folder.entries) {
            entry.uid = uid;
        }
        folder.uid_next = folder.entries.last().map_or(1, |entry| entry.uid + 1);
    }

    pub(crate) fn folder_mut(&mut self, id: FolderId) -> Option<&mut Folder> {
        self.folders.iter_mut().find(|folder| folder.id == id)
    }

    /// The folder of this name, in whatever case.
    pub(crate) fn find(&self, name: &str) -> Option<&Folder> {
        let name = name.to_lowercase();
        self.folders.iter().find(|folder| folder.name.to_lowercase() == name)
    }

    /// The folder with this special use.
    pub(crate) fn special(&self, attribute: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.has_attribute(attribute))
    }

    /// Shows the mail in the folder, under a new UID.
    pub(crate) fn place(&mut self, mail: MailId, folder: FolderId) -> u32 {
        self.touch(mail);
        let Some(folder) = self.folder_mut(folder) else { return 0 };
        let uid = folder.uid_next;
        folder.uid_next += 1;
        folder.entries.push(Entry { uid, mail, deleted: false });
        uid
    }

    /// Shows the mail there no longer.
    pub(crate) fn displace(&mut self, mail: MailId, folder: FolderId) {
        self.touch(mail);
        if let Some(folder) = self.folder_mut(folder) {
            folder.entries.retain(|entry| entry.mail != mail);
        }
    }

    /// The mail has changed.
    pub(crate) fn touch(&mut self, mail: MailId) {
        let modseq = self.next_modseq();
        if let Some(mail) = self.mails.get_mut(&mail) {
            mail.modseq = modseq;
        }
    }

    /// Forgets the mails that no folder shows.
    pub(crate) fn forget_the_unplaced(&mut self) {
        let placed: BTreeSet<MailId> = self
            .folders
            .iter()
            .flat_map(|folder| &folder.entries)
            .map(|entry| entry.mail)
            .collect();
        self.mails.retain(|id, _| placed.contains(id));
    }

    /// The flags of an entry, `\Deleted` included.
    pub(crate) fn flags(&self, entry: &Entry) -> Vec<&str> {
        let own = self.mails.get(&entry.mail).map(|mail| &mail.flags);
        let deleted = entry.deleted.then_some("\\Deleted");
        own.into_iter().flatten().map(String::as_str).chain(deleted).collect()
    }

    /// Every keyword that a mail of the folder has.
    pub(crate) fn keywords(&self, folder: &Folder) -> BTreeSet<&str> {
        let mails = folder.entries.iter().filter_map(|entry| self.mails.get(&entry.mail));
        let flags = mails.flat_map(|mail| &mail.flags);
        flags.map(String::as_str).filter(|flag| !flag.starts_with('\\')).collect()
    }
}
