//! The mailbox is compared with what was last seen or written there: what a person changed becomes a gesture.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::layout::{Layout, same_folder};
use crate::desk::marks::{
    Mark, MarkChange, Place, asked_by_marks, asked_by_move, by_hand, wanted_marks, wanted_place,
};
use crate::desk::thread::{Change, MessageKey, Thread, ThreadId};
use crate::engine::arrive::holding;
use crate::engine::record::record;
use crate::engine::{Desk, drafts};
use crate::store::{Effect, Folder, Located, MessageRow};

/// Within this time moves are counted.
const BURST: Duration = Duration::from_secs(60);
/// After how many complete looks without it a message is gone: one may have missed it on its way.
const PASSES_UNTIL_GONE: i64 = 2;
/// For how many complete looks both copies of a message must be there until the one in doubt was not moved by a person.
const PASSES_IN_DOUBT: i64 = 3;

/// What a door saw to have changed in a folder.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// All flags and keywords as they are now.
    pub flags: Vec<(u32, Vec<String>)>,
    /// UIDs that are gone.
    pub vanished: Vec<u32>,
}

/// Takes note of changes among known messages of a folder.
pub fn change(desk: &Desk<'_>, folder: &Folder, changes: &Flags) -> anyhow::Result<()> {
    for (uid, flags) in &changes.flags {
        if let Some(located) = desk.tx.location(folder.id, *uid)? {
            flags_seen(desk, &located, flags)?;
        }
    }
    for uid in &changes.vanished {
        if let Some(message) = desk.tx.remove_location(folder.id, *uid)? {
            desk.tx.set_missing(message, false)?;
            if desk.dialect.layout == Layout::Folders {
                desk.tx.add_left(message, folder.id, desk.now)?;
            }
            if !moved_back(desk, message)? {
                copy_gone(desk, message)?;
            }
        }
    }
    Ok(())
}

/// A copy is gone. Where places are folders it may have been the one in the right place, so that another has to go there.
fn show_other_copies(desk: &Desk<'_>, message: MessageKey) -> anyhow::Result<()> {
    if desk.dialect.layout != Layout::Folders || desk.tx.locations_of(message)?.is_empty() {
        return Ok(());
    }
    desk.tx.message(message)?.map_or(Ok(()), |row| show_again(desk, &row))
}

/// A copy is gone. If it was the one that made another one doubtful, a person has moved the message there.
fn moved_back(desk: &Desk<'_>, message: MessageKey) -> anyhow::Result<bool> {
    let doubted = desk.tx.doubted(message)?;
    let Some((folder, uid)) = doubted.first().copied() else { return Ok(false) };
    let Some(row) = desk.tx.message(message)? else { return Ok(false) };
    if is_there_still(desk, &row)? {
        return Ok(false);
    }
    desk.tx.end_doubt(message)?;
    let Some(located) = desk.tx.location(folder, uid)? else { return Ok(false) };
    let Some(folder) = desk.tx.folder(desk.mailbox, &located.folder)? else { return Ok(false) };
    met_again(desk, &row, &row.place, &folder, &located.flags, &row.marks)?;
    Ok(true)
}

/// Whether a copy of which there is no doubt lies where the message was seen last.
fn is_there_still(desk: &Desk<'_>, row: &MessageRow) -> anyhow::Result<bool> {
    let doubted = desk.tx.doubted(row.key)?;
    let copies = desk.tx.locations_of(row.key)?;
    let is_one =
        |copy: &Located| copy.place == row.place && !doubted.contains(&(copy.folder_id, copy.uid));
    Ok(copies.iter().any(is_one))
}

/// Whether nobody can say yet why a copy lies in `folder`, under a UID that was not known: the message has left that folder,
/// or is about to, and another copy lies where it was seen last. A person may have moved it back, and the other copy will
/// turn out to be gone; or an Outlook that did not notice the move has put a copy back (M33), and both stay. The same in
/// Junk and Trash, where people put such copies.
pub(super) fn is_doubtful(
    desk: &Desk<'_>,
    row: &MessageRow,
    folder: &Folder,
    uid: u32,
) -> anyhow::Result<bool> {
    let is_ours = || -> anyhow::Result<bool> {
        Ok(desk.tx.moving_to(row.key)?.as_ref() == Some(&folder.place))
    };
    if desk.dialect.layout != Layout::Folders || folder.place == row.place || is_ours()? {
        return Ok(false);
    }
    let here = |copy: &Located| copy.folder_id == folder.id && copy.uid != uid;
    let left = folder.place.is_away()
        || desk.tx.has_left(row.key, folder.id)?
        || desk.tx.locations_of(row.key)?.iter().any(here);
    Ok(left && is_there_still(desk, row)?)
}

/// A copy is gone, and others may be left: in Trash or Junk, if a person has moved it there and that was seen first.
fn copy_gone(desk: &Desk<'_>, message: MessageKey) -> anyhow::Result<()> {
    let copies = desk.tx.locations_of(message)?;
    let away = copies.iter().all(|copy| copy.place.is_away());
    let (Some(copy), true) = (copies.first(), away) else {
        return show_other_copies(desk, message);
    };
    let Some(thread) = desk.tx.message(message)?.and_then(|row| row.thread) else { return Ok(()) };
    let mut thread = desk.thread(thread)?;
    throw_away(desk, &mut thread, &copy.place, &format!("moved to {}", copy.folder))
}

/// A mail of a thread may lie or look other than it should, and nobody decided anything.
pub(super) fn show_again(desk: &Desk<'_>, row: &MessageRow) -> anyhow::Result<()> {
    match row.thread {
        Some(thread) => Ok(desk.tx.wish(desk.mailbox, thread, Effect::ShowMarks, desk.now)?),
        None => Ok(()),
    }
}

/// Takes note of the flags of a copy that is known.
pub(super) fn flags_seen(
    desk: &Desk<'_>,
    located: &Located,
    flags: &[String],
) -> anyhow::Result<()> {
    if located.flags == flags {
        return Ok(());
    }
    desk.tx.set_location(located.folder_id, located.uid, located.message, flags)?;
    let Some(row) = desk.tx.message(located.message)? else { return Ok(()) };
    label_to_leave(desk, &row, located, flags)?;
    if located.folder_place.of_message(flags) != located.place {
        return labels_moved(desk, &row, located, flags);
    }
    let Some(thread) = row.thread else { return Ok(()) };
    let last = desk.dialect.marks(desk.policy, &located.flags);
    let shown = desk.dialect.marks(desk.policy, flags);
    if last == shown || !crate::desk::marks::should_carry(&located.place) {
        return Ok(());
    }
    desk.tx.set_look(row.key, &row.place, &marks_kept(desk, flags))?;
    let mut thread = desk.thread(thread)?;
    let asked = marks_changed(desk, &thread, &located.folder, &last, &shown)?;
    carry_out(desk, &mut thread, asked, false)
}

/// At Gmail a draft is moved to Baton/Send by a label.
fn label_to_leave(
    desk: &Desk<'_>,
    row: &MessageRow,
    located: &Located,
    flags: &[String],
) -> anyhow::Result<()> {
    let leaving = drafts::leaving(desk, &located.folder_place, flags);
    let Some(place) = leaving.filter(|_| located.folder_place == Place::ByLabels) else {
        return Ok(());
    };
    if drafts::is_draft(flags, Some(row), &row.direction) {
        return drafts::put_there(desk, &place, row.key, &row.message_id);
    }
    drafts::misplaced(desk, Some(row), &located.folder)
}

/// A person moved a mail by its labels: took it out of the Inbox, or put it back.
fn labels_moved(
    desk: &Desk<'_>,
    row: &MessageRow,
    located: &Located,
    flags: &[String],
) -> anyhow::Result<()> {
    let Some(folder) = desk.tx.folder(desk.mailbox, &located.folder)? else { return Ok(()) };
    let folder = holding(&folder, flags);
    if row.thread.is_none() {
        return Ok(desk.tx.set_look(row.key, &folder.place, &[])?);
    }
    let before = MessageRow { place: located.place.clone(), ..row.clone() };
    look(desk, &before, &folder, flags, &located.flags)
}

/// The flags and keywords that mean something to Baton.
fn marks_kept(desk: &Desk<'_>, flags: &[String]) -> Vec<String> {
    let marks = desk.dialect.marks(desk.policy, flags);
    marks.iter().map(|mark| desk.dialect.keyword(desk.policy, mark)).collect()
}

/// Whether nobody put on it what means something to Baton.
pub(super) fn shows_no_marks(desk: &Desk<'_>, flags: &[String]) -> bool {
    desk.dialect.marks(desk.policy, flags).is_empty()
}

pub(super) fn gesture(command: Command, detail: String) -> Asked {
    let cause = Cause::new(CauseKind::Gesture, detail);
    Asked { command, actor: Actor::Someone, cause }
}

fn marks_changed(
    desk: &Desk<'_>,
    thread: &Thread,
    folder: &str,
    last: &BTreeSet<Mark>,
    shown: &BTreeSet<Mark>,
) -> anyhow::Result<Vec<Asked>> {
    let mut hand = by_hand(last, &wanted_marks(&thread.now, desk.dialect.flags), shown);
    if hand == MarkChange::default() {
        return Ok(Vec::new());
    }
    if lost_labels(desk, &mut hand)? {
        desk.tx.wish(desk.mailbox, thread.id, Effect::ShowMarks, desk.now)?;
    }
    if let Some(attempt) = desk.tx.open_attempt(thread.id)? {
        hand = hand.unless_ours(&desk.dialect.marks(desk.policy, &attempt.keywords));
    }
    let spell = |marks: &BTreeSet<Mark>, sign: &str| {
        let words: Vec<String> = marks
            .iter()
            .map(|mark| format!("{sign}{}", desk.dialect.keyword(desk.policy, mark)))
            .collect();
        words.join(" ")
    };
    let changed = format!("{} {}", spell(&hand.add, "+"), spell(&hand.remove, "-"));
    let detail = format!("{} on a mail in {folder}", changed.trim());
    let asked = asked_by_marks(&thread.now, &hand).into_iter();
    Ok(asked.map(|command| gesture(command, detail.clone())).collect())
}

/// A label that was deleted, or renamed, has left all mails at once, and nobody decided anything about them: forgets that
/// it was taken off. Answers whether there was such a one.
fn lost_labels(desk: &Desk<'_>, hand: &mut MarkChange) -> anyhow::Result<bool> {
    let mut lost = BTreeSet::new();
    for mark in &hand.remove {
        if let Some(label) = desk.dialect.label(desk.policy, mark)
            && !is_listed(desk, &label)?
        {
            lost.insert(mark.clone());
        }
    }
    hand.remove.retain(|mark| !lost.contains(mark));
    Ok(!lost.is_empty())
}

fn is_listed(desk: &Desk<'_>, label: &str) -> anyhow::Result<bool> {
    let folders = desk.tx.folders(desk.mailbox)?;
    Ok(folders.iter().any(|folder| folder.listed && same_folder(&folder.name, label)))
}

/// A message of a thread lies in `folder` with `flags`; `row` says where it was seen before, `last` its marks then.
pub(super) fn look(
    desk: &Desk<'_>,
    row: &MessageRow,
    folder: &Folder,
    flags: &[String],
    last: &[String],
) -> anyhow::Result<()> {
    let Some(thread) = row.thread else { return Ok(()) };
    let mut thread = desk.thread(thread)?;
    desk.tx.set_look(row.key, &folder.place, &marks_kept(desk, flags))?;
    let mut asked = Vec::new();
    let mut closing = false;
    if folder.place != row.place && moved_by_a_person(desk, &thread, row, folder)? {
        desk.tx.set_moved(row.key, desk.now)?;
        let (commands, closes) = moved(desk, &thread, &row.place, folder)?;
        closing = closes;
        asked.extend(commands);
    }
    if crate::desk::marks::should_carry(&folder.place) {
        let last = desk.dialect.marks(desk.policy, last);
        let shown = desk.dialect.marks(desk.policy, flags);
        let by_marks = marks_changed(desk, &thread, &folder.name, &last, &shown)?;
        if desk.dialect.layout == Layout::Labels && !by_marks.is_empty() {
            // Gmail's "Move to" a label also takes the mail out of the Inbox; the label is what is meant.
            asked.clear();
            closing = false;
        }
        asked.extend(by_marks);
    }
    carry_out(desk, &mut thread, asked, closing)
}

/// The same for a mail that is known, met under a UID that is not: it was moved or copied, came once more, or its folder
/// was numbered anew. Somebody may have added marks meanwhile; those that are missing say nothing, because a second
/// delivery has none and servers lose them: they are shown again.
pub(super) fn met_again(
    desk: &Desk<'_>,
    row: &MessageRow,
    from: &Place,
    folder: &Folder,
    flags: &[String],
    last: &[String],
) -> anyhow::Result<()> {
    let here_before = MessageRow { place: from.clone(), ..row.clone() };
    let shown = desk.dialect.marks(desk.policy, flags);
    let kept: Vec<String> = last
        .iter()
        .filter(|flag| {
            let mark = desk.dialect.marks(desk.policy, std::slice::from_ref(*flag));
            mark.is_subset(&shown)
        })
        .cloned()
        .collect();
    if kept.len() != last.len() || *from != folder.place || is_stale(desk, row, folder, &shown)? {
        show_again(desk, row)?;
    }
    look(desk, &here_before, folder, flags, &kept)
}

/// Whether the thread has gone on while the mail was out of sight, so that it lies or looks as the thread stood before.
fn is_stale(
    desk: &Desk<'_>,
    row: &MessageRow,
    folder: &Folder,
    shown: &BTreeSet<Mark>,
) -> anyhow::Result<bool> {
    let Some(thread) = row.thread else { return Ok(false) };
    let now = desk.thread(thread)?.now;
    let places = desk.dialect.layout == Layout::Folders;
    let mut wanted = wanted_marks(&now, desk.dialect.flags);
    wanted.retain(|mark| !places || *mark == Mark::Escalated);
    let looks_right = *shown == wanted || !crate::desk::marks::should_carry(&folder.place);
    Ok(!looks_right || (places && crate::desk::marks::should_move(&now, &folder.place)))
}

/// A folder of Baton's was renamed: its mails are met under the new name, and go back to where they belong.
pub(super) fn put_back(desk: &Desk<'_>, row: &MessageRow, folder: &Folder) -> anyhow::Result<()> {
    let Some(thread) = row.thread else { return Ok(()) };
    let mut thread = desk.thread(thread)?;
    let told = desk
        .tx
        .last_event_of(thread.id)?
        .is_some_and(|event| matches!(event.what, What::Restored { .. }) && event.at == desk.now);
    if !told {
        let cause =
            Cause::new(CauseKind::Server, format!("its mails were found in {}", folder.name));
        let gone = desk.dialect.folder(desk.policy, &row.place).unwrap_or_default();
        let what = What::Restored { folder: gone };
        record(desk, &mut thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    }
    Ok(desk.tx.wish(desk.mailbox, thread.id, Effect::ShowMarks, desk.now)?)
}

/// Whether a person moved the mail, and not Baton, which may not have heard that it was done, or under which UID.
fn moved_by_a_person(
    desk: &Desk<'_>,
    thread: &Thread,
    row: &MessageRow,
    folder: &Folder,
) -> anyhow::Result<bool> {
    if desk.dialect.layout != Layout::Folders {
        return Ok(true);
    }
    let moving_to = desk.tx.moving_to(row.key)?;
    if moving_to.is_some() {
        desk.tx.end_moving(row.key)?;
        // The thread may have gone on meanwhile.
        show_again(desk, row)?;
    }
    let attempt = desk.tx.open_attempt(thread.id)?.map(|attempt| attempt.place);
    Ok(moving_to.as_ref() != Some(&folder.place) && attempt.as_ref() != Some(&folder.place))
}

/// What a move to `folder` asks for, and whether it is one of those that clean-ups make.
fn moved(
    desk: &Desk<'_>,
    thread: &Thread,
    from: &Place,
    folder: &Folder,
) -> anyhow::Result<(Vec<Asked>, bool)> {
    let to = &folder.place;
    let layout = desk.dialect.layout;
    if layout == Layout::Folders && *to == wanted_place(&thread.now) {
        return Ok((Vec::new(), false));
    }
    let detail = match (layout, to) {
        (Layout::Labels, Place::Archive) => "archived".to_string(),
        (Layout::Labels, Place::Inbox) => "moved to the Inbox".to_string(),
        _ => format!("moved to {}", folder.name),
    };
    let commands = if to.is_away() {
        thrown_away(desk, thread, to)?
    } else {
        asked_by_move(layout, &thread.now, from, to)
    };
    let closing = to.closes() && !commands.is_empty();
    Ok((commands.into_iter().map(|command| gesture(command, detail.clone())).collect(), closing))
}

/// A thread is thrown away when the last mail of it that others wrote is.
fn thrown_away(desk: &Desk<'_>, thread: &Thread, to: &Place) -> anyhow::Result<Vec<Command>> {
    if !thread.now.state.is_open() || desk.tx.has_present_message(thread.id)? {
        return Ok(Vec::new());
    }
    Ok(vec![match to {
        Place::Junk => Command::Ignore { reason: "moved to Junk".into() },
        _ => Command::Delete,
    }])
}

/// Carries out what follows when a copy of the thread has gone to `to`.
fn throw_away(
    desk: &Desk<'_>,
    thread: &mut Thread,
    to: &Place,
    detail: &str,
) -> anyhow::Result<()> {
    let commands = thrown_away(desk, thread, to)?.into_iter();
    let asked: Vec<Asked> = commands.map(|command| gesture(command, detail.to_string())).collect();
    let closing = !asked.is_empty();
    carry_out(desk, thread, asked, closing)
}

pub(super) fn carry_out(
    desk: &Desk<'_>,
    thread: &mut Thread,
    asked: Vec<Asked>,
    closing: bool,
) -> anyhow::Result<()> {
    if asked.is_empty() {
        return Ok(());
    }
    if closing && let Some(moves) = too_many_moves(desk, thread.id)? {
        return automated(desk, thread, &asked, moves);
    }
    for one in asked {
        match decide(desk.policy, thread, &one, desk.now) {
            Decision::Done(event) => {
                let event = record(desk, thread, *event)?;
                if closing {
                    desk.tx.add_closing_move(desk.mailbox, desk.now, thread.id, event.seq)?;
                }
            }
            Decision::Refused(_, Some(event)) => {
                // The same gesture on the next mail of the thread is the same act.
                let last = desk.tx.last_event_of(thread.id)?;
                if last.is_none_or(|last| last.at != desk.now || last.what != event.what) {
                    record(desk, thread, *event)?;
                }
            }
            Decision::Already(_) | Decision::Refused(_, None) => (),
        }
    }
    // Whatever was decided, the mailbox must come to show it: on the thread's other mails, or instead of what was refused.
    Ok(desk.tx.wish(desk.mailbox, thread.id, Effect::ShowMarks, desk.now)?)
}

/// How many threads were closed by moves within a minute, if that is more than people do.
fn too_many_moves(desk: &Desk<'_>, thread: ThreadId) -> anyhow::Result<Option<u32>> {
    let moves = desk.tx.closing_moves(desk.mailbox, desk.now - BURST)?;
    let threads: BTreeSet<ThreadId> =
        moves.iter().map(|(thread, _)| *thread).chain([thread]).collect();
    let count = u32::try_from(threads.len()).unwrap_or(u32::MAX);
    // What was done in the hours before now is all decided in this minute.
    let minutes = u32::try_from(desk.away.as_secs() / 60).unwrap_or(u32::MAX).saturating_add(1);
    let limit = desk.policy.burst_moves_per_minute.saturating_mul(minutes);
    Ok((count > limit).then_some(count))
}

/// The move was one of many: it is recorded, decides nothing, and what the first of them seemed to decide is taken back.
fn automated(
    desk: &Desk<'_>,
    thread: &mut Thread,
    asked: &[Asked],
    moves: u32,
) -> anyhow::Result<()> {
    let place = asked.first().map(|one| one.cause.detail.clone()).unwrap_or_default();
    for (earlier, seq) in desk.tx.closing_moves(desk.mailbox, desk.now - BURST)? {
        if seq != 0 && earlier != thread.id {
            take_back(desk, earlier, seq, &place, moves)?;
        }
    }
    note_automation(desk, thread, place, moves, Change::default())
}

fn note_automation(
    desk: &Desk<'_>,
    thread: &mut Thread,
    place: String,
    moves: u32,
    change: Change,
) -> anyhow::Result<()> {
    let cause = Cause::new(
        CauseKind::Gesture,
        format!("more than {} moves within a minute", desk.policy.burst_moves_per_minute),
    );
    let what = What::Automated { place, moves };
    let event = NewEvent::new(Actor::Someone, cause, what, change);
    record(desk, thread, event)?;
    // A clean-up may keep what it put into the archive, but an open thread must not lie hidden among the resolved ones.
    desk.tx.wish(desk.mailbox, thread.id, Effect::ShowMarks, desk.now)?;
    Ok(desk.tx.add_closing_move(desk.mailbox, desk.now, thread.id, 0)?)
}

fn take_back(
    desk: &Desk<'_>,
    id: ThreadId,
    seq: i64,
    place: &str,
    moves: u32,
) -> anyhow::Result<()> {
    let mut thread = desk.thread(id)?;
    let before = crate::engine::ask::before(desk.tx, id, seq)?;
    let event = desk.tx.event(seq)?;
    desk.tx.forget_closing_moves(desk.mailbox, id)?;
    match event {
        Some(event)
            if thread.now.merged_into.is_none() && event.change.decided().holds_in(&thread.now) =>
        {
            let back =
                crate::engine::amend::taken_back(&thread.now, &event.change.decided(), &before);
            note_automation(desk, &mut thread, place.to_string(), moves, back)
        }
        _ => Ok(desk.tx.add_closing_move(desk.mailbox, desk.now, id, 0)?),
    }
}

/// Every watched folder has been read: decides which missing messages are gone. Answers whether some are still looked for.
pub fn judge(desk: &Desk<'_>) -> anyhow::Result<bool> {
    for lost in desk.tx.take_all_lost(desk.mailbox)? {
        desk.tx.set_missing(lost, false)?;
    }
    let (gone, left) = desk.tx.judge_missing(desk.mailbox, PASSES_UNTIL_GONE)?;
    for key in gone {
        judge_gone(desk, key)?;
    }
    let (put_back, in_doubt) = desk.tx.judge_doubted(desk.mailbox, PASSES_IN_DOUBT)?;
    for copy in put_back {
        came_back(desk, &copy)?;
    }
    Ok(left > 0 || in_doubt)
}

/// A mail program has put a copy back. It stays there, because nothing that Baton did not make is deleted or hidden, and
/// the log says so.
fn came_back(desk: &Desk<'_>, copy: &Located) -> anyhow::Result<()> {
    desk.tx.end_doubt(copy.message)?;
    if copy.place.is_away() {
        return Ok(());
    }
    let Some(thread) = desk.tx.message(copy.message)?.and_then(|row| row.thread) else {
        return Ok(());
    };
    let mut thread = desk.thread(thread)?;
    let what = What::CopyCameBack { folder: copy.folder.clone() };
    let last = desk.tx.last_event_of(thread.id)?;
    if last.is_some_and(|last| last.at == desk.now && last.what == what) {
        return Ok(());
    }
    let cause = Cause::new(CauseKind::Server, "a mail program put it there; it asks for nothing");
    record(desk, &mut thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    Ok(())
}

fn judge_gone(desk: &Desk<'_>, key: MessageKey) -> anyhow::Result<()> {
    if !desk.tx.locations_of(key)?.is_empty() {
        // Only its folder is gone.
        return Ok(());
    }
    let Some(row) = desk.tx.message(key)? else { return Ok(()) };
    // Its marks are kept: they are what it carried when it was seen last, should it come back.
    desk.tx.set_look(key, &Place::Gone, &row.marks)?;
    let Some(thread) = row.thread else { return Ok(()) };
    if desk.dialect.layout == Layout::Labels {
        // What people delete goes to the Trash, which is watched. What is missing there as well is hidden from IMAP by
        // somebody's settings (G23, G24), or was deleted out of the Trash, where it counted for nothing already.
        return Ok(());
    }
    let mut thread = desk.thread(thread)?;
    throw_away(desk, &mut thread, &Place::Gone, "its mails are in no watched folder any more")
}
