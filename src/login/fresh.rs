//! When a token is renewed. Pure.

use std::time::Duration;

use crate::clock::Timestamp;

/// The life of a token of which the provider says nothing (RFC 6749, section 5.1, leaves it out; M79).
pub(super) const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// How long before its end a token is renewed at the latest.
const MARGIN_MAX: Duration = Duration::from_secs(300);

/// When a token that was got at `obtained` for `life` is to be renewed: up to five minutes, and at most a fifth of its
/// life, before the end; and up to as much again earlier, by `jitter` between 0 and 1, so that many mailboxes do not
/// ask together.
pub fn renew_at(obtained: Timestamp, life: Duration, jitter: f64) -> Timestamp {
    let margin = (life / 5).min(MARGIN_MAX);
    let early = margin + margin.mul_f64(jitter.clamp(0.0, 1.0));
    obtained + life.saturating_sub(early)
}

/// Whether a token may still be used. A clock that was set back makes it doubtful, so it may not.
pub(super) fn is_fresh(obtained: Timestamp, renew_at: Timestamp, now: Timestamp) -> bool {
    obtained <= now && now < renew_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end_and_not_all_at_once() {
        let at = |life: u64, jitter| renew_at(Timestamp(1000), Duration::from_secs(life), jitter).0;
        assert_eq!(at(3600, 0.0), 1000 + 3300);
        assert_eq!(at(3600, 1.0), 1000 + 3000);
        assert_eq!(at(10, 0.0), 1000 + 8);
        assert_eq!(at(0, 1.0), 1000);
        assert_eq!(at(3600, f64::MAX), 1000 + 3000);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_a_token_doubtful() {
        let fresh = |now| is_fresh(Timestamp(100), Timestamp(200), Timestamp(now));
        assert!(fresh(100) && fresh(199));
        assert!(!fresh(99) && !fresh(200));
    }
}
