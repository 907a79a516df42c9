//! One account: every message once, with its labels; folders are views of it (points 3 and 4).
//!
//! What a message is labelled with is the truth. [`Account::refresh`] makes the folders so: a message that comes into a
//! view gets a new UID there, one that leaves it is expunged there, and both bump the one counter (point 11).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::super::imapd::{Folder, FolderId, MailId, Store};
use super::faults::Faults;
use super::names::{ALL, BELOW_GMAIL, DRAFTS, INBOX, Language, SPAM, STARRED, System, TRASH};
use super::threads;

/// X-GM-MSGID of the first message; the documentation's own example (G33).
const FIRST_MSGID: u64 = 1_278_455_344_230_334_865;

/// What Gmail knows of a message that IMAP does not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letter {
    /// X-GM-THRID.
    pub(crate) thread: u64,
    /// User labels by name, system labels with their backslash. `\Starred` is the flag `\Flagged` (G50).
    pub(crate) labels: BTreeSet<String>,
}

/// What becomes of a message that is expunged from the last folder that shows it (G57).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum LastLabel {
    #[default]
    Archive,
    Trash,
    DeleteForever,
}

/// How the odd label output of G36 shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Nil {
    #[default]
    Never,
    /// One label of the list is NIL.
    AsALabel,
    /// An empty list is NIL.
    AsTheList,
}

/// What the owner has set in Gmail's settings, and how the server is today.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) language: Language,
    /// "When I mark a message in IMAP as deleted": expunge it at once.
    pub(crate) auto_expunge: bool,
    pub(crate) last_label: LastLabel,
    /// "Limit IMAP folders to contain no more than this many messages" (G24).
    pub(crate) folder_limit: Option<usize>,
    /// IMAP access may be off for the account or the organisation (G75).
    pub(crate) imap: bool,
    /// How long a session may live until it is told to log in again (G64).
    pub(crate) session_lifetime: Option<Duration>,
    /// How many sessions there may be at a time (G68).
    pub(crate) connections: usize,
    pub(crate) nil_labels: Nil,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            language: Language::English,
            auto_expunge: true,
            last_label: LastLabel::Archive,
            folder_limit: None,
            imap: true,
            session_lifetime: None,
            connections: 15,
            nil_labels: Nil::Never,
        }
    }
}

/// Which messages a folder shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum View<'a> {
    System(System),
    Label(&'a str),
}

/// An account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) address: String,
    /// The password of the web, which IMAP refuses (G89).
    pub(crate) web_password: String,
    pub(crate) app_passwords: BTreeSet<String>,
    /// Tokens that are good, and whether their scope is `gmail.imap_admin` (G25). Not asked where there is a hook.
    pub(crate) tokens: BTreeMap<String, bool>,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) store: Store,
    pub(crate) letters: BTreeMap<MailId, Letter>,
    /// Labels that are not shown in IMAP (G23).
    pub(crate) hidden: BTreeSet<FolderId>,
    /// Every keyword that a client has ever used here (G47).
    pub(crate) keywords: BTreeSet<String>,
}

impl Account {
    pub(crate) fn new(address: &str) -> Account {
        let mut account = Account {
            address: address.to_owned(),
            web_password: "web-password".into(),
            app_passwords: BTreeSet::new(),
            tokens: BTreeMap::new(),
            settings: Settings::default(),
            faults: Faults::default(),
            store: Store::default(),
            letters: BTreeMap::new(),
            hidden: BTreeSet::new(),
            keywords: ["$NotPhishing", "$Phishing"].map(String::from).into(),
        };
        account.store.add_folder("INBOX", &[]);
        let root = account.store.add_folder(Language::English.root(), &[]);
        if let Some(root) = account.store.folder_mut(root) {
            root.selectable = false;
        }
        for (system, name) in BELOW_GMAIL.iter().zip(Language::English.folders()) {
            let attribute: Vec<&str> = system.attribute.into_iter().collect();
            account.store.add_folder(&format!("{}/{name}", Language::English.root()), &attribute);
        }
        account
    }

    /// Names the system folders anew.
    pub(crate) fn speaks(&mut self, language: Language) {
        self.settings.language = language;
        for folder in &mut self.store.folders {
            if !folder.selectable {
                language.root().clone_into(&mut folder.name);
            }
            let is =
                |system: &System| system.attribute.is_some_and(|own| folder.has_attribute(own));
            if let Some(at) = BELOW_GMAIL.iter().position(is) {
                folder.name = format!("{}/{}", language.root(), language.folders()[at]);
            }
        }
    }

    /// X-GM-MSGID.
    pub(crate) fn msgid(mail: MailId) -> u64 {
        FIRST_MSGID + mail
    }

    /// Which messages the folder shows.
    pub(crate) fn view(folder: &Folder) -> View<'_> {
        let special =
            |system: &&System| system.attribute.is_some_and(|own| folder.has_attribute(own));
        match BELOW_GMAIL.iter().find(special) {
            Some(system) => View::System(*system),
            None if folder.name == "INBOX" => View::System(INBOX),
            None => View::Label(&folder.name),
        }
    }

    /// The view that the folder is, with a name of its own.
    pub(crate) fn view_label(&self, folder: FolderId) -> Option<(Option<System>, String)> {
        let folder = self.store.folder(folder)?;
        Some(match Account::view(folder) {
            View::System(system) => (Some(system), system.label.unwrap_or_default().to_owned()),
            View::Label(name) => (None, name.to_owned()),
        })
    }

    /// The message's labels, `\Starred` among them.
    pub(crate) fn labels(&self, mail: MailId) -> BTreeSet<String> {
        let mut labels =
            self.letters.get(&mail).map(|letter| letter.labels.clone()).unwrap_or_default();
        if self.is_starred(mail) {
            labels.insert("\\Starred".into());
        }
        labels
    }

    fn is_starred(&self, mail: MailId) -> bool {
        self.store.mails.get(&mail).is_some_and(|mail| mail.flags.contains("\\Flagged"))
    }

    /// Whether the folder shows the message.
    fn shows(&self, folder: &Folder, mail: MailId) -> bool {
        let Some(letter) = self.letters.get(&mail) else { return false };
        let has = |label: &str| letter.labels.contains(label);
        let away = has("\\Trash") || has("\\Spam");
        match Account::view(folder) {
            View::System(TRASH) => has("\\Trash"),
            View::System(SPAM) => has("\\Spam") && !has("\\Trash"),
            View::System(ALL) => !away,
            View::System(STARRED) => !away && self.is_starred(mail),
            View::System(system) => !away && system.label.is_some_and(has),
            View::Label(name) => folder.selectable && !away && has(name),
        }
    }

    /// Makes the folders show the message where its labels say, and nowhere else.
    pub(crate) fn refresh(&mut self, mail: MailId) {
        self.store.touch(mail);
        for id in self.store.folders.iter().map(|folder| folder.id).collect::<Vec<_>>() {
            let Some(folder) = self.store.folder(id) else { continue };
            match (folder.entry_of(mail).is_some(), self.shows(folder, mail)) {
                (false, true) => drop(self.store.place(mail, id)),
                (true, false) => self.store.displace(mail, id),
                _ => {}
            }
        }
    }

    /// Takes a message in, with these labels. One that is there already only gets the labels (G59).
    pub(crate) fn take_in(
        &mut self,
        bytes: Vec<u8>,
        received: Timestamp,
        flags: &[String],
        labels: &[&str],
    ) -> MailId {
        let same = self.store.mails.values().find(|mail| *mail.bytes == bytes).map(|mail| mail.id);
        let id = same.unwrap_or_else(|| {
            let thread = threads::joins(self, &bytes);
            let keywords = flags.iter().filter(|flag| !flag.starts_with('\\'));
            self.keywords.extend(keywords.cloned());
            let flags = flags.iter().filter(|flag| !flag.eq_ignore_ascii_case("\\Deleted"));
            let id = self.store.add_mail(bytes, received, flags.cloned().collect());
            let thread = thread.unwrap_or_else(|| Account::msgid(id));
            self.letters.insert(id, Letter { thread, labels: BTreeSet::new() });
            id
        });
        for label in labels {
            self.add_label(id, label);
        }
        self.refresh(id);
        id
    }

    /// Puts a label on a message, with what follows from it.
    pub(crate) fn add_label(&mut self, mail: MailId, label: &str) {
        let Some(letter) = self.letters.get_mut(&mail) else { return };
        match label {
            "\\Starred" => self.set_flag(mail, "\\Flagged", true),
            // Point 4: what is thrown away leaves the inbox.
            "\\Trash" | "\\Spam" => {
                letter.labels.remove("\\Inbox");
                letter.labels.insert(label.to_owned());
            }
            _ => {
                // What is put back in the inbox is neither waste nor spam any more.
                if label == "\\Inbox" {
                    letter.labels.retain(|own| own != "\\Trash" && own != "\\Spam");
                }
                if Some(label) == DRAFTS.label {
                    self.set_flag(mail, "\\Draft", true);
                }
                if let Some(letter) = self.letters.get_mut(&mail) {
                    letter.labels.insert(label.to_owned());
                }
            }
        }
        self.refresh(mail);
    }

    /// Takes a label off a message.
    pub(crate) fn remove_label(&mut self, mail: MailId, label: &str) {
        match label {
            "\\Starred" => self.set_flag(mail, "\\Flagged", false),
            _ => {
                if let Some(letter) = self.letters.get_mut(&mail) {
                    letter.labels.remove(label);
                }
            }
        }
        if Some(label) == DRAFTS.label {
            self.set_flag(mail, "\\Draft", false);
        }
        self.refresh(mail);
    }

    /// Sets or clears a flag.
    pub(crate) fn set_flag(&mut self, mail: MailId, flag: &str, set: bool) {
        if let Some(own) = self.store.mails.get_mut(&mail) {
            if set {
                own.flags.insert(flag.to_owned())
            } else {
                own.flags.remove(flag)
            };
        }
        self.refresh(mail);
    }

    /// Destroys a message.
    pub(crate) fn destroy(&mut self, mail: MailId) {
        for id in self.store.folders.iter().map(|folder| folder.id).collect::<Vec<_>>() {
            self.store.displace(mail, id);
        }
        self.letters.remove(&mail);
        self.store.forget_the_unplaced();
    }
}
