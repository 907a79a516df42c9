//! What the mailbox should show is compared with what it shows; the difference is what a door is asked to write.
//!
//! A plan says what to write and for which wishes; settling it writes down what the server did, so that the echo of our
//! own writing is no news.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::label;
use crate::desk::layout::{Layout, same_folder};
use crate::desk::leave::left_until;
use crate::desk::marks::{Place, should_carry, should_move, to_write, wanted_marks, wanted_place};
use crate::desk::retry::{Retry, pause};
use crate::desk::thread::{Change, MessageKey, Thread};
use crate::engine::Desk;
use crate::engine::record::record;
use crate::store::{Attempt, Effect, Located, Wish};

/// How many wishes go into one plan.
const WISHES_MAX: u32 = 200;
/// After how many refusals the desk is told that the marks are not shown.
const ATTEMPTS_MAX: u32 = 6;
/// How long a mail waits of which a copy is in doubt; a look or two settle it.
const DOUBT_WAIT: Duration = Duration::from_secs(2);
/// How long a mail waits that Baton has moved and not met again; when it is met, it is looked at anew.
const MOVE_WAIT: Duration = Duration::from_secs(60);

/// What to do with messages of a folder.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Action {
    /// Add and take off flags or keywords. Before moves, because a move changes UIDs.
    Flags {
        /// To add.
        add: Vec<String>,
        /// To take off.
        remove: Vec<String>,
    },
    /// Move to this folder.
    MoveTo(String),
}

/// A copy that is to be written to, and what is to be done to it.
type Difference = (Located, Action);

/// One write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// The folder.
    pub folder: String,
    /// Its UIDVALIDITY when the messages were seen.
    pub uidvalidity: u32,
    /// The messages.
    pub uids: Vec<u32>,
    /// What to do.
    pub action: Action,
}

/// What became of a write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Done; for a move, the target's UIDVALIDITY and the pairs of old and new UID, if the server told.
    Done(Option<(u32, Vec<(u32, u32)>)>),
    /// The folder is another one now.
    Stale,
    /// The server refused, in its words.
    Refused(String),
}

/// Writes, and the wishes that they fulfil.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The writes, in order.
    pub writes: Vec<Write>,
    touched: Vec<Vec<(Wish, Located)>>,
    wishes: Vec<Wish>,
    /// When the rest of a wish may be carried out, by the wish's number.
    later: BTreeMap<i64, Timestamp>,
}

/// Plans the writes that are due. Wishes that need none are forgotten at once.
pub fn plan(desk: &Desk<'_>) -> anyhow::Result<Planned> {
    let mut writes: BTreeMap<(Action, String), Vec<(Wish, Located)>> = BTreeMap::new();
    let mut planned = Planned::default();
    for wish in desk.tx.wishes_due(desk.mailbox, Effect::ShowMarks, desk.now, WISHES_MAX)? {
        let thread = desk.thread(wish.thread)?;
        let (differences, later) = due(desk, &thread, differences(desk, &thread)?)?;
        match later {
            Some(at) if differences.is_empty() => desk.tx.wish_later(&wish, at)?,
            None if differences.is_empty() => desk.tx.wish_done(&wish)?,
            _ => (),
        }
        if differences.is_empty() {
            continue;
        }
        planned.later.extend(later.map(|at| (wish.id, at)));
        desk.tx.attempt(&wish, &attempt(desk, &thread))?;
        for (located, action) in differences {
            let key = (action, located.folder.clone());
            writes.entry(key).or_default().push((wish.clone(), located));
        }
        planned.wishes.push(wish);
    }
    for ((action, folder), touched) in writes {
        planned.writes.push(Write {
            folder,
            uidvalidity: touched.first().map_or(0, |(_, located)| located.uidvalidity),
            uids: touched.iter().map(|(_, located)| located.uid).collect(),
            action,
        });
        planned.touched.push(touched);
    }
    Ok(planned)
}

/// What may be written now, and when the next of the rest may be: a mail that a person has just moved is left alone for a
/// while (M33), and so is one of which it is not known yet whether a person has moved it back.
fn due(
    desk: &Desk<'_>,
    thread: &Thread,
    differences: Vec<Difference>,
) -> anyhow::Result<(Vec<Difference>, Option<Timestamp>)> {
    if differences.is_empty() || desk.dialect.layout != Layout::Folders {
        return Ok((differences, None));
    }
    let unsettled = desk.tx.unsettled(thread.id)?;
    let until = |located: &Located| {
        let one = unsettled.get(&located.message).copied().unwrap_or_default();
        let in_doubt = one.in_doubt.then_some(desk.now + DOUBT_WAIT);
        // A second MOVE of what is not there any more would be answered with OK, too.
        let on_its_way = left_until(one.moving_at, desk.now, MOVE_WAIT);
        let left = left_until(one.moved_at, desk.now, desk.policy.leave_moved);
        left.max(on_its_way).max(in_doubt)
    };
    let later = differences.iter().filter_map(|(located, _)| until(located)).min();
    let mut differences = differences;
    differences.retain(|(located, _)| until(located).is_none());
    Ok((differences, later))
}

/// Kept before the server is asked: if no answer is heard, what the mailbox shows then may be our own doing.
fn attempt(desk: &Desk<'_>, thread: &Thread) -> Attempt {
    let wanted = wanted_marks(&thread.now, desk.dialect.flags);
    let keywords = wanted.iter().map(|mark| desk.dialect.keyword(desk.policy, mark)).collect();
    Attempt { keywords, place: wanted_place(&thread.now) }
}

/// What would be written; forgets the wishes, because a shadow only tells.
pub fn plan_in_shadow(desk: &Desk<'_>) -> anyhow::Result<Vec<Write>> {
    let planned = plan(desk)?;
    for wish in &planned.wishes {
        desk.tx.wish_done(wish)?;
    }
    Ok(planned.writes)
}

/// How the copies of a thread's messages differ from what they should show.
fn differences(desk: &Desk<'_>, thread: &Thread) -> anyhow::Result<Vec<Difference>> {
    let wanted = wanted_marks(&thread.now, desk.dialect.flags);
    let target = desk.dialect.folder(desk.policy, &wanted_place(&thread.now));
    let mut differences = Vec::new();
    let copies = desk.tx.locations_of_thread(thread.id)?;
    // Some clients move by copying first; and a copy that a person made is theirs. One copy in its place is enough.
    let there: BTreeSet<MessageKey> = copies
        .iter()
        .filter(|copy| target.as_ref().is_some_and(|target| same_folder(target, &copy.folder)))
        .map(|copy| copy.message)
        .collect();
    for located in copies {
        if should_carry(&located.place) {
            let shown = desk.dialect.marks(desk.policy, &located.flags);
            let wanted = match desk.dialect.layout {
                Layout::Folders => wanted.iter().filter(|mark| is_flag(mark)).cloned().collect(),
                Layout::Keywords | Layout::Labels => wanted.clone(),
            };
            let change = to_write(&wanted, &shown);
            let spell = |marks: BTreeSet<crate::desk::marks::Mark>| -> Vec<String> {
                marks.iter().map(|mark| desk.dialect.keyword(desk.policy, mark)).collect()
            };
            let (add, remove) = (spell(change.add), spell(change.remove));
            if !add.is_empty() || !remove.is_empty() {
                differences.push((located.clone(), Action::Flags { add, remove }));
            }
        }
        if let Some(difference) = out_of_leaving(desk, &located) {
            differences.push(difference);
        }
        if desk.dialect.layout == Layout::Folders
            && let Some(target) = &target
            && !there.contains(&located.message)
            && goes(desk, thread, &located)?
        {
            differences.push((located, Action::MoveTo(target.clone())));
        }
    }
    Ok(differences)
}

/// A mail that lies among what is about to leave, and is no draft, goes back. Where places are folders, to where its thread
/// should be, as from everywhere.
fn out_of_leaving(desk: &Desk<'_>, located: &Located) -> Option<Difference> {
    let name = |place: &Place| desk.dialect.folder(desk.policy, place);
    match desk.dialect.layout {
        Layout::Folders => None,
        Layout::Keywords => {
            let is_leaving = matches!(located.place, Place::Send | Place::Outbox);
            let inbox = name(&Place::Inbox).filter(|_| is_leaving)?;
            Some((located.clone(), Action::MoveTo(inbox)))
        }
        Layout::Labels => {
            let by_labels = located.folder_place == Place::ByLabels;
            let place = desk.dialect.leaving(desk.policy, &located.flags).filter(|_| by_labels)?;
            let remove = vec![label::word(&name(&place)?)];
            Some((located.clone(), Action::Flags { add: Vec::new(), remove }))
        }
    }
}

fn is_flag(mark: &crate::desk::marks::Mark) -> bool {
    *mark == crate::desk::marks::Mark::Escalated
}

/// Whether the copy is to be moved. A mail in a folder without meaning stays there, unless it got there because Baton's
/// own folder was renamed; then its row still says where it was before.
fn goes(desk: &Desk<'_>, thread: &Thread, located: &Located) -> anyhow::Result<bool> {
    if located.place != Place::Elsewhere {
        return Ok(should_move(&thread.now, &located.place));
    }
    let row = desk.tx.message(located.message)?;
    Ok(row.is_some_and(|row| row.place != Place::Elsewhere))
}

/// Writes down what the server did with the writes of a plan, in their order.
pub fn settle(desk: &Desk<'_>, planned: &Planned, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let mut failed: BTreeMap<i64, String> = BTreeMap::new();
    for ((write, touched), outcome) in planned.writes.iter().zip(&planned.touched).zip(outcomes) {
        match outcome {
            Outcome::Done(told) => written(desk, write, touched, told.as_ref())?,
            Outcome::Stale => fail(&mut failed, touched, "the folder changed meanwhile"),
            Outcome::Refused(words) => fail(&mut failed, touched, words),
        }
    }
    for wish in &planned.wishes {
        match failed.get(&wish.id) {
            None => match planned.later.get(&wish.id) {
                Some(at) => desk.tx.wish_later(wish, *at)?,
                None => desk.tx.wish_done(wish)?,
            },
            Some(words) => {
                let attempts = wish.attempts + 1;
                if attempts == ATTEMPTS_MAX {
                    tell_not_shown(desk, wish, words)?;
                }
                // The mailbox must come to show it some day, so it is never given up.
                let retry = if attempts < ATTEMPTS_MAX { Retry::Later } else { Retry::Never };
                desk.tx.wish_again(wish, desk.now + pause(retry, attempts, 0.0), words)?;
            }
        }
    }
    Ok(())
}

fn fail(failed: &mut BTreeMap<i64, String>, touched: &[(Wish, Located)], words: &str) {
    for (wish, _) in touched {
        failed.entry(wish.id).or_insert_with(|| words.to_string());
    }
}

fn tell_not_shown(desk: &Desk<'_>, wish: &Wish, words: &str) -> anyhow::Result<()> {
    let mut thread = desk.thread(wish.thread)?;
    let cause = Cause::new(CauseKind::Server, format!("refused {ATTEMPTS_MAX} times"));
    let what = What::NotShown { answer: words.to_string() };
    record(desk, &mut thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    tracing::error!(
        thread = thread.id.0,
        "The server does not show the marks of {}: {words}",
        thread.id
    );
    Ok(())
}

fn written(
    desk: &Desk<'_>,
    write: &Write,
    touched: &[(Wish, Located)],
    told: Option<&(u32, Vec<(u32, u32)>)>,
) -> anyhow::Result<()> {
    match &write.action {
        Action::Flags { add, remove } => {
            for (_, located) in touched {
                flags_written(desk, located, add, remove)?;
            }
            Ok(())
        }
        Action::MoveTo(target) => moved(desk, target, touched, told),
    }
}

fn flags_written(
    desk: &Desk<'_>,
    located: &Located,
    add: &[String],
    remove: &[String],
) -> anyhow::Result<()> {
    // A person's change may have been seen between the plan and now; only our own part of it is written down.
    let Some(now) = desk.tx.location(located.folder_id, located.uid)? else { return Ok(()) };
    let is = |flag: &String, list: &[String]| list.iter().any(|one| one.eq_ignore_ascii_case(flag));
    let mut flags: Vec<String> =
        now.flags.iter().filter(|flag| !is(flag, remove)).cloned().collect();
    for flag in add {
        if !is(flag, &flags) {
            flags.push(flag.clone());
        }
    }
    desk.tx.set_location(located.folder_id, located.uid, located.message, &flags)?;
    let marks = desk.dialect.marks(desk.policy, &flags);
    let marks: Vec<String> =
        marks.iter().map(|mark| desk.dialect.keyword(desk.policy, mark)).collect();
    if let Some(row) = desk.tx.message(located.message)? {
        desk.tx.set_look(row.key, &row.place, &marks)?;
    }
    Ok(())
}

fn moved(
    desk: &Desk<'_>,
    target: &str,
    touched: &[(Wish, Located)],
    told: Option<&(u32, Vec<(u32, u32)>)>,
) -> anyhow::Result<()> {
    let Some(folder) = desk.tx.folder(desk.mailbox, target)? else { return Ok(()) };
    let Some((uidvalidity, pairs)) = told else {
        // M40, M42: it is met there under a UID that nobody told.
        for (_, located) in touched {
            desk.tx.set_moving(located.message, &folder.place, desk.now)?;
        }
        return Ok(());
    };
    let new_uids: BTreeMap<u32, u32> = pairs.iter().copied().collect();
    for (_, located) in touched {
        let Some(new_uid) = new_uids.get(&located.uid) else { continue };
        let Some(now) = desk.tx.location(located.folder_id, located.uid)? else { continue };
        if folder.uidvalidity == *uidvalidity {
            desk.tx.remove_location(located.folder_id, located.uid)?;
            desk.tx.add_left(located.message, located.folder_id, desk.now)?;
            desk.tx.set_location(folder.id, *new_uid, located.message, &now.flags)?;
        }
        if let Some(row) = desk.tx.message(located.message)? {
            desk.tx.set_look(row.key, &folder.place, &row.marks)?;
        }
    }
    Ok(())
}
