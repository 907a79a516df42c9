//! What keeps mail clean: runs of words that are not to leave, and who has heard how much from a machine.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::mail::shingles::Shingles;
use crate::store::{Result, Tx};

impl Tx<'_> {
    /// Keeps the runs of words of a message: whether they were written inside, or are known to the customer.
    pub fn keep_shingles(&self, key: MessageKey, inside: bool, runs: &Shingles) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO shingle (message, inside, runs) VALUES (?, ?, ?)
                 ON CONFLICT (message) DO UPDATE SET inside = excluded.inside, runs = excluded.runs",
            )?
            .execute(params![key.0, inside, runs.to_bytes()])?;
        Ok(())
    }

    /// Whether runs of words of any message are kept.
    pub fn has_shingles(&self) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM shingle)")?
            .query_row([], |row| row.get(0))?)
    }

    /// The runs of words that were written inside a thread, or that its customer knows.
    pub fn shingles_of(&self, thread: ThreadId, inside: bool) -> Result<Shingles> {
        let mut statement = self.conn.prepare_cached(
            "SELECT runs FROM message JOIN shingle ON shingle.message = message.id
             WHERE message.thread = ? AND inside = ?",
        )?;
        let mut rows = statement.query(params![thread.0, inside])?;
        let mut all = Shingles::default();
        while let Some(row) = rows.next()? {
            all.extend(Shingles::from_bytes(row.get_ref("runs")?.as_blob().unwrap_or_default()));
        }
        Ok(all)
    }

    /// The runs of words of the newest answers of the mailbox, whoever got them.
    pub fn shingles_sent_lately(&self, mailbox: i64, most: u32) -> Result<Shingles> {
        let mut statement = self.conn.prepare_cached(
            "SELECT runs FROM shingle JOIN message ON message.id = shingle.message
             WHERE inside = 0 AND message.mailbox = ? AND message.direction = 'own'
             AND shingle.message > (SELECT max(message) FROM shingle) - 3000
             ORDER BY shingle.message DESC LIMIT ?",
        )?;
        let mut rows = statement.query(params![mailbox, most])?;
        let mut all = Shingles::default();
        while let Some(row) = rows.next()? {
            all.extend(Shingles::from_bytes(row.get_ref("runs")?.as_blob().unwrap_or_default()));
        }
        Ok(all)
    }

    /// A machine has written to this address.
    pub fn note_automatic(
        &self,
        mailbox: i64,
        peer: &str,
        route: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.conn
            .prepare_cached("INSERT INTO automatic (mailbox, peer, at, route) VALUES (?, ?, ?, ?)")?
            .execute(params![mailbox, peer.to_lowercase(), now.0, route])?;
        Ok(())
    }

    /// How often a machine has written to this address since then; on one route, or on any.
    pub fn automatic_since(
        &self,
        mailbox: i64,
        peer: &str,
        route: Option<&str>,
        since: Timestamp,
    ) -> Result<u32> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM automatic
                 WHERE mailbox = ?1 AND peer = ?2 AND at > ?3 AND (?4 IS NULL OR route = ?4)",
            )?
            .query_row(params![mailbox, peer.to_lowercase(), since.0, route], |row| row.get(0))?)
    }

    /// Forgets what was heard and written by machines before then, and whose silence has ended.
    pub fn forget_automatic(&self, before: Timestamp, now: Timestamp) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM automatic WHERE at < ?")?.execute([before.0])?;
        self.conn.prepare_cached("DELETE FROM heard WHERE first_at < ?")?.execute([before.0])?;
        self.conn.prepare_cached("DELETE FROM silence WHERE until < ?")?.execute([now.0])?;
        Ok(())
    }

    /// From now until then this address gets nothing from a machine.
    pub fn silence(&self, mailbox: i64, peer: &str, until: Timestamp, why: &str) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO silence (mailbox, peer, until, why) VALUES (?, ?, ?, ?)
                 ON CONFLICT (mailbox, peer) DO UPDATE
                 SET until = max(until, excluded.until), why = excluded.why",
            )?
            .execute(params![mailbox, peer.to_lowercase(), until.0, why])?;
        Ok(())
    }

    /// Why this address gets nothing from a machine just now.
    pub fn silenced(&self, mailbox: i64, peer: &str, now: Timestamp) -> Result<Option<String>> {
        Ok(self
            .conn
            .prepare_cached("SELECT why FROM silence WHERE mailbox = ? AND peer = ? AND until > ?")?
            .query_row(params![mailbox, peer.to_lowercase(), now.0], |row| row.get(0))
            .optional()?)
    }

    /// Notes that these words came from this address; answers how often they did since `since`, this time with it.
    pub fn hear(
        &self,
        mailbox: i64,
        peer: &str,
        digest: i64,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u32> {
        Ok(self
            .conn
            .prepare_cached(
                "INSERT INTO heard (mailbox, peer, digest, first_at, times) VALUES (?1, ?2, ?3, ?5, 1)
                 ON CONFLICT (mailbox, peer, digest) DO UPDATE SET
                 times = iif(first_at > ?4, times + 1, 1), first_at = iif(first_at > ?4, first_at, ?5)
                 RETURNING times",
            )?
            .query_row(
                params![mailbox, peer.to_lowercase(), digest, since.0, now.0],
                |row| row.get(0),
            )?)
    }

    /// Since when this database knows what arrives; the first to ask says so.
    pub fn answers_since(&self, mailbox: i64, now: Timestamp) -> Result<Timestamp> {
        self.conn
            .prepare_cached(
                "UPDATE mailbox SET answers_since = ? WHERE id = ? AND answers_since IS NULL",
            )?
            .execute([now.0, mailbox])?;
        Ok(Timestamp(
            self.conn
                .prepare_cached("SELECT answers_since FROM mailbox WHERE id = ?")?
                .query_row([mailbox], |row| row.get(0))?,
        ))
    }

    /// Whether the server that sends does not take the null return path.
    pub fn null_path_refused(&self, mailbox: i64) -> Result<bool> {
        Ok(self
            .conn
            .prepare_cached("SELECT null_path_refused FROM mailbox WHERE id = ?")?
            .query_row([mailbox], |row| row.get(0))?)
    }

    /// The server that sends does not take the null return path: this mail leaves with that one, and so do later ones.
    pub fn refuse_null_path(&self, mailbox: i64, sending: i64, instead: &str) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE mailbox SET null_path_refused = 1 WHERE id = ?")?
            .execute([mailbox])?;
        self.conn
            .prepare_cached("UPDATE sending SET envelope_from = ? WHERE id = ?")?
            .execute(params![instead, sending])?;
        Ok(())
    }
}
