//! What is kept of a login between starts: one small file for each mailbox, `login/NAME.json` in the state directory.
//!
//! It is a file and no row of the database for three reasons. A refresh holds its lock while it waits for the provider,
//! which no transaction may. `baton check --online` and `baton audit` refresh as well, and must not write to the
//! daemon's database. And a database that is restored from a backup must not bring back a token that the provider has
//! replaced since.
//!
//! A new state is written to `NAME.json.new`, synced, and renamed over the old one. Whoever is killed in between has
//! lost nothing: [`Keep::read`] takes the newer one of the two that is whole. Only the refresh token is sealed; the rest
//! is what `baton login --status` tells.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fuse;
use super::sealed::{Keys, SealError, Sealed};
use crate::clock::Timestamp;
use crate::config::Secret;

/// The folder in the state directory.
const FOLDER: &str = "login";
/// A longer file is none of ours.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// How long another process that refreshes is waited for; longer than a request may take.
const LOCK_WAIT: Duration = Duration::from_secs(90);
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// What is known of a login. The refresh token is not in here.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Facts {
    /// Counts the states; the higher one is the newer.
    pub(super) serial: u64,
    /// Whose token it is, as the token or the configuration says.
    pub user: String,
    /// The application that it was given to.
    pub client_id: String,
    /// Who gave it.
    pub token_url: String,
    /// What the token allows.
    pub scopes: Vec<String>,
    /// The object id of the application in its tokens (Microsoft).
    pub object_id: Option<String>,
    /// When a person last agreed.
    pub agreed_at: Option<Timestamp>,
    /// When the last access token was got.
    pub obtained_at: Option<Timestamp>,
    /// Until when it is good.
    pub access_until: Option<Timestamp>,
    /// When the refresh token ends whatever happens, where the provider says so.
    pub refresh_until: Option<Timestamp>,
    /// Which ends were warned of already.
    pub(super) warned: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Record {
    #[serde(flatten)]
    facts: Facts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Sealed>,
}

/// What is kept, with the refresh token.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) facts: Facts,
    pub(super) refresh: Option<Secret>,
}

/// Why nothing can be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file or its folder cannot be used.
    #[error("cannot use {}: {source}; let Baton's user write there", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The refresh token in it cannot be opened, or none can be sealed.
    #[error("the login kept in {} cannot be used: {why}", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another process holds it.
    #[error("another Baton is refreshing the login in {} and does not come to an end", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

/// The file of one mailbox.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    folder: PathBuf,
    mailbox: String,
    credentials: Option<PathBuf>,
}

/// While it is held, nobody else refreshes this mailbox's login.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Keep {
    /// The file of this mailbox, whose name is safe in a path; nothing is touched yet.
    pub(super) fn new(state_dir: &Path, mailbox: &str) -> Keep {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Keep { folder: state_dir.join(FOLDER), mailbox: mailbox.to_owned(), credentials }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.mailbox))
    }

    fn draft(&self) -> PathBuf {
        self.folder.join(format!("{}.json.new", self.mailbox))
    }

    fn unusable(&self, source: io::Error) -> KeepError {
        KeepError::File { path: self.path(), source }
    }

    fn sealed(&self, why: &SealError) -> KeepError {
        KeepError::Sealed { path: self.path(), why: why.to_string() }
    }

    /// Waits until nobody else refreshes.
    pub(super) async fn lock(&self) -> Result<Lock, KeepError> {
        self.make_folder().map_err(|source| self.unusable(source))?;
        let path = self.folder.join(format!("{}.lock", self.mailbox));
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|source| self.unusable(source))?;
        self.hand_over(&path);
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Now, since later, between getting a new token and having it written, every step is one too many.
                    if let Err(error) = self.settle_left() {
                        tracing::debug!("cannot tidy up {}: {error}", self.path().display());
                    }
                    return Ok(Lock { _file: file });
                }
                Err(TryLockError::Error(source)) => return Err(self.unusable(source)),
                Err(TryLockError::WouldBlock) if waited >= LOCK_WAIT => {
                    return Err(KeepError::Busy { path: self.path() });
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(LOCK_PAUSE).await;
                    waited += LOCK_PAUSE;
                }
            }
        }
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        self.hand_over(&self.folder);
        Ok(())
    }

    /// What root makes on the command line belongs to whom the state directory belongs: the daemon must read it.
    fn hand_over(&self, path: &Path) {
        let Some(Ok(owner)) = self.folder.parent().map(fs::metadata) else { return };
        if fs::metadata(path).is_ok_and(|file| file.uid() != owner.uid())
            && let Err(error) = std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))
        {
            tracing::debug!("cannot hand {} over to its owner: {error}", path.display());
        }
    }

    /// What is known, without the refresh token; needs no key.
    pub(super) fn facts(&self) -> Result<Option<Facts>, KeepError> {
        let newest = self.newest().map_err(|source| self.unusable(source))?;
        Ok(newest.map(|record| record.facts))
    }

    /// What is kept; `None` before the first login.
    pub(super) fn read(&self, about: &str) -> Result<Option<Kept>, KeepError> {
        let newest = self.newest().map_err(|source| self.unusable(source))?;
        let Some(Record { facts, refresh_token }) = newest else { return Ok(None) };
        let Some(sealed) = refresh_token else { return Ok(Some(Kept { facts, refresh: None })) };
        let keys = self.keys().map_err(|why| self.sealed(&why))?;
        let refresh = keys.open(&sealed, &self.about(about)).map_err(|why| self.sealed(&why))?;
        Ok(Some(Kept { facts, refresh: Some(Secret::new(refresh)) }))
    }

    fn keys(&self) -> Result<Keys, SealError> {
        let keys = Keys::load(&self.folder, self.credentials.as_deref())?;
        self.hand_over(&self.folder.join("key"));
        Ok(keys)
    }

    fn about(&self, about: &str) -> String {
        format!("baton login 1\0{}\0{about}", self.mailbox)
    }

    /// The newer one of the file and its draft; whoever was killed may have left either.
    fn newest(&self) -> io::Result<Option<Record>> {
        let kept = self.record(&self.path())?;
        let draft = self.record(&self.draft())?;
        Ok(match (kept, draft) {
            (Some(kept), Some(draft)) if draft.facts.serial <= kept.facts.serial => Some(kept),
            (kept, draft) => draft.or(kept),
        })
    }

    /// A file that is not whole counts as none: it is a draft that nobody finished.
    fn record(&self, path: &Path) -> io::Result<Option<Record>> {
        let mut text = String::new();
        let read =
            File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(serde_json::from_str(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a new state. Call it only while the lock is held.
    pub(super) fn write(&self, _lock: &Lock, kept: &Kept, about: &str) -> Result<(), KeepError> {
        fuse::burn("received");
        let refresh_token = match &kept.refresh {
            Some(token) => {
                let keys = self.keys().map_err(|why| self.sealed(&why))?;
                let sealed = keys.seal(token.expose(), &self.about(about));
                Some(sealed.map_err(|why| self.sealed(&why))?)
            }
            None => None,
        };
        let record = Record { facts: kept.facts.clone(), refresh_token };
        self.replace(&record).map_err(|source| self.unusable(source))
    }

    /// Keeps new facts beside the refresh token that is there.
    pub(super) fn write_facts(&self, _lock: &Lock, facts: Facts) -> Result<(), KeepError> {
        let newest = self.newest().map_err(|source| self.unusable(source))?;
        let refresh_token = newest.and_then(|record| record.refresh_token);
        self.replace(&Record { facts, refresh_token }).map_err(|source| self.unusable(source))
    }

    fn replace(&self, record: &Record) -> io::Result<()> {
        let draft = self.draft();
        // A draft that is newer than the file is the only place of the newest token: it takes the file's place first.
        if self.record(&draft)?.is_some_and(|left| left.facts.serial < record.facts.serial) {
            self.settle()?;
        }
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        self.hand_over(&draft);
        file.write_all(&serde_json::to_vec_pretty(record)?)?;
        fuse::burn("written");
        file.sync_all()?;
        fuse::burn("synced");
        self.settle()
    }

    /// A draft that is newer than the file, left by somebody who was killed, takes its place.
    fn settle_left(&self) -> io::Result<()> {
        let serial = |record: Option<Record>| record.map(|record| record.facts.serial);
        let draft = serial(self.record(&self.draft())?);
        let is_newer = draft.is_some() && serial(self.record(&self.path())?) < draft;
        if is_newer { self.settle() } else { Ok(()) }
    }

    fn settle(&self) -> io::Result<()> {
        fs::rename(self.draft(), self.path())?;
        fuse::burn("renamed");
        File::open(&self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(serial: u64, token: &str) -> Kept {
        let facts = Facts { serial, user: "ana".into(), ..Facts::default() };
        Kept { facts, refresh: Some(Secret::new(token.to_owned())) }
    }

    fn refresh(keep: &Keep) -> String {
        keep.read("app").unwrap().unwrap().refresh.unwrap().expose().to_owned()
    }

    #[tokio::test]
    async fn the_newest_state_is_found_wherever_somebody_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path(), "support");
        let lock = keep.lock().await.unwrap();
        assert!(keep.read("app").unwrap().is_none());
        keep.write(&lock, &kept(1, "one"), "app").unwrap();
        keep.write(&lock, &kept(2, "two"), "app").unwrap();
        // Written, and not renamed.
        fs::rename(keep.path(), keep.draft()).unwrap();
        assert_eq!(refresh(&keep), "two");
        keep.write(&lock, &kept(3, "three"), "app").unwrap();
        assert_eq!(refresh(&keep), "three");
        // Half written.
        let whole = fs::read(keep.path()).unwrap();
        for length in 0..whole.len() {
            fs::write(keep.draft(), &whole[..length]).unwrap();
            assert_eq!(refresh(&keep), "three");
        }
        keep.write(&lock, &kept(4, "four"), "app").unwrap();
        assert_eq!(refresh(&keep), "four");
    }

    #[tokio::test]
    async fn a_login_is_of_no_use_to_another_application() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path(), "support");
        let lock = keep.lock().await.unwrap();
        keep.write(&lock, &kept(1, "hunter2"), "app").unwrap();
        assert!(matches!(keep.read("other"), Err(KeepError::Sealed { .. })));
        assert_eq!(keep.facts().unwrap().unwrap().user, "ana");
        let text = fs::read_to_string(keep.path()).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[tokio::test]
    async fn new_facts_leave_the_token_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path(), "support");
        let lock = keep.lock().await.unwrap();
        keep.write(&lock, &kept(1, "one"), "app").unwrap();
        let facts = Facts { serial: 2, warned: vec!["x".into()], ..Facts::default() };
        keep.write_facts(&lock, facts).unwrap();
        assert_eq!(refresh(&keep), "one");
        assert_eq!(keep.facts().unwrap().unwrap().warned, ["x"]);
    }
}
