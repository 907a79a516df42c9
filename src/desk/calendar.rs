//! Business time: when somebody is there to answer, and how much of it lies between two moments.
//!
//! Hours are what the clock on the wall shows. The hour that a zone repeats in autumn counts twice, and the one that it leaves
//! out in spring not at all, just as for the people who work then. A shift belongs to the day on which it begins, also past
//! midnight; so does the holiday that lets it fall out.
//!
//! All work is done in the zone's own time, as seconds, between two changes of the zone's offset: see `Calendar::stretches`.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Timestamp;

const DAY: i64 = 86_400;
const MINUTE: i64 = 60;
/// How far a deadline is looked for; a calendar that is closed for longer has none.
const AHEAD_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// A part of a day, in minutes from its midnight. Past 24:00 it goes on into the next day.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub struct Shift {
    /// When it begins, 0 to 1439.
    pub begins: u16,
    /// When it ends: later than it begins, by a day at most.
    pub ends: u16,
}

/// The hours of a team.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calendar {
    zone: TimeZone,
    /// Monday first; each day's shifts by their beginning, without the breaks.
    week: [Vec<Shift>; 7],
    /// Days since 1970 on which no shift begins.
    closed: BTreeSet<i64>,
}

impl Calendar {
    /// A calendar of the zone, with shifts for each day of the week (Monday first), less the breaks, which hold every day, and
    /// with days on which no shift begins.
    pub fn new(
        zone: TimeZone,
        week: [Vec<Shift>; 7],
        breaks: &[Shift],
        closed: impl IntoIterator<Item = Date>,
    ) -> Calendar {
        let week = week.map(|shifts| {
            let mut parts = breaks.iter().fold(shifts, |shifts, pause| {
                shifts.iter().flat_map(|shift| without(*shift, *pause)).collect()
            });
            parts.sort_unstable();
            parts
        });
        Calendar { zone, week, closed: closed.into_iter().map(day_of).collect() }
    }

    /// Every minute of every day.
    pub fn always() -> Calendar {
        let all_day = || vec![Shift { begins: 0, ends: 24 * 60 }];
        Calendar::new(TimeZone::UTC, std::array::from_fn(|_| all_day()), &[], [])
    }

    /// How much business time lies between two moments; none where `until` is the earlier one.
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Duration {
        let mut total = 0;
        self.stretches(from, until, |stretch| {
            total += stretch.end - stretch.start;
            ControlFlow::Continue(())
        });
        Duration::from_secs(u64::try_from(total).unwrap_or(0))
    }

    /// The moment at which so much business time has gone by since `from`: `from` itself for none. `None` where the calendar is
    /// closed for ten years.
    pub fn after(&self, from: Timestamp, span: Duration) -> Option<Timestamp> {
        let mut left = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        if left == 0 {
            return Some(from);
        }
        let mut reached = None;
        self.stretches(from, from + AHEAD_MAX, |stretch| {
            let length = stretch.end - stretch.start;
            if left <= length {
                reached = Some(Timestamp(stretch.start + left));
                return ControlFlow::Break(());
            }
            left -= length;
            ControlFlow::Continue(())
        });
        reached
    }

    /// Whether the moment is business time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        !self.between(at, Timestamp(at.0.saturating_add(1))).is_zero()
    }

    /// When business time begins next, at `from` or later; `None` where that is not within ten years.
    pub fn opens(&self, from: Timestamp) -> Option<Timestamp> {
        let mut opens = None;
        self.stretches(from, from + AHEAD_MAX, |stretch| {
            opens = Some(Timestamp(stretch.start));
            ControlFlow::Break(())
        });
        opens
    }

    /// Shows `visit` the stretches of business time between two moments, one after the other, as seconds of UTC. They do not
    /// overlap; neighbours may touch.
    fn stretches(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut visit: impl FnMut(Range<i64>) -> ControlFlow<()>,
    ) {
        if self.week.iter().all(Vec::is_empty) {
            return;
        }
        let mut start = from.0;
        while start < until.0 {
            let Ok(at) = jiff::Timestamp::from_second(start) else { return };
            let change = self.zone.following(at).next().map(|next| next.timestamp().as_second());
            let end = change.unwrap_or(i64::MAX).min(until.0);
            let offset = i64::from(self.zone.to_offset(at).seconds());
            let shown = start + offset..end + offset;
            let in_utc = |local: Range<i64>| visit(local.start - offset..local.end - offset);
            if self.on_the_wall(shown, in_utc).is_break() {
                return;
            }
            start = end;
        }
    }

    /// The same within one offset, as seconds that the clock on the wall shows.
    fn on_the_wall(
        &self,
        shown: Range<i64>,
        mut visit: impl FnMut(Range<i64>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // What is before this has been visited, or is too early.
        let mut visited = shown.start;
        // A shift of yesterday may go on.
        for day in shown.start.div_euclid(DAY) - 1..=shown.end.div_euclid(DAY) {
            for shift in self.shifts_of(day) {
                let begins = (day * DAY + i64::from(shift.begins) * MINUTE).max(visited);
                let ends = (day * DAY + i64::from(shift.ends) * MINUTE).min(shown.end);
                if begins < ends {
                    visit(begins..ends)?;
                    visited = ends;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn shifts_of(&self, day: i64) -> &[Shift] {
        if self.closed.contains(&day) {
            return &[];
        }
        // 1970 began on a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        self.week.get(weekday).map_or(&[], Vec::as_slice)
    }
}

/// What a break leaves of a shift. It is taken on the day that the shift began and on the next.
fn without(shift: Shift, pause: Shift) -> Vec<Shift> {
    let mut left = vec![shift];
    for shifted in [0, 24 * 60] {
        let (begins, ends) = (pause.begins + shifted, pause.ends + shifted);
        left = left
            .into_iter()
            .flat_map(|part| {
                let before = Shift { begins: part.begins, ends: part.ends.min(begins) };
                let behind = Shift { begins: part.begins.max(ends), ends: part.ends };
                [before, behind].into_iter().filter(|part| part.begins < part.ends)
            })
            .collect();
    }
    left
}

/// Days since 1970.
fn day_of(date: Date) -> i64 {
    Date::constant(1970, 1, 1).duration_until(date).as_secs().div_euclid(DAY)
}

#[cfg(test)]
mod tests;
