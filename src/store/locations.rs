//! Where each copy of a message lies, with which flags; which messages are missing; and what is known of renumbered folders.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use crate::desk::marks::Place;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::store::messages::{Status, words};
use crate::store::{Result, Tx};

/// A copy of a message in a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located {
    /// The message.
    pub message: MessageKey,
    /// The folder's number.
    pub folder_id: i64,
    /// The folder's name.
    pub folder: String,
    /// The folder's UIDVALIDITY.
    pub uidvalidity: u32,
    /// What the folder means.
    pub folder_place: Place,
    /// What lying there means, with these flags.
    pub place: Place,
    /// The UID there.
    pub uid: u32,
    /// All flags and keywords at the last look or write.
    pub flags: Vec<String>,
}

fn located(row: &Row<'_>) -> rusqlite::Result<Located> {
    let place: String = row.get("place")?;
    let flags: String = row.get("flags")?;
    let flags = words(&flags);
    let folder_place = Place::from_stored(&place);
    Ok(Located {
        message: MessageKey(row.get("message")?),
        folder_id: row.get("folder")?,
        folder: row.get("name")?,
        uidvalidity: row.get("uidvalidity")?,
        place: folder_place.of_message(&flags),
        folder_place,
        uid: row.get("uid")?,
        flags,
    })
}

/// A UID and the flags of the copy that has it.
fn flags_of(row: &Row<'_>) -> rusqlite::Result<(u32, Vec<String>)> {
    let flags: String = row.get("flags")?;
    Ok((row.get("uid")?, words(&flags)))
}

const LOCATED: &str =
    "SELECT location.message, location.folder, folder.name, folder.uidvalidity, folder.place,
    location.uid, location.flags FROM location JOIN folder ON folder.id = location.folder";

impl Tx<'_> {
    /// A copy of the message lies there, with these flags.
    pub fn set_location(
        &self,
        folder: i64,
        uid: u32,
        key: MessageKey,
        flags: &[String],
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO location (folder, uid, message, flags) VALUES (?, ?, ?, ?)
                 ON CONFLICT (folder, uid) DO UPDATE SET message = excluded.message, flags = excluded.flags",
            )?
            .execute(params![folder, uid, key.0, flags.join(" ")])?;
        self.conn.prepare_cached("DELETE FROM missing WHERE message = ?")?.execute([key.0])?;
        Ok(())
    }

    /// The copy with this UID.
    pub fn location(&self, folder: i64, uid: u32) -> Result<Option<Located>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{LOCATED} WHERE location.folder = ? AND location.uid = ?"))?
            .query_row(params![folder, uid], located)
            .optional()?)
    }

    /// The copies of a message.
    pub fn locations_of(&self, key: MessageKey) -> Result<Vec<Located>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{LOCATED} WHERE location.message = ? ORDER BY location.folder, location.uid"
        ))?;
        let rows = statement.query_map([key.0], located)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The copies of all messages of a thread.
    pub fn locations_of_thread(&self, thread: ThreadId) -> Result<Vec<Located>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT location.message, location.folder, folder.name, folder.uidvalidity, folder.place,
             location.uid, location.flags
             FROM message JOIN location ON location.message = message.id
             JOIN folder ON folder.id = location.folder
             WHERE message.thread = ? ORDER BY location.folder, location.uid",
        )?;
        let rows = statement.query_map([thread.0], located)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The UIDs and flags known of a folder, in the order of the UIDs.
    pub fn flags_in(&self, folder: i64) -> Result<Vec<(u32, Vec<String>)>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT uid, flags FROM location WHERE folder = ? ORDER BY uid")?;
        let rows = statement.query_map([folder], flags_of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The same from the UID `from` on, at most `most` of them.
    pub fn flags_from(
        &self,
        folder: i64,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, Vec<String>)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT uid, flags FROM location WHERE folder = ? AND uid >= ? ORDER BY uid LIMIT ?",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![folder, from, most], flags_of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The flags of the newest copies known in a folder, by UID.
    pub fn newest_flags(&self, folder: i64, most: usize) -> Result<BTreeMap<u32, Vec<String>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT uid, flags FROM location WHERE folder = ? ORDER BY uid DESC LIMIT ?",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![folder, most], flags_of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The same for copies of messages of open threads.
    pub fn open_flags(
        &self,
        mailbox: i64,
        folder: i64,
        most: usize,
    ) -> Result<BTreeMap<u32, Vec<String>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT location.uid, location.flags
             FROM thread JOIN message ON message.thread = thread.id
             JOIN location ON location.message = message.id
             WHERE thread.mailbox = ? AND thread.state NOT IN ('resolved', 'ignored')
             AND location.folder = ? ORDER BY location.uid DESC LIMIT ?",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![mailbox, folder, most], flags_of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many copies are known to lie in the folder.
    pub fn count_locations(&self, folder: i64) -> Result<usize> {
        let count: i64 = self
            .conn
            .prepare_cached("SELECT count(*) FROM location WHERE folder = ?")?
            .query_row([folder], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// The UIDs known of a folder from `from` on, below `below`.
    pub fn uids_between(&self, folder: i64, from: u32, below: u32) -> Result<Vec<u32>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT uid FROM location WHERE folder = ? AND uid >= ? AND uid < ? ORDER BY uid",
        )?;
        let rows = statement.query_map(params![folder, from, below], |row| row.get("uid"))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether anything is known to lie in the folder.
    pub fn has_locations(&self, folder: i64) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM location WHERE folder = ?)")?
            .query_row([folder], |row| row.get(0))?)
    }

    /// The copy is gone. Answers the message, if it was known.
    pub fn remove_location(&self, folder: i64, uid: u32) -> Result<Option<MessageKey>> {
        Ok(self
            .conn
            .prepare_cached("DELETE FROM location WHERE folder = ? AND uid = ? RETURNING message")?
            .query_row(params![folder, uid], |row| row.get(0).map(MessageKey))
            .optional()?)
    }

    /// Puts a message without copies on the list of missing ones; also one that has copies when its folder disappeared,
    /// because they may be where it was moved from, and that not have been seen yet.
    pub fn set_missing(&self, key: MessageKey, folder_lost: bool) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO missing (message, folder_lost)
                 SELECT ?1, ?2 WHERE ?2 OR NOT EXISTS (SELECT 1 FROM location WHERE message = ?1)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![key.0, folder_lost])?;
        Ok(())
    }

    /// Whether the message is on the list of missing ones because its folder disappeared.
    pub fn was_lost_with_its_folder(&self, key: MessageKey) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT folder_lost FROM missing WHERE message = ?")?
            .query_row([key.0], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// Counts one more complete look for every missing message of the mailbox, and takes off the list those that were not
    /// found in `passes` looks. Answers those, and how many are still looked for.
    pub fn judge_missing(&self, mailbox: i64, passes: i64) -> Result<(Vec<MessageKey>, i64)> {
        self.conn
            .prepare_cached(
                "UPDATE missing SET passes = passes + 1
                 WHERE message IN (SELECT missing.message FROM missing
                                   JOIN message ON message.id = missing.message WHERE message.mailbox = ?)",
            )?
            .execute([mailbox])?;
        let mut statement = self.conn.prepare_cached(
            "SELECT missing.message FROM missing JOIN message ON message.id = missing.message
             WHERE message.mailbox = ? AND missing.passes >= ? ORDER BY missing.message",
        )?;
        let rows = statement.query_map([mailbox, passes], |row| row.get(0).map(MessageKey))?;
        let gone: Vec<MessageKey> = rows.collect::<rusqlite::Result<_>>()?;
        for key in &gone {
            self.conn.prepare_cached("DELETE FROM missing WHERE message = ?")?.execute([key.0])?;
        }
        let left = self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM missing JOIN message ON message.id = missing.message
                 WHERE message.mailbox = ?",
            )?
            .query_row([mailbox], |row| row.get(0))?;
        Ok((gone, left))
    }

    /// The folder's UIDs are worthless: remembers which messages lay there, and forgets under which UID.
    pub fn lose_locations(&self, folder: i64) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO lost_location (folder, message, flags)
                 SELECT folder, message, flags FROM location WHERE folder = ?
                 ON CONFLICT DO NOTHING",
            )?
            .execute([folder])?;
        self.conn.prepare_cached("DELETE FROM location WHERE folder = ?")?.execute([folder])?;
        Ok(())
    }

    /// The flags a message had in the folder before its UIDs became worthless; forgets them.
    pub fn take_lost(&self, folder: i64, key: MessageKey) -> Result<Option<Vec<String>>> {
        Ok(self
            .conn
            .prepare_cached(
                "DELETE FROM lost_location WHERE folder = ? AND message = ? RETURNING flags",
            )?
            .query_row([folder, key.0], |row| row.get::<_, String>(0))
            .optional()?
            .map(|flags| words(&flags)))
    }

    /// The messages that were not met again in a folder whose UIDs became worthless; forgets them.
    pub fn take_all_lost(&self, mailbox: i64) -> Result<Vec<MessageKey>> {
        let mut statement = self.conn.prepare_cached(
            "DELETE FROM lost_location WHERE folder IN (SELECT id FROM folder WHERE mailbox = ?)
             RETURNING message",
        )?;
        let rows = statement.query_map([mailbox], |row| row.get(0).map(MessageKey))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How the messages of a folder are accounted for: UID, status, reason, whether it is unreadable.
    pub fn accounts_of(&self, folder: i64) -> Result<Vec<(u32, Status, String, bool)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT location.uid, message.status, message.reason, message.unreadable
             FROM location JOIN message ON message.id = location.message
             WHERE location.folder = ? ORDER BY location.uid",
        )?;
        let mut rows = statement.query([folder])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            let status: String = row.get(1)?;
            accounts.push((row.get(0)?, Status::from_name(&status)?, row.get(2)?, row.get(3)?));
        }
        Ok(accounts)
    }
}
