//! Connections to the server that sends, kept for a while for the next mail.
//!
//! Only one that has just taken a mail is kept: after any error nobody knows what the server still means to say.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::relay::Connection;

/// For how long a connection is kept that has nothing to do.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(15);
/// After how long it is asked whether it is still there.
const ASKED_AFTER: Duration = Duration::from_secs(2);
/// How many mails go over one connection: servers count, too.
const MAILS_MAX: u32 = 50;

/// The connections that are free.
#[derive(Default)]
pub(super) struct Line(Mutex<Vec<Kept>>);

/// One of them.
pub(super) struct Kept {
    pub(super) connection: Connection,
    mails: u32,
    since: Instant,
}

impl Kept {
    /// One that has taken its first mail.
    pub(super) fn new(connection: Connection) -> Kept {
        Kept { connection, mails: 0, since: Instant::now() }
    }
}

impl Line {
    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is well, if there is one.
    pub(super) async fn take(&self) -> Option<Kept> {
        loop {
            // The one that was used last: the others may end.
            let mut kept = self.free().pop()?;
            let idle = kept.since.elapsed();
            if KEPT_FOR <= idle {
                kept.connection.quit().await;
            } else if idle < ASKED_AFTER || kept.connection.is_well().await {
                return Some(kept);
            }
        }
    }

    /// Keeps one that has just taken a mail.
    pub(super) fn keep(&self, mut kept: Kept) {
        kept.mails += 1;
        kept.since = Instant::now();
        if kept.mails < MAILS_MAX {
            self.free().push(kept);
        }
    }

    /// Ends those that have had nothing to do for long enough.
    pub(super) async fn tidy(&self) {
        let old: Vec<Kept> =
            self.free().extract_if(.., |kept| KEPT_FOR <= kept.since.elapsed()).collect();
        for kept in old {
            kept.connection.quit().await;
        }
    }

    /// Ends all of them.
    pub(super) async fn close(&self) {
        let all = std::mem::take(&mut *self.free());
        for kept in all {
            kept.connection.quit().await;
        }
    }
}
