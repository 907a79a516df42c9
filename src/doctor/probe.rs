//! What is said of what was tried with a message of our own; and what is tried.

use super::check::{Check, Sheet, Theme};
use super::letter::Letter;
use crate::clock::Timestamp;
use crate::config::Mailbox;
use crate::daemon;
use crate::desk::layout::{Dialect, Layout};
use crate::desk::marks::{Mark, Place};
use crate::imap::Role;
use crate::imap::checkup::Visit;
use crate::imap::rehearsal::{Plan, Push, Rehearsal};

const NAMES: [&str; 7] = [
    "probe-folders",
    "probe-append",
    "probe-push",
    "probe-clock",
    "probe-marks",
    "probe-move",
    "probe-removed",
];

/// The capability of Gmail's labels (G4).
const GMAIL: &str = "X-GM-EXT-1";
/// How far apart our clock and the server's may be, in seconds. Tokens are signed with ours.
const SKEW_SECONDS: u64 = 30;
const SKEW_SECONDS_MAX: u64 = 300;
/// A push that takes longer is no better than a poll.
const PUSH_SLOW_MS: u128 = 5_000;

/// How the trial went.
#[derive(Debug)]
pub(super) enum Trial {
    /// Not tried, and why.
    Skipped(String),
    /// Tried, to this end.
    Done(Box<Rehearsal>),
    /// The connection was lost.
    Lost(String),
}

/// What to try, or why nothing can be.
pub(super) fn plan(
    mailbox: &Mailbox,
    visit: &Visit,
    layout: Layout,
    letter: &Letter,
) -> Result<Plan, String> {
    let has = |name: &str| visit.server.capabilities.iter().any(|have| have == name);
    if !has("UIDPLUS") {
        return Err("the server lacks UIDPLUS, so the message could not be removed again".into());
    }
    let trash = if has(GMAIL) {
        let trash = super::folders::found(&visit.folders, Role::Trash);
        let trash = trash.ok_or("Gmail's Trash is hidden, so the message could not be removed")?;
        Some(trash.name.clone())
    } else {
        None
    };
    let policy = &mailbox.policy;
    let dialect = daemon::dialect(policy, layout, &visit.folders);
    // Where marks are keywords there are no folders, so two are made for the time of the trial.
    let in_folders = Dialect { layout: Layout::Folders, ..dialect.clone() };
    let folders = in_folders.folders(policy).into_iter().next();
    let (folder, target) = folders
        .zip(in_folders.folder(policy, &Place::Ignored))
        .ok_or("Baton's folders have no names")?;
    let mark = match layout {
        Layout::Keywords | Layout::Labels => dialect.keyword(policy, &Mark::Resolved),
        Layout::Folders => "\\Answered".to_owned(),
    };
    Ok(Plan {
        folder,
        target,
        temporary: layout == Layout::Keywords,
        mark,
        message: letter.bytes.clone(),
        word: letter.word.clone(),
        trash,
    })
}

/// What is to be said.
pub(super) fn checks(trial: &Trial) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Probe);
    match trial {
        Trial::Skipped(why) => sheet.skip_all(&NAMES, why),
        Trial::Lost(why) => {
            sheet.fail(
                "probe-folders",
                format!("the trial came to no end: {why}"),
                "try again; the mail \"Baton tries out this mailbox\" may still be there",
            );
            sheet.skip_all(NAMES.get(1..).unwrap_or_default(), "the trial came to no end");
        }
        Trial::Done(told) => rehearsed(told, &mut sheet),
    }
    sheet.done()
}

fn rehearsed(told: &Rehearsal, sheet: &mut Sheet) {
    match &told.made {
        Some(Ok(made)) if made.is_empty() => sheet.pass("probe-folders", "they were there"),
        Some(Ok(made)) => {
            let later = if told.unmade { ", and removed again" } else { "" };
            sheet.pass("probe-folders", format!("made: {}{later}", made.join(", ")));
        }
        Some(Err(words)) => sheet.fail(
            "probe-folders",
            format!("they cannot be made: {words}"),
            "let the account make folders, or make them by hand",
        ),
        None => sheet.skip("probe-folders", "not reached"),
    }
    match &told.appended {
        Some(Ok(true)) => sheet.pass("probe-append", "taken, with its new UID (APPENDUID)"),
        Some(Ok(false)) => sheet.pass("probe-append", "taken, but the new UID was not told"),
        Some(Err(words)) => sheet.fail(
            "probe-append",
            format!("the server takes no message: {words}"),
            "look at the quota, and at what the account may do",
        ),
        None => sheet.skip("probe-append", "not reached"),
    }
    push(told.push.as_ref(), sheet);
    clock(told.arrived_at, told.sent_at, sheet);
    match &told.marked {
        Some(Ok(true)) => sheet.pass("probe-marks", "a mark was put on, and was still there"),
        Some(Ok(false)) => sheet.fail(
            "probe-marks",
            "the server took a mark and forgot it",
            "write layout = \"folders\", or let the server keep keywords",
        ),
        Some(Err(words)) => sheet.fail(
            "probe-marks",
            format!("the server takes no mark: {words}"),
            "write layout = \"folders\", or let the account write flags",
        ),
        None => sheet.skip("probe-marks", "not reached"),
    }
    match &told.moved {
        Some(Ok(true)) => sheet.pass("probe-move", "moved, and the new UID was told (COPYUID)"),
        Some(Ok(false)) => {
            sheet.pass("probe-move", "moved; without COPYUID, so it is found by its content");
        }
        Some(Err(words)) => sheet.fail(
            "probe-move",
            format!("it could not be moved: {words}"),
            "let the account move messages",
        ),
        None => sheet.skip("probe-move", "not reached"),
    }
    match &told.removed {
        Some(Ok(())) => sheet.pass("probe-removed", "nothing is left of it"),
        Some(Err(words)) => sheet.warn(
            "probe-removed",
            format!("it could not be removed: {words}"),
            "delete the mail \"Baton tries out this mailbox\" in Baton's folder",
        ),
        None => sheet.skip("probe-removed", "there was nothing to remove"),
    }
}

fn push(push: Option<&Push>, sheet: &mut Sheet) {
    let polls = "nothing is lost, since Baton polls too; lower poll_seconds if it matters";
    match push {
        Some(Push::Heard(milliseconds)) if *milliseconds < PUSH_SLOW_MS => {
            sheet.pass("probe-push", format!("IDLE told of it within {milliseconds} ms"));
        }
        Some(Push::Heard(milliseconds)) => {
            sheet.warn("probe-push", format!("IDLE told of it after {milliseconds} ms"), polls);
        }
        // M53
        Some(Push::Deaf(wait)) => sheet.warn(
            "probe-push",
            format!("IDLE did not tell of it within {} s", wait.as_secs()),
            polls,
        ),
        Some(Push::Refused(words)) => {
            sheet.warn("probe-push", format!("the server would not idle: {words}"), polls);
        }
        None => sheet.skip("probe-push", "the server has no IDLE, or nothing was there to hear of"),
    }
}

fn clock(arrived_at: Option<Timestamp>, sent_at: Option<Timestamp>, sheet: &mut Sheet) {
    let Some((server, ours)) = arrived_at.zip(sent_at) else {
        return sheet.skip("probe-clock", "the server told no time");
    };
    let apart = server.0.abs_diff(ours.0);
    let which = if server > ours { "ahead of" } else { "behind" };
    let what = format!("the server's clock is {apart} s {which} this machine's");
    let remedy = "set this machine's clock by NTP (timedatectl set-ntp true); if it is right, tell the server's keeper";
    match apart {
        SKEW_SECONDS_MAX.. => sheet.fail("probe-clock", what, remedy),
        SKEW_SECONDS.. => sheet.warn("probe-clock", what, remedy),
        _ => sheet.pass("probe-clock", "the server's clock agrees with this machine's"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::check::Outcome;
    use super::*;

    fn outcomes(told: Rehearsal) -> Vec<(&'static str, Outcome)> {
        let checks = checks(&Trial::Done(Box::new(told)));
        checks.iter().map(|check| (check.name, check.outcome)).collect()
    }

    #[test]
    fn each_step_is_judged_by_itself() {
        let at = Timestamp(1_800_000_000);
        let told = Rehearsal {
            made: Some(Ok(Vec::new())),
            unmade: false,
            appended: Some(Ok(true)),
            push: Some(Push::Deaf(Duration::from_secs(10))),
            sent_at: Some(at),
            arrived_at: Some(Timestamp(at.0 - 400)),
            marked: Some(Ok(false)),
            moved: Some(Err("no".into())),
            removed: Some(Err("no".into())),
        };
        use Outcome::{Fail, Pass, Warn};
        assert_eq!(
            outcomes(told).into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>(),
            [Pass, Pass, Warn, Fail, Fail, Fail, Warn]
        );
        assert!(outcomes(Rehearsal::default()).iter().all(|(_, one)| *one == Outcome::Skipped));
    }
}
