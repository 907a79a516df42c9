//! Mail of ours that came back: the thread returns to its owner with the cause, and machines are silent towards the address.

use crate::desk::arrival;
use crate::desk::automatic::{DAY, SILENT_WHEN_GONE};
use crate::desk::event::{Cause, CauseKind, What};
use crate::desk::notice;
use crate::desk::thread::Thread;
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::arrive::Seen;
use crate::engine::notice::{NOTICE, tell};
use crate::engine::record::record;
use crate::mail::message::{Bounce, BounceClass, BounceRecipient, Message};
use crate::mail::outgoing::ACKNOWLEDGEMENT;
use crate::store::Folder;

/// What came back.
enum Returned {
    /// An answer to the customer.
    Answer,
    /// What a machine wrote.
    Automatic,
}

/// A report on a mail of ours has joined the thread. Reports on mail that is not known here prove nothing, and change nothing.
pub(super) fn came_back(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    thread: &mut Thread,
) -> anyhow::Result<()> {
    let Some(bounce) = message.bounce.as_ref().filter(|one| one.class == BounceClass::Failed)
    else {
        return Ok(());
    };
    let Some(about) = bounce.original_message_id.clone() else { return Ok(()) };
    let Some(returned) = returned(desk, &about)? else { return Ok(()) };
    silence(desk, bounce)?;
    let is_answer = matches!(returned, Returned::Answer);
    let reason = wording::hygiene::came_back_from(&failed(bounce), is_answer);
    let cause = Cause::new(CauseKind::Mail, format!("seen in {}", folder.name));
    let what = What::CameBack { about, reason: reason.clone() };
    let event = arrival::came_back(desk.policy, thread, cause, what, seen.arrived_at, is_answer);
    record(desk, thread, event)?;
    if let (true, Some(owner)) = (is_answer, thread.now.owner.clone()) {
        tell(desk, &notice::came_back(&owner, thread, &message.message_id, &reason))?;
    }
    Ok(())
}

/// An answer's copy in Sent is seen only after the report that it came back: the thread does not wait for the customer.
pub(super) fn came_back_before(
    desk: &Desk<'_>,
    thread: &mut Thread,
    ids: &[&str],
) -> anyhow::Result<()> {
    let events = desk.tx.events_of(thread.id)?;
    let before = events.into_iter().rev().find(
        |event| matches!(&event.what, What::CameBack { about, .. } if ids.contains(&about.as_str())),
    );
    let Some(before) = before else { return Ok(()) };
    let event = arrival::came_back(desk.policy, thread, before.cause, before.what, desk.now, true);
    if !event.change.is_empty() {
        record(desk, thread, event)?;
    }
    Ok(())
}

/// What the report is about, if it is ours.
fn returned(desk: &Desk<'_>, about: &str) -> anyhow::Result<Option<Returned>> {
    if let Some(sending) = desk.tx.sending_known_as(desk.mailbox, about)? {
        let automatic = [ACKNOWLEDGEMENT, NOTICE].contains(&sending.route.as_str());
        return Ok(Some(if automatic { Returned::Automatic } else { Returned::Answer }));
    }
    let row = desk.tx.message_with_id(desk.mailbox, about)?;
    Ok(row.filter(|row| row.direction == "own" || row.replied).map(|row| match row.replied {
        true => Returned::Answer,
        false => Returned::Automatic,
    }))
}

/// The recipients whom it did not reach.
fn failed(bounce: &Bounce) -> Vec<&BounceRecipient> {
    let failed = |one: &&BounceRecipient| {
        one.action.as_deref().is_none_or(|action| action.eq_ignore_ascii_case("failed"))
    };
    bounce.recipients.iter().filter(failed).collect()
}

fn silence(desk: &Desk<'_>, bounce: &Bounce) -> anyhow::Result<()> {
    let span = if bounce.permanent { SILENT_WHEN_GONE } else { DAY };
    for recipient in failed(bounce) {
        if recipient.address.contains('@') {
            let why = wording::hygiene::cause_of(recipient);
            desk.tx.silence(desk.mailbox, &recipient.address, desk.now + span, &why)?;
        }
    }
    Ok(())
}
