//! The key by which Baton knows its own mail ([`crate::mail::proof`]): a file of mode 0600 beside the database.
//!
//! It is made at first need. Should it get lost, Baton makes another, and takes mail that it wrote before for another Baton's.

use std::path::Path;

use anyhow::Context;

use crate::login;
use crate::mail::proof::Key;

/// The file in the state directory.
const FILE_NAME: &str = "mail.key";

/// Reads the key, and makes it if there is none.
pub(crate) fn load(state_dir: &Path) -> anyhow::Result<Key> {
    let secret = login::secret(&state_dir.join(FILE_NAME)).context("cannot use the mail key")?;
    Ok(Key::new(secret.trim_ascii()))
}

/// Says so where the key was made anew beside a database that has seen mail: what was written inside before is not known again.
pub(crate) fn warn_if_lost(was_there: bool, has_seen_mail: bool) {
    if !was_there && has_seen_mail {
        tracing::warn!(
            "{FILE_NAME} was not in the state directory, and another was made: answers are not held for words of mail from before, \
             and Baton's mail from before counts as another Baton's. Put the old file back if there is a copy of it."
        );
    }
}

/// Whether there is a key.
pub(crate) fn is_there(state_dir: &Path) -> bool {
    state_dir.join(FILE_NAME).exists()
}

/// The key, if it is there and may be read: whoever only asks or tries makes none, since it would be theirs.
pub(crate) fn if_there(state_dir: &Path) -> Key {
    is_there(state_dir).then(|| load(state_dir).ok()).flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_is_nobody_elses() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(if_there(one.path()), Key::default());
        let key = load(one.path()).unwrap();
        assert_eq!(if_there(one.path()), key);
        assert_eq!(key, load(one.path()).unwrap());
        assert_ne!(key, load(other.path()).unwrap());
    }
}
