//! Everything the desk remembers, in one SQLite file; the only room with SQL.
//!
//! One thread owns the writing connection. It takes all the work that waits, runs each piece in a savepoint, commits once
//! and then answers them all: a busy hour costs few fsyncs, and every answer is durable. Readers have connections of
//! their own. Questions are methods of [`Tx`], a file per table; no SQL type leaves the room.

mod cards;
mod drafts;
mod events;
mod folders;
#[cfg(debug_assertions)]
mod fuse;
mod health;
mod hygiene;
mod line;
mod locations;
mod messages;
mod migrate;
mod moves;
mod outbox;
mod outlook;
mod passwords;
mod sendings;
mod threads;
mod writer;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use cards::{CardRow, Particulars};
pub use drafts::DraftRow;
pub use events::StoredEvent;
pub use folders::{Folder, MailboxRow, MailboxStatus};
pub use line::Received;
pub use locations::Located;
pub use messages::{MessageRow, NewMessage, Status};
pub use migrate::{MIGRATIONS, migrate_to};
pub use moves::Unsettled;
pub use outbox::{Attempt, Effect, Wish};
pub use outlook::{Outlook, OutlookCopy, OutlookStatus, Undecided};
pub use passwords::{PasswordRow, Salting};
pub use sendings::{NewSending, SendingRow, SentTo, Stage};
pub use threads::{ThreadFilter, ThreadRow};
pub use writer::Store;

/// The name of the database in the state directory.
pub const FILE_NAME: &str = "baton.sqlite";

/// How long a connection waits for another process's lock.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Databases up to this size are checked whole before the daemon begins, bytes.
const CHECK_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why the store cannot do its work. One variant per thing an operator can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or its directory cannot be used.
    #[error("cannot open the database {}: {source}; check that the directory exists and belongs to Baton's user", path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// There is no database yet.
    #[error("there is no database at {}; `baton run` makes it", path.display())]
    Absent {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the database {} is damaged ({detail}); nothing was changed: stop Baton, put the file aside, and restore a backup", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// A newer Baton wrote it.
    #[error("the database {} is of a newer Baton (version {found}, this one knows {known}); nothing was changed: install that Baton again", path.display())]
    FromTheFuture {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// A schema change failed.
    #[error("cannot bring the database to version {name}: {source}")]
    Migration {
        /// The migration.
        name: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A question failed.
    #[error("the database failed: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A row holds what no row may hold.
    #[error("the database holds {what} `{value}`, which this Baton does not know")]
    Unknown {
        /// What sort of value.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// The writing thread is gone.
    #[error("the database's writer has stopped")]
    Stopped,
}

/// What a question answers.
pub type Result<T> = std::result::Result<T, Error>;

/// One consistent look at the memory, or one set of changes that is kept together or not at all.
#[derive(Debug)]
pub struct Tx<'a> {
    conn: &'a Connection,
    /// Whether mail that is to be sent was kept, or stands elsewhere now.
    sends: Cell<bool>,
}

impl<'a> Tx<'a> {
    fn new(conn: &'a Connection) -> Tx<'a> {
        Tx { conn, sends: Cell::new(false) }
    }
}

/// A connection that only reads.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
}

impl Reader {
    /// Opens the database in `state_dir` for reading; it must exist and be of this version.
    pub fn open(state_dir: &Path) -> Result<Reader> {
        let path = state_dir.join(FILE_NAME);
        if !path.exists() {
            return Err(Error::Absent { path });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags)
            .map_err(|source| Error::Open { path: path.clone(), source })?;
        conn.busy_timeout(BUSY_WAIT)?;
        migrate::check_version(&conn, &path)?;
        Ok(Reader { conn })
    }

    /// Runs `look` on one consistent state.
    pub fn read<T>(&self, look: impl FnOnce(&Tx<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let transaction = self.conn.unchecked_transaction()?;
        let answer = look(&Tx::new(&transaction))?;
        transaction.commit()?;
        Ok(answer)
    }
}

/// Opens the database for writing, makes it if need be, and brings it to this version.
fn open_for_writing(path: &Path) -> Result<Connection> {
    let open = |source| match source {
        rusqlite::Error::SqliteFailure(error, _)
            if error.code == rusqlite::ErrorCode::NotADatabase =>
        {
            Error::Damaged { path: path.to_path_buf(), detail: "it is not a database".into() }
        }
        source => Error::Open { path: path.to_path_buf(), source },
    };
    let mut conn = Connection::open(path).map_err(open)?;
    conn.busy_timeout(BUSY_WAIT)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Plans that depend on the bound values would be made anew at every execution, which takes longer than the questions.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The version is looked at before anything is written, so that a stranger's file stays as it is.
    migrate::check_known(&conn, path).map_err(|error| match error {
        Error::Sql(source) => open(source),
        other => other,
    })?;
    check_whole(&conn, path)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    migrate_to(&mut conn, MIGRATIONS.len())?;
    Ok(conn)
}

fn check_whole(conn: &Connection, path: &Path) -> Result<()> {
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size > CHECK_BYTES_MAX {
        return Ok(());
    }
    let damaged = |detail: String| Error::Damaged { path: path.to_path_buf(), detail };
    let told: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if told == "ok" { Ok(()) } else { Err(damaged(told)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_question_is_prepared_anew_for_every_value() {
        let dir = tempfile::tempdir().unwrap();
        let conn = open_for_writing(&dir.path().join(FILE_NAME)).unwrap();
        let mut statement = conn
            .prepare(
                "SELECT location.uid FROM location JOIN folder ON folder.id = location.folder
                WHERE location.folder = ? AND location.uid = ?",
            )
            .unwrap();
        for uid in 0..9 {
            statement.query_map([1, uid], |_| Ok(())).unwrap().for_each(drop);
        }
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
}
