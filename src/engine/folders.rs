//! The mailbox's folders: what each means, which are gone, which must be made.

use crate::desk::layout::{Dialect, same_folder};
use crate::desk::marks::Place;
use crate::desk::policy::Policy;
use crate::engine::Desk;
use crate::store::{Folder, Tx};

/// A folder as a door listed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedFolder {
    /// Its name.
    pub name: String,
    /// What it is for: `inbox`, `sent`, `drafts`, `junk`, `archive`, `trash`, `baton`, `other`.
    pub role: String,
    /// Whether it can be selected.
    pub selectable: bool,
}

/// Keeps what the server lists, notices what is gone, and answers the folders that must be made, parents first.
pub fn list(
    tx: &Tx<'_>,
    policy: &Policy,
    dialect: &Dialect,
    mailbox: i64,
    listed: &[ListedFolder],
) -> anyhow::Result<Vec<String>> {
    for folder in listed.iter().filter(|folder| folder.selectable) {
        let place = place(policy, dialect, folder);
        tx.set_listed(mailbox, &folder.name, &folder.role, &place)?;
    }
    for folder in tx.folders(mailbox)?.into_iter().filter(|folder| folder.listed) {
        let still = listed.iter().any(|one| one.selectable && one.name == folder.name);
        if !still {
            lose(tx, &folder)?;
        }
    }
    let missing = dialect.folders(policy).into_iter();
    Ok(missing.filter(|name| !listed.iter().any(|one| same_folder(&one.name, name))).collect())
}

fn place(policy: &Policy, dialect: &Dialect, folder: &ListedFolder) -> Place {
    match folder.role.as_str() {
        "inbox" => Place::Inbox,
        "sent" => Place::Sent,
        "drafts" => Place::Drafts,
        "junk" => Place::Junk,
        "archive" => Place::Archive,
        "trash" => Place::Trash,
        "baton" => dialect.place_below_root(policy, &folder.name),
        _ => Place::Elsewhere,
    }
}

/// A folder is gone: renamed or deleted. Its messages are looked for in the others.
fn lose(tx: &Tx<'_>, folder: &Folder) -> anyhow::Result<()> {
    let ours = folder.role == "baton";
    let known = tx.flags_in(folder.id)?;
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
    Ok(())
}

/// The folder has another UIDVALIDITY: its UIDs are worthless, its messages are met again.
pub fn lose_uids(desk: &Desk<'_>, folder: &Folder, uidvalidity: u32) -> anyhow::Result<()> {
    desk.tx.lose_locations(folder.id)?;
    desk.tx.set_cursor(folder.id, uidvalidity, 1)?;
    desk.tx.set_modseq(folder.id, 0)?;
    tracing::info!(folder = folder.name, uidvalidity, "{} was numbered anew", folder.name);
    Ok(())
}
