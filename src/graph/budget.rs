//! How many requests may be made: below what Microsoft allows an application in one mailbox (M113).

use std::time::Duration;

/// Requests that may be made at once after a quiet time.
const BURST: f64 = 2000.0;
/// Requests each second that may be made for ever: with the burst, 9,800 in ten minutes of the 10,000 (M113).
const EACH_SECOND: f64 = 13.0;

/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
}

impl Budget {
    pub(super) fn full() -> Budget {
        Budget { left: BURST }
    }

    /// Spends one request, `since` the last one; answers how long to wait before it is made.
    pub(super) fn spend(&mut self, since: Duration) -> Duration {
        self.left = (self.left + since.as_secs_f64() * EACH_SECOND).min(BURST) - 1.0;
        if self.left >= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(-self.left / EACH_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_hold_less_than_microsoft_allows() {
        let (mut budget, mut clock, mut requests, mut since) =
            (Budget::full(), Duration::ZERO, 0, Duration::ZERO);
        while clock < Duration::from_secs(600) {
            let wait = budget.spend(since);
            clock += wait + Duration::from_millis(1);
            since = wait + Duration::from_millis(1);
            requests += 1;
        }
        assert!((9_000..10_000).contains(&requests), "{requests}");
        assert_eq!(budget.spend(Duration::from_secs(3600)), Duration::ZERO);
    }
}
