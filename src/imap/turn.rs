//! Commands that look at a mailbox do it one at a time: providers count connections, and people's clients hold most of
//! them (G68, M16).
//!
//! The daemon has one connection to a mailbox, and whichever command has the turn has the second: Baton never holds more
//! than two. Only whoever may not write beside the database goes without a turn. Where to start: [`take`].

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::connect::Settings;
use super::error::Error;
use super::limit::Limit;

/// How long another command is waited for.
const WAIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// The turn; it ends when this is dropped, or with the process.
#[derive(Debug)]
pub(super) struct Turn {
    _file: Option<File>,
}

/// Waits for the turn to visit the mailbox.
pub(super) async fn take(settings: &Settings) -> Result<Turn, Error> {
    let Some(file) = settings.turn.as_deref().and_then(open) else {
        return Ok(Turn { _file: None });
    };
    let end = Instant::now() + WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Turn { _file: Some(file) }),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::WouldBlock) => {
                let answer =
                    "another command of Baton's is connected to it; try again when that has ended";
                return Err(settings.who().limited(Limit::Connections, answer));
            }
            Err(TryLockError::Error(error)) => {
                tracing::debug!("no turn can be taken: {error}");
                return Ok(Turn { _file: None });
            }
        }
    }
}

/// The file that stands for the turn; `None` where there is none and none can be made.
fn open(path: &Path) -> Option<File> {
    // For reading: another user may have made it.
    let file = File::open(path)
        .or_else(|_| File::options().create(true).truncate(false).write(true).open(path));
    file.inspect_err(|error| tracing::debug!("no turn can be taken: {error}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::trial::settings;

    #[tokio::test(start_paused = true)]
    async fn a_visit_waits_for_the_one_before_it_but_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { turn: Some(dir.path().join("support.turn")), ..settings(0) };
        let first = take(&settings).await.unwrap();
        let refused = take(&settings).await.unwrap_err();
        assert!(matches!(refused, Error::Limited { limit: Limit::Connections, .. }), "{refused}");
        drop(first);
        assert!(take(&settings).await.unwrap()._file.is_some());
        let nowhere = Settings { turn: Some("/nowhere/support.turn".into()), ..settings };
        assert!(take(&nowhere).await.unwrap()._file.is_none());
    }
}
