//! Checks `[mailbox.deadlines]`: how much business time there is for what is owed.

use std::time::Duration;

use super::document::Field;
use super::file::DeadlinesForm;
use super::problem::{Problems, Wrong, nearest, shown};
use super::rules;
use crate::desk::calendar::Calendar;
use crate::desk::clocks::{Deadlines, Targets};

/// How long a new thread may have no owner where the file does not say, minutes.
const DEFAULT_TRIAGE: u32 = 30;
/// The longest target, minutes: a year.
const TARGET_MAX: u32 = 366 * 24 * 60;

/// The checked deadlines, none without the section; `None` when something was wrong, which has then been reported.
pub(super) fn check(
    field: &Field<DeadlinesForm>,
    calendars: &[(String, Calendar)],
    problems: &mut Problems,
) -> Option<Option<Deadlines>> {
    if field.is_absent() {
        return Some(None);
    }
    let form = field.given()?;
    let calendar =
        form.calendar.check_or(Calendar::always(), problems, |name| existing(name, calendars));
    let mut target = |field: &Field<i64>, usual: Option<u32>| {
        let minutes = field
            .check_or(usual, problems, |number| rules::within(*number, 1..=TARGET_MAX).map(Some))?;
        Some(minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)))
    };
    let triage = target(&form.triage_minutes, Some(DEFAULT_TRIAGE));
    let first_response = target(&form.first_response_minutes, None);
    let next_response = target(&form.next_response_minutes, None);
    let resolution = target(&form.resolution_minutes, None);
    let targets = Targets {
        triage: triage?,
        first_response: first_response?,
        next_response: next_response?,
        resolution: resolution?,
    };
    Some(Some(Deadlines { calendar: calendar?, targets }))
}

fn existing(name: &str, calendars: &[(String, Calendar)]) -> Result<Calendar, Wrong> {
    if let Some((_, calendar)) = calendars.iter().find(|(known, _)| known == name) {
        return Ok(calendar.clone());
    }
    let names = || calendars.iter().map(|(name, _)| name.as_str());
    let remedy = match nearest(name, names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => {
            "write the name of a [[calendar]], or leave the key out: then all time counts".into()
        }
    };
    Err(Wrong::new(format!("there is no calendar {}", shown(name)), remedy))
}
