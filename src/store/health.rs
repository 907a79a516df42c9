//! Whether the database can be written: what the disk said last, until a change is kept again.
//!
//! Kept in memory, because where it matters nothing can be written down.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::ErrorCode;

/// What the disk said last. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Health(Arc<Mutex<Option<String>>>);

impl Health {
    /// Something went wrong; remembered if it was the disk's doing.
    pub(super) fn failed(&self, error: &anyhow::Error) {
        let causes = || error.chain().filter_map(|cause| cause.downcast_ref::<rusqlite::Error>());
        if causes().any(is_the_disks) {
            self.set(Some(error.root_cause().to_string()));
        }
    }

    /// Nothing can be kept, for this reason, unless there was a better one in the same breath.
    pub(super) fn cannot_commit(&self, error: &rusqlite::Error) {
        if is_the_disks(error) || self.trouble().is_none() {
            self.set(Some(error.to_string()));
        }
    }

    /// A change was kept.
    pub(super) fn well(&self) {
        self.set(None);
    }

    /// What is wrong.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

fn is_the_disks(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(
            ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
        )
    )
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn only_the_disks_errors_are_remembered_and_a_kept_change_ends_them() {
        let health = Health::default();
        let busy = Err::<(), _>(sqlite(rusqlite::ffi::SQLITE_BUSY)).context("cannot wait");
        health.failed(&busy.unwrap_err());
        assert_eq!(health.trouble(), None);
        let full = Err::<(), _>(sqlite(rusqlite::ffi::SQLITE_FULL)).context("cannot keep");
        health.failed(&full.unwrap_err());
        // What is said of the transaction that was given up for it is no better word.
        health.cannot_commit(&sqlite(rusqlite::ffi::SQLITE_ERROR));
        assert!(health.trouble().unwrap().contains("full"), "{health:?}");
        health.well();
        assert_eq!(health.trouble(), None);
    }
}
