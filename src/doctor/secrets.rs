//! Where each secret of a mailbox lies, and who may read it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::{ClientProof, Flow, Login, Mailbox, PasswordSource, SecretError};

/// A secret of a mailbox.
#[derive(Clone, Debug)]
pub struct Secret<'a> {
    /// Its key below `[[mailbox]]`.
    pub key: String,
    /// Where it is.
    pub source: &'a PasswordSource,
    /// Whether it has several lines, as keys have.
    pub is_document: bool,
}

impl Secret<'_> {
    /// Reads it, to see that it is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn try_out(&self) -> Result<(), SecretError> {
        let read = if self.is_document { self.source.read_document() } else { self.source.read() };
        read.map(drop)
    }

    /// The file, where anybody at all may read or write it.
    pub fn open_to_all(&self) -> Option<&Path> {
        let PasswordSource::File(path) = self.source else { return None };
        let file = std::fs::metadata(path).ok()?;
        (file.permissions().mode() & 0o006 != 0).then_some(path)
    }
}

/// The secrets of a mailbox, each once.
pub fn of(mailbox: &Mailbox) -> Vec<Secret<'_>> {
    let mut found: Vec<Secret<'_>> = Vec::new();
    let mut add = |key: &str, source, is_document| {
        if !found.iter().any(|known| known.source == source) {
            found.push(Secret { key: key.to_owned(), source, is_document });
        }
    };
    let servers = [("imap", Some(&mailbox.imap)), ("smtp", mailbox.smtp.as_ref())];
    for (section, server) in servers.into_iter().filter_map(|(name, server)| Some((name, server?)))
    {
        match &server.login {
            Login::Password(source) => add(&format!("{section}.password"), source, false),
            Login::OAuth2(oauth) => {
                if let Flow::ServiceAccount { key } = &oauth.flow {
                    add("login.key", key, true);
                }
                match oauth.client().map(|client| &client.proof) {
                    Some(ClientProof::Secret(secret)) => add("login.client_secret", secret, false),
                    Some(ClientProof::Certificate { key, .. }) => add("login.key", key, true),
                    Some(ClientProof::None) | None => {}
                }
            }
        }
    }
    found
}
