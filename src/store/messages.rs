//! Messages: each mail once, however many copies of it lie in however many folders.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::desk::marks::Place;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::store::{Error, Result, Tx};

/// How a message is accounted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// It belongs to a thread.
    Threaded,
    /// It is from before the cut-over.
    History,
    /// We sent it, and it answers no thread.
    Own,
    /// It needs no thread; the row says why.
    Ignored,
    /// It is being written.
    Draft,
}

impl Status {
    /// The form in the database.
    pub fn name(self) -> &'static str {
        match self {
            Status::Threaded => "threaded",
            Status::History => "history",
            Status::Own => "own",
            Status::Ignored => "ignored",
            Status::Draft => "draft",
        }
    }

    pub(super) fn from_name(name: &str) -> Result<Status> {
        match name {
            "threaded" => Ok(Status::Threaded),
            "history" => Ok(Status::History),
            "own" => Ok(Status::Own),
            "ignored" => Ok(Status::Ignored),
            "draft" => Ok(Status::Draft),
            _ => Err(Error::Unknown { what: "the message status", value: name.to_string() }),
        }
    }
}

/// What is kept of a message.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The same for every copy.
    pub identity: String,
    /// Without angle brackets.
    pub message_id: String,
    /// Tells apart two mails with one Message-ID.
    pub fingerprint: String,
    /// How it is accounted for.
    pub status: Status,
    /// Why it is ignored.
    pub reason: String,
    /// Whether nothing could be made of it.
    pub unreadable: bool,
    /// `customer`, `own` or `internal`.
    pub direction: String,
    /// The kind's name.
    pub kind: String,
    /// From as written.
    pub sender: String,
    /// To and Cc.
    pub recipients: Vec<String>,
    /// The subject.
    pub subject: String,
    /// INTERNALDATE.
    pub arrived_at: Timestamp,
    /// Date.
    pub sent_at: Option<Timestamp>,
    /// RFC822.SIZE in bytes.
    pub size: u32,
    /// The beginning of the new text.
    pub excerpt: String,
    /// Where it was seen.
    pub place: Place,
}

/// A message as it stands in the database.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// Its number.
    pub key: MessageKey,
    /// Its thread.
    pub thread: Option<ThreadId>,
    /// How it is accounted for.
    pub status: Status,
    /// Without angle brackets.
    pub message_id: String,
    /// Tells apart two mails with one Message-ID.
    pub fingerprint: String,
    /// `customer`, `own` or `internal`.
    pub direction: String,
    /// The kind's name.
    pub kind: String,
    /// From as written.
    pub sender: String,
    /// To and Cc.
    pub recipients: Vec<String>,
    /// The subject.
    pub subject: String,
    /// INTERNALDATE.
    pub arrived_at: Timestamp,
    /// Date.
    pub sent_at: Option<Timestamp>,
    /// Why it belongs to its thread.
    pub joined_by: String,
    /// The beginning of the new text.
    pub excerpt: String,
    /// Where it was seen last.
    pub place: Place,
    /// Baton's flags and keywords at the last look or write.
    pub marks: Vec<String>,
    /// Whether it left as an answer, and the log says so.
    pub replied: bool,
}

const MESSAGE: &str =
    "SELECT id, thread, status, message_id, fingerprint, direction, kind, sender, recipients,
    subject, arrived_at, sent_at, joined_by, excerpt, place, marks, replied FROM message";

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_string).collect()
}

fn message(row: &Row<'_>) -> rusqlite::Result<(MessageRow, String)> {
    let recipients: String = row.get("recipients")?;
    let place: String = row.get("place")?;
    let marks: String = row.get("marks")?;
    let found = MessageRow {
        key: MessageKey(row.get("id")?),
        thread: row.get::<_, Option<i64>>("thread")?.map(ThreadId),
        status: Status::Own,
        message_id: row.get("message_id")?,
        fingerprint: row.get("fingerprint")?,
        direction: row.get("direction")?,
        kind: row.get("kind")?,
        sender: row.get("sender")?,
        recipients: serde_json::from_str(&recipients).unwrap_or_default(),
        subject: row.get("subject")?,
        arrived_at: Timestamp(row.get("arrived_at")?),
        sent_at: row.get::<_, Option<i64>>("sent_at")?.map(Timestamp),
        joined_by: row.get("joined_by")?,
        excerpt: row.get("excerpt")?,
        place: Place::from_stored(&place),
        marks: words(&marks),
        replied: row.get("replied")?,
    };
    Ok((found, row.get("status")?))
}

fn with_status((found, status): (MessageRow, String)) -> Result<MessageRow> {
    Ok(MessageRow { status: Status::from_name(&status)?, ..found })
}

impl Tx<'_> {
    /// Keeps a message that is new.
    pub fn add_message(&self, mailbox: i64, new: &NewMessage) -> Result<MessageKey> {
        self.conn
            .prepare_cached(
                "INSERT INTO message (mailbox, identity, message_id, fingerprint, status, reason, unreadable,
                 direction, kind, sender, recipients, subject, arrived_at, sent_at, size, excerpt, place)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                mailbox,
                new.identity,
                new.message_id,
                new.fingerprint,
                new.status.name(),
                new.reason,
                new.unreadable,
                new.direction,
                new.kind,
                new.sender,
                serde_json::to_string(&new.recipients).unwrap_or_default(),
                new.subject,
                new.arrived_at.0,
                new.sent_at.map(|at| at.0),
                new.size,
                new.excerpt,
                new.place.stored(),
            ])?;
        Ok(MessageKey(self.conn.last_insert_rowid()))
    }

    /// The message of this identity.
    pub fn message_by_identity(&self, mailbox: i64, identity: &str) -> Result<Option<MessageRow>> {
        self.conn
            .prepare_cached(&format!("{MESSAGE} WHERE mailbox = ? AND identity = ?"))?
            .query_row(params![mailbox, identity], message)
            .optional()?
            .map(with_status)
            .transpose()
    }

    /// The message of this number.
    pub fn message(&self, key: MessageKey) -> Result<Option<MessageRow>> {
        self.conn
            .prepare_cached(&format!("{MESSAGE} WHERE id = ?"))?
            .query_row([key.0], message)
            .optional()?
            .map(with_status)
            .transpose()
    }

    /// The mailbox's message with this Message-ID; of several, one that belongs to a thread.
    pub fn message_with_id(&self, mailbox: i64, message_id: &str) -> Result<Option<MessageRow>> {
        self.conn
            .prepare_cached(&format!(
                "{MESSAGE} WHERE mailbox = ? AND message_id = ? ORDER BY thread IS NULL, id LIMIT 1"
            ))?
            .query_row(params![mailbox, message_id], message)
            .optional()?
            .map(with_status)
            .transpose()
    }

    /// The messages with this Message-ID, in any mailbox, at most 100.
    pub fn messages_by_message_id(&self, message_id: &str) -> Result<Vec<MessageRow>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{MESSAGE} WHERE mailbox IN (SELECT id FROM mailbox) AND message_id = ? ORDER BY id LIMIT 100"
        ))?;
        let rows = statement.query_map([message_id], message)?;
        rows.map(|row| with_status(row?)).collect()
    }

    /// Our own mails without a thread that have one of these Message-IDs.
    pub fn own_without_thread(&self, mailbox: i64, ids: &[String]) -> Result<Vec<MessageKey>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id FROM message
             WHERE mailbox = ? AND message_id = ? AND thread IS NULL AND status = 'own' ORDER BY id LIMIT 10",
        )?;
        let mut found = Vec::new();
        for id in ids {
            let rows = statement.query_map(params![mailbox, id], |row| row.get(0))?;
            for key in rows {
                found.push(MessageKey(key?));
            }
        }
        found.dedup();
        Ok(found)
    }

    /// The messages of a thread in the order of their arrival.
    pub fn messages_of(&self, thread: ThreadId) -> Result<Vec<MessageRow>> {
        let mut statement = self
            .conn
            .prepare_cached(&format!("{MESSAGE} WHERE thread = ? ORDER BY arrived_at, id"))?;
        let rows = statement.query_map([thread.0], message)?;
        rows.map(|row| with_status(row?)).collect()
    }

    /// Puts a message into a thread.
    pub fn join(&self, key: MessageKey, thread: ThreadId, joined_by: &str) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE message SET thread = ?, status = 'threaded', reason = '', joined_by = ? WHERE id = ?",
            )?
            .execute(params![thread.0, joined_by, key.0])?;
        Ok(())
    }

    /// How the message is accounted for outside a thread.
    pub fn set_status(&self, key: MessageKey, status: Status, reason: &str) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET status = ?, reason = ? WHERE id = ?")?
            .execute(params![status.name(), reason, key.0])?;
        Ok(())
    }

    /// Whether a message of the thread that is not our own lies anywhere but in Junk, in Trash or nowhere. A copy counts as
    /// long as it is there; without any copy it counts where it was seen last, because it may just be moving.
    pub fn has_present_message(&self, thread: ThreadId) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM message WHERE thread = ?1 AND direction <> 'own'
                   AND place NOT IN ('junk', 'trash', 'gone')
                   AND NOT EXISTS (SELECT 1 FROM location WHERE location.message = message.id))
                 OR EXISTS (SELECT 1 FROM message
                   JOIN location ON location.message = message.id JOIN folder ON folder.id = location.folder
                   WHERE message.thread = ?1 AND message.direction <> 'own'
                   AND folder.place NOT IN ('junk', 'trash'))",
            )?
            .query_row([thread.0], |row| row.get(0))?)
    }

    /// The message left as an answer, and the log says so.
    pub fn set_replied(&self, key: MessageKey) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET replied = 1 WHERE id = ?")?
            .execute([key.0])?;
        Ok(())
    }

    /// Where the message was seen last, and with which of Baton's flags and keywords.
    pub fn set_look(&self, key: MessageKey, place: &Place, marks: &[String]) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET place = ?, marks = ? WHERE id = ?")?
            .execute(params![place.stored(), marks.join(" "), key.0])?;
        Ok(())
    }

    /// Keeps every id that the message is known by or refers to.
    pub fn add_references(&self, mailbox: i64, key: MessageKey, refs: &[String]) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            "INSERT INTO reference (mailbox, ref, message) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )?;
        for reference in refs {
            statement.execute(params![mailbox, reference, key.0])?;
        }
        Ok(())
    }

    /// The threads that an id points to, one after the other until `visit` has seen enough: first that of the message
    /// itself, then those of the messages that refer to it, the oldest first. Several, because a stranger who quotes an id
    /// has a thread of their own; bounded, because a long thread refers to its first id thousands of times.
    pub fn threads_by_reference(
        &self,
        mailbox: i64,
        reference: &str,
        mut visit: impl FnMut(ThreadId) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT thread FROM message WHERE mailbox = ?1 AND message_id = ?2 AND thread IS NOT NULL
             UNION ALL
             SELECT message.thread FROM
               (SELECT message FROM reference WHERE mailbox = ?1 AND ref = ?2 ORDER BY message LIMIT 100) AS found
               JOIN message ON message.id = found.message WHERE message.thread IS NOT NULL",
        )?;
        // SQLite looks for a row only when it is asked for.
        let rows =
            statement.query_map(params![mailbox, reference], |row| row.get(0).map(ThreadId))?;
        for thread in rows {
            if visit(thread?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The messages that refer to the id, at most 20.
    pub fn messages_referring(&self, mailbox: i64, id: &str) -> Result<Vec<MessageRow>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{MESSAGE} WHERE id IN (SELECT message FROM reference WHERE mailbox = ?1 AND ref = ?2)
             AND message_id <> ?2 ORDER BY arrived_at, id LIMIT 20"
        ))?;
        let rows = statement.query_map(params![mailbox, id], message)?;
        rows.map(|row| with_status(row?)).collect()
    }

    /// Whether a message of this direction refers to the id.
    pub fn is_referred_to(&self, thread: ThreadId, id: &str, direction: &str) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM reference JOIN message ON message.id = reference.message
                 WHERE reference.mailbox = (SELECT mailbox FROM thread WHERE id = ?2) AND reference.ref = ?1
                 AND message.thread = ?2 AND message.direction = ?3 AND message.message_id <> ?1)",
            )?
            .query_row(params![id, thread.0, direction], |row| row.get(0))?)
    }

    /// Everybody who takes part in a thread, and the lists it goes through.
    pub fn participants(&self, thread: ThreadId) -> Result<BTreeSet<String>> {
        let mut statement =
            self.conn.prepare_cached("SELECT address FROM participant WHERE thread = ?")?;
        let rows = statement.query_map([thread.0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds to who takes part in a thread.
    pub fn add_participants(&self, thread: ThreadId, addresses: &[String]) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            "INSERT INTO participant (thread, address) VALUES (?, ?) ON CONFLICT DO NOTHING",
        )?;
        for address in addresses {
            statement.execute(params![thread.0, address])?;
        }
        Ok(())
    }

    /// Every message with the thread that it belongs to.
    pub fn memberships(&self) -> Result<Vec<(MessageKey, ThreadId)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, thread FROM message WHERE thread IS NOT NULL ORDER BY id",
        )?;
        let rows =
            statement.query_map([], |row| Ok((MessageKey(row.get(0)?), ThreadId(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
