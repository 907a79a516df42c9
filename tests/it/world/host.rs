//! Who keeps the mailboxes of a world: a real Dovecot, or one of the emulated providers.

use std::sync::Arc;

use super::dovecot::{Dovecot, Server};
use super::gmail::Gmail;

/// Which provider a story is told at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Provider {
    Dovecot,
    Gmail,
}

/// The running servers of one provider.
pub(crate) enum Host {
    Dovecot(Box<Dovecot>),
    Gmail(Arc<Gmail>),
}

impl Host {
    /// Starts with these mailboxes.
    pub(super) fn start(provider: Provider, server: &Server, addresses: &[&str]) -> Host {
        match provider {
            Provider::Dovecot => Host::Dovecot(Box::new(Dovecot::start(server.clone()))),
            Provider::Gmail => Host::Gmail(Arc::new(Gmail::start(addresses))),
        }
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Host::Dovecot(dovecot) => dovecot.port,
            Host::Gmail(gmail) => gmail.port(),
        }
    }

    /// Gives a folder a new UIDVALIDITY, as a restored backup does. At Gmail it is that of All Mail, whatever folder the
    /// story speaks of.
    pub(crate) fn loses_uids(&mut self, address: &str, folder: &str) {
        match self {
            Host::Dovecot(dovecot) => dovecot.loses_uids(address, folder),
            Host::Gmail(gmail) => gmail.renumbers(address, "[Gmail]/All Mail"),
        }
    }

    /// The password of every mailbox.
    pub(super) fn password(&self) -> &'static str {
        match self {
            Host::Dovecot(_) => super::PASSWORD,
            Host::Gmail(_) => Gmail::PASSWORD,
        }
    }

    /// What nobody may read in a log.
    pub(super) fn secrets(&self, addresses: &[&str]) -> Vec<String> {
        let of = |address: &&str| super::secrets::of_password(address, self.password());
        addresses.iter().flat_map(of).collect()
    }
}
