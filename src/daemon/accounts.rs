//! What all lanes of one account have in common, also those that a reload begins anew: who is connected, and how long the
//! server asked to be left alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Timestamp;
use crate::config;

/// The most connections that a daemon has to one account at a time. A command that looks at the mailbox has another, one
/// command at a time ([`crate::imap::probe`]): so Baton never holds more than two (G68, M16, M59).
pub(crate) const CONNECTIONS_MAX: usize = 1;

/// A server's name and port, and the user there.
pub(crate) type Account = (String, u16, String);

/// The account of a mailbox.
pub(crate) fn account(mailbox: &config::Mailbox) -> Account {
    (mailbox.imap.host.to_lowercase(), mailbox.imap.port, mailbox.imap.user.to_lowercase())
}

/// A wait that a server asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    /// Nobody connects before.
    pub(crate) until: Timestamp,
    /// How many tries in a row had failed.
    pub(crate) failures: u32,
}

#[derive(Debug)]
struct One {
    held: Option<Held>,
    connections: Arc<Semaphore>,
}

impl Default for One {
    fn default() -> One {
        One { held: None, connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

/// Every account, by name.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<BTreeMap<Account, One>>);

impl Accounts {
    fn with<T>(&self, account: &Account, of: impl FnOnce(&mut One) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        of(all.entry(account.clone()).or_default())
    }

    /// Nobody connects for a while.
    pub(crate) fn hold(&self, account: &Account, held: Held) {
        self.with(account, |one| one.held = Some(held));
    }

    /// The wait that is not over at `now`.
    pub(crate) fn held(&self, account: &Account, now: Timestamp) -> Option<Held> {
        self.with(account, |one| one.held.filter(|held| now < held.until))
    }

    /// Waits until the account has a connection to spare. It is taken as long as the answer lives; `None` never comes.
    pub(crate) async fn connection(&self, account: &Account) -> Option<OwnedSemaphorePermit> {
        let connections = self.with(account, |one| Arc::clone(&one.connections));
        connections.acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_the_accounts_and_ends_by_itself() {
        let accounts = Accounts::default();
        let of = |user: &str| ("h".to_owned(), 993, user.to_owned());
        let (one, other) = (of("a"), of("b"));
        let held = Held { until: Timestamp(100), failures: 3 };
        accounts.hold(&one, held);
        assert_eq!(accounts.held(&one, Timestamp(99)), Some(held));
        assert_eq!(accounts.held(&one, Timestamp(100)), None);
        assert_eq!(accounts.held(&other, Timestamp(99)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_one_connection_at_a_time() {
        let accounts = Accounts::default();
        let account = ("h".to_owned(), 993, "a".to_owned());
        let first = accounts.connection(&account).await;
        let second = || {
            let wait = std::time::Duration::from_secs(1);
            tokio::time::timeout(wait, accounts.connection(&account))
        };
        assert!(second().await.is_err());
        drop(first);
        assert!(second().await.is_ok());
    }
}
