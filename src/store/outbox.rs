//! Wishes: what is to be done outside as a consequence of events. *Make it so*, not *add X*: running one twice is harmless.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::marks::Place;
use crate::desk::thread::ThreadId;
use crate::store::{Result, Tx};

/// What is wished for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Make the mailbox show the thread as it stands.
    ShowMarks,
    /// Make Outlook's categories show it as well, where they do.
    ShowCategories,
}

impl Effect {
    pub(super) fn name(self) -> &'static str {
        match self {
            Effect::ShowMarks => "show-marks",
            Effect::ShowCategories => "show-categories",
        }
    }
}

/// One wish that is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wish {
    /// Its number.
    pub id: i64,
    /// The thread.
    pub thread: ThreadId,
    /// How often it was wished for since it was last carried out.
    pub wishes: i64,
    /// How often it failed.
    pub attempts: u32,
}

/// What is being written to the mailbox for a wish. Whether it was done is open until the server's answer is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// The keywords and flags that the thread's messages are to carry.
    pub keywords: Vec<String>,
    /// Where they are to lie.
    pub place: Place,
}

#[derive(Deserialize, Serialize)]
struct StoredAttempt {
    keywords: Vec<String>,
    place: String,
}

impl Tx<'_> {
    /// Remembers what is about to be written for a wish.
    pub fn attempt(&self, wish: &Wish, attempt: &Attempt) -> Result<()> {
        let (keywords, place) = (attempt.keywords.clone(), attempt.place.stored());
        let stored = serde_json::to_string(&StoredAttempt { keywords, place }).unwrap_or_default();
        self.conn
            .prepare_cached("UPDATE outbox SET attempt = ? WHERE id = ?")?
            .execute(params![stored, wish.id])?;
        Ok(())
    }

    /// What was being written for the thread when the server was heard last, if its answer never came.
    pub fn open_attempt(&self, thread: ThreadId) -> Result<Option<Attempt>> {
        let stored: Option<String> = self
            .conn
            .prepare_cached("SELECT attempt FROM outbox WHERE thread = ? AND effect = ?")?
            .query_row(params![thread.0, Effect::ShowMarks.name()], |row| row.get(0))
            .optional()?
            .flatten();
        let stored: Option<StoredAttempt> =
            stored.and_then(|stored| serde_json::from_str(&stored).ok());
        Ok(stored.map(|stored| Attempt {
            keywords: stored.keywords,
            place: Place::from_stored(&stored.place),
        }))
    }

    /// Remembers a wish. Wishing for what is already waiting makes it due at once. Where Outlook's categories show a
    /// thread as well, whatever changes its marks is wished of them, too.
    pub fn wish(
        &self,
        mailbox: i64,
        thread: ThreadId,
        effect: Effect,
        now: Timestamp,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO outbox (mailbox, thread, effect, due_at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (thread, effect) DO UPDATE
                 SET wishes = wishes + 1, attempts = 0, due_at = excluded.due_at, last_error = NULL",
            )?
            .execute(params![mailbox, thread.0, effect.name(), now.0])?;
        if effect == Effect::ShowMarks && self.shows_categories(mailbox)? {
            self.wish(mailbox, thread, Effect::ShowCategories, now)?;
        }
        Ok(())
    }

    /// Wishes that the mailbox show every thread as it stands.
    pub fn wish_for_all(&self, mailbox: i64, now: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO outbox (mailbox, thread, effect, due_at)
                 SELECT mailbox, id, ?2, ?3 FROM thread
                 WHERE mailbox = ?1 ON CONFLICT (thread, effect) DO NOTHING",
            )?
            .execute(params![mailbox, Effect::ShowMarks.name(), now.0])?;
        Ok(())
    }

    /// The wishes for `effect` that are due, the oldest first, at most `limit`.
    pub fn wishes_due(
        &self,
        mailbox: i64,
        effect: Effect,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Wish>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, thread, wishes, attempts FROM outbox
             WHERE mailbox = ? AND effect = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?",
        )?;
        let rows = statement.query_map(params![mailbox, effect.name(), now.0, limit], |row| {
            Ok(Wish {
                id: row.get("id")?,
                thread: ThreadId(row.get("thread")?),
                wishes: row.get("wishes")?,
                attempts: row.get("attempts")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the mailbox's next wish for `effect` is due.
    pub fn next_wish_at(&self, mailbox: i64, effect: Effect) -> Result<Option<Timestamp>> {
        Ok(self
            .conn
            .prepare_cached("SELECT min(due_at) FROM outbox WHERE mailbox = ? AND effect = ?")?
            .query_row(params![mailbox, effect.name()], |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp))
    }

    /// The names of the mailboxes for which a wish is due, and what for.
    pub fn mailboxes_with_wishes(&self, now: Timestamp) -> Result<Vec<(String, Effect)>> {
        let mut due = Vec::new();
        for effect in [Effect::ShowMarks, Effect::ShowCategories] {
            let mut statement = self.conn.prepare_cached(
                "SELECT DISTINCT mailbox.name FROM outbox JOIN mailbox ON mailbox.id = outbox.mailbox
                 WHERE outbox.due_at <= ? AND outbox.effect = ?",
            )?;
            let names = statement.query_map(params![now.0, effect.name()], |row| row.get(0))?;
            for name in names {
                due.push((name?, effect));
            }
        }
        Ok(due)
    }

    /// Forgets a wish, unless it was wished for again while it was being carried out: the work may have been based on the
    /// older state, so it has to be done once more.
    pub fn wish_done(&self, wish: &Wish) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM outbox WHERE id = ? AND wishes = ?")?
            .execute([wish.id, wish.wishes])?;
        self.conn
            .prepare_cached("UPDATE outbox SET attempt = NULL WHERE id = ?")?
            .execute([wish.id])?;
        Ok(())
    }

    /// The wish failed and is tried again at `at`.
    pub fn wish_again(&self, wish: &Wish, at: Timestamp, error: &str) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE outbox SET attempts = attempts + 1, due_at = ?, last_error = ?
                 WHERE id = ? AND wishes = ?",
            )?
            .execute(params![at.0, error, wish.id, wish.wishes])?;
        Ok(())
    }
}
