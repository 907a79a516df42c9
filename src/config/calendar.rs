//! Checks the `[[calendar]]` sections: when somebody is there to answer.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::document::Field;
use super::file::CalendarForm;
use super::problem::{Problems, Wrong, shown};
use super::rules;
use crate::desk::calendar::{Calendar, Shift};

const DAY_MINUTES: u16 = 24 * 60;

/// The checked calendar with its name; `None` when something was wrong, which has then been reported.
pub(super) fn check(form: &CalendarForm, problems: &mut Problems) -> Option<(String, Calendar)> {
    let name = form
        .name
        .required(problems, "write name = \"office\", by which [mailbox.deadlines] names it")
        .check(problems, |text| rules::name(text));
    let zone = form
        .time_zone
        .required(problems, "write time_zone = \"Europe/Berlin\", where these hours hold")
        .check(problems, |text: &String| time_zone(text));
    let week = form.week.each_ref().map(|day| list(day, problems, shift));
    let breaks = list(&form.breaks, problems, pause);
    let closed = list(&form.holidays, problems, day);
    let [Some(mon), Some(tue), Some(wed), Some(thu), Some(fri), Some(sat), Some(sun)] = week else {
        return None;
    };
    let week = [mon, tue, wed, thu, fri, sat, sun];
    if week.iter().all(Vec::is_empty) && form.week.iter().all(Field::is_absent) {
        let remedy = "write monday = [\"09:00-17:00\"], and so on";
        problems.add(&form.name.at, "this calendar has no hours", remedy);
        return None;
    }
    Some((name?, Calendar::new(zone?, week, &breaks?, closed?)))
}

/// Refuses the name of another calendar.
pub(super) fn refuse_shared(forms: &[CalendarForm], problems: &mut Problems) {
    let mut names: Vec<&str> = Vec::new();
    for form in forms {
        let Some(name) = form.name.given() else { continue };
        if names.contains(&name.as_str()) {
            let what = format!("{} is the name of another calendar", shown(name));
            problems.add(&form.name.at, what, "give each calendar a name of its own");
        }
        names.push(name);
    }
}

/// Every text of a list, checked; nothing where there is no list.
fn list<T>(
    field: &Field<Vec<Field<String>>>,
    problems: &mut Problems,
    rule: impl Fn(&str) -> Result<T, Wrong>,
) -> Option<Vec<T>> {
    if field.is_absent() {
        return Some(Vec::new());
    }
    let checked: Vec<Option<T>> =
        field.given()?.iter().map(|text| text.check(problems, |text| rule(text))).collect();
    checked.into_iter().collect()
}

fn time_zone(text: &str) -> Result<TimeZone, Wrong> {
    TimeZone::get(text).map_err(|_| {
        let what = format!("{} is no time zone that this machine knows", shown(text));
        let remedy = "write a name of the tz database, as in \"Europe/Berlin\" or \"UTC\"; on Debian \
                      the package tzdata has them";
        Wrong::new(what, remedy)
    })
}

/// `09:00-17:30`; what ends before it begins goes on past midnight.
fn shift(text: &str) -> Result<Shift, Wrong> {
    let Shift { begins, ends } = span(text)?;
    if begins == ends {
        let what = format!("{} ends when it begins", shown(text));
        return Err(Wrong::new(what, "write \"00:00-24:00\" for a whole day"));
    }
    Ok(Shift { begins, ends: if begins < ends { ends } else { ends + DAY_MINUTES } })
}

/// A break is short, so one that ends before it begins is a slip of the pen.
fn pause(text: &str) -> Result<Shift, Wrong> {
    let pause = span(text)?;
    if pause.ends <= pause.begins {
        let what = format!("{} ends before it begins", shown(text));
        return Err(Wrong::new(what, "write it as in \"12:30-13:00\""));
    }
    Ok(pause)
}

fn span(text: &str) -> Result<Shift, Wrong> {
    let read = || {
        let (begins, ends) = text.split_once('-')?;
        let (begins, ends) = (minutes(begins.trim())?, minutes(ends.trim())?);
        (begins < DAY_MINUTES).then_some(Shift { begins, ends })
    };
    read().ok_or_else(|| {
        let what = format!("{} is no time of the day", shown(text));
        Wrong::new(what, "write it as in \"09:00-17:30\"; \"22:00-06:00\" goes past midnight")
    })
}

/// `09:30`; `24:00` is the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY_MINUTES).then_some(all)
}

fn day(text: &str) -> Result<Date, Wrong> {
    let is_day = text.len() == "2026-12-25".len();
    text.parse::<Date>().ok().filter(|_| is_day).ok_or_else(|| {
        let remedy = "write each day as in \"2026-12-25\"";
        Wrong::new(format!("{} is no day", shown(text)), remedy)
    })
}
