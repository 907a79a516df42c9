//! Passwords: where they are, and the moment in which they are read.
//!
//! The configuration holds only a [`PasswordSource`]. It is read for each connection, so that a changed file
//! is used without a reload. No message and no `Debug` output ever holds the content.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest password that is read; a longer file is not a password.
const SECRET_MAX_BYTES: u64 = 4096;
/// The longest key or key file.
const DOCUMENT_MAX_BYTES: u64 = 64 * 1024;

/// Where a password is to be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PasswordSource {
    /// A file that holds only the password.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A systemd credential (`LoadCredential=`), a file below `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// A password. `Debug` prints nothing of it, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Holds a text as a secret from here on.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The password itself, for the one line that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // Without this the compiler may leave the write out, since nobody reads the bytes again.
        std::hint::black_box(&bytes);
    }
}

/// Why a password could not be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file is missing, or Baton may not read it.
    #[error(
        "cannot read the password file {}: {source}; write the password into it and let Baton's user read it",
        file.display()
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The variable is not set.
    #[error(
        "the environment variable {0}, which should hold the password, is not set; \
         set it for the daemon, or use password = {{ file = \"…\" }}"
    )]
    NoVariable(String),
    /// Baton was not started by systemd, or without this credential.
    #[error(
        "the systemd credential {0} is not there, since $CREDENTIALS_DIRECTORY is not set; \
         add LoadCredential={0}:/etc/baton/{0} to the unit, or use password = {{ file = \"…\" }}"
    )]
    NoCredentials(String),
    /// There is something, but it cannot be a password.
    #[error("{place} {why}; it must hold the password, on one line, and nothing else")]
    NotAPassword {
        /// The file or variable.
        place: String,
        /// What is wrong with its content, which is not told.
        why: &'static str,
    },
}

impl PasswordSource {
    /// Reads the password as it is now. A newline at its end is left out.
    pub fn read(&self) -> Result<Secret, SecretError> {
        self.read_as(&environment, SECRET_MAX_BYTES, only_a_password)
    }

    /// Reads a key, or a file with one in it: of several lines, and longer than a password.
    pub fn read_document(&self) -> Result<Secret, SecretError> {
        self.read_as(&environment, DOCUMENT_MAX_BYTES, only_text)
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        match self {
            PasswordSource::File(file) => file.display().to_string(),
            PasswordSource::Env(name) => format!("the environment variable {name}"),
            PasswordSource::Credential(name) => format!("the systemd credential {name}"),
        }
    }

    fn read_as(
        &self,
        env: Environment<'_>,
        bytes_max: u64,
        rule: Rule,
    ) -> Result<Secret, SecretError> {
        match self {
            PasswordSource::File(file) => content(file, bytes_max, rule),
            PasswordSource::Env(name) => {
                let bytes = env(name).ok_or_else(|| SecretError::NoVariable(name.clone()))?;
                rule(bytes).map_err(|why| {
                    let place = format!("the environment variable {name}");
                    SecretError::NotAPassword { place, why }
                })
            }
            PasswordSource::Credential(name) => {
                let folder = env("CREDENTIALS_DIRECTORY")
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .filter(|folder| !folder.is_empty())
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                content(&Path::new(&folder).join(name), bytes_max, rule)
            }
        }
    }
}

type Environment<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;
/// What may be in the place where a secret is said to be.
type Rule = fn(Vec<u8>) -> Result<Secret, &'static str>;

fn environment(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(|value| value.into_encoded_bytes())
}

fn content(file: &Path, bytes_max: u64, rule: Rule) -> Result<Secret, SecretError> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|source| SecretError::Unreadable { file: file.to_path_buf(), source })?;
    rule(bytes).map_err(|why| {
        let place = format!("the password file {}", file.display());
        SecretError::NotAPassword { place, why }
    })
}

fn only_text(bytes: Vec<u8>) -> Result<Secret, &'static str> {
    let too_long = bytes.len() as u64 > DOCUMENT_MAX_BYTES;
    match String::from_utf8(bytes).map(Secret) {
        Ok(_) if too_long => Err("is far longer than a key"),
        Ok(secret) if secret.expose().trim().is_empty() => Err("is empty"),
        Ok(secret) => Ok(secret),
        Err(_) => Err("is not UTF-8 text"),
    }
}

fn only_a_password(bytes: Vec<u8>) -> Result<Secret, &'static str> {
    let too_long = bytes.len() as u64 > SECRET_MAX_BYTES;
    // Held as a secret from here on, so that what is refused is overwritten as well.
    let mut secret = match String::from_utf8(bytes) {
        Ok(text) => Secret(text),
        Err(_) => return Err("is not UTF-8 text"),
    };
    let length = secret.0.trim_end_matches(['\r', '\n']).len();
    secret.0.truncate(length);
    match secret.expose() {
        _ if too_long => Err("is far longer than a password"),
        "" => Err("is empty"),
        text if text.contains(['\r', '\n']) => Err("has more than one line"),
        text if text.contains('\0') => Err("holds a NUL byte"),
        _ => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_env(_: &str) -> Option<Vec<u8>> {
        None
    }

    #[test]
    fn a_password_is_read_anew_each_time_and_without_its_newline() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("support.password");
        let source = PasswordSource::File(file.clone());
        std::fs::write(&file, "first\r\n").unwrap();
        assert_eq!(source.read().unwrap().expose(), "first");
        std::fs::write(&file, " second \n").unwrap();
        assert_eq!(source.read().unwrap().expose(), " second ");
    }

    #[test]
    fn a_credential_is_a_file_in_the_directory_that_systemd_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("support"), "hunter2\n").unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let env =
            move |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| path.clone().into_bytes());
        let source = PasswordSource::Credential("support".into());
        assert_eq!(
            source.read_as(&env, SECRET_MAX_BYTES, only_a_password).unwrap().expose(),
            "hunter2"
        );
        let told =
            source.read_as(&no_env, SECRET_MAX_BYTES, only_a_password).unwrap_err().to_string();
        assert!(told.contains("LoadCredential=support:"), "{told}");
    }

    #[test]
    fn an_error_names_the_place_and_never_the_content() {
        for content in ["", "\n", "hunter2\nhunter3\n", "hunter2\0", &"hunter2".repeat(9999)] {
            let env = |_: &str| Some(content.as_bytes().to_vec());
            let error = PasswordSource::Env("BATON_PW".into())
                .read_as(&env, SECRET_MAX_BYTES, only_a_password)
                .unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains("BATON_PW") && !told.contains("hunter"), "{told}");
        }
        let told = PasswordSource::File("/nowhere/pw".into()).read().unwrap_err().to_string();
        assert!(told.contains("/nowhere/pw: No such file"), "{told}");
        let told = PasswordSource::Env("BATON_PW".into())
            .read_as(&no_env, SECRET_MAX_BYTES, only_a_password)
            .unwrap_err();
        assert!(told.to_string().contains("BATON_PW, which should hold the password, is not set"));
    }

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        assert_eq!(format!("{:?}", Secret("hunter2".into())), "Secret(…)");
    }
}
