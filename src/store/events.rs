//! The log: appended to, never changed.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::event::{Actor, Cause, Event, NewEvent, What};
use crate::desk::thread::{Change, ThreadId};
use crate::store::{Error, Result, Tx};

/// The version of [`StoredEvent`]. A later version reads all earlier ones.
const VERSION: u32 = 1;

/// An event's stored form.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The form's version.
    v: u32,
    actor: Actor,
    cause: Cause,
    what: What,
    #[serde(default, skip_serializing_if = "Change::is_empty")]
    change: Change,
    #[serde(default, skip_serializing_if = "Change::is_empty")]
    other_change: Change,
}

struct EventRow {
    seq: i64,
    thread: i64,
    other: Option<i64>,
    at: i64,
    body: String,
}

fn row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: row.get("seq")?,
        thread: row.get("thread")?,
        other: row.get("other")?,
        at: row.get("at")?,
        body: row.get("body")?,
    })
}

fn event(row: EventRow) -> Result<Event> {
    let stored: StoredEvent = serde_json::from_str(&row.body).map_err(|error| Error::Unknown {
        what: "the event",
        value: format!("{} ({error})", row.seq),
    })?;
    Ok(Event {
        seq: row.seq,
        at: Timestamp(row.at),
        thread: ThreadId(row.thread),
        other: row.other.map(ThreadId),
        actor: stored.actor,
        cause: stored.cause,
        what: stored.what,
        change: stored.change,
        other_change: stored.other_change,
    })
}

const EVENT: &str = "SELECT seq, thread, other, at, body FROM event";

impl Tx<'_> {
    /// Writes down an event.
    pub fn append(
        &self,
        mailbox: i64,
        thread: ThreadId,
        new: NewEvent,
        at: Timestamp,
    ) -> Result<Event> {
        let stored = StoredEvent {
            v: VERSION,
            actor: new.actor,
            cause: new.cause,
            what: new.what,
            change: new.change,
            other_change: new.other_change,
        };
        let body = serde_json::to_string(&stored).map_err(|error| Error::Unknown {
            what: "an event that cannot be written",
            value: error.to_string(),
        })?;
        self.conn
            .prepare_cached(
                "INSERT INTO event (mailbox, thread, other, at, body) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![mailbox, thread.0, new.other.map(|id| id.0), at.0, body])?;
        Ok(Event {
            seq: self.conn.last_insert_rowid(),
            at,
            thread,
            other: new.other,
            actor: stored.actor,
            cause: stored.cause,
            what: stored.what,
            change: stored.change,
            other_change: stored.other_change,
        })
    }

    /// The event of this number.
    pub fn event(&self, seq: i64) -> Result<Option<Event>> {
        self.conn
            .prepare_cached(&format!("{EVENT} WHERE seq = ?"))?
            .query_row([seq], row)
            .optional()?
            .map(event)
            .transpose()
    }

    /// What happened to a thread, oldest first.
    pub fn events_of(&self, thread: ThreadId) -> Result<Vec<Event>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{EVENT} WHERE thread = ?1 UNION ALL {EVENT} WHERE other = ?1 AND thread <> ?1 ORDER BY seq"
        ))?;
        let rows = statement.query_map([thread.0], row)?;
        rows.map(|found| event(found?)).collect()
    }

    /// What happened to a thread last.
    pub fn last_event_of(&self, thread: ThreadId) -> Result<Option<Event>> {
        self.conn
            .prepare_cached(&format!("{EVENT} WHERE thread = ? ORDER BY seq DESC LIMIT 1"))?
            .query_row([thread.0], row)
            .optional()?
            .map(event)
            .transpose()
    }

    /// Hands every event to `each`, oldest first.
    pub fn each_event(&self, mut each: impl FnMut(Event)) -> Result<()> {
        let mut statement = self.conn.prepare(&format!("{EVENT} ORDER BY seq"))?;
        let mut rows = statement.query([])?;
        while let Some(found) = rows.next()? {
            each(event(row(found)?)?);
        }
        Ok(())
    }

    /// A move closed the thread at `at`; `seq` is what it was taken for.
    pub fn add_closing_move(
        &self,
        mailbox: i64,
        at: Timestamp,
        thread: ThreadId,
        seq: i64,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO closing_move (mailbox, at, thread, event) VALUES (?, ?, ?, ?)
                 ON CONFLICT (mailbox, at, thread) DO UPDATE SET event = excluded.event",
            )?
            .execute(params![mailbox, at.0, thread.0, seq])?;
        Ok(())
    }

    /// The closing moves since `since`: the thread, and what each was taken for. Forgets older ones.
    pub fn closing_moves(&self, mailbox: i64, since: Timestamp) -> Result<Vec<(ThreadId, i64)>> {
        self.conn
            .prepare_cached("DELETE FROM closing_move WHERE mailbox = ? AND at < ?")?
            .execute([mailbox, since.0])?;
        let mut statement =
            self.conn.prepare_cached("SELECT thread, event FROM closing_move WHERE mailbox = ?")?;
        let rows =
            statement.query_map([mailbox], |row| Ok((ThreadId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets what was counted for a thread.
    pub fn forget_closing_moves(&self, mailbox: i64, thread: ThreadId) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM closing_move WHERE mailbox = ? AND thread = ?")?
            .execute([mailbox, thread.0])?;
        Ok(())
    }
}
