//! What can go wrong at the door to a mailbox: one variant per decision that the program or its operator can take.
//!
//! Every message names the host, the account and, where there is one, the remedy; none carries a password or a
//! line of mail. [`Error::retry`] answers whether trying again can help.

use std::io;

use super::limit::Limit;
use crate::desk::retry::Retry;

/// Why a connection to a mailbox ended, or never began.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No TCP connection, or none that answers.
    #[error("cannot reach {host}: {source}; check the name, the port and the firewall")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server cannot prove who it is, or offers no encryption where it was asked for.
    #[error("no safe connection to {host}: {why}; check `tls` and the server's certificate")]
    Tls {
        /// Host and port.
        host: String,
        /// What TLS says.
        why: String,
    },
    /// The server said no to user and password.
    #[error("{host} refused the login of {account}: {answer}; check the user and the password")]
    LoginRefused {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The server's words.
        answer: String,
    },
    /// The server did not take the access token.
    #[error("{host} refused the access token of {account}: {answer}")]
    TokenRefused {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The server's words.
        answer: String,
        /// The JSON with which some servers give the reason (RFC 7628, section 3.2.2).
        challenge: Option<String>,
    },
    /// The server lets nobody in just now, whatever is shown to it.
    #[error("{host} lets {account} not log in just now: {answer}")]
    NotNow {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The server's words.
        answer: String,
    },
    /// There was nothing to log in with.
    #[error("cannot log in as {account}")]
    NoProof {
        /// The account.
        account: String,
        /// What is missing, and what to do.
        #[source]
        why: anyhow::Error,
        /// Whether asking again can help.
        retry: Retry,
    },
    /// The session was as long as its token, or as the server lets sessions be. Nothing is wrong.
    #[error("{host} ended the session of {account}: {how}")]
    Ended {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The server's words.
        how: String,
    },
    /// Logged in, but the mailbox may not be opened.
    #[error("{host} does not let {account} open {folder}: {answer}; give the account access to it")]
    NotPermitted {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The folder.
        folder: String,
        /// The server's words.
        answer: String,
    },
    /// The server answered NO or BAD to a command; the connection is still good.
    #[error("{host} refused {command} for {account}: {answer}")]
    Refused {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// The command's name, without its arguments.
        command: String,
        /// The response code (RFC 3501, section 7.1), upper case: `TRYCREATE`, `NONEXISTENT`, …
        code: Option<String>,
        /// The server's words.
        answer: String,
    },
    /// The server asks to be left alone for a while, in answer to whatever it was.
    #[error("{host} puts {account} off: {answer}")]
    Limited {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// Which limit it is.
        limit: Limit,
        /// The server's words.
        answer: String,
    },
    /// The connection ended, fell silent, or cannot be understood any more.
    #[error("the connection of {account} to {host} was lost: {how}")]
    Lost {
        /// Host and port.
        host: String,
        /// The account.
        account: String,
        /// How it ended.
        how: String,
    },
    /// As much was read today as may be read in a day. Nothing is wrong; whoever counts knows when the next day begins.
    #[error("{account} has received all that it may in a day")]
    Spent {
        /// The account.
        account: String,
    },
    /// The memory could not keep or tell something.
    #[error("the memory failed")]
    Memory(#[source] anyhow::Error),
}

impl Error {
    /// Whether trying again can help. No catch-all arm: a new variant has to decide.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Unreachable { .. } | Error::Lost { .. } => Retry::Later,
            Error::NotNow { .. } | Error::Ended { .. } | Error::Spent { .. } => Retry::Later,
            Error::NoProof { retry, .. } => *retry,
            // A folder that may not be opened locks no account, and servers also say so while they are being repaired.
            Error::Refused { .. } | Error::NotPermitted { .. } | Error::Memory(_) => Retry::Later,
            Error::Tls { .. } | Error::LoginRefused { .. } | Error::TokenRefused { .. } => {
                Retry::Never
            }
            Error::Limited { limit, .. } => limit.retry(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_password_waits_for_a_person_and_a_lost_line_does_not() {
        let refused = Error::LoginRefused {
            host: "imap.example.org:993".into(),
            account: "support@example.org".into(),
            answer: "[AUTHENTICATIONFAILED] Authentication failed.".into(),
        };
        assert_eq!(refused.retry(), Retry::Never);
        assert_eq!(
            refused.to_string(),
            "imap.example.org:993 refused the login of support@example.org: \
             [AUTHENTICATIONFAILED] Authentication failed.; check the user and the password"
        );
        let source = io::ErrorKind::ConnectionRefused.into();
        assert_eq!(Error::Unreachable { host: "h:1".into(), source }.retry(), Retry::Later);
    }
}
