//! One daemon, or one command, at a time works on a state directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

/// The file that is locked while somebody works on the directory.
const FILE_NAME: &str = "baton.lock";

/// Holds the directory until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

fn open(state_dir: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(state_dir.join(FILE_NAME))
}

/// How long a directory that is taken is waited for: commands hold it for a moment each.
const TAKEN_WAIT: Duration = Duration::from_secs(3);
const TAKEN_PAUSE: Duration = Duration::from_millis(50);

/// Takes the directory, making it if need be; waits for a command that works on it just now.
pub(crate) async fn take(state_dir: &Path) -> anyhow::Result<Lock> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lock) = try_take(state_dir)? {
            return Ok(lock);
        }
        if waited >= TAKEN_WAIT {
            bail!(
                "another Baton works on {}; stop it first, or give this one another `state_dir`",
                state_dir.display()
            );
        }
        tokio::time::sleep(TAKEN_PAUSE).await;
        waited += TAKEN_PAUSE;
    }
}

/// Takes the directory, making it if need be; `None` when somebody else has it.
pub(crate) fn try_take(state_dir: &Path) -> anyhow::Result<Option<Lock>> {
    // What is kept there is the customers' business and nobody else's.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .with_context(|| format!("cannot make the state directory {}", state_dir.display()))?;
    let file = open(state_dir)
        .with_context(|| format!("cannot write in the state directory {}", state_dir.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", state_dir.display()))
        }
    }
}

/// Whether a daemon holds the state directory.
pub fn is_running(state_dir: &Path) -> bool {
    // Only for reading, since the disk may have become one that cannot be written.
    let file = File::open(state_dir.join(FILE_NAME));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}
