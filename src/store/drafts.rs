//! Drafts: who writes which for which thread, and what lies in the folders of mails that are about to leave.

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::desk::marks::Place;
use crate::desk::roster::AgentId;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::store::{Result, Tx};

/// A draft that a person put into Baton/Send, or Baton's own copy in Baton/Outbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DraftRow {
    /// Its number.
    pub id: i64,
    /// The mail of the outbox that it became; `None` until it has been read.
    pub sending: Option<i64>,
    /// Whether Baton put it there.
    pub by_baton: bool,
    /// The Message-ID by which it is found.
    pub message_id: String,
    /// As it was seen last.
    pub message: Option<MessageKey>,
    /// Whether it was in the folder at some time.
    pub placed: bool,
    /// Whether it goes back to Drafts.
    pub refused: bool,
    /// How often what is to be done about it failed.
    pub attempts: u32,
}

const DRAFT: &str =
    "SELECT id, sending, by_baton, message_id, message, placed, refused, attempts FROM draft";

fn draft(row: &Row<'_>) -> rusqlite::Result<DraftRow> {
    Ok(DraftRow {
        id: row.get("id")?,
        sending: row.get("sending")?,
        by_baton: row.get("by_baton")?,
        message_id: row.get("message_id")?,
        message: row.get::<_, Option<i64>>("message")?.map(MessageKey),
        placed: row.get("placed")?,
        refused: row.get("refused")?,
        attempts: row.get("attempts")?,
    })
}

impl Tx<'_> {
    /// A draft lies where mails are that are about to leave.
    pub fn add_draft(&self, mailbox: i64, message_id: &str, message: MessageKey) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO draft (mailbox, by_baton, message_id, message, placed) VALUES (?, 0, ?, ?, 1)",
            )?
            .execute(params![mailbox, message_id, message.0])?;
        Ok(())
    }

    /// A copy of a mail is to be put where mails are that are about to leave.
    pub fn add_outbox_copy(&self, mailbox: i64, sending: i64, message_id: &str) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO draft (mailbox, sending, by_baton, message_id, placed) VALUES (?, ?, 1, ?, 0)",
            )?
            .execute(params![mailbox, sending, message_id])?;
        Ok(())
    }

    /// The drafts and copies of the mailbox that may be looked at, at most `limit`.
    pub fn drafts_due(&self, mailbox: i64, now: Timestamp, limit: u32) -> Result<Vec<DraftRow>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{DRAFT} WHERE mailbox = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?"
        ))?;
        let rows = statement.query_map(params![mailbox, now.0, limit], draft)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the next of those is looked at that have to wait.
    pub fn next_draft_at(&self, mailbox: i64, now: Timestamp) -> Result<Option<Timestamp>> {
        Ok(self
            .conn
            .prepare_cached("SELECT min(due_at) FROM draft WHERE mailbox = ? AND due_at > ?")?
            .query_row(params![mailbox, now.0], |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp))
    }

    /// Whether there are any.
    pub fn has_drafts(&self, mailbox: i64) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM draft WHERE mailbox = ?)")?
            .query_row([mailbox], |row| row.get(0))?)
    }

    /// The draft or copy of this number.
    pub fn draft(&self, id: i64) -> Result<Option<DraftRow>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{DRAFT} WHERE id = ?"))?
            .query_row([id], draft)
            .optional()?)
    }

    /// The drafts and copies of a mail of the outbox.
    pub fn drafts_of(&self, sending: i64) -> Result<Vec<DraftRow>> {
        let mut statement =
            self.conn.prepare_cached(&format!("{DRAFT} WHERE sending = ? ORDER BY id"))?;
        let rows = statement.query_map([sending], draft)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a message is one of them.
    pub fn is_draft(&self, message: MessageKey) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM draft WHERE message = ?)")?
            .query_row([message.0], |row| row.get(0))?)
    }

    /// The one of this Message-ID of which nobody knows where it lies.
    pub fn draft_without_place(&self, mailbox: i64, message_id: &str) -> Result<Option<DraftRow>> {
        Ok(self
            .conn
            .prepare_cached(&format!(
                "{DRAFT} WHERE mailbox = ? AND message_id = ?
                 AND NOT EXISTS (SELECT 1 FROM location WHERE location.message = draft.message)
                 ORDER BY id LIMIT 1"
            ))?
            .query_row(params![mailbox, message_id], draft)
            .optional()?)
    }

    /// As what the draft is seen now.
    pub fn set_draft_seen(&self, id: i64, message: MessageKey) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE draft SET message = ?, placed = 1, due_at = 0, attempts = 0 WHERE id = ?",
            )?
            .execute(params![message.0, id])?;
        Ok(())
    }

    /// It is where mails are that are about to leave, or is about to be seen there.
    pub fn set_draft_placed(&self, id: i64, due: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE draft SET placed = 1, due_at = ?, attempts = 0 WHERE id = ?")?
            .execute(params![due.0, id])?;
        Ok(())
    }

    /// Which mail of the outbox it became.
    pub fn set_draft_sending(&self, id: i64, sending: i64) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE draft SET sending = ?, due_at = 0 WHERE id = ?")?
            .execute([sending, id])?;
        Ok(())
    }

    /// It goes back to Drafts.
    pub fn set_draft_refused(&self, id: i64) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE draft SET refused = 1, due_at = 0 WHERE id = ?")?
            .execute([id])?;
        Ok(())
    }

    /// What was to be done failed, or has to wait.
    pub fn draft_later(&self, id: i64, due: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE draft SET attempts = attempts + 1, due_at = ? WHERE id = ?")?
            .execute(params![due.0, id])?;
        Ok(())
    }

    /// Nothing is to be done about it any more.
    pub fn forget_draft(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM draft WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// The folder is gone, which stops no mail: Baton's copies are made anew, and people's drafts are forgotten.
    pub fn lose_drafts(&self, folder: i64) -> Result<()> {
        let here = "message IN (SELECT message FROM location WHERE folder = ?)";
        self.conn
            .prepare_cached(&format!("DELETE FROM draft WHERE by_baton = 0 AND {here}"))?
            .execute([folder])?;
        self.conn
            .prepare_cached(&format!("UPDATE draft SET message = NULL, placed = 0 WHERE {here}"))?
            .execute([folder])?;
        Ok(())
    }

    /// A draft answers a thread.
    pub fn set_drafting(
        &self,
        message: MessageKey,
        thread: ThreadId,
        agent: Option<&AgentId>,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO drafting (message, thread, agent) VALUES (?, ?, ?)
                 ON CONFLICT (message) DO UPDATE SET thread = excluded.thread, agent = excluded.agent",
            )?
            .execute(params![message.0, thread.0, agent.map(|agent| &agent.0)])?;
        Ok(())
    }

    /// The thread that a draft answers.
    pub fn thread_of_draft(&self, message: MessageKey) -> Result<Option<ThreadId>> {
        Ok(self
            .conn
            .prepare_cached("SELECT thread FROM drafting WHERE message = ?")?
            .query_row([message.0], |row| row.get(0).map(ThreadId))
            .optional()?)
    }

    /// Who is writing answers to the thread now: a writer for each draft, `None` where nobody knows. Empty where no draft
    /// lies in the mailbox.
    pub fn writers_of_drafts(&self, thread: ThreadId) -> Result<Vec<Option<AgentId>>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT drafting.agent, folder.place FROM drafting
             JOIN location ON location.message = drafting.message
             JOIN folder ON folder.id = location.folder
             WHERE drafting.thread = ? ORDER BY drafting.message",
        )?;
        let mut rows = statement.query([thread.0])?;
        let mut writers = Vec::new();
        while let Some(row) = rows.next()? {
            let place: String = row.get("place")?;
            if !Place::from_stored(&place).is_away() {
                writers.push(row.get::<_, Option<String>>("agent")?.map(AgentId));
            }
        }
        Ok(writers)
    }
}
