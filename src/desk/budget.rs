//! How much of a mailbox may be read in a day: a provider that has given too much locks the account. Pure.
//!
//! Gmail gives 2500 MB a day by IMAP to all clients of an account together, and locks it for up to a day then (G70, G71).
//! Near the budget, what can wait waits: mail from before the cut-over. Where to start: [`reading`].

use crate::clock::Timestamp;

/// The share of the budget, in percent, that mail from before the cut-over may use up.
pub const HISTORY_PERCENT: u64 = 80;

const DAY_SECONDS: i64 = 86_400;

/// What may be read on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reading {
    /// Everything.
    Everything,
    /// New mail; history waits for the next day.
    NewMail,
    /// Nothing before the next day.
    Nothing,
}

/// What may be read on after so many bytes of a day's budget; without a budget, everything.
pub fn reading(received: u64, budget: Option<u64>) -> Reading {
    let Some(budget) = budget else { return Reading::Everything };
    let for_history = budget / 100 * HISTORY_PERCENT;
    match received {
        received if received >= budget => Reading::Nothing,
        received if received >= for_history => Reading::NewMail,
        _ => Reading::Everything,
    }
}

/// The day to which a moment belongs: days since 1970-01-01, in UTC.
pub fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_SECONDS)
}

/// When the day after begins.
pub fn next_day(at: Timestamp) -> Timestamp {
    Timestamp((day(at) + 1) * DAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_waits_first() {
        let budget = Some(2_000_000_000);
        assert_eq!(reading(0, budget), Reading::Everything);
        assert_eq!(reading(1_599_999_999, budget), Reading::Everything);
        assert_eq!(reading(1_600_000_000, budget), Reading::NewMail);
        assert_eq!(reading(1_999_999_999, budget), Reading::NewMail);
        assert_eq!(reading(2_000_000_000, budget), Reading::Nothing);
        assert_eq!(reading(u64::MAX, None), Reading::Everything);
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        assert_eq!((day(Timestamp(86_399)), day(Timestamp(86_400))), (0, 1));
        assert_eq!(next_day(Timestamp(0)), Timestamp(86_400));
        assert_eq!(next_day(Timestamp(86_400)), Timestamp(172_800));
        assert_eq!(next_day(Timestamp(-1)), Timestamp(0));
    }
}
