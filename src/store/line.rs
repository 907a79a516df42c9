//! A mailbox's line to its server: until when nobody calls, what holds it back, how much has come through it today.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::store::{Result, Tx};

/// What came from a server on one day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Received {
    /// Days since 1970-01-01, in UTC.
    pub day: i64,
    /// Bytes.
    pub bytes: u64,
}

impl Tx<'_> {
    /// No mailbox is connected, and none waits: the daemon has just begun.
    pub fn set_all_disconnected(&self) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE mailbox SET connected_since = NULL, waits_until = NULL, notice = NULL
                 WHERE connected_since IS NOT NULL OR waits_until IS NOT NULL OR notice IS NOT NULL",
            )?
            .execute([])?;
        Ok(())
    }

    /// The mailbox is not connected: for this reason if it is a failure, and until then if it is tried again.
    pub fn set_disconnected(
        &self,
        mailbox: i64,
        error: Option<&str>,
        waits_until: Option<Timestamp>,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "UPDATE mailbox SET connected_since = NULL, last_error = ?, waits_until = ?, notice = NULL
                 WHERE id = ?",
            )?
            .execute(params![error, waits_until.map(|at| at.0), mailbox])?;
        Ok(())
    }

    /// What holds the mailbox back although it is connected, in words.
    pub fn set_notice(&self, mailbox: i64, notice: Option<&str>) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE mailbox SET notice = ? WHERE id = ?")?
            .execute(params![notice, mailbox])?;
        Ok(())
    }

    /// What came from the mailbox's server on the last day on which anything did.
    pub fn received(&self, mailbox: i64) -> Result<Received> {
        let (day, bytes): (i64, i64) = self
            .conn
            .prepare_cached("SELECT received_day, received_bytes FROM mailbox WHERE id = ?")?
            .query_row([mailbox], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Received { day, bytes: u64::try_from(bytes).unwrap_or(0) })
    }

    /// Keeps how much has come on a day so far.
    pub fn set_received(&self, mailbox: i64, received: Received) -> Result<()> {
        let bytes = i64::try_from(received.bytes).unwrap_or(i64::MAX);
        self.conn
            .prepare_cached("UPDATE mailbox SET received_day = ?, received_bytes = ? WHERE id = ?")?
            .execute(params![received.day, bytes, mailbox])?;
        Ok(())
    }
}
