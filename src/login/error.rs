//! What can go wrong on the way to a token: one variant per decision that the program or its operator can take.
//!
//! No message holds a secret, a token, or what a file holds. [`Error::retry`] answers whether trying again can help.

use std::time::Duration;

use super::failure::Failure;
use super::keep::KeepError;
use crate::config::SecretError;
use crate::desk::retry::Retry;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider said no.
    #[error("{words} ({host} says: {said})")]
    Refused {
        /// What it means.
        failure: Failure,
        /// That, and what to do, in words.
        words: String,
        /// Who said no.
        host: String,
        /// The provider's own words.
        said: String,
        /// How long it wants to be left alone, where it says so.
        wait: Option<Duration>,
    },
    /// The endpoint cannot be reached.
    #[error(
        "cannot reach {host}: {why}; check the network, the proxy (HTTPS_PROXY) and the firewall"
    )]
    Network {
        /// The endpoint.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The endpoint answered what is no answer.
    #[error("{host} answered what is no token; check token_url")]
    NoToken {
        /// The endpoint.
        host: String,
    },
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A key or certificate is of no use.
    #[error("{place} cannot be used: {why}; put the right one there")]
    Key {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody has agreed yet, or for another application.
    #[error("{why}; run `baton login {mailbox}`")]
    NotLoggedIn {
        /// The mailbox.
        mailbox: String,
        /// What is missing.
        why: &'static str,
    },
    /// What is kept cannot be read or written.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A person was asked, and there is no consent.
    #[error("there is no login: {0}")]
    NoConsent(String),
    /// The program itself has failed.
    #[error("cannot ask for a token: {0}")]
    Broken(String),
}

impl Error {
    /// What it means, of the closed list.
    pub fn failure(&self) -> Failure {
        match self {
            Error::Refused { failure, .. } => *failure,
            Error::Network { .. } => Failure::Network,
            Error::NotLoggedIn { .. } => Failure::LoginAgain,
            Error::NoConsent(_) => Failure::ConsentMissing,
            Error::Secret(_) | Error::Key { .. } => Failure::WrongSecret,
            Error::NoToken { .. } | Error::Keep(_) | Error::Broken(_) => Failure::Unknown,
        }
    }

    /// Whether trying again can help. No catch-all arm: a new variant has to decide.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Refused { wait: Some(wait), failure, .. }
                if !matches!(failure.retry(), Retry::Never) =>
            {
                Retry::After(*wait)
            }
            Error::Refused { failure, .. } => failure.retry(),
            Error::Network { .. } | Error::NoToken { .. } | Error::Broken(_) => Retry::Later,
            Error::Keep(KeepError::File { .. } | KeepError::Busy { .. }) => Retry::Later,
            Error::Keep(KeepError::Sealed { .. })
            | Error::Secret(_)
            | Error::Key { .. }
            | Error::NotLoggedIn { .. }
            | Error::NoConsent(_) => Retry::Never,
        }
    }
}
