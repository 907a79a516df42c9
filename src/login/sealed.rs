//! Refresh tokens at rest: sealed with ChaCha20-Poly1305 (RFC 8439) under a key of this installation's own.
//!
//! The key is the systemd credential `baton-login-key` where there is one, else a file of mode 0600 beside what it
//! seals, made at first need. What is sealed says with which key, so that a key can be replaced: the new one seals, the
//! old one still opens. Where to start: [`Keys::load`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::Digest;

/// The credential's name in `$CREDENTIALS_DIRECTORY`.
pub const CREDENTIAL: &str = "baton-login-key";
/// The key's name beside what it seals.
const FILE_NAME: &str = "key";
/// A shorter text is not a key.
const KEY_BYTES_MIN: usize = 32;
/// A longer one is not read.
const KEY_BYTES_MAX: u64 = 4096;

/// A sealed text, as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Sealed {
    /// Tells the key, and nothing about it.
    key: String,
    nonce: String,
    text: String,
}

/// Why a sealed text cannot be opened, or none made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the key {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the key {} is shorter than {KEY_BYTES_MIN} bytes", path.display())]
    TooShort { path: PathBuf },
    #[error(
        "it was sealed with a key that is not here; run the command with the same credential {CREDENTIAL} as the daemon"
    )]
    AnotherKey,
    #[error("it is damaged")]
    Damaged,
    #[error("the system gives no randomness")]
    NoRandomness,
}

struct Key {
    id: String,
    aead: LessSafeKey,
}

/// The keys that are here; the first one seals. Not `Debug`.
pub(super) struct Keys(Vec<Key>);

impl Keys {
    /// Reads the keys, and makes the one in `folder` if there is none at all.
    pub(super) fn load(folder: &Path, credentials: Option<&Path>) -> Result<Keys, SealError> {
        let mut keys = Vec::new();
        let credential = credentials.map(|folder| folder.join(CREDENTIAL));
        let file = folder.join(FILE_NAME);
        for path in credential.iter().chain([&file]) {
            if let Some(bytes) = read(path)? {
                keys.push(key_of(&bytes, path)?);
            }
        }
        if keys.is_empty() {
            make(&file)?;
            let bytes = read(&file)?.unwrap_or_default();
            keys.push(key_of(&bytes, &file)?);
        }
        Ok(Keys(keys))
    }

    /// Seals `text`; it opens only with the same `about`.
    pub(super) fn seal(&self, text: &str, about: &str) -> Result<Sealed, SealError> {
        let key = self.0.first().ok_or(SealError::AnotherKey)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let mut bytes = text.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        key.aead
            .seal_in_place_append_tag(unique, Aad::from(about.as_bytes()), &mut bytes)
            .map_err(|_| SealError::Damaged)?;
        let (nonce, text) = (STANDARD.encode(nonce), STANDARD.encode(bytes));
        Ok(Sealed { key: key.id.clone(), nonce, text })
    }

    /// Opens what was sealed about the same thing.
    pub(super) fn open(&self, sealed: &Sealed, about: &str) -> Result<String, SealError> {
        let key = self.0.iter().find(|key| key.id == sealed.key).ok_or(SealError::AnotherKey)?;
        let damaged = |_| SealError::Damaged;
        let nonce = STANDARD.decode(&sealed.nonce).map_err(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| SealError::Damaged)?;
        let mut bytes = STANDARD.decode(&sealed.text).map_err(damaged)?;
        let opened = key
            .aead
            .open_in_place(nonce, Aad::from(about.as_bytes()), &mut bytes)
            .map_err(|_| SealError::Damaged)?;
        String::from_utf8(opened.to_vec()).map_err(|_| SealError::Damaged)
    }
}

/// The secret in a file of its own, which is made at first need.
pub(crate) fn secret(path: &Path) -> Result<Vec<u8>, SealError> {
    if let Some(bytes) = read(path)? {
        key_of(&bytes, path)?;
        return Ok(bytes);
    }
    make(path)?;
    Ok(read(path)?.unwrap_or_default())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SealError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(KEY_BYTES_MAX).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SealError::Unreadable { path: path.to_path_buf(), source }),
    }
}

/// Any text that is long enough is a key: its hash is.
fn key_of(bytes: &[u8], path: &Path) -> Result<Key, SealError> {
    let trimmed = bytes.trim_ascii();
    if trimmed.len() < KEY_BYTES_MIN {
        return Err(SealError::TooShort { path: path.to_path_buf() });
    }
    let hash = |purpose: &str| {
        let hashed = sha2::Sha256::new().chain_update(purpose).chain_update(trimmed).finalize();
        <[u8; 32]>::from(hashed)
    };
    let id = STANDARD.encode(hash("baton login key id 1\0").get(..9).unwrap_or_default());
    let key = UnboundKey::new(&CHACHA20_POLY1305, &hash("baton login key 1\0"))
        .map_err(|_| SealError::Damaged)?;
    Ok(Key { id, aead: LessSafeKey::new(key) })
}

/// Makes a key. Whoever comes second uses the first one's: `link` replaces nothing, and shows no half-written file.
fn make(path: &Path) -> Result<(), SealError> {
    let (mut bytes, mut name) = ([0; 32], [0; 8]);
    let random = SystemRandom::new();
    random.fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    random.fill(&mut name).map_err(|_| SealError::NoRandomness)?;
    let draft = path.with_extension(format!("{:x}.new", u64::from_ne_bytes(name)));
    let made = || -> io::Result<()> {
        let mut file = OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(STANDARD.encode(bytes).as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => fs::remove_file(&draft)?,
        }
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    made().map_err(|source| SealError::Unreadable { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_again_and_only_about_the_same_thing() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = Keys::load(folder.path(), None).unwrap().seal("1//token", "support").unwrap();
        assert!(!format!("{sealed:?}").contains("token"));
        let keys = Keys::load(folder.path(), None).unwrap();
        assert_eq!(keys.open(&sealed, "support").unwrap(), "1//token");
        assert!(matches!(keys.open(&sealed, "billing"), Err(SealError::Damaged)));
        let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_credential_takes_over_and_the_file_still_opens_what_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        let old = Keys::load(folder.path(), None).unwrap().seal("old", "x").unwrap();
        fs::write(credentials.path().join(CREDENTIAL), "k".repeat(64)).unwrap();
        let keys = Keys::load(folder.path(), Some(credentials.path())).unwrap();
        assert_eq!(keys.open(&old, "x").unwrap(), "old");
        let new = keys.seal("new", "x").unwrap();
        let without = Keys::load(folder.path(), None).unwrap();
        let told = without.open(&new, "x").unwrap_err().to_string();
        assert!(told.contains(CREDENTIAL), "{told}");
    }

    #[test]
    fn many_who_need_the_first_key_at_once_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let sealed: Vec<Sealed> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Keys::load(path, None).unwrap().seal("x", "y").unwrap()))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let keys = Keys::load(path, None).unwrap();
        assert!(sealed.iter().all(|one| keys.open(one, "y").unwrap() == "x"));
    }

    #[test]
    fn a_short_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "hunter2").unwrap();
        let told = Keys::load(folder.path(), None).err().unwrap().to_string();
        assert!(told.contains("shorter") && !told.contains("hunter2"), "{told}");
    }
}
