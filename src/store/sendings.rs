//! Mails on their way out, from the moment they are kept; and their bytes.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;
use crate::desk::sending::State;
use crate::desk::thread::ThreadId;
use crate::desk::verb::Afterwards;
use crate::store::{Error, Result, Tx};

/// To whom a mail goes, and what RCPT is to say beside the address.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SentTo {
    /// The address.
    pub address: String,
    /// NOTIFY (RFC 3461, section 4.1), as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// ORCPT (RFC 3461, section 4.2), as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<String>,
}

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub struct NewSending {
    /// The thread that it answers.
    pub thread: Option<ThreadId>,
    /// Who wrote it; `None` where Baton did.
    pub agent: Option<AgentId>,
    /// By which way it came to Baton.
    pub route: &'static str,
    /// Where it stands.
    pub state: State,
    /// MAIL FROM.
    pub envelope_from: String,
    /// RCPT TO.
    pub recipients: Vec<SentTo>,
    /// Baton's own Message-ID for it, without angle brackets.
    pub message_id: String,
    /// The Message-ID of the mail that it answers.
    pub answered: Option<String>,
    /// The same when the same is handed in again.
    pub fingerprint: String,
    /// When it was kept.
    pub created_at: Timestamp,
    /// The bytes as they leave.
    pub raw: Vec<u8>,
}

/// Whether a mail has been handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Certainly not, or it is being handed over.
    Before,
    /// It has, or may have been.
    After,
}

/// A mail on its way, as it stands in the database; its bytes are [`Tx::sending_mail`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SendingRow {
    /// Its number.
    pub id: i64,
    /// The name of its mailbox.
    pub mailbox: String,
    /// The thread that it answers.
    pub thread: Option<ThreadId>,
    /// Who wrote it; `None` where Baton did.
    pub agent: Option<AgentId>,
    /// By which way it came to Baton.
    pub route: String,
    /// Where it stands.
    pub state: State,
    /// MAIL FROM.
    pub envelope_from: String,
    /// RCPT TO.
    pub recipients: Vec<SentTo>,
    /// Baton's own Message-ID for it, without angle brackets.
    pub message_id: String,
    /// The Message-ID of the mail that it answers.
    pub answered: Option<String>,
    /// When it was kept.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What the server said last; of a mail that has left, what is wrong with it.
    pub last_error: Option<String>,
    /// The Message-ID that the provider gave it, where it gave one.
    pub given_id: Option<String>,
}

const SENDING: &str = "SELECT sending.id AS id, mailbox.name AS mailbox, thread, agent, route, state, envelope_from, recipients,
    message_id, answered, created_at, attempts, sending.last_error AS last_error, given_id
    FROM sending JOIN mailbox ON mailbox.id = sending.mailbox";

/// A row, whose texts in JSON are read afterwards.
fn row(row: &Row<'_>) -> rusqlite::Result<(SendingRow, String, String)> {
    let found = SendingRow {
        id: row.get("id")?,
        mailbox: row.get("mailbox")?,
        thread: row.get::<_, Option<i64>>("thread")?.map(ThreadId),
        agent: row.get::<_, Option<String>>("agent")?.map(AgentId),
        route: row.get("route")?,
        state: State::Dropped,
        envelope_from: row.get("envelope_from")?,
        recipients: Vec::new(),
        message_id: row.get("message_id")?,
        answered: row.get("answered")?,
        created_at: Timestamp(row.get("created_at")?),
        attempts: row.get("attempts")?,
        last_error: row.get("last_error")?,
        given_id: row.get("given_id")?,
    };
    Ok((found, row.get("state")?, row.get("recipients")?))
}

fn whole((found, state, recipients): (SendingRow, String, String)) -> Result<SendingRow> {
    let unknown = |what, value: String| Error::Unknown { what, value };
    Ok(SendingRow {
        state: serde_json::from_str(&state)
            .map_err(|_| unknown("the state of a sending", state))?,
        recipients: serde_json::from_str(&recipients)
            .map_err(|_| unknown("the recipients", recipients))?,
        ..found
    })
}

impl Tx<'_> {
    /// Keeps a mail that is to be sent; answers its number.
    pub fn add_sending(&self, mailbox: i64, new: &NewSending) -> Result<i64> {
        self.conn
            .prepare_cached(
                "INSERT INTO sending (mailbox, thread, agent, route, state, due_at, envelope_from, recipients,
                 message_id, answered, fingerprint, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                mailbox,
                new.thread.map(|id| id.0),
                new.agent.as_ref().map(|agent| &agent.0),
                new.route,
                serde_json::to_string(&new.state).unwrap_or_default(),
                new.state.due_at().map(|at| at.0),
                new.envelope_from,
                serde_json::to_string(&new.recipients).unwrap_or_default(),
                new.message_id,
                new.answered,
                new.fingerprint,
                new.created_at.0,
            ])?;
        let id = self.conn.last_insert_rowid();
        self.conn
            .prepare_cached("INSERT INTO sending_mail (sending, raw) VALUES (?, ?)")?
            .execute(params![id, new.raw])?;
        self.sends.set(true);
        Ok(id)
    }

    /// The mail of this number.
    pub fn sending(&self, id: i64) -> Result<Option<SendingRow>> {
        self.conn
            .prepare_cached(&format!("{SENDING} WHERE sending.id = ?"))?
            .query_row([id], row)
            .optional()?
            .map(whole)
            .transpose()
    }

    /// The mail of this Message-ID.
    pub fn sending_with_id(&self, mailbox: i64, message_id: &str) -> Result<Option<SendingRow>> {
        self.conn
            .prepare_cached(&format!("{SENDING} WHERE sending.mailbox = ? AND message_id = ?"))?
            .query_row(params![mailbox, message_id], row)
            .optional()?
            .map(whole)
            .transpose()
    }

    /// The newest mail of this fingerprint that was kept since `since`.
    pub fn sending_again(&self, fingerprint: &str, since: Timestamp) -> Result<Option<SendingRow>> {
        self.conn
            .prepare_cached(&format!(
                "{SENDING} WHERE fingerprint = ? AND created_at >= ? ORDER BY created_at DESC, sending.id DESC LIMIT 1"
            ))?
            .query_row(params![fingerprint, since.0], row)
            .optional()?
            .map(whole)
            .transpose()
    }

    /// The mails that answer a thread, oldest first.
    pub fn sendings_of(&self, thread: ThreadId) -> Result<Vec<SendingRow>> {
        let mut statement =
            self.conn.prepare_cached(&format!("{SENDING} WHERE thread = ? ORDER BY sending.id"))?;
        let rows = statement.query_map([thread.0], row)?;
        rows.map(|found| whole(found?)).collect()
    }

    /// The newest mails, newest first.
    pub fn sendings(&self, limit: u32) -> Result<Vec<SendingRow>> {
        self.sendings_where("TRUE", limit)
    }

    /// All mails that have neither left nor been given up, newest first.
    pub fn open_sendings(&self) -> Result<Vec<SendingRow>> {
        self.sendings_where("state ->> 'state' NOT IN ('accepted', 'dropped')", u32::MAX)
    }

    fn sendings_where(&self, which: &str, limit: u32) -> Result<Vec<SendingRow>> {
        let mut statement = self
            .conn
            .prepare_cached(&format!("{SENDING} WHERE {which} ORDER BY sending.id DESC LIMIT ?"))?;
        let rows = statement.query_map([limit], row)?;
        rows.map(|found| whole(found?)).collect()
    }

    /// The mail that Baton or its provider gave this Message-ID.
    pub fn sending_known_as(&self, mailbox: i64, id: &str) -> Result<Option<SendingRow>> {
        self.conn
            .prepare_cached(&format!(
                "{SENDING} WHERE sending.id = (SELECT id FROM sending WHERE mailbox = ?1 AND message_id = ?2
                 UNION ALL SELECT id FROM sending WHERE mailbox = ?1 AND given_id = ?2 LIMIT 1)"
            ))?
            .query_row(params![mailbox, id], row)
            .optional()?
            .map(whole)
            .transpose()
    }

    /// The mail of this stage about which something is to be done first, and when; none of those that are `going`.
    pub fn next_sending(
        &self,
        mailbox: i64,
        stage: Stage,
        going: &[i64],
    ) -> Result<Option<(SendingRow, Timestamp)>> {
        let next: Option<(i64, i64)> = self
            .conn
            .prepare_cached(
                "SELECT id, due_at FROM sending WHERE mailbox = ?1 AND due_at IS NOT NULL
                 AND (state ->> 'state' IN ('unknown', 'accepted')) = ?2
                 AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY due_at, id LIMIT 1",
            )?
            .query_row(
                params![
                    mailbox,
                    stage == Stage::After,
                    serde_json::to_string(going).unwrap_or_default()
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((id, due)) = next else { return Ok(None) };
        Ok(self.sending(id)?.map(|row| (row, Timestamp(due))))
    }

    /// One more attempt was made, and this is what came of it in words.
    pub fn note_attempt(&self, id: i64, error: Option<&str>) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE sending SET attempts = attempts + 1, last_error = ? WHERE id = ?",
            )?
            .execute(params![error, id])?;
        Ok(())
    }

    /// What is to be known of the mail, in words.
    pub fn note_sending(&self, id: i64, words: Option<&str>) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE sending SET last_error = ? WHERE id = ?")?
            .execute(params![words, id])?;
        Ok(())
    }

    /// When something is to be done about the mail next.
    pub fn set_sending_due(&self, id: i64, due: Option<Timestamp>) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE sending SET due_at = ? WHERE id = ?")?
            .execute(params![due.map(|at| at.0), id])?;
        Ok(())
    }

    /// The Message-ID that the provider gave the mail.
    pub fn set_given_id(&self, id: i64, given: &str) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE sending SET given_id = ? WHERE id = ?")?
            .execute(params![given, id])?;
        Ok(())
    }

    /// What the mail does to its thread once it has left.
    pub fn set_afterwards(&self, id: i64, afterwards: &[Afterwards]) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE sending SET afterwards = ? WHERE id = ?")?
            .execute(params![serde_json::to_string(afterwards).unwrap_or_default(), id])?;
        Ok(())
    }

    /// What the mail does to its thread once it has left; the next to ask hears nothing.
    pub fn take_afterwards(&self, id: i64) -> Result<Vec<Afterwards>> {
        let afterwards: String = self
            .conn
            .prepare_cached("SELECT afterwards FROM sending WHERE id = ?")?
            .query_row([id], |row| row.get(0))?;
        let read = serde_json::from_str(&afterwards);
        self.set_afterwards(id, &[])?;
        read.map_err(|_| Error::Unknown { what: "what follows a sending", value: afterwards })
    }

    /// The bytes as they leave.
    pub fn sending_mail(&self, id: i64) -> Result<Option<Vec<u8>>> {
        Ok(self
            .conn
            .prepare_cached("SELECT raw FROM sending_mail WHERE sending = ?")?
            .query_row([id], |row| row.get(0))
            .optional()?)
    }

    /// Forgets the bytes: they are in the mailbox.
    pub fn forget_sending_mail(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM sending_mail WHERE sending = ?")?.execute([id])?;
        Ok(())
    }

    /// Where the mail stands from now on.
    pub fn set_sending(&self, id: i64, state: &State) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE sending SET state = ?, due_at = ? WHERE id = ?")?
            .execute(params![
                serde_json::to_string(state).unwrap_or_default(),
                state.due_at().map(|at| at.0),
                id
            ])?;
        self.sends.set(true);
        Ok(())
    }
}
