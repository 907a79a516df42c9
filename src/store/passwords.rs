//! Agents' own passwords: their hashes, what they were made for, and when each was used.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;
use crate::store::{Result, Tx};

/// What all of an agent's passwords are hashed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Salting {
    /// The agent's own salt.
    pub salt: Vec<u8>,
    /// How the hashes are made.
    pub cost: String,
}

/// One password, as far as it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PasswordRow {
    /// Whose it is.
    pub agent: AgentId,
    /// What it was made for.
    pub name: String,
    /// Its hash.
    pub hash: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was used last.
    pub used_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// What the agent's passwords are hashed with; `None` where there never was one.
    pub fn salting(&self, agent: &AgentId) -> Result<Option<Salting>> {
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Salting { salt: row.get("salt")?, cost: row.get("cost")? })
        };
        Ok(self
            .conn
            .prepare_cached("SELECT salt, cost FROM credential WHERE agent = ?")?
            .query_row([&agent.0], row)
            .optional()?)
    }

    /// Keeps what the agent's passwords are hashed with; those that were hashed otherwise are gone.
    pub fn set_salting(&self, agent: &AgentId, salting: &Salting) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM password WHERE agent = ?")?.execute([&agent.0])?;
        self.conn
            .prepare_cached(
                "INSERT INTO credential (agent, salt, cost) VALUES (?, ?, ?)
                 ON CONFLICT (agent) DO UPDATE SET salt = excluded.salt, cost = excluded.cost",
            )?
            .execute(params![agent.0, salting.salt, salting.cost])?;
        Ok(())
    }

    /// Keeps a password in the place of the one of the same name.
    pub fn set_password(
        &self,
        agent: &AgentId,
        name: &str,
        hash: &[u8],
        at: Timestamp,
    ) -> Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO password (agent, name, hash, made_at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (agent, name) DO UPDATE
                 SET hash = excluded.hash, made_at = excluded.made_at, used_at = NULL",
            )?
            .execute(params![agent.0, name, hash, at.0])?;
        Ok(())
    }

    /// Forgets a password; answers whether there was one.
    pub fn revoke_password(&self, agent: &AgentId, name: &str) -> Result<bool> {
        let gone = self
            .conn
            .prepare_cached("DELETE FROM password WHERE agent = ? AND name = ?")?
            .execute(params![agent.0, name])?;
        Ok(gone > 0)
    }

    /// The password was used.
    pub fn note_password_use(&self, agent: &AgentId, name: &str, at: Timestamp) -> Result<()> {
        self.conn
            .prepare_cached("UPDATE password SET used_at = ? WHERE agent = ? AND name = ?")?
            .execute(params![at.0, agent.0, name])?;
        Ok(())
    }

    /// The passwords of an agent, by name.
    pub fn passwords(&self, agent: &AgentId) -> Result<Vec<PasswordRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT name, hash, made_at, used_at FROM password WHERE agent = ? ORDER BY name",
        )?;
        let rows = statement.query_map([&agent.0], |row| {
            Ok(PasswordRow {
                agent: agent.clone(),
                name: row.get("name")?,
                hash: row.get("hash")?,
                made_at: Timestamp(row.get("made_at")?),
                used_at: row.get::<_, Option<i64>>("used_at")?.map(Timestamp),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
