//! The mailbox's folders: what each means, which are gone, which must be made.

use std::collections::{BTreeMap, BTreeSet};

use crate::desk::layout::{Dialect, Layout, same_folder};
use crate::desk::marks::Place;
use crate::desk::policy::Policy;
use crate::engine::Desk;
use crate::store::{Folder, Tx};

/// A folder as a door listed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedFolder {
    /// Its name.
    pub name: String,
    /// What it is for: `inbox`, `all`, `sent`, `drafts`, `junk`, `archive`, `trash`, `baton`, `other`.
    pub role: String,
    /// Whether it can be selected.
    pub selectable: bool,
}

/// What is to be done about the folders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// Folders to make, parents first.
    pub create: Vec<String>,
    /// Folders that are new since one of Baton's disappeared: it may have been renamed to one of them.
    pub strayed: Vec<String>,
}

/// The role of a folder that is watched only because Baton's mails may be in it.
const STRAYED: &str = "strayed";

/// Keeps what the server lists, and notices what is gone.
pub fn list(
    tx: &Tx<'_>,
    policy: &Policy,
    dialect: &Dialect,
    mailbox: i64,
    listed: &[ListedFolder],
) -> anyhow::Result<Listing> {
    let before = tx.folders(mailbox)?;
    let before: BTreeMap<&str, &Folder> = before
        .iter()
        .filter(|folder| folder.listed)
        .map(|folder| (folder.name.as_str(), folder))
        .collect();
    let there: BTreeSet<&str> =
        listed.iter().filter(|one| one.selectable).map(|one| one.name.as_str()).collect();
    let mut lost_ours = false;
    for (name, folder) in &before {
        if !there.contains(name) {
            lost_ours |= lose(tx, folder)?;
        } else if !is_watched(dialect.layout, &folder.role) && tx.has_locations(folder.id)? {
            leave(tx, folder)?;
        }
    }
    let mut listing = Listing::default();
    for folder in listed.iter().filter(|folder| folder.selectable) {
        let known = before.get(folder.name.as_str());
        let place = place(policy, dialect, folder);
        let strayed = folder.role == "other"
            && match known {
                None => lost_ours,
                Some(known) => {
                    // Also what was Baton's until the configuration gave it another name.
                    matches!(known.role.as_str(), STRAYED | "baton")
                        && (known.uidvalidity == 0 || tx.has_locations(known.id)?)
                }
            };
        let role = if strayed { STRAYED } else { folder.role.as_str() };
        if known.is_none_or(|known| known.role != role || known.place != place) {
            tx.set_listed(mailbox, &folder.name, role, &place)?;
        }
        if strayed {
            listing.strayed.push(folder.name.clone());
        }
    }
    let missing = dialect.folders(policy).into_iter();
    listing.create = missing
        .filter(|name| !listed.iter().any(|one| one.selectable && same_folder(&one.name, name)))
        .collect();
    Ok(listing)
}

fn place(policy: &Policy, dialect: &Dialect, folder: &ListedFolder) -> Place {
    match folder.role.as_str() {
        "inbox" => Place::Inbox,
        "sent" => Place::Sent,
        "drafts" => Place::Drafts,
        "junk" => Place::Junk,
        "archive" => Place::Archive,
        "trash" => Place::Trash,
        "all" => Place::ByLabels,
        "baton" => dialect.place_below_root(policy, &folder.name),
        _ => Place::Elsewhere,
    }
}

/// Whether messages are looked for in folders of this role: with Gmail's labels in All Mail, of which the others are views
/// (G45), else in those others.
fn is_watched(layout: Layout, role: &str) -> bool {
    match layout {
        Layout::Labels => matches!(role, "all" | "junk" | "trash"),
        Layout::Folders | Layout::Keywords => role != "all",
    }
}

/// Another layout was chosen, in which the folder is not looked into: its messages are met again in another one.
fn leave(tx: &Tx<'_>, folder: &Folder) -> anyhow::Result<()> {
    for (uid, _) in tx.flags_in(folder.id)? {
        if let Some(message) = tx.remove_location(folder.id, uid)? {
            tx.set_missing(message, false)?;
        }
    }
    tx.set_modseq(folder.id, 0)?;
    Ok(tx.set_cursor(folder.id, 0, 1)?)
}

/// A folder is gone: renamed or deleted. Its messages are looked for in the others. Answers whether it was Baton's, with
/// mails in it.
fn lose(tx: &Tx<'_>, folder: &Folder) -> anyhow::Result<bool> {
    let ours = folder.role == "baton";
    let known = tx.flags_in(folder.id)?;
    tx.lose_drafts(folder.id)?;
    for (uid, _) in &known {
        if let Some(message) = tx.remove_location(folder.id, *uid)? {
            tx.set_missing(message, ours)?;
        }
    }
    tx.set_unlisted(folder.id)?;
    if ours {
        tracing::warn!(
            folder = folder.name,
            messages = known.len(),
            "Baton's folder {} is gone; it is made again, and its mails are looked for",
            folder.name
        );
    }
    Ok(ours && !known.is_empty())
}

/// The folder has another UIDVALIDITY: its UIDs are worthless, its messages are met again.
pub fn lose_uids(desk: &Desk<'_>, folder: &Folder, uidvalidity: u32) -> anyhow::Result<()> {
    desk.tx.lose_locations(folder.id)?;
    desk.tx.set_cursor(folder.id, uidvalidity, 1)?;
    desk.tx.set_modseq(folder.id, 0)?;
    tracing::info!(folder = folder.name, uidvalidity, "{} was numbered anew", folder.name);
    Ok(())
}
