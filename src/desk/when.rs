//! Times as people write them. Everything is UTC.

use std::time::Duration;

use jiff::Unit;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use crate::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// When a day begins for whoever names no hour, o'clock.
const MORNING: i8 = 9;

/// A span: `30m`, `2h`, `3d`, `1w`.
pub fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(seconds.saturating_mul(count.into())))
}

/// A moment: `2026-12-01T09:00:00Z`, `2026-12-01 09:00`, `2026-12-01`.
pub fn point(text: &str) -> Option<Timestamp> {
    let civil = || in_utc(text.parse::<DateTime>().ok()?);
    Timestamp::parse(text).or_else(civil)
}

/// A moment in the future, seen from `now`: also `mon 9:00`, `tomorrow`.
pub fn until(text: &str, now: Timestamp) -> Option<Timestamp> {
    let at = span(text).map(|span| now + span).or_else(|| point(text));
    at.or_else(|| day_and_hour(text, now)).filter(|at| now < *at)
}

fn day_and_hour(text: &str, now: Timestamp) -> Option<Timestamp> {
    let today = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(now.0).ok()?).date();
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let day: Option<Date> = match first.to_lowercase().as_str() {
        "today" => Some(today),
        "tomorrow" => today.tomorrow().ok(),
        name => weekday(name).and_then(|day| today.nth_weekday(1, day).ok()),
    };
    let named = if day.is_some() { words.next() } else { Some(first) };
    let hour = match named {
        Some(hour) => hour_of(hour)?,
        None => Time::new(MORNING, 0, 0, 0).ok()?,
    };
    match words.next() {
        Some(_) => None,
        None => in_utc(day.unwrap_or(today).to_datetime(hour)),
    }
}

/// `9:00`, `09:30`.
fn hour_of(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn weekday(name: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let is_it = |day: &&(&str, Weekday)| name.len() >= 3 && day.0.starts_with(name);
    DAYS.iter().find(is_it).map(|day| day.1)
}

fn in_utc(civil: DateTime) -> Option<Timestamp> {
    let civil = civil.round(Unit::Second).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok().map(|at| Timestamp(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_lie_ahead() {
        // A Tuesday.
        let now = Timestamp::parse("2026-12-01T10:00:00Z").unwrap();
        let cases = [
            ("2h", Some("2026-12-01T12:00:00Z")),
            ("mon 9:00", Some("2026-12-07T09:00:00Z")),
            ("Tuesday", Some("2026-12-08T09:00:00Z")),
            ("tomorrow 14:30", Some("2026-12-02T14:30:00Z")),
            ("17:00", Some("2026-12-01T17:00:00Z")),
            ("2026-12-24", Some("2026-12-24T00:00:00Z")),
            ("2026-11-24", None),
            ("9:00", None),
            ("someday", None),
            ("mon 9:00 sharp", None),
            ("mo", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(until(text, now), expected.and_then(Timestamp::parse), "{text}");
        }
    }
}
