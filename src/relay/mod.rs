//! The door to the server that sends: connect, encrypt, log in, ask whether a mail may go, send it.
//!
//! lettre speaks the lines, and nothing more of it is used. Its pool gives a connection that was left in the middle of a
//! mail to the next one, and has no limit of time for an answer; so every step is waited for with patience, and whoever
//! keeps a [`Connection`] for another mail does so only after one that was taken. Encryption is [`crate::tls`]'s, as at
//! every door.
//!
//! It knows nothing of threads, and nothing of IMAP. In reading order: `connect`, `connection`, `error`, `refusal`.

mod connect;
mod connection;
mod error;
mod refusal;

use std::fmt;
use std::time::Duration;

pub use connect::connect;
pub use connection::Connection;
pub use error::Error;
pub use refusal::refusal;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tls {
    /// From the first byte; port 465.
    Implicit,
    /// Asked for after the greeting, and insisted on (RFC 3207); port 587.
    Starttls,
    /// Not at all; for a server on the same machine.
    None,
}

/// Where a mailbox sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The server's name.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// Who logs in; at Microsoft with a person's token that person, not the mailbox (M84).
    pub user: String,
    /// How long a server that owes an answer may be silent.
    pub patience: Duration,
}

/// What a login proves itself with. Its `Debug` prints nothing of it.
#[derive(Clone)]
pub enum Proof {
    /// A password, for PLAIN or LOGIN.
    Password(String),
    /// An OAuth access token, for XOAUTH2.
    Bearer(String),
}

impl fmt::Debug for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Proof::Password(_) => "Password(…)",
            Proof::Bearer(_) => "Bearer(…)",
        })
    }
}

/// What a server offers in its answer to EHLO (RFC 5321, section 4.1.1.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    /// The ways to log in, upper case.
    pub logins: Vec<String>,
    /// The largest mail that it takes, in bytes (RFC 1870); `None` where it does not say.
    pub size: Option<u64>,
    /// Whether it takes bytes beyond ASCII in the text of a mail (8BITMIME, RFC 6152).
    pub eight_bit: bool,
    /// Whether it takes them in headers and addresses (SMTPUTF8, RFC 6531).
    pub utf8: bool,
    /// Whether it can be told when to report (DSN, RFC 3461).
    pub reports: bool,
}

/// To whom a mail goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recipient<'a> {
    /// The address.
    pub address: &'a str,
    /// NOTIFY (RFC 3461, section 4.1), as the writer's client said it.
    pub notify: Option<&'a str>,
    /// ORCPT (RFC 3461, section 4.2), the same.
    pub orcpt: Option<&'a str>,
}

impl<'a> Recipient<'a> {
    /// Somebody of whom nothing is said but the address.
    pub fn at(address: &'a str) -> Recipient<'a> {
        Recipient { address, notify: None, orcpt: None }
    }
}

impl Offer {
    /// Reads the lines of the answer; the first one is a greeting.
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Offer {
        let mut offer = Offer::default();
        for line in lines.skip(1) {
            let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("AUTH") => offer.logins.extend(words),
                // RFC 1870, section 4: 0 is no limit.
                Some("SIZE") => {
                    let bytes = words.next().and_then(|word| word.parse().ok());
                    offer.size = bytes.filter(|bytes| *bytes != 0);
                }
                Some("8BITMIME") => offer.eight_bit = true,
                Some("SMTPUTF8") => offer.utf8 = true,
                Some("DSN") => offer.reports = true,
                _ => {}
            }
        }
        offer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_as_servers_write_it() {
        let lines =
            ["mx.example.com at your service", "SIZE 35651584", "auth LOGIN xoauth2", "8BITMIME"];
        let offer = Offer::read(lines.into_iter());
        assert_eq!(offer.logins, ["LOGIN", "XOAUTH2"]);
        assert_eq!(offer.size, Some(35_651_584));
        assert!(offer.eight_bit && !offer.utf8);
        assert_eq!(Offer::read(["me", "SIZE 0"].into_iter()).size, None);
        assert_eq!(Offer::read(["SIZE 7 is my name"].into_iter()), Offer::default());
    }

    #[test]
    fn debug_prints_nothing_of_a_proof() {
        let told = format!("{:?} {:?}", Proof::Password("x".into()), Proof::Bearer("y".into()));
        assert_eq!(told, "Password(…) Bearer(…)");
    }
}
