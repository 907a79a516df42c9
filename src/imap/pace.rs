//! How fast a server is asked: slower while it says that it throttles. Pure; the session sleeps.
//!
//! Gmail says `OK Success [THROTTLED]` and takes ten seconds and more for each answer (G72). That is no error: who goes on
//! slowly gets everything. After each such answer as much time is left as it took, so that half the time nothing is asked.

use std::time::Duration;

/// The shortest and the longest pause before a command, while the server throttles.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How long an answer is waited for, at least, from a server that throttles.
const PATIENCE_MIN: Duration = Duration::from_secs(300);

/// How fast the server wants to be asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Pace {
    pause: Duration,
}

impl Pace {
    /// The server answered OK with these words, after so long.
    pub(super) fn answered(&mut self, words: &str, took: Duration) {
        self.pause = match words.to_ascii_uppercase().contains("[THROTTLED]") {
            true => took.clamp(PAUSE_MIN, PAUSE_MAX),
            false => Duration::ZERO,
        };
    }

    /// How long to wait before the next command.
    pub(super) fn pause(self) -> Duration {
        self.pause
    }

    /// Whether the server throttles.
    pub(super) fn is_slowed(self) -> bool {
        !self.pause.is_zero()
    }

    /// How long an answer is waited for.
    pub(super) fn patience(self, usual: Duration) -> Duration {
        if self.is_slowed() { usual.max(PATIENCE_MIN) } else { usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_server_is_asked_half_as_much_and_waited_for_longer() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut pace = Pace::default();
        pace.answered("Success", minute);
        assert_eq!((pace.pause(), pace.patience(minute)), (Duration::ZERO, minute));
        pace.answered("Success [THROTTLED]", 3 * second);
        assert_eq!((pace.pause(), pace.patience(minute)), (3 * second, PATIENCE_MIN));
        pace.answered("Success [THROTTLED]", minute);
        assert_eq!((pace.pause(), pace.patience(2 * PATIENCE_MIN)), (PAUSE_MAX, 2 * PATIENCE_MIN));
        pace.answered("[THROTTLED]", Duration::ZERO);
        assert_eq!(pace.pause(), PAUSE_MIN);
        pace.answered("Success", second);
        assert!(!pace.is_slowed());
    }
}
