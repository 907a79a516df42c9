//! Times as people write and read them. Everything is UTC, and says so where it is shown.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::when;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time on the command line: fixed, or so far away from now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moment {
    /// `2026-12-01T09:00:00Z`, `2026-12-01 09:00`, `2026-12-01`.
    At(Timestamp),
    /// `2h`, `3d`.
    Away(Duration),
}

impl Moment {
    /// The time, counted from `now` into the future.
    pub(super) fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::At(at) => at,
            Moment::Away(wait) => now + wait,
        }
    }

    /// The time, counted from `now` into the past.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::At(at) => at,
            Moment::Away(ago) => now - ago,
        }
    }
}

/// Reads a time from the command line.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let text = text.trim();
    when::point(text).map(Moment::At).or_else(|| when::span(text).map(Moment::Away)).ok_or_else(
        || {
            "write a day (2026-12-01), a time in UTC (\"2026-12-01 09:00\"), RFC 3339 \
             (2026-12-01T09:00:00+01:00), or a span (30m, 2h, 3d, 1w)"
                .into()
        },
    )
}

/// `2026-11-03 09:12`, in UTC.
pub(super) fn short(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.chars().take(5).collect::<String>()),
        None => text,
    }
}

/// How long ago, in one unit: `5m`, `3h`, `12d`.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    match now.since(at).as_secs() {
        seconds if seconds < MINUTE => "now".into(),
        seconds if seconds < HOUR => format!("{}m", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn at(text: &str, expected: &str) {
        assert_eq!(moment(text), Ok(Moment::At(Timestamp::parse(expected).unwrap())), "{text}");
    }

    #[test]
    fn a_time_may_be_written_in_several_ways() {
        at("2026-12-01", "2026-12-01T00:00:00Z");
        at("2026-12-01 09:30", "2026-12-01T09:30:00Z");
        at("2026-12-01T09:30", "2026-12-01T09:30:00Z");
        at("2026-12-01T09:30:00Z", "2026-12-01T09:30:00Z");
        at("2026-12-01T09:30:00+01:00", "2026-12-01T08:30:00Z");
    }

    #[test]
    fn a_span_counts_from_now_in_the_direction_that_is_meant() {
        let now = Timestamp(1_000_000);
        assert_eq!(moment("2h").unwrap().after(now), Timestamp(1_007_200));
        assert_eq!(moment("30m").unwrap().before(now), Timestamp(998_200));
        assert_eq!(moment("1w").unwrap(), Moment::Away(Duration::from_secs(604_800)));
        assert_eq!(
            moment("2026-12-01").unwrap().before(now),
            moment("2026-12-01").unwrap().after(now)
        );
    }

    #[test]
    fn what_is_no_time_is_refused_with_examples() {
        for wrong in ["", "soon", "2026-13-01", "2026-02-30", "-2h", "2x", "h", "09:30", "é"] {
            let told = moment(wrong).unwrap_err();
            assert!(told.contains("2026-12-01"), "{wrong}: {told}");
        }
    }

    #[test]
    fn times_are_shown_short() {
        let now = Timestamp::parse("2026-11-03T09:12:40Z").unwrap();
        assert_eq!(short(now), "2026-11-03 09:12");
        let ages = [(5, "now"), (300, "5m"), (7_200, "2h"), (100_000, "27h"), (180_000, "2d")];
        for (seconds, expected) in ages {
            assert_eq!(age(now - Duration::from_secs(seconds), now), expected);
        }
        assert_eq!(age(now + Duration::from_secs(60), now), "now");
    }
}
