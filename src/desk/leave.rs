//! When a mail that a person has moved may be moved again: a mail program that holds a copy of the mailbox puts the mail
//! back if the server moves it before that program has told of its own move (M33).

use std::time::Duration;

use crate::clock::Timestamp;

/// Until when Baton leaves a mail alone that a person moved at `moved_at`, as far as that is known; `None` when it may be
/// written to `now`. A clock that was set back makes nobody wait longer than `leave`.
pub fn left_until(
    moved_at: Option<Timestamp>,
    now: Timestamp,
    leave: Duration,
) -> Option<Timestamp> {
    let until = moved_at?.min(now) + leave;
    (now < until).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVE: Duration = Duration::from_secs(120);

    #[test]
    fn a_mail_is_left_alone_for_as_long_as_the_admin_says() {
        let now = Timestamp(1_000_000);
        let ago = |seconds: i64| Some(Timestamp(now.0 - seconds));
        let cases = [
            (None, LEAVE, None),
            (ago(0), LEAVE, Some(120)),
            (ago(119), LEAVE, Some(1)),
            (ago(120), LEAVE, None),
            (ago(121), LEAVE, None),
            // From before the clock was set back.
            (ago(-5000), LEAVE, Some(120)),
            (ago(0), Duration::ZERO, None),
        ];
        for (moved_at, leave, seconds) in cases {
            let until = seconds.map(|seconds| now + Duration::from_secs(seconds));
            assert_eq!(left_until(moved_at, now, leave), until, "{moved_at:?} {leave:?}");
        }
    }
}
