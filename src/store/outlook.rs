//! What is remembered of Outlook's categories: which mailboxes show them, how far people's changes were read, and what was
//! last seen or written on each copy of a mail that carries one of Baton's.

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::desk::thread::MessageKey;
use crate::store::outbox::Effect;
use crate::store::{Result, Tx};

/// What is known of a mailbox whose threads are shown as categories.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outlook {
    /// Categories that Baton put on the mailbox's list.
    pub made: Vec<String>,
    /// How far people's changes were read, in the server's time.
    pub read_to: Option<Timestamp>,
}

/// How the categories of a mailbox are doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutlookStatus {
    /// The mailbox's name.
    pub mailbox: String,
    /// Whether Baton is only taking its categories off.
    pub leaving: bool,
    /// How many threads wait to be shown.
    pub queue: i64,
    /// When Graph answered last.
    pub seen_at: Option<Timestamp>,
    /// What works only in part.
    pub notice: Option<String>,
    /// What went wrong last, until it went well again.
    pub last_error: Option<String>,
}

/// One copy of a mail, as Graph knows it, on which one of Baton's categories is or was.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutlookCopy {
    /// Graph's immutable id (M110).
    pub id: String,
    /// Without angle brackets.
    pub message_id: String,
    /// The mail; `None` until IMAP has shown it.
    pub message: Option<MessageKey>,
    /// The folder's id at the last look.
    pub folder: String,
    /// Baton's categories at the last look or write.
    pub names: Vec<String>,
    /// Baton's categories as they are being written. Whether it was done is open until the answer is kept.
    pub attempt: Option<Vec<String>>,
    /// What was found there that cannot be decided yet.
    pub undecided: Option<Undecided>,
}

/// What a person has put on a copy, while what it means waits for IMAP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Undecided {
    /// Baton's categories as they were found.
    pub names: Vec<String>,
    /// When they were found first.
    pub since: Timestamp,
    /// When it is decided, or looked again.
    pub at: Timestamp,
}

const COPY: &str = "SELECT id, message_id, message, folder, names, attempt, undecided,
    undecided_since, decide_at FROM outlook_copy";

fn copy(row: &Row<'_>) -> rusqlite::Result<OutlookCopy> {
    let names: String = row.get("names")?;
    let attempt: Option<String> = row.get("attempt")?;
    let undecided: Option<String> = row.get("undecided")?;
    let (since, at) = (row.get::<_, Option<i64>>("undecided_since")?, row.get("decide_at")?);
    Ok(OutlookCopy {
        id: row.get("id")?,
        message_id: row.get("message_id")?,
        message: row.get::<_, Option<i64>>("message")?.map(MessageKey),
        folder: row.get("folder")?,
        names: list(&names),
        attempt: attempt.as_deref().map(list),
        undecided: undecided.zip(since).zip(at).map(|((names, since), at)| Undecided {
            names: list(&names),
            since: Timestamp(since),
            at: Timestamp(at),
        }),
    })
}

fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn text(names: &[String]) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

impl Tx<'_> {
    /// Whether the mailbox's threads are shown as categories.
    pub fn shows_categories(&self, mailbox: i64) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM outlook WHERE mailbox = ? AND leaving = 0")?
            .exists([mailbox])?)
    }

    /// What is known of the mailbox's categories; `None` where there never were any, or none are left.
    pub fn outlook(&self, mailbox: i64) -> Result<Option<Outlook>> {
        Ok(self
            .conn
            .prepare_cached("SELECT made, read_to FROM outlook WHERE mailbox = ?")?
            .query_row([mailbox], |row| {
                let made: String = row.get("made")?;
                let read_to: Option<i64> = row.get("read_to")?;
                Ok(Outlook { made: list(&made), read_to: read_to.map(Timestamp) })
            })
            .optional()?)
    }

    /// From now on the mailbox's threads are shown as categories, which are called as `spelled` says. What is open, and
    /// what was shown, is shown anew where that has changed.
    pub fn show_categories(&self, mailbox: i64, spelled: &str, now: Timestamp) -> Result<()> {
        let before: Option<String> = self
            .conn
            .prepare_cached("SELECT spelled FROM outlook WHERE mailbox = ? AND leaving = 0")?
            .query_row([mailbox], |row| row.get(0))
            .optional()?;
        if before.as_deref() == Some(spelled) {
            return Ok(());
        }
        self.conn
            .prepare_cached(
                "INSERT INTO outlook (mailbox, spelled) VALUES (?, ?)
                 ON CONFLICT (mailbox) DO UPDATE SET spelled = excluded.spelled, leaving = 0",
            )?
            .execute(params![mailbox, spelled])?;
        self.conn
            .prepare_cached(
                "INSERT INTO outbox (mailbox, thread, effect, due_at)
                 SELECT mailbox, id, ?2, ?3 FROM thread
                 WHERE mailbox = ?1 AND (state NOT IN ('resolved', 'ignored') OR id IN
                     (SELECT message.thread FROM outlook_copy
                      JOIN message ON message.id = outlook_copy.message WHERE outlook_copy.mailbox = ?1))
                 ON CONFLICT (thread, effect) DO NOTHING",
            )?
            .execute(params![mailbox, Effect::ShowCategories.name(), now.0])?;
        Ok(())
    }

    /// From now on Baton only takes its categories off.
    pub fn leave_categories(&self, mailbox: i64) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE outlook SET leaving = 1 WHERE mailbox = ?")?
            .execute([mailbox])?;
        self.conn
            .prepare_cached("DELETE FROM outbox WHERE mailbox = ? AND effect = ?")?
            .execute(params![mailbox, Effect::ShowCategories.name()])?;
        Ok(())
    }

    /// Nothing of Baton's is left among the mailbox's categories.
    pub fn forget_categories(&self, mailbox: i64) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM outlook_copy WHERE mailbox = ?")?
            .execute([mailbox])?;
        self.conn.prepare_cached("DELETE FROM outlook WHERE mailbox = ?")?.execute([mailbox])?;
        Ok(())
    }

    /// People's changes were read up to `at`.
    pub fn set_outlook_read_to(&self, mailbox: i64, at: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE outlook SET read_to = ? WHERE mailbox = ?")?
            .execute([at.0, mailbox])?;
        Ok(())
    }

    /// Baton has put these categories on the mailbox's list.
    pub fn set_outlook_made(&self, mailbox: i64, made: &[String]) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE outlook SET made = ? WHERE mailbox = ?")?
            .execute(params![text(made), mailbox])?;
        Ok(())
    }

    /// Graph has answered; what works only in part is in `notice`.
    pub fn set_outlook_seen(
        &self,
        mailbox: i64,
        at: Timestamp,
        notice: Option<&str>,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE outlook SET seen_at = ?, notice = ?, last_error = NULL WHERE mailbox = ?",
            )?
            .execute(params![at.0, notice, mailbox])?;
        Ok(())
    }

    /// Graph cannot be used, for this reason.
    pub fn set_outlook_error(&self, mailbox: i64, error: &str) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE outlook SET last_error = ? WHERE mailbox = ?")?
            .execute(params![error, mailbox])?;
        Ok(())
    }

    /// How the categories of every mailbox that has them are doing.
    pub fn outlook_status(&self) -> Result<Vec<OutlookStatus>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT mailbox.name, leaving, seen_at, outlook.notice, outlook.last_error,
                    (SELECT count(*) FROM outbox
                     WHERE outbox.mailbox = mailbox.id AND outbox.effect = ?) AS queue
             FROM outlook JOIN mailbox ON mailbox.id = outlook.mailbox ORDER BY mailbox.id",
        )?;
        let rows = statement.query_map([Effect::ShowCategories.name()], |row| {
            Ok(OutlookStatus {
                mailbox: row.get("name")?,
                leaving: row.get("leaving")?,
                queue: row.get("queue")?,
                seen_at: row.get::<_, Option<i64>>("seen_at")?.map(Timestamp),
                notice: row.get("notice")?,
                last_error: row.get("last_error")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The copy with this id.
    pub fn outlook_copy(&self, mailbox: i64, id: &str) -> Result<Option<OutlookCopy>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{COPY} WHERE mailbox = ? AND id = ?"))?
            .query_row(params![mailbox, id], copy)
            .optional()?)
    }

    /// The copies of a mail.
    pub fn outlook_copies_of(&self, message: MessageKey) -> Result<Vec<OutlookCopy>> {
        let mut statement =
            self.conn.prepare_cached(&format!("{COPY} WHERE message = ? ORDER BY id"))?;
        let rows = statement.query_map([message.0], copy)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The copies that are to be decided by `now`, at most `limit`.
    pub fn outlook_undecided(
        &self,
        mailbox: i64,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutlookCopy>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{COPY} WHERE mailbox = ? AND decide_at <= ? ORDER BY decide_at, id LIMIT ?"
        ))?;
        let rows = statement.query_map(params![mailbox, now.0, limit], copy)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the next copy is to be decided.
    pub fn next_outlook_decision(&self, mailbox: i64) -> Result<Option<Timestamp>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT min(decide_at) FROM outlook_copy WHERE mailbox = ? AND decide_at IS NOT NULL",
            )?
            .query_row([mailbox], |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp))
    }

    /// All copies of the mailbox, at most `limit`.
    pub fn outlook_copies(&self, mailbox: i64, limit: u32) -> Result<Vec<OutlookCopy>> {
        let mut statement =
            self.conn.prepare_cached(&format!("{COPY} WHERE mailbox = ? ORDER BY id LIMIT ?"))?;
        let rows = statement.query_map(params![mailbox, limit], copy)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps what is known of a copy.
    pub fn save_outlook_copy(&self, mailbox: i64, copy: &OutlookCopy) -> Result<()> {
        let undecided = copy.undecided.as_ref();
        self.conn
            .prepare_cached(
                "INSERT INTO outlook_copy (mailbox, id, message_id, message, folder, names, attempt,
                                           undecided, undecided_since, decide_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (mailbox, id) DO UPDATE SET
                 message = excluded.message, folder = excluded.folder, names = excluded.names,
                 attempt = excluded.attempt, undecided = excluded.undecided,
                 undecided_since = excluded.undecided_since, decide_at = excluded.decide_at",
            )?
            .execute(params![
                mailbox,
                copy.id,
                copy.message_id,
                copy.message.map(|key| key.0),
                copy.folder,
                text(&copy.names),
                copy.attempt.as_deref().map(text),
                undecided.map(|undecided| text(&undecided.names)),
                undecided.map(|undecided| undecided.since.0),
                undecided.map(|undecided| undecided.at.0),
            ])?;
        Ok(())
    }

    /// Nothing is known of the copy any more.
    pub fn remove_outlook_copy(&self, mailbox: i64, id: &str) -> Result<()> {
        self.conn
            .prepare_cached("DELETE FROM outlook_copy WHERE mailbox = ? AND id = ?")?
            .execute(params![mailbox, id])?;
        Ok(())
    }
}
