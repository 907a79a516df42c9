//! Deadlines from a table, held against a way of counting that is slow and has nothing in common with the fast one: minute
//! by minute, with the clock on the wall.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// The slow way: is the clock on the wall, in this minute, within the hours of its day, or of those of the day before?
#[derive(Debug)]
struct Slow {
    zone: TimeZone,
    week: [Vec<Shift>; 7],
    breaks: Vec<Shift>,
    closed: Vec<Date>,
}

impl Slow {
    fn fast(&self) -> Calendar {
        let closed = self.closed.iter().copied();
        Calendar::new(self.zone.clone(), self.week.clone(), &self.breaks, closed)
    }

    fn is_open(&self, at: Timestamp) -> bool {
        let shown =
            jiff::Timestamp::from_second(at.0).unwrap().to_zoned_datetime(self.zone.clone());
        let minute = shown.hour() as u16 * 60 + shown.minute() as u16;
        let holds = |shift: &Shift, minute: u16| (shift.begins..shift.ends).contains(&minute);
        let in_shift = |day: Date, minute: u16| {
            let shifts = &self.week[day.weekday().to_monday_zero_offset() as usize];
            !self.closed.contains(&day) && shifts.iter().any(|shift| holds(shift, minute))
        };
        let today = shown.date();
        let on_break = self.breaks.iter().any(|pause| holds(pause, minute));
        let works =
            in_shift(today, minute) || in_shift(today.yesterday().unwrap(), minute + 24 * 60);
        works && !on_break
    }

    fn after(&self, from: Timestamp, minutes: u64) -> Timestamp {
        let (mut at, mut left) = (from, minutes);
        while left > 0 {
            left -= u64::from(self.is_open(at));
            at = Timestamp(at.0 + 60);
        }
        at
    }

    fn between(&self, from: Timestamp, until: Timestamp) -> u64 {
        (from.0..until.0).step_by(60).filter(|at| self.is_open(Timestamp(*at))).count() as u64
    }
}

/// `09:00-17:30`; an end before its beginning is on the next day.
fn shift(text: &str) -> Shift {
    let minutes = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    };
    let (begins, ends) = text.split_once('-').unwrap();
    let (begins, ends) = (minutes(begins), minutes(ends));
    Shift { begins, ends: if begins < ends { ends } else { ends + 24 * 60 } }
}

fn named(calendar: &str, zone: &str) -> Slow {
    let on = |days: &[usize], shifts: &[&str]| -> [Vec<Shift>; 7] {
        std::array::from_fn(|day| {
            let shifts = if days.contains(&day) { shifts } else { &[] };
            shifts.iter().map(|text| shift(text)).collect()
        })
    };
    let (week, breaks, closed): (_, &[&str], Vec<Date>) = match calendar {
        "office" => (on(&[0, 1, 2, 3, 4], &["09:00-17:00"]), &[], vec![]),
        "lunch" => {
            (on(&[0, 1, 2, 3, 4], &["08:30-17:30"]), &["12:15-13:00", "15:00-15:10"], vec![])
        }
        "holidays" => (
            on(&[0, 1, 2, 3, 4], &["09:00-17:00"]),
            &[],
            vec![date(2024, 2, 29), date(2026, 10, 26), date(2026, 12, 25), date(2027, 1, 1)],
        ),
        "nights" => (on(&[4, 5, 6], &["22:00-06:00"]), &["02:00-02:30"], vec![date(2026, 3, 28)]),
        "always" => (on(&[0, 1, 2, 3, 4, 5, 6], &["00:00-24:00"]), &[], vec![]),
        "two shifts" => {
            (on(&[0, 2, 6], &["01:30-03:15", "03:00-09:00", "20:00-02:00"]), &[], vec![])
        }
        other => panic!("{other}"),
    };
    let breaks = breaks.iter().map(|text| shift(text)).collect();
    Slow { zone: TimeZone::get(zone).unwrap(), week, breaks, closed }
}

const CALENDARS: [&str; 6] = ["office", "lunch", "holidays", "nights", "always", "two shifts"];

/// Columns: hours, zone, from, minutes of business time, deadline.
const CASES: &str = include_str!("../../../tests/data/calendar.txt");

fn cases() -> impl Iterator<Item = (&'static str, Slow, Timestamp, u64, Timestamp)> {
    CASES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [hours, zone, from, minutes, deadline] = columns[..] else { panic!("{line}") };
        let at = |text: &str| Timestamp::parse(text).unwrap_or_else(|| panic!("{line}"));
        (line, named(hours, zone), at(from), minutes.parse().unwrap(), at(deadline))
    })
}

#[test]
fn deadlines_are_where_the_table_says() {
    assert!(cases().count() >= 120);
    for (line, slow, from, minutes, deadline) in cases() {
        let calendar = slow.fast();
        let span = Duration::from_secs(minutes * 60);
        assert_eq!(calendar.after(from, span), Some(deadline), "{line}");
        assert_eq!(calendar.between(from, deadline), span, "{line}");
    }
}

#[test]
fn the_table_is_what_counting_minutes_gives() {
    for (line, slow, from, minutes, deadline) in cases() {
        assert_eq!(slow.after(from, minutes), deadline, "{line}");
    }
}

#[test]
fn what_is_never_open_has_no_deadline() {
    let closed = Calendar::new(TimeZone::UTC, std::array::from_fn(|_| Vec::new()), &[], []);
    let from = Timestamp(1_000_000);
    assert_eq!(closed.after(from, Duration::from_secs(60)), None);
    assert_eq!(closed.after(from, Duration::ZERO), Some(from));
    assert_eq!(closed.opens(from), None);
    assert!(!closed.is_open(from));
}

#[test]
fn a_break_can_eat_a_whole_shift() {
    let part = shift("12:00-12:30");
    assert_eq!(without(part, shift("12:00-13:00")), []);
    assert_eq!(without(part, shift("12:30-13:00")), [part]);
    let night = shift("22:00-06:00");
    assert_eq!(
        without(night, shift("00:00-00:30")),
        [Shift { begins: 22 * 60, ends: 24 * 60 }, Shift { begins: 24 * 60 + 30, ends: 30 * 60 },]
    );
}

#[test]
fn business_time_begins_with_the_next_shift() {
    let office = named("office", "Europe/Berlin").fast();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    assert_eq!(office.opens(at("2026-11-27T16:00:00Z")), Some(at("2026-11-30T08:00:00Z")));
    let morning = at("2026-11-30T09:30:00Z");
    assert_eq!(office.opens(morning), Some(morning));
    assert!(office.is_open(morning) && !office.is_open(at("2026-11-30T16:00:00Z")));
}

/// A minute near one of the changes of offset, or anywhere in these years.
fn moments() -> impl Strategy<Value = Timestamp> {
    let changes = [
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-04-04T15:00:00Z",
    ];
    let near = (0..changes.len(), -4_000i64..4_000).prop_map(move |(which, minutes)| {
        Timestamp(Timestamp::parse(changes[which]).unwrap().0 + minutes * 60)
    });
    let anywhere = (28_400_000i64..30_000_000).prop_map(|minute| Timestamp(minute * 60));
    prop_oneof![near, anywhere]
}

fn calendars() -> impl Strategy<Value = Slow> {
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];
    (0..CALENDARS.len(), 0..zones.len())
        .prop_map(move |(hours, zone)| named(CALENDARS[hours], zones[zone]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn counting_minutes_gives_the_same(slow in calendars(), from in moments(), minutes in 0u64..3_000, far in 0i64..9_000) {
        let calendar = slow.fast();
        let deadline = calendar.after(from, Duration::from_secs(minutes * 60));
        prop_assert_eq!(deadline, Some(slow.after(from, minutes)));
        let until = Timestamp(from.0 + far * 60);
        prop_assert_eq!(calendar.between(from, until).as_secs(), slow.between(from, until) * 60);
        prop_assert_eq!(calendar.is_open(from), slow.is_open(from));
    }

    #[test]
    fn who_begins_later_is_due_no_earlier(slow in calendars(), from in moments(), later in 0i64..500_000, seconds in 0u64..400_000) {
        let (calendar, span) = (slow.fast(), Duration::from_secs(seconds));
        prop_assert!(calendar.after(from, span) <= calendar.after(Timestamp(from.0 + later), span));
    }

    #[test]
    fn time_is_the_sum_of_its_parts(slow in calendars(), from in moments(), first in 0i64..500_000, second in 0i64..500_000) {
        let calendar = slow.fast();
        let (middle, end) = (Timestamp(from.0 + first), Timestamp(from.0 + first + second));
        prop_assert_eq!(calendar.between(from, middle) + calendar.between(middle, end), calendar.between(from, end));
        let spent = calendar.between(from, end);
        if !spent.is_zero() {
            let reached = calendar.after(from, spent).unwrap();
            prop_assert!(reached <= end);
            prop_assert_eq!(calendar.between(from, reached), spent);
        }
    }
}
