//! When to try again. Every error at the edge answers with a [`Retry`]; this file turns it into a time.

use std::time::Duration;

/// What an error says about trying again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// The cause may pass on its own.
    Later,
    /// The server named a time.
    After(Duration),
    /// The server set a limit that lasts: each further try waits twice as long, from `first` to `most`.
    Rarely {
        /// The first pause.
        first: Duration,
        /// The longest.
        most: Duration,
    },
    /// Trying again soon cannot help; a person must act.
    Never,
}

impl Retry {
    /// Whether the other side asked for the wait: then nobody makes it shorter.
    pub fn was_asked_for(self) -> bool {
        match self {
            Retry::After(_) | Retry::Rarely { .. } => true,
            Retry::Later | Retry::Never => false,
        }
    }
}

/// The first pause after a failure.
pub const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest pause after a failure that may pass on its own.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// The pause after a failure that needs a person: a wrong password tried fast locks accounts.
pub const WAIT_FOR_A_PERSON: Duration = Duration::from_secs(300);

/// How long to wait after the `failures`th failure in a row. `spread`, between 0 and 1, keeps many
/// clients apart and comes from the caller, so that this stays a function.
pub fn pause(retry: Retry, failures: u32, spread: f64) -> Duration {
    let wait = match retry {
        Retry::After(wait) => wait.clamp(WAIT_MIN, WAIT_FOR_A_PERSON),
        Retry::Never => WAIT_FOR_A_PERSON,
        Retry::Rarely { first, most } => doubled(first, failures).min(most),
        Retry::Later => doubled(WAIT_MIN, failures).min(WAIT_MAX),
    };
    // What was asked for is never cut short: the spread only adds.
    wait + wait.mul_f64(spread.clamp(0.0, 1.0) / 4.0)
}

fn doubled(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let waits: Vec<u64> =
            (1..=8).map(|failures| pause(Retry::Later, failures, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(Retry::Later, u32::MAX, 1.0).as_secs(), 75);
        assert_eq!(pause(Retry::Never, 1, 0.0), WAIT_FOR_A_PERSON);
        assert_eq!(pause(Retry::After(Duration::from_secs(92_415)), 1, 0.0), WAIT_FOR_A_PERSON);
        assert_eq!(pause(Retry::After(Duration::from_secs(9)), 1, 0.0).as_secs(), 9);
        let rarely = Retry::Rarely { first: WAIT_MAX, most: WAIT_FOR_A_PERSON };
        let waits: Vec<u64> =
            (1..=4).map(|failures| pause(rarely, failures, 0.0).as_secs()).collect();
        assert_eq!(waits, [60, 120, 240, 300]);
        assert_eq!(pause(rarely, u32::MAX, 0.0), WAIT_FOR_A_PERSON);
    }
}
