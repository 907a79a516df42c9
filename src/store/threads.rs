//! Threads: the projection of the log that questions are asked of.

use rusqlite::types::{FromSql, Value};
use rusqlite::{OptionalExtension, Row, params, params_from_iter};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Block, Position, State, Thread, ThreadId};
use crate::store::{Error, Result, Tx};

/// A thread with the number of its messages.
#[derive(Clone, Debug)]
pub struct ThreadRow {
    /// The thread.
    pub thread: Thread,
    /// How many messages it has.
    pub messages: i64,
}

/// Which threads to list.
#[derive(Clone, Debug, Default)]
pub struct ThreadFilter {
    /// Only of this mailbox.
    pub mailbox: Option<String>,
    /// Only in these states; empty means every open one.
    pub states: Vec<State>,
    /// Only of this owner.
    pub owner: Option<AgentId>,
    /// Only with news since then.
    pub since: Option<Timestamp>,
}

const THREAD: &str = "SELECT thread.id, mailbox.name AS mailbox, subject, customer, state, owner, escalated, before,
    block_reason, block_until, first_response_at, last_customer_at, last_reply_at, resolved_at, reopens, drafted,
    linked_to, merged_into, created_at, updated_at
    FROM thread JOIN mailbox ON mailbox.id = thread.mailbox";

fn state(name: &str) -> rusqlite::Result<State> {
    State::from_name(name).ok_or_else(|| {
        let unknown = Error::Unknown { what: "the state", value: name.to_string() };
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(unknown))
    })
}

/// The columns of a row in their order; to look each up by its name takes longer than to read it.
struct Columns<'r, 'stmt> {
    row: &'r Row<'stmt>,
    at: usize,
}

impl Columns<'_, '_> {
    fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.at += 1;
        self.row.get(self.at - 1)
    }

    fn time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp))
    }

    fn other(&mut self) -> rusqlite::Result<Option<ThreadId>> {
        Ok(self.next::<Option<i64>>()?.map(ThreadId))
    }
}

/// Reads the columns of [`THREAD`].
fn thread(row: &Row<'_>) -> rusqlite::Result<Thread> {
    let mut columns = Columns { row, at: 0 };
    let id = ThreadId(columns.next()?);
    let mailbox = columns.next()?;
    let (subject, customer) = (columns.next()?, columns.next()?);
    let now_state = state(&columns.next::<String>()?)?;
    let owner = columns.next::<Option<String>>()?.map(AgentId);
    let escalated = columns.next()?;
    let before = columns.next::<Option<String>>()?.as_deref().map(state).transpose()?;
    let (reason, until) = (columns.next::<Option<String>>()?, columns.time()?);
    let now = Position {
        subject,
        customer,
        state: now_state,
        owner,
        escalated,
        before,
        block: reason.map(|reason| Block { reason, until }),
        first_response_at: columns.time()?,
        last_customer_at: columns.time()?,
        last_reply_at: columns.time()?,
        resolved_at: columns.time()?,
        reopens: columns.next()?,
        drafted: columns.next()?,
        linked_to: columns.other()?,
        merged_into: columns.other()?,
    };
    let created_at = Timestamp(columns.next()?);
    let updated_at = Timestamp(columns.next()?);
    Ok(Thread { id, mailbox, created_at, updated_at, now })
}

impl Tx<'_> {
    /// Makes the row of a thread of which nothing has happened yet.
    pub fn add_thread(&self, mailbox: i64, created_at: Timestamp) -> Result<ThreadId> {
        self.conn
            .prepare_cached(
                "INSERT INTO thread (mailbox, subject, customer, state, escalated, reopens, drafted,
                 created_at, updated_at) VALUES (?, '', '', 'new', 0, 0, 0, ?2, ?2)",
            )?
            .execute([mailbox, created_at.0])?;
        Ok(ThreadId(self.conn.last_insert_rowid()))
    }

    /// The thread of this number.
    pub fn thread(&self, id: ThreadId) -> Result<Option<Thread>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{THREAD} WHERE thread.id = ?"))?
            .query_row([id.0], thread)
            .optional()?)
    }

    /// Keeps where a thread stands.
    pub fn save_thread(&self, thread: &Thread) -> Result<()> {
        let now = &thread.now;
        let seconds = |at: Option<Timestamp>| at.map(|at| at.0);
        self.conn
            .prepare_cached(
                "UPDATE thread SET subject = ?, customer = ?, state = ?, owner = ?, escalated = ?, before = ?,
                 block_reason = ?, block_until = ?, first_response_at = ?, last_customer_at = ?,
                 last_reply_at = ?, resolved_at = ?, reopens = ?, drafted = ?, linked_to = ?, merged_into = ?,
                 updated_at = ? WHERE id = ?",
            )?
            .execute(params![
                now.subject,
                now.customer,
                now.state.name(),
                now.owner.as_ref().map(|owner| owner.0.as_str()),
                now.escalated,
                now.before.map(State::name),
                now.block.as_ref().map(|block| block.reason.as_str()),
                now.block.as_ref().and_then(|block| seconds(block.until)),
                seconds(now.first_response_at),
                seconds(now.last_customer_at),
                seconds(now.last_reply_at),
                seconds(now.resolved_at),
                now.reopens,
                now.drafted,
                now.linked_to.map(|id| id.0),
                now.merged_into.map(|id| id.0),
                thread.updated_at.0,
                thread.id.0,
            ])?;
        Ok(())
    }

    /// The newest open thread of a mailbox with this subject in which this address takes part.
    pub fn open_thread_by_subject(
        &self,
        mailbox: i64,
        subject: &str,
        participant: &str,
    ) -> Result<Option<Thread>> {
        Ok(self
            .conn
            .prepare_cached(&format!(
                "{THREAD} WHERE thread.mailbox = ? AND subject = ? AND merged_into IS NULL
                 AND state NOT IN ('resolved', 'ignored')
                 AND EXISTS (SELECT 1 FROM participant WHERE participant.thread = thread.id AND address = ?)
                 ORDER BY updated_at DESC, thread.id DESC LIMIT 1"
            ))?
            .query_row(params![mailbox, subject, participant], thread)
            .optional()?)
    }

    /// Blocked threads whose time has come, at most `limit`.
    pub fn blocked_until(&self, mailbox: i64, now: Timestamp, limit: u32) -> Result<Vec<Thread>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "{THREAD} WHERE block_until IS NOT NULL AND state = 'blocked' AND thread.mailbox = ?
             AND block_until <= ? ORDER BY block_until LIMIT ?"
        ))?;
        let rows = statement.query_map(params![mailbox, now.0, limit], thread)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the next blocked thread's time comes.
    pub fn next_unblocking(&self, mailbox: i64) -> Result<Option<Timestamp>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT min(block_until) FROM thread WHERE mailbox = ? AND block_until IS NOT NULL
                 AND state = 'blocked'",
            )?
            .query_row([mailbox], |row| row.get::<_, Option<i64>>(0))?
            .map(Timestamp))
    }

    /// The threads that `filter` lets through, by number.
    pub fn threads(&self, filter: &ThreadFilter) -> Result<Vec<ThreadRow>> {
        let mut sql = format!(
            "{} WHERE ",
            THREAD.replacen(
                "FROM ",
                ", (SELECT count(*) FROM message WHERE message.thread = thread.id) AS messages FROM ",
                1
            )
        );
        let mut values: Vec<Value> = Vec::new();
        if filter.states.is_empty() {
            sql.push_str("state NOT IN ('resolved', 'ignored') AND merged_into IS NULL");
        } else {
            let places = vec!["?"; filter.states.len()].join(", ");
            sql.push_str(&format!("state IN ({places})"));
            values.extend(filter.states.iter().map(|state| Value::from(state.name().to_string())));
        }
        if let Some(mailbox) = &filter.mailbox {
            sql.push_str(" AND mailbox.name = ?");
            values.push(Value::from(mailbox.clone()));
        }
        if let Some(owner) = &filter.owner {
            sql.push_str(" AND owner = ?");
            values.push(Value::from(owner.0.clone()));
        }
        if let Some(since) = filter.since {
            sql.push_str(" AND updated_at >= ?");
            values.push(Value::from(since.0));
        }
        sql.push_str(" ORDER BY thread.id");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok(ThreadRow { thread: thread(row)?, messages: row.get("messages")? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many messages a thread has.
    pub fn count_messages(&self, id: ThreadId) -> Result<i64> {
        Ok(self
            .conn
            .prepare_cached("SELECT count(*) FROM message WHERE thread = ?")?
            .query_row([id.0], |row| row.get(0))?)
    }
}
