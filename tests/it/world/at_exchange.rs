//! What people do with a shared mailbox at Exchange Online, in Outlook: they drag, delete, flag and read.
//!
//! Stories speak of folders as everybody knows them; here is what each means at Exchange. Nobody puts keywords on there
//! (M28), so a story that does is told wrong. Everybody goes straight to the emulator, since Outlook speaks no IMAP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::exchange::{People, Tenant};
use super::eyes::Place;

/// A shared mailbox of the tenant.
pub(super) struct AtExchange {
    pub(super) tenant: Arc<Tenant>,
    pub(super) address: String,
}

/// The folder that a story means: by its special use, whatever language the mailbox speaks.
fn folder(name: &str) -> &str {
    match name {
        "Sent" => "\\Sent",
        "Drafts" => "\\Drafts",
        "Junk" => "\\Junk",
        "Trash" => "\\Trash",
        "Archive" => "\\Archive",
        name => name,
    }
}

impl AtExchange {
    fn person<T>(&self, act: impl FnOnce(&mut People<'_>) -> T) -> T {
        self.tenant.outlook_of(&self.address, act)
    }

    /// The post brings a mail, or Outlook files one.
    pub(super) fn puts(&self, name: &str, flags: &str, date: Option<&str>, message: &[u8]) {
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let received = date.map_or_else(jiff::Timestamp::now, |date| {
            jiff::Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", date).expect("an INTERNALDATE")
        });
        self.makes_folder(name);
        self.tenant.puts(&self.address, folder(name), message, &flags, received);
    }

    /// Every folder of mail.
    pub(super) fn folders(&self) -> Vec<String> {
        self.tenant.mailbox(&self.address, |mailbox| {
            mailbox.store.folders.iter().map(|folder| folder.name.clone()).collect()
        })
    }

    /// Everything in a folder, by Message-ID.
    pub(super) fn look_into(&self, name: &str) -> Vec<(String, Place)> {
        let all = self.look();
        let all = all.into_iter().flat_map(|(id, places)| {
            places.into_iter().map(move |place| (id.clone(), place)).collect::<Vec<_>>()
        });
        all.filter(|(_, place)| place.folder == name).collect()
    }

    pub(super) fn moves(&self, message_id: &str, to: &str) {
        self.makes_folder(to);
        self.person(|person| person.moves(&bracketed(message_id), folder(to)));
    }

    pub(super) fn moves_all(&self, from: &str, to: &str) {
        for (id, _) in self.look_into(from) {
            self.moves(&id, to);
        }
    }

    pub(super) fn copies(&self, message_id: &str, to: &str) {
        self.makes_folder(to);
        self.person(|person| person.copies(&bracketed(message_id), folder(to)));
    }

    /// Puts a flag on, or takes it off.
    pub(super) fn stores(&self, message_id: &str, sign: &str, flags: &str) {
        let id = bracketed(message_id);
        self.person(|person| match flags {
            "\\Flagged" => person.flags(&id, sign == "+"),
            "\\Seen" => person.reads(&id, sign == "+"),
            other => panic!("nobody does {sign}{other} in Outlook"),
        });
    }

    pub(super) fn expunges(&self, message_id: &str) {
        self.person(|person| person.deletes_for_good(&bracketed(message_id)));
    }

    pub(super) fn reads(&self, message_id: &str) {
        self.person(|person| person.reads(&bracketed(message_id), true));
    }

    pub(super) fn renames_folder(&self, from: &str, to: &str) {
        self.person(|person| person.renames_folder(from, to));
    }

    pub(super) fn deletes_folder(&self, name: &str) {
        self.person(|person| person.removes_folder(name));
    }

    pub(super) fn makes_folder(&self, name: &str) {
        let name = folder(name);
        let is_there = |known: &String| known.eq_ignore_ascii_case(name);
        if !name.starts_with('\\') && !self.folders().iter().any(is_there) {
            self.person(|person| person.makes_folder(name));
        }
    }

    /// Everything there is, by Message-ID.
    pub(super) fn look(&self) -> BTreeMap<String, Vec<Place>> {
        let (shown, away) = self.tenant.mailbox(&self.address, |mailbox| {
            let away = ["\\Drafts", "\\Junk", "\\Trash"];
            (mailbox.shown(), away.map(|special| mailbox.folder(special).name.clone()))
        });
        let mut all: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for one in shown {
            let flags: BTreeSet<String> =
                one.flags.iter().map(|flag| flag.to_lowercase()).collect();
            let id = one.message_id.trim_matches(['<', '>']).to_owned();
            let away = away.contains(&one.folder);
            let place = Place { folder: one.folder, uid: one.uid, flags, labels: None, away };
            all.entry(id).or_default().push(place);
        }
        all
    }
}

fn bracketed(message_id: &str) -> String {
    format!("<{message_id}>")
}
