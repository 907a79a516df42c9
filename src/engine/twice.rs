//! Two answers to one mail of a customer's, seen once both have left: nobody could hold them, or somebody let them go.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::desk::event::{Actor, Cause, CauseKind, Event, NewEvent, What};
use crate::desk::notice;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Change, MessageKey, Thread};
use crate::engine::Desk;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::mail::message::Message;
use crate::store::MessageRow;

/// Nobody is told of what happened longer ago than this: it is met when old mail is read for the first time.
const TOLD_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// Who wrote an answer, as the log has it.
pub(super) fn writer_of(events: &[Event], answer: MessageKey) -> Option<AgentId> {
    let is_it =
        |event: &&Event| matches!(event.what, What::Replied { message, .. } if message == answer);
    match events.iter().find(is_it).map(|event| &event.actor) {
        Some(Actor::Agent(agent)) => Some(agent.clone()),
        _ => None,
    }
}

/// Looks whether the answer that was just seen is a second one, and raises the alarm. A further mail of the same writer is
/// none, and none is one whose writer had the earlier answer before them.
pub(super) fn look(
    desk: &Desk<'_>,
    thread: &mut Thread,
    key: MessageKey,
    message: &Message,
) -> anyhow::Result<()> {
    let messages = desk.tx.messages_of(thread.id)?;
    let Some(this) = messages.iter().find(|row| row.key == key) else { return Ok(()) };
    let events = desk.tx.events_of(thread.id)?;
    let writer = writer_of(&events, key);
    let mut seen: BTreeSet<MessageKey> = BTreeSet::new();
    for row in desk.tx.messages_referring(desk.mailbox, &message.message_id)? {
        seen.insert(row.key);
    }
    let names = |row: &MessageRow| {
        let ids = message.in_reply_to.iter().chain(&message.references);
        seen.contains(&row.key) || ids.into_iter().any(|id| *id == row.message_id)
    };
    // Whoever had one answer before them had those before it, too.
    let answers = || messages.iter().filter(|row| row.replied && row.key != key);
    let had_until = answers().filter(|row| names(row)).map(|row| row.arrived_at).max();
    let had = |row: &MessageRow| had_until.is_some_and(|until| row.arrived_at <= until);
    let is_same = |row: &MessageRow| {
        let other = writer_of(&events, row.key);
        other.is_some() && other == writer
    };
    let between = |row: &MessageRow| {
        let (from, to) = (this.arrived_at.min(row.arrived_at), this.arrived_at.max(row.arrived_at));
        let is_customers = |one: &&MessageRow| one.direction == "customer" && from < one.arrived_at;
        messages.iter().filter(is_customers).any(|one| one.arrived_at <= to)
    };
    let asked = messages.iter().any(|row| row.direction == "customer");
    let other = answers().rev().find(|row| asked && !had(row) && !is_same(row) && !between(row));
    let Some(other) = other else { return Ok(()) };
    let cause = Cause::new(CauseKind::Mail, "two answers to one mail");
    let what = What::AnsweredTwice { first: other.key, second: key };
    let event = NewEvent::new(Actor::Server, cause, what, Change::default());
    record(desk, thread, event)?;
    if desk.now.since(this.arrived_at) > TOLD_WITHIN {
        return Ok(());
    }
    let writers = [writer, writer_of(&events, other.key)];
    let to: BTreeSet<AgentId> =
        writers.iter().flatten().chain(&thread.now.owner).cloned().collect();
    for agent in to {
        let notice =
            notice::answered_twice(&agent, thread, (other.key, key), &writers, desk.policy);
        tell(desk, &notice)?;
    }
    Ok(())
}
