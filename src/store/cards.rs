//! Cards that were sent, and what is kept of customers' mails for them.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::desk::roster::AgentId;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::store::{Result, Tx};

/// What a card shows of a mail, and an answer to it needs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Particulars {
    /// Whom an answer goes to: name and address.
    pub writer: Vec<(String, String)>,
    /// What hangs on it: name and bytes.
    #[serde(default)]
    pub attachments: Vec<(String, u64)>,
    /// Whether the text that is kept is not all of it.
    #[serde(default)]
    pub cut: bool,
}

/// A card that was put into the outbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CardRow {
    /// The event that it is about.
    pub event: i64,
    /// The mail.
    pub sending: i64,
    /// The thread.
    pub thread: ThreadId,
    /// Who got it.
    pub agent: AgentId,
    /// The Message-ID of the customer's mail that is answered by answering it.
    pub answered: String,
}

const CARD: &str = "SELECT event, sending, thread, agent, answered FROM card";

fn card(row: &Row<'_>) -> rusqlite::Result<CardRow> {
    Ok(CardRow {
        event: row.get("event")?,
        sending: row.get("sending")?,
        thread: ThreadId(row.get("thread")?),
        agent: AgentId(row.get("agent")?),
        answered: row.get("answered")?,
    })
}

impl Tx<'_> {
    /// Keeps what a card will need of a mail.
    pub fn set_particulars(&self, key: MessageKey, particulars: &Particulars) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE message SET particulars = ? WHERE id = ?")?
            .execute(params![serde_json::to_string(particulars).unwrap_or_default(), key.0])?;
        Ok(())
    }

    /// What was kept of a mail for cards.
    pub fn particulars(&self, key: MessageKey) -> Result<Option<Particulars>> {
        let kept: Option<Option<String>> = self
            .conn
            .prepare_cached("SELECT particulars FROM message WHERE id = ?")?
            .query_row([key.0], |row| row.get(0))
            .optional()?;
        Ok(kept.flatten().and_then(|kept| serde_json::from_str(&kept).ok()))
    }

    /// Keeps that a card was put into the outbox.
    pub fn add_card(&self, new: &CardRow) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO card (event, sending, thread, agent, answered) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![new.event, new.sending, new.thread.0, new.agent.0, new.answered])?;
        Ok(())
    }

    /// Keeps that an answer to a card was taken; `false` where it was before.
    pub fn add_card_reply(&self, event: i64, message_id: &str) -> Result<bool> {
        let added = self
            .conn
            .prepare_cached(
                "INSERT INTO card_reply (event, message_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            )?
            .execute(params![event, message_id])?;
        Ok(added == 1)
    }

    /// The card about an event.
    pub fn card(&self, event: i64) -> Result<Option<CardRow>> {
        self.card_where("event = ?", event)
    }

    /// The card that is this mail of the outbox.
    pub fn card_of_sending(&self, sending: i64) -> Result<Option<CardRow>> {
        self.card_where("sending = ?", sending)
    }

    fn card_where(&self, which: &str, value: i64) -> Result<Option<CardRow>> {
        let mut statement = self.conn.prepare_cached(&format!("{CARD} WHERE {which}"))?;
        Ok(statement.query_row([value], card).optional()?)
    }
}
