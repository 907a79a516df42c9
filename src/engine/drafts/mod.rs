//! Drafts in the mailbox: who writes an answer to which thread, and which drafts are to be sent.
//!
//! Here they are seen. [`plan`] says what a door is to do about those that are about to leave, and writes down what it did;
//! [`hand`] reads a draft and hands it in; [`collide`] tells people who write to the same customer. What is to be done is
//! decided by [`crate::desk::draft`].

mod collide;
mod hand;
mod plan;

pub use hand::Draft;
pub use plan::{Deed, DeedOutcome, PlannedDeed, PlannedDrafts, plan_drafts, settle_drafts};

pub(super) use collide::drafted;

use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::layout::Layout;
use crate::desk::marks::Place;
use crate::desk::notice;
use crate::desk::sending::{Happened, State, step};
use crate::desk::thread::{Change, MessageKey};
use crate::engine::Desk;
use crate::engine::arrive::{Seen, kind_name, new_message};
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::mail::message::{Kind, Message};
use crate::store::{Effect, Folder, MessageRow, NewMessage, NewSending, SendingRow, Status};

/// The route of a draft that a person moved to Baton/Send.
pub(super) const SEND_FOLDER: &str = "send-folder";

/// Where a message in a folder of this place lies among what is about to leave, if it does. What was thrown away keeps its
/// labels at Gmail, and lies in the Trash all the same.
pub(super) fn leaving(desk: &Desk<'_>, folder: &Place, flags: &[String]) -> Option<Place> {
    match folder {
        Place::Send | Place::Outbox => Some(folder.clone()),
        Place::ByLabels => desk.dialect.leaving(desk.policy, flags),
        _ => None,
    }
}

/// Whether it is something that a person was writing, and not a mail that was moved there by mistake.
pub(super) fn is_draft(flags: &[String], known: Option<&MessageRow>, direction: &str) -> bool {
    let is_flag = |flag: &String| flag.eq_ignore_ascii_case("\\Draft");
    let is_label = |flag: &String| flag.eq_ignore_ascii_case("%\\Draft");
    if flags.iter().any(|flag| is_flag(flag) || is_label(flag)) {
        return true;
    }
    match known {
        Some(row) => row.status == Status::Draft,
        None => direction != "customer",
    }
}

/// The row of a draft, under the UID that it has now.
pub(super) fn row_of(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<MessageKey> {
    let identity = format!("draft {} {} {}", folder.name, folder.uidvalidity, seen.uid);
    if let Some(row) = desk.tx.message_by_identity(desk.mailbox, &identity)? {
        return Ok(row.key);
    }
    let mut new = new_message(desk, folder, seen, message, identity);
    new.status = Status::Draft;
    new.excerpt = String::new();
    Ok(desk.tx.add_message(desk.mailbox, &new)?)
}

/// The row of a copy that Baton itself has just put there.
fn row_of_copy(
    desk: &Desk<'_>,
    folder: &Folder,
    uid: u32,
    message_id: &str,
) -> anyhow::Result<MessageKey> {
    let identity = format!("draft {} {} {uid}", folder.name, folder.uidvalidity);
    if let Some(row) = desk.tx.message_by_identity(desk.mailbox, &identity)? {
        return Ok(row.key);
    }
    let new = NewMessage {
        identity,
        message_id: message_id.to_owned(),
        fingerprint: String::new(),
        status: Status::Draft,
        reason: String::new(),
        unreadable: false,
        direction: "own".into(),
        kind: kind_name(Kind::Human),
        sender: String::new(),
        recipients: Vec::new(),
        subject: String::new(),
        arrived_at: desk.now,
        sent_at: None,
        size: 0,
        excerpt: String::new(),
        place: folder.place.clone(),
    };
    Ok(desk.tx.add_message(desk.mailbox, &new)?)
}

/// A draft, or one of Baton's own copies, is seen where mails are that are about to leave.
pub(super) fn seen_leaving(
    desk: &Desk<'_>,
    folder: &Folder,
    place: &Place,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<()> {
    let key = row_of(desk, folder, seen, message)?;
    desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?;
    collide::drafting(desk, seen, message, key)?;
    put_there(desk, place, key, &message.message_id)
}

/// The draft of this row lies there now.
pub(super) fn put_there(
    desk: &Desk<'_>,
    place: &Place,
    key: MessageKey,
    message_id: &str,
) -> anyhow::Result<()> {
    if desk.tx.is_draft(key)? {
        return Ok(());
    }
    if let Some(known) = desk.tx.draft_without_place(desk.mailbox, message_id)? {
        return Ok(desk.tx.set_draft_seen(known.id, key)?);
    }
    // What a person puts into Baton/Outbox stays there: only what was handed in is about to leave.
    if *place == Place::Send {
        desk.tx.add_draft(desk.mailbox, message_id, key)?;
    }
    Ok(())
}

/// A mail that is no draft was moved to Baton/Send or Baton/Outbox: it goes back, and the owner is told. At Gmail a label is
/// put on a whole conversation, which is no mistake.
pub(super) fn misplaced(
    desk: &Desk<'_>,
    row: Option<&MessageRow>,
    folder: &str,
) -> anyhow::Result<()> {
    let Some(thread) = row.and_then(|row| row.thread) else { return Ok(()) };
    desk.tx.wish(desk.mailbox, thread, Effect::ShowMarks, desk.now)?;
    if desk.dialect.layout == Layout::Labels {
        return Ok(());
    }
    let mut thread = desk.thread(thread)?;
    let what = What::PutBack { folder: folder.to_owned() };
    let last = desk.tx.last_event_of(thread.id)?;
    if last.is_some_and(|last| last.at == desk.now && last.what == what) {
        return Ok(());
    }
    let cause = Cause::new(CauseKind::Gesture, format!("moved to {folder}"));
    let event = NewEvent::new(Actor::Someone, cause, what, Change::default());
    let seq = record(desk, &mut thread, event)?.seq;
    if let Some(owner) = thread.now.owner.clone() {
        tell(desk, &notice::put_back(&owner, &thread, folder, seq))?;
    }
    Ok(())
}

/// A mail was kept that leaves later: Baton/Outbox shows it.
pub(super) fn announce(desk: &Desk<'_>, id: i64, new: &NewSending) -> anyhow::Result<()> {
    let waits = matches!(new.state, State::Held { .. });
    if waits && new.route != SEND_FOLDER && desk.policy.sending.can {
        let name = format!("copy.{}", new.message_id);
        desk.tx.add_outbox_copy(desk.mailbox, id, &name)?;
    }
    Ok(())
}

/// The provider does not want a mail that came as a draft: the draft goes back to Drafts, and the mail is none of the outbox
/// any more, so that it cannot leave twice. Answers whether there was a draft to give back.
pub(super) fn hand_back(desk: &Desk<'_>, sending: &SendingRow, why: &str) -> anyhow::Result<bool> {
    if sending.route != SEND_FOLDER || folder_of(desk, "drafts")?.is_none() {
        return Ok(false);
    }
    let mut given_back = false;
    for draft in desk.tx.drafts_of(sending.id)? {
        let lies = plan::lies(desk, &draft)?;
        given_back |= !draft.by_baton && lies != crate::desk::draft::Lies::Lost;
    }
    let state = desk.tx.sending(sending.id)?.map_or(sending.state.clone(), |row| row.state);
    let rules = desk.policy.sending.rules;
    let Ok(State::Dropped) = step(&state, &Happened::Dropped, desk.now, &rules) else {
        return Ok(false);
    };
    if !given_back {
        return Ok(false);
    }
    desk.tx.set_sending(sending.id, &State::Dropped)?;
    let mut thread = sending.thread.map(|id| desk.thread(id)).transpose()?;
    if let Some(thread) = &mut thread {
        let cause = Cause::new(CauseKind::Server, "the server that sends");
        let what = What::AnswerNotSent { sending: sending.id, reason: why.to_owned() };
        record(desk, thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    }
    let owner = thread.as_ref().and_then(|thread| thread.now.owner.clone());
    if let Some(to) = sending.agent.clone().or(owner) {
        let occasion = format!("given back {}", sending.id);
        tell(desk, &notice::draft_given_back(&to, thread.as_ref(), occasion, why))?;
    }
    Ok(true)
}

/// The name of the folder of this role.
pub(super) fn folder_of(desk: &Desk<'_>, role: &str) -> anyhow::Result<Option<String>> {
    let folders = desk.tx.folders(desk.mailbox)?;
    let found = folders.into_iter().find(|folder| folder.role == role && folder.listed);
    Ok(found.map(|folder| folder.name))
}
