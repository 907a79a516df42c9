//! What is owed in a thread, and until when, as `baton show` tells it.

use serde::Serialize;

use super::form::{Whole, change_in};
use super::print::{Ink, Out};
use super::time::short;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::desk::clocks::{Clock, Standing, clocks};
use crate::desk::thread::Position;

/// The clocks of a thread, under the targets of its mailbox today; none where the mailbox has none.
pub(super) fn of(whole: &Whole, config: &Config, now: Timestamp) -> Vec<Clock> {
    let mailbox = config.mailboxes.iter().find(|mailbox| mailbox.name == whole.thread.mailbox);
    let Some(deadlines) = mailbox.and_then(|mailbox| mailbox.policy.deadlines.as_ref()) else {
        return Vec::new();
    };
    let mut position = Position::default();
    let history = whole.events.iter().map(|event| {
        position.apply(change_in(event, whole.thread.id));
        (event.at, position.clone())
    });
    clocks(&deadlines.calendar, &deadlines.targets, &history.collect::<Vec<_>>(), now)
}

/// A line for each clock that matters: what is due, and what was late.
pub(super) fn print(clocks: &[Clock], now: Timestamp, out: &mut Out) -> anyhow::Result<()> {
    for clock in clocks {
        if let Some((ink, words)) = line(clock, now) {
            let words = out.painted(ink, &words);
            out.line(format_args!("  {words}"))?;
        }
    }
    Ok(())
}

fn line(clock: &Clock, now: Timestamp) -> Option<(Ink, String)> {
    let kind = clock.kind.name();
    let left = || span(clock.target.saturating_sub(clock.spent).as_secs());
    let (spent, target) = (span(clock.spent.as_secs()), span(clock.target.as_secs()));
    Some(match (clock.standing, clock.breached_at) {
        (Standing::Ended { .. }, None) => return None,
        (Standing::Ended { .. }, Some(_)) => {
            (Ink::Faint, format!("{kind} was late: it took {spent} of business time, not {target}"))
        }
        (_, Some(at)) if at <= now => (Ink::Alarm, format!("{kind} overdue since {}", short(at))),
        (Standing::Runs { due_at: Some(at) }, _) => {
            (Ink::Plain, format!("{kind} due {}, in {} of business time", short(at), left()))
        }
        (Standing::Runs { due_at: None }, _) => {
            (Ink::Plain, format!("{kind} never due: the calendar has no hours ahead"))
        }
        (Standing::Rests, _) => {
            (Ink::Plain, format!("{kind} rests, with {} of business time left", left()))
        }
    })
}

/// `3 h 20 min`.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A clock as `show --json` prints it; times of business in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Due {
    clock: &'static str,
    standing: &'static str,
    since: Timestamp,
    target_seconds: u64,
    spent_seconds: u64,
    due_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    breached_at: Option<Timestamp>,
}

impl Due {
    pub(super) fn of(clock: &Clock) -> Due {
        let (standing, due_at, ended_at) = match clock.standing {
            Standing::Runs { due_at } => ("runs", due_at, None),
            Standing::Rests => ("rests", None, None),
            Standing::Ended { at } => ("ended", None, Some(at)),
        };
        Due {
            clock: clock.kind.name(),
            standing,
            since: clock.since,
            target_seconds: clock.target.as_secs(),
            spent_seconds: clock.spent.as_secs(),
            due_at,
            ended_at,
            breached_at: clock.breached_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::desk::clocks::Kind;

    fn told(standing: Standing, spent: u64, breached_at: Option<i64>) -> Option<String> {
        let clock = Clock {
            kind: Kind::FirstResponse,
            since: Timestamp(0),
            target: Duration::from_secs(4 * 3600),
            spent: Duration::from_secs(spent * 60),
            standing,
            breached_at: breached_at.map(Timestamp),
        };
        line(&clock, Timestamp(7200)).map(|(_, words)| words)
    }

    #[test]
    fn a_line_says_what_is_due_and_what_was_late() {
        let due = Standing::Runs { due_at: Some(Timestamp(14_400)) };
        let words = "first response due 1970-01-01 04:00, in 2 h of business time";
        assert_eq!(told(due, 120, None).unwrap(), words);
        let over = Standing::Runs { due_at: Some(Timestamp(3600)) };
        assert_eq!(
            told(over, 300, Some(3600)).unwrap(),
            "first response overdue since 1970-01-01 01:00"
        );
        let words = "first response rests, with 3 h 30 min of business time left";
        assert_eq!(told(Standing::Rests, 30, None).unwrap(), words);
        let ended = Standing::Ended { at: Timestamp(60) };
        assert_eq!(told(ended, 30, None), None);
        let words = "first response was late: it took 5 h of business time, not 4 h";
        assert_eq!(told(ended, 300, Some(3600)).unwrap(), words);
    }
}
