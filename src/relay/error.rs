//! What can go wrong on the way out: one variant per decision that the program or its operator can take.
//!
//! Every message names the host and, where there is one, the remedy; none carries a password or a line of mail.

use std::io;

use crate::desk::retry::Retry;

/// Why a mail did not leave, or nobody could log in to send one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No TCP connection.
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
    /// The server offers no way to show this sort of proof.
    #[error("{host} offers no login with {proof}, but {}", if offered.is_empty() { "none at all" } else { offered })]
    NoWay {
        /// Host and port.
        host: String,
        /// `a password` or `a token`.
        proof: &'static str,
        /// The ways that it offers.
        offered: String,
    },
    /// The server said no to the login.
    #[error("{host} refused the login of {account}: {code} {text}")]
    LoginRefused {
        /// Host and port.
        host: String,
        /// Who logged in.
        account: String,
        /// The reply code (RFC 5321, section 4.2).
        code: u16,
        /// The server's words, with their enhanced code.
        text: String,
    },
    /// The server said no to a step of a mail: surely nothing was sent.
    #[error("{host} refused {step}: {code} {text}")]
    Refused {
        /// Host and port.
        host: String,
        /// What was asked: `MAIL FROM`, `RCPT TO`, `the mail`.
        step: &'static str,
        /// The reply code.
        code: u16,
        /// The server's words, with their enhanced code.
        text: String,
    },
    /// The connection ended or fell silent before a mail was handed over: surely nothing was sent.
    #[error("the connection to {host} was lost: {how}")]
    Lost {
        /// Host and port.
        host: String,
        /// How it ended.
        how: String,
    },
    /// The connection ended after a mail was handed over and before the answer came (RFC 5321, section 4.5.3.2.6).
    #[error(
        "whether {host} took the mail is not known: {how}; look in Sent before anything is sent again"
    )]
    Uncertain {
        /// Host and port.
        host: String,
        /// How it ended.
        how: String,
    },
}

impl Error {
    /// Whether trying again can help. No catch-all arm: a new variant has to decide.
    pub fn retry(&self) -> Retry {
        match self {
            Error::Unreachable { .. } | Error::Lost { .. } => Retry::Later,
            Error::LoginRefused { code, .. } | Error::Refused { code, .. } if *code < 500 => {
                Retry::Later
            }
            Error::LoginRefused { .. } | Error::Refused { .. } => Retry::Never,
            // A second mail would be worse than a late one.
            Error::Tls { .. } | Error::NoWay { .. } | Error::Uncertain { .. } => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_may_have_been_sent_is_not() {
        let refused =
            |code| Error::Refused { host: "x".into(), step: "the mail", code, text: "no".into() };
        assert_eq!(refused(432).retry(), Retry::Later);
        assert_eq!(refused(554).retry(), Retry::Never);
        let lost = || ("x".to_owned(), "it closed".to_owned());
        let (host, how) = lost();
        assert_eq!(Error::Lost { host, how }.retry(), Retry::Later);
        let (host, how) = lost();
        assert_eq!(Error::Uncertain { host, how }.retry(), Retry::Never);
    }
}
