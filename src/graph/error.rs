//! What can go wrong with Graph: one variant per decision that the program or its operator can take.

use std::time::Duration;

use crate::desk::retry::Retry;
use crate::login;

/// Why Graph did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no token for it.
    #[error("no token for Microsoft Graph: {0}")]
    NoToken(#[from] login::Error),
    /// The token is not taken.
    #[error(
        "{host} does not take the token: {said}; check the application's permissions for Microsoft Graph and their consent"
    )]
    TokenRefused {
        /// The server.
        host: String,
        /// Its words.
        said: String,
    },
    /// The application may not do it in this mailbox (M107, M112).
    #[error(
        "{host} does not let Baton {what} of {account}: {said}; give the application {permission} of Microsoft Graph with admin consent, \
         and see that a scope of RBAC for Applications holds this mailbox; it can take two hours to count"
    )]
    Denied {
        /// The server.
        host: String,
        /// The mailbox.
        account: String,
        /// What was to be done.
        what: &'static str,
        /// The permission that it needs.
        permission: &'static str,
        /// The server's words.
        said: String,
    },
    /// Too much in too little time (M113).
    #[error("{host} was asked for too much in too little time; it wants {} seconds of quiet", .wait.as_secs())]
    Throttled {
        /// The server.
        host: String,
        /// How long it wants to be left alone.
        wait: Duration,
    },
    /// What was asked for is not there.
    #[error("{host} does not find it in {account}: {said}")]
    Absent {
        /// The server.
        host: String,
        /// The mailbox.
        account: String,
        /// The server's words.
        said: String,
    },
    /// It cannot be reached, or cannot answer.
    #[error(
        "{host} cannot be used now: {said}; check the network, the proxy (HTTPS_PROXY) and the firewall if it lasts"
    )]
    Unavailable {
        /// The server.
        host: String,
        /// What it or the system says.
        said: String,
    },
    /// It says no for another reason.
    #[error("{host} refuses: {said}; check graph_url and the address of the mailbox")]
    Refused {
        /// The server.
        host: String,
        /// Its words.
        said: String,
    },
}

/// How long to wait where a throttling server names no time.
pub(super) const THROTTLED_WAIT: Duration = Duration::from_secs(60);

impl Error {
    /// Whether trying again can help. No catch-all arm: a new variant has to decide.
    pub fn retry(&self) -> Retry {
        match self {
            Error::NoToken(error) => error.retry(),
            Error::Throttled { wait, .. } => Retry::After(*wait),
            Error::Unavailable { .. } | Error::Absent { .. } => Retry::Later,
            Error::TokenRefused { .. } | Error::Denied { .. } | Error::Refused { .. } => {
                Retry::Never
            }
        }
    }
}
