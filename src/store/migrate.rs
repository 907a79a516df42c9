//! Brings a database to this program's version, one numbered file at a time, and refuses a newer one.

use std::path::Path;

use rusqlite::Connection;

use crate::store::{Error, Result};

/// Every migration, oldest first. A file is never edited after a release.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_desk.sql", include_str!("migrations/0001_desk.sql")),
    ("0002_attempt.sql", include_str!("migrations/0002_attempt.sql")),
    ("0003_outlook.sql", include_str!("migrations/0003_outlook.sql")),
    ("0004_moved.sql", include_str!("migrations/0004_moved.sql")),
    ("0005_limits.sql", include_str!("migrations/0005_limits.sql")),
    ("0006_submission.sql", include_str!("migrations/0006_submission.sql")),
    ("0007_relay.sql", include_str!("migrations/0007_relay.sql")),
    ("0008_folders.sql", include_str!("migrations/0008_folders.sql")),
    ("0009_hygiene.sql", include_str!("migrations/0009_hygiene.sql")),
    ("0011_cards.sql", include_str!("migrations/0011_cards.sql")),
    ("0012_afterwards.sql", include_str!("migrations/0012_afterwards.sql")),
];

fn version(conn: &Connection) -> rusqlite::Result<usize> {
    let found: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

/// Refuses a database that a newer program wrote.
pub(super) fn check_known(conn: &Connection, path: &Path) -> Result<()> {
    let found = version(conn)?;
    if found > MIGRATIONS.len() {
        let path = path.to_path_buf();
        return Err(Error::FromTheFuture { path, found, known: MIGRATIONS.len() });
    }
    Ok(())
}

/// Refuses a database of any other version than this program's.
pub(super) fn check_version(conn: &Connection, path: &Path) -> Result<()> {
    check_known(conn, path)?;
    if version(conn)? < MIGRATIONS.len() {
        return Err(Error::Absent { path: path.to_path_buf() });
    }
    Ok(())
}

/// Applies what is missing up to migration number `target`.
///
/// # Errors
/// [`Error::Migration`] when one fails; the ones before it stay, and it leaves no trace.
pub fn migrate_to(conn: &mut Connection, target: usize) -> Result<()> {
    let found = version(conn)?;
    for (index, (name, sql)) in MIGRATIONS.iter().enumerate().take(target).skip(found) {
        apply(conn, index + 1, sql).map_err(|source| Error::Migration { name, source })?;
        tracing::info!(migration = name, "Applied database migration {name}");
    }
    Ok(())
}

/// The schema change and its number are kept together or not at all.
fn apply(conn: &mut Connection, number: usize, sql: &str) -> rusqlite::Result<()> {
    let transaction = conn.transaction()?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "user_version", u32::try_from(number).unwrap_or(u32::MAX))?;
    transaction.commit()
}
