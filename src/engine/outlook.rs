//! Outlook's categories: what a person changed in them becomes a gesture, and what they should show is planned.
//!
//! The same three looks as everywhere ([`crate::desk::marks`]). What was seen or written last is kept for each copy that
//! carries one of Baton's. The folder is the layout's own place: where a copy has been moved since the last look, what its
//! categories mean is decided only when IMAP has had time to tell of the move.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::category::{self, marks, ours};
use crate::desk::marks::{
    Mark, MarkChange, Place, asked_by_marks, by_hand, should_carry, wanted_marks,
};
use crate::desk::retry::{Retry, pause};
use crate::desk::thread::MessageKey;
use crate::engine::Desk;
use crate::engine::look::{carry_out, gesture};
use crate::store::{Effect, MessageRow, OutlookCopy, Status, Undecided, Wish};

/// How many threads are shown in one go.
const WISHES_MAX: u32 = 20;
/// How many copies are decided in one transaction.
const UNDECIDED_MAX: u32 = 200;
/// How many mails of a thread carry categories: the newest.
const MAILS_MAX: usize = 50;
/// After how many failures it is tried only rarely.
const ATTEMPTS_MAX: u32 = 6;
/// For how long a mail that only Graph knows is waited for.
const UNKNOWN_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One copy of a mail as Graph tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Categorised {
    /// The immutable id.
    pub id: String,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// The id of its folder.
    pub folder: String,
    /// Whether that is the Inbox.
    pub in_inbox: bool,
    /// All its categories.
    pub categories: Vec<String>,
}

/// How Outlook is looked at.
#[derive(Clone, Debug)]
pub struct Glance {
    /// How long IMAP may take to tell of a move.
    pub patience: Duration,
    /// Names of Baton's that have disappeared from the mailbox's list: whoever deletes or renames a category takes it off
    /// all mails at once, and decides nothing about them.
    pub unlisted: BTreeSet<String>,
}

/// A thread that is to be shown.
#[derive(Clone, Debug)]
pub struct Showing {
    /// Its mails, and under which ids their copies are known.
    pub mails: Vec<Carrier>,
    wish: Wish,
}

/// A mail that is to carry categories, or to lose them.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// The mail.
    pub message: MessageKey,
    /// Its Message-ID without angle brackets.
    pub message_id: String,
    /// The ids of its copies; empty when they have to be found.
    pub copies: Vec<String>,
}

/// Takes note of a copy that somebody has changed.
pub fn notice(desk: &Desk<'_>, glance: &Glance, copy: &Categorised) -> anyhow::Result<()> {
    let row = match desk.tx.outlook_copy(desk.mailbox, &copy.id)? {
        Some(row) => row,
        None if marks(desk.policy, &copy.categories).is_empty() => return Ok(()),
        None => unseen(copy, None),
    };
    look(desk, glance, row, copy)
}

/// Looks again at what could not be decided. Answers when it is to be called next.
pub fn reconsider(desk: &Desk<'_>, glance: &Glance) -> anyhow::Result<Option<Timestamp>> {
    for row in desk.tx.outlook_undecided(desk.mailbox, desk.now, UNDECIDED_MAX)? {
        let Some(undecided) = row.undecided.clone() else { continue };
        let copy = Categorised {
            id: row.id.clone(),
            message_id: row.message_id.clone(),
            folder: row.folder.clone(),
            in_inbox: false,
            categories: undecided.names,
        };
        look(desk, glance, row, &copy)?;
    }
    Ok(desk.tx.next_outlook_decision(desk.mailbox)?)
}

/// The threads that are to be shown now. Wishes that need nothing are forgotten at once.
pub fn due(desk: &Desk<'_>) -> anyhow::Result<Vec<Showing>> {
    let mut due = Vec::new();
    for wish in desk.tx.wishes_due(desk.mailbox, Effect::ShowCategories, desk.now, WISHES_MAX)? {
        let mails = carriers(desk, &wish)?;
        if mails.is_empty() {
            desk.tx.wish_done(&wish)?;
        } else {
            due.push(Showing { mails, wish });
        }
    }
    Ok(due)
}

/// Everything has been done for the thread.
pub fn shown(desk: &Desk<'_>, showing: &Showing) -> anyhow::Result<()> {
    Ok(desk.tx.wish_done(&showing.wish)?)
}

/// Graph would not have it; it is tried again later.
pub fn failed(desk: &Desk<'_>, showing: &Showing, words: &str) -> anyhow::Result<()> {
    let wish = &showing.wish;
    let retry = if wish.attempts < ATTEMPTS_MAX { Retry::Later } else { Retry::Never };
    Ok(desk.tx.wish_again(wish, desk.now + pause(retry, wish.attempts + 1, 0.0), words)?)
}

/// The copy of a mail as it is now, before it is written: what a person changed is decided first. Answers the whole list of
/// categories that is to be written, and remembers that it is about to be.
pub fn compare(
    desk: &Desk<'_>,
    glance: &Glance,
    message: MessageKey,
    copy: &Categorised,
) -> anyhow::Result<Option<Vec<String>>> {
    let known = desk.tx.outlook_copy(desk.mailbox, &copy.id)?;
    let row = known.unwrap_or_else(|| unseen(copy, Some(message)));
    look(desk, glance, row, copy)?;
    let known = desk.tx.outlook_copy(desk.mailbox, &copy.id)?;
    let mut row = known.unwrap_or_else(|| unseen(copy, Some(message)));
    if row.undecided.is_some() {
        return Ok(None);
    }
    let wanted = wanted(desk, message)?;
    let list = category::to_write(desk.policy, &wanted, &row.names, &copy.categories);
    if list.is_some() {
        row.attempt = Some(category::names(desk.policy, &wanted));
        desk.tx.save_outlook_copy(desk.mailbox, &row)?;
    }
    Ok(list)
}

/// The copy is as it was to be.
pub fn written(desk: &Desk<'_>, message: MessageKey, copy: &Categorised) -> anyhow::Result<()> {
    let known = desk.tx.outlook_copy(desk.mailbox, &copy.id)?;
    let mut row = known.unwrap_or_else(|| unseen(copy, Some(message)));
    let attempted = row.attempt.take().unwrap_or_default();
    row.names = ours(desk.policy, &attempted, &copy.categories);
    row.folder.clone_from(&copy.folder);
    keep(desk, &row)
}

/// The copy is gone.
pub fn gone(desk: &Desk<'_>, id: &str) -> anyhow::Result<()> {
    Ok(desk.tx.remove_outlook_copy(desk.mailbox, id)?)
}

fn unseen(copy: &Categorised, message: Option<MessageKey>) -> OutlookCopy {
    OutlookCopy {
        id: copy.id.clone(),
        message_id: copy.message_id.clone(),
        message,
        ..OutlookCopy::default()
    }
}

/// What a copy without any of Baton's has to tell, nobody needs to remember.
fn keep(desk: &Desk<'_>, row: &OutlookCopy) -> anyhow::Result<()> {
    match row.names.is_empty() && row.undecided.is_none() && row.attempt.is_none() {
        true => Ok(desk.tx.remove_outlook_copy(desk.mailbox, &row.id)?),
        false => Ok(desk.tx.save_outlook_copy(desk.mailbox, row)?),
    }
}

/// The mail's row, if IMAP has shown it.
fn message(desk: &Desk<'_>, row: &OutlookCopy) -> anyhow::Result<Option<MessageRow>> {
    if let Some(key) = row.message {
        return Ok(desk.tx.message(key)?);
    }
    let known = desk.tx.message_with_id(desk.mailbox, &row.message_id)?;
    Ok(known)
}

fn look(
    desk: &Desk<'_>,
    glance: &Glance,
    mut row: OutlookCopy,
    copy: &Categorised,
) -> anyhow::Result<()> {
    let found = ours(desk.policy, &row.names, &copy.categories);
    let Some(message) = message(desk, &row)? else {
        // Graph is faster than IMAP, or IMAP is down; what never shows there is no mail of a thread.
        row.folder.clone_from(&copy.folder);
        return wait(desk, row, found, glance.patience, UNKNOWN_WAIT);
    };
    row.message = Some(message.key);
    let last_folder = std::mem::replace(&mut row.folder, copy.folder.clone());
    let hand = match message.thread {
        Some(_) => hand(desk, glance, &message, &row, &found)?,
        None => MarkChange::default(),
    };
    if hand == MarkChange::default() {
        if row.undecided.is_some() {
            // What was wished for meanwhile was not written.
            wish(desk, &message)?;
        }
        return settled(desk, row, found);
    }
    let is_moved = match last_folder.is_empty() {
        true => message.place == Place::Inbox && !copy.in_inbox,
        false => last_folder != copy.folder,
    };
    let waits = row.undecided.as_ref().is_some_and(|undecided| undecided.at > desk.now);
    if is_moved || waits {
        return wait(desk, row, found, glance.patience, Duration::MAX);
    }
    settled(desk, row, found)?;
    decide(desk, &message, &hand)
}

/// What was found there is what was seen last.
fn settled(desk: &Desk<'_>, mut row: OutlookCopy, found: Vec<String>) -> anyhow::Result<()> {
    row.undecided = None;
    // Whatever was being written, this is how it came out.
    row.attempt = None;
    row.names = found;
    keep(desk, &row)
}

fn wait(
    desk: &Desk<'_>,
    mut row: OutlookCopy,
    found: Vec<String>,
    patience: Duration,
    most: Duration,
) -> anyhow::Result<()> {
    let since = row.undecided.as_ref().map_or(desk.now, |undecided| undecided.since);
    if found.is_empty() && row.names.is_empty() || desk.now.since(since) > most {
        return Ok(desk.tx.remove_outlook_copy(desk.mailbox, &row.id)?);
    }
    let at = match &row.undecided {
        Some(undecided) if undecided.at > desk.now => undecided.at,
        _ => desk.now + patience,
    };
    row.undecided = Some(Undecided { names: found, since, at });
    Ok(desk.tx.save_outlook_copy(desk.mailbox, &row)?)
}

/// What a person changed on a copy.
fn hand(
    desk: &Desk<'_>,
    glance: &Glance,
    message: &MessageRow,
    row: &OutlookCopy,
    found: &[String],
) -> anyhow::Result<MarkChange> {
    let (last, shown) = (marks(desk.policy, &row.names), marks(desk.policy, found));
    let wanted = wanted(desk, message.key)?;
    let mut hand = by_hand(&last, &wanted, &shown);
    if let Some(attempt) = &row.attempt {
        hand = hand.unless_ours(&marks(desk.policy, attempt));
    }
    let lost = |mark: &Mark| {
        let name = category::name(desk.policy, mark).unwrap_or_default();
        glance.unlisted.iter().any(|unlisted| category::same(unlisted, &name))
    };
    if hand.remove.iter().any(lost) {
        hand.remove.retain(|mark| !lost(mark));
        wish(desk, message)?;
    }
    Ok(hand)
}

fn wish(desk: &Desk<'_>, message: &MessageRow) -> anyhow::Result<()> {
    match message.thread {
        Some(thread) => Ok(desk.tx.wish(desk.mailbox, thread, Effect::ShowCategories, desk.now)?),
        None => Ok(()),
    }
}

fn decide(desk: &Desk<'_>, message: &MessageRow, hand: &MarkChange) -> anyhow::Result<()> {
    let Some(thread) = message.thread else { return Ok(()) };
    let mut thread = desk.thread(thread)?;
    let spell = |marks: &BTreeSet<Mark>, sign: &str| {
        let names = category::names(desk.policy, marks).into_iter();
        names.map(|name| format!("{sign}{name}")).collect::<Vec<String>>()
    };
    let changed = [spell(&hand.add, "+"), spell(&hand.remove, "-")].concat().join(" ");
    let detail = format!("category {changed} in Outlook");
    let asked = asked_by_marks(&thread.now, hand).into_iter();
    let asked = asked.map(|command| gesture(command, detail.clone())).collect();
    carry_out(desk, &mut thread, asked, false)
}

/// What a mail's categories should say.
fn wanted(desk: &Desk<'_>, message: MessageKey) -> anyhow::Result<BTreeSet<Mark>> {
    let thread = desk.tx.message(message)?.and_then(|row| row.thread);
    Ok(match thread {
        Some(thread) => wanted_marks(&desk.thread(thread)?.now, false),
        None => BTreeSet::new(),
    })
}

/// The mails of a thread whose categories differ from what they should say, as far as is known without asking.
fn carriers(desk: &Desk<'_>, wish: &Wish) -> anyhow::Result<Vec<Carrier>> {
    let wanted = wanted_marks(&desk.thread(wish.thread)?.now, false);
    let names: BTreeSet<String> = category::names(desk.policy, &wanted).into_iter().collect();
    let mut carriers = Vec::new();
    for row in desk.tx.messages_of(wish.thread)?.into_iter().rev().take(MAILS_MAX) {
        let copies = desk.tx.outlook_copies_of(row.key)?;
        let differs = |copy: &OutlookCopy| {
            copy.attempt.is_some() || copy.names.iter().cloned().collect::<BTreeSet<_>>() != names
        };
        let is_right = match copies.is_empty() {
            true => names.is_empty(),
            false => !copies.iter().any(differs),
        };
        if !is_right && !row.message_id.is_empty() && carries(desk, &row)? {
            let copies = copies.into_iter().map(|copy| copy.id).collect();
            carriers.push(Carrier { message: row.key, message_id: row.message_id, copies });
        }
    }
    Ok(carriers)
}

/// Whether some copy of the mail lies where categories are shown. What was sent carries none: it lies in Sent Items.
fn carries(desk: &Desk<'_>, row: &MessageRow) -> anyhow::Result<bool> {
    if row.status == Status::Draft {
        return Ok(false);
    }
    let copies = desk.tx.locations_of(row.key)?;
    Ok(copies.iter().any(|copy| should_carry(&copy.place) && copy.place != Place::Sent))
}
