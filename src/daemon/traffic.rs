//! What comes through a mailbox's line: counted by the day, held against the day's budget, and told in words.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::daemon::Shared;
use crate::desk::budget::{self, Reading};
use crate::imap::Line;
use crate::store::Received;

const MEGABYTE: u64 = 1_000_000;

/// The line of one lane.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Bytes a day.
    budget: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    received: Received,
    written: Received,
    connected_at: Option<Timestamp>,
}

impl Traffic {
    /// Goes on counting where the last lane of this mailbox stopped.
    pub(crate) async fn load(shared: &Shared, mailbox: &str, budget: Option<u64>) -> Traffic {
        let name = mailbox.to_owned();
        let read = shared.store.write(move |tx| {
            let mailbox = tx.mailbox(&name)?;
            Ok(tx.received(mailbox)?)
        });
        let received = read.await.unwrap_or_else(|error| {
            tracing::error!(mailbox, "Cannot read what {mailbox} has received today: {error:#}");
            Received::default()
        });
        Traffic::new(budget, received)
    }

    fn new(budget: Option<u64>, received: Received) -> Traffic {
        let state = State { received, written: received, connected_at: None };
        Traffic { budget, state: Mutex::new(state) }
    }

    fn with<T>(&self, of: impl FnOnce(&mut State) -> T) -> T {
        of(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts bytes that came. Answers what may be read on.
    pub(crate) fn count(&self, bytes: u64, now: Timestamp) -> Reading {
        let day = budget::day(now);
        let received = self.with(|state| {
            if state.received.day != day {
                state.received = Received { day, bytes: 0 };
            }
            state.received.bytes = state.received.bytes.saturating_add(bytes);
            state.received.bytes
        });
        budget::reading(received, self.budget)
    }

    /// What has to be written down, if anything.
    pub(crate) fn unwritten(&self) -> Option<Received> {
        self.with(|state| {
            let news = state.received != state.written;
            state.written = state.received;
            news.then_some(state.received)
        })
    }

    /// The mailbox is open.
    pub(crate) fn connected(&self, now: Timestamp) {
        self.with(|state| state.connected_at = Some(now));
    }

    /// How long the connection held that has just ended; zero where none came to be.
    pub(crate) fn held_for(&self, now: Timestamp) -> Duration {
        let since = self.with(|state| state.connected_at.take());
        since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// What holds the mailbox back although it is connected. Says nothing that changes from one batch to the next.
    pub(crate) fn notice(&self, line: Line, reading: Reading) -> Option<String> {
        let history = (line.history_waits && reading == Reading::NewMail).then(|| {
            format!(
                "mail from before `since` waits until 00:00 UTC, because most of today's {} MB (daily_megabytes) is \
                 used up; new mail is read",
                self.budget.unwrap_or(0) / MEGABYTE
            )
        });
        let slowed = line.slowed.then(|| {
            "the server slows this account down ([THROTTLED]), so Baton asks for less, and is late".to_owned()
        });
        let both: Vec<String> = history.into_iter().chain(slowed).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }

    /// Why nothing more is read today.
    pub(crate) fn spent(&self) -> String {
        format!(
            "{} MB were read today, which is all that `daily_megabytes` allows; Baton reads on after 00:00 UTC",
            self.with(|state| state.received.bytes) / MEGABYTE
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn a_new_day_begins_at_nothing_and_a_restart_does_not() {
        let traffic = Traffic::new(Some(1000), Received { day: 1, bytes: 700 });
        assert_eq!(traffic.unwritten(), None);
        assert_eq!(traffic.count(50, Timestamp(DAY)), Reading::Everything);
        assert_eq!(traffic.count(50, Timestamp(DAY)), Reading::NewMail);
        assert_eq!(traffic.unwritten(), Some(Received { day: 1, bytes: 800 }));
        assert_eq!(traffic.unwritten(), None);
        assert_eq!(traffic.count(200, Timestamp(2 * DAY - 1)), Reading::Nothing);
        assert_eq!(traffic.count(1, Timestamp(2 * DAY)), Reading::Everything);
        assert_eq!(traffic.unwritten(), Some(Received { day: 2, bytes: 1 }));
    }

    #[test]
    fn only_a_link_that_stood_has_held() {
        let traffic = Traffic::new(None, Received::default());
        assert_eq!(traffic.held_for(Timestamp(1000)), Duration::ZERO);
        traffic.connected(Timestamp(1000));
        assert_eq!(traffic.held_for(Timestamp(1400)), Duration::from_secs(400));
        assert_eq!(traffic.held_for(Timestamp(1400)), Duration::ZERO);
    }

    #[test]
    fn what_holds_a_mailbox_back_is_told() {
        let traffic = Traffic::new(Some(2_000_000_000), Received::default());
        let line = |history_waits, slowed| Line { received: 0, slowed, history_waits };
        assert_eq!(traffic.notice(line(true, false), Reading::Everything), None);
        let words = traffic.notice(line(true, true), Reading::NewMail).unwrap();
        assert!(words.contains("2000 MB") && words.contains("[THROTTLED]"), "{words}");
    }
}
