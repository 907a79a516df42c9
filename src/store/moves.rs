//! What is remembered of moves: when a person moved a message last, where Baton has moved it to, which folders it has left,
//! and which copies are in doubt: moved back by a person, or put back by a mail program that did not notice a move.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::desk::marks::Place;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::store::{Located, Result, Tx};

/// For how long it is remembered that a message has left a folder: longer than a laptop is closed over night.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a message may not be moved now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unsettled {
    /// When a person moved it last.
    pub moved_at: Option<Timestamp>,
    /// When Baton moved it, if it has not been met in its new place yet.
    pub moving_at: Option<Timestamp>,
    /// Whether one of its copies is in doubt.
    pub in_doubt: bool,
}

impl Tx<'_> {
    /// A person moved the message.
    pub fn set_moved(&self, key: MessageKey, now: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET moved_at = ? WHERE id = ?")?
            .execute(params![now.0, key.0])?;
        Ok(())
    }

    /// Baton has moved the message there, and has not met it there yet.
    pub fn set_moving(&self, key: MessageKey, place: &Place, now: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET moving_to = ?, moving_at = ? WHERE id = ?")?
            .execute(params![place.stored(), now.0, key.0])?;
        Ok(())
    }

    /// Forgets where Baton has moved the message: it has been met again.
    pub fn end_moving(&self, key: MessageKey) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET moving_to = '', moving_at = NULL WHERE id = ?")?
            .execute([key.0])?;
        Ok(())
    }

    /// Where Baton has moved the message to without having met it there yet.
    pub fn moving_to(&self, key: MessageKey) -> Result<Option<Place>> {
        let place: String = self
            .conn
            .prepare_cached("SELECT moving_to FROM message WHERE id = ?")?
            .query_row([key.0], |row| row.get(0))
            .optional()?
            .unwrap_or_default();
        Ok((!place.is_empty()).then(|| Place::from_stored(&place)))
    }

    /// The messages of a thread that may not be moved now, or not yet.
    pub fn unsettled(&self, thread: ThreadId) -> Result<BTreeMap<MessageKey, Unsettled>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, moved_at, moving_at, EXISTS (SELECT 1 FROM location WHERE message = message.id AND doubt > 0)
             FROM message WHERE thread = ?",
        )?;
        let rows = statement.query_map([thread.0], |row| {
            let moved_at = row.get::<_, Option<i64>>(1)?.map(Timestamp);
            let moving_at = row.get::<_, Option<i64>>(2)?.map(Timestamp);
            Ok((MessageKey(row.get(0)?), Unsettled { moved_at, moving_at, in_doubt: row.get(3)? }))
        })?;
        let all: BTreeMap<MessageKey, Unsettled> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(all.into_iter().filter(|(_, one)| *one != Unsettled::default()).collect())
    }

    /// The message has left the folder.
    pub fn add_left(&self, key: MessageKey, folder: i64, now: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM left_folder WHERE at < ?")?
            .execute([(now - REMEMBERED).0])?;
        self.conn
            .prepare_cached(
                "INSERT INTO left_folder (message, folder, at) VALUES (?, ?, ?)
                 ON CONFLICT (message, folder) DO UPDATE SET at = excluded.at",
            )?
            .execute(params![key.0, folder, now.0])?;
        Ok(())
    }

    /// Whether the message has left the folder lately.
    pub fn has_left(&self, key: MessageKey, folder: i64) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM left_folder WHERE message = ? AND folder = ?)",
            )?
            .query_row([key.0, folder], |row| row.get(0))?)
    }

    /// The copy is in doubt.
    pub fn doubt(&self, folder: i64, uid: u32) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE location SET doubt = 1 WHERE folder = ? AND uid = ?")?
            .execute(params![folder, uid])?;
        Ok(())
    }

    /// The copies of the message that are in doubt, by folder and UID.
    pub fn doubted(&self, key: MessageKey) -> Result<Vec<(i64, u32)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT folder, uid FROM location WHERE message = ? AND doubt > 0 ORDER BY folder, uid",
        )?;
        let rows = statement.query_map([key.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// No copy of the message is in doubt any more.
    pub fn end_doubt(&self, key: MessageKey) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE location SET doubt = 0 WHERE message = ? AND doubt > 0")?
            .execute([key.0])?;
        Ok(())
    }

    /// Counts one more complete look for every copy of the mailbox that is in doubt. Answers those that have been so for more
    /// than `looks` of them, and whether there are others.
    pub fn judge_doubted(&self, mailbox: i64, looks: i64) -> Result<(Vec<Located>, bool)> {
        let mut statement = self.conn.prepare_cached(
            "UPDATE location SET doubt = doubt + 1
             WHERE doubt > 0 AND folder IN (SELECT id FROM folder WHERE mailbox = ?)
             RETURNING folder, uid, doubt",
        )?;
        let rows = statement.query_map([mailbox], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, i64>(2)?))
        })?;
        let mut all: Vec<(i64, u32, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        all.sort_unstable();
        let (mut over, mut others) = (Vec::new(), false);
        for (folder, uid, doubt) in all {
            if doubt <= looks {
                others = true;
            } else {
                over.extend(self.location(folder, uid)?);
            }
        }
        Ok((over, others))
    }
}
