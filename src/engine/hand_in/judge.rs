//! Which thread a mail answers, and whether it may: whose thread it is, and what its writer had not seen.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{HandedIn, SOMEONE};
use crate::desk::answer::{self, Enforce, Unseen, Verdict};
use crate::desk::event::{Event, What};
use crate::desk::joining;
use crate::desk::roster::AgentId;
use crate::desk::sending::{Hold, State};
use crate::desk::thread::{Change, MessageKey, Thread, ThreadId};
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::notice::NOTICE;
use crate::engine::twice::writer_of;
use crate::mail::message::Message;
use crate::mail::outgoing::ACKNOWLEDGEMENT;
use crate::store::{MessageRow, SendingRow};

/// How many ids of a mail are tried for the thread that it answers, the nearest first.
const REFERENCES_TRIED: usize = 120;
/// How many recipients are tried as the customer who is answered.
const RECIPIENTS_TRIED: usize = 10;

/// What a mail answers.
pub(super) struct Answered {
    pub(super) thread: ThreadId,
    /// The mail itself, if it is known.
    pub(super) message: Option<MessageRow>,
}

/// The thread that the mail's ids point to and that one of its recipients takes part in; else the first that they point to;
/// else, for an answer of a client that names no ids, the open thread of its subject with one of them.
pub(super) fn answered(desk: &Desk<'_>, mail: &HandedIn) -> anyhow::Result<Option<Answered>> {
    let message = &mail.message;
    let recipients: BTreeSet<String> = mail.to.iter().map(|to| to.address.to_lowercase()).collect();
    let mut first = None;
    for id in ids(message) {
        let mut found = None;
        desk.tx.threads_by_reference(desk.mailbox, id, |thread| {
            first.get_or_insert(thread);
            let participants = desk.tx.participants(thread)?;
            if participants.is_disjoint(&recipients) {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(thread);
            Ok(ControlFlow::Break(()))
        })?;
        if let Some(thread) = found {
            return known(desk, thread, message).map(Some);
        }
    }
    if let Some(thread) = first {
        return known(desk, thread, message).map(Some);
    }
    let names_none = ids(message).next().is_none();
    if !names_none || !joining::may_join_by_subject(&message.subject, &message.base_subject) {
        return Ok(None);
    }
    for to in recipients.iter().take(RECIPIENTS_TRIED) {
        let subject = &message.base_subject;
        if let Some(thread) = desk.tx.open_thread_by_subject(desk.mailbox, subject, to)? {
            return Ok(Some(Answered { thread: thread.id, message: None }));
        }
    }
    Ok(None)
}

/// The ids that a mail names, the nearest first.
fn ids(message: &Message) -> impl Iterator<Item = &String> {
    message.in_reply_to.iter().chain(message.references.iter().rev()).take(REFERENCES_TRIED)
}

/// Whether the mail answers one that is not known here; it may be on its way, so nobody can say what it belongs to.
pub(super) fn answers_unknown(desk: &Desk<'_>, mail: &HandedIn) -> anyhow::Result<bool> {
    let mut names_any = false;
    for id in ids(&mail.message) {
        names_any = true;
        if desk.tx.message_with_id(desk.mailbox, id)?.is_some() {
            return Ok(false);
        }
    }
    Ok(names_any)
}

/// The nearest mail of the thread that is known here is the one that is answered.
fn known(desk: &Desk<'_>, thread: ThreadId, message: &Message) -> anyhow::Result<Answered> {
    for id in ids(message) {
        let row = desk.tx.message_with_id(desk.mailbox, id)?;
        if let Some(row) = row.filter(|row| row.thread == Some(thread)) {
            return Ok(Answered { thread, message: Some(row) });
        }
    }
    Ok(Answered { thread, message: None })
}

pub(super) fn judge(
    desk: &Desk<'_>,
    thread: &Thread,
    answered: &Answered,
    agent: &AgentId,
    claims: bool,
) -> anyhow::Result<Verdict> {
    let owned_since = match &thread.now.owner {
        Some(owner) => {
            let gave = |change: &Change| change.owner.as_ref() == Some(&Some(owner.clone()));
            let events = desk.tx.events_of(thread.id)?;
            events.iter().rev().find(|event| gave(&event.change)).map(|event| event.at)
        }
        None => None,
    };
    let unseen = unseen(desk, thread, answered, agent)?;
    let answer = answer::Answer { agent: agent.clone(), claims, unseen };
    Ok(answer::judge(desk.policy, desk.policy.sending.enforce, thread, owned_since, &answer))
}

/// What has come into the thread since the mail that is answered. Where that mail is not known, its writer is taken to have
/// seen nothing of what colleagues did since the customer wrote last.
fn unseen(
    desk: &Desk<'_>,
    thread: &Thread,
    answered: &Answered,
    agent: &AgentId,
) -> anyhow::Result<Unseen> {
    let messages = desk.tx.messages_of(thread.id)?;
    let from_customer = |row: &&MessageRow| {
        row.direction == "customer" && matches!(row.kind.as_str(), "human" | "calendar")
    };
    let newest = messages.iter().filter(from_customer).max_by_key(|row| (row.arrived_at, row.key));
    let Some(tip) = answered.message.as_ref().or(newest) else { return Ok(Unseen::Nothing) };
    if let Some(row) = messages.iter().filter(from_customer).find(|row| is_newer(row, tip)) {
        return Ok(Unseen::Customer { at: row.arrived_at });
    }
    let (mut colleague, seen_in_sent) = in_sent(desk, thread, &messages, tip, agent)?;
    for sending in desk.tx.sendings_of(thread.id)? {
        let since = sending.created_at >= tip.arrived_at
            || sending.answered.as_ref() == Some(&tip.message_id);
        if seen_in_sent.contains(&sending.id) || is_automatic(&sending) || !leaves(&sending.state) {
            continue;
        }
        // A draft of which nobody knows who wrote it counts as the owner's.
        let by = sending.agent.or_else(|| thread.now.owner.clone());
        if since && by.as_ref() != Some(agent) {
            colleague = Some(Unseen::Colleague { agent: by, at: sending.created_at });
        }
    }
    Ok(colleague.unwrap_or(Unseen::Nothing))
}

fn is_newer(row: &MessageRow, tip: &MessageRow) -> bool {
    (row.arrived_at, row.key) > (tip.arrived_at, tip.key) && row.message_id != tip.message_id
}

/// A colleague's answer that lies in Sent and came after this mail, or answers it; and which mails of the outbox have their
/// copy there.
fn in_sent(
    desk: &Desk<'_>,
    thread: &Thread,
    messages: &[MessageRow],
    tip: &MessageRow,
    agent: &AgentId,
) -> anyhow::Result<(Option<Unseen>, BTreeSet<i64>)> {
    // Clocks differ between servers, so an answer to the same mail is one whatever the times say.
    let answers = desk.tx.messages_referring(desk.mailbox, &tip.message_id)?;
    let answers: BTreeSet<MessageKey> = answers.into_iter().map(|row| row.key).collect();
    let events = desk.tx.events_of(thread.id)?;
    let mut known = BTreeSet::new();
    let mut colleague = None;
    for row in messages.iter().filter(|row| row.replied) {
        let sent = desk.tx.sending_known_as(desk.mailbox, &row.message_id)?;
        known.extend(sent.as_ref().map(|sending| sending.id));
        let is_ours = sent.is_some();
        let by = sent.and_then(|sending| sending.agent).or_else(|| writer_of(&events, row.key));
        let by = by.or_else(|| thread.now.owner.clone().filter(|_| is_ours));
        let is_tip = row.message_id == tip.message_id;
        let is_unseen = !is_tip && (is_newer(row, tip) || answers.contains(&row.key));
        if is_unseen && by.as_ref() != Some(agent) {
            colleague = Some(Unseen::Colleague { agent: by, at: row.arrived_at });
        }
    }
    Ok((colleague, known))
}

/// Why an answer that waited to leave should not, after all: a colleague's, sent past Baton, has come before it. What a
/// person let go leaves.
pub(in crate::engine) fn overtaken(
    desk: &Desk<'_>,
    row: &SendingRow,
) -> anyhow::Result<Option<String>> {
    let (Some(thread), Some(tip)) = (row.thread, &row.answered) else { return Ok(None) };
    if is_automatic(row) || desk.policy.sending.enforce == Enforce::Record {
        return Ok(None);
    }
    let Some(tip) = desk.tx.message_with_id(desk.mailbox, tip)? else { return Ok(None) };
    let thread = desk.thread(thread)?;
    let let_go =
        |event: &Event| matches!(event.what, What::AnswerReleased { sending } if sending == row.id);
    if desk.tx.events_of(thread.id)?.iter().any(let_go) {
        return Ok(None);
    }
    let messages = desk.tx.messages_of(thread.id)?;
    let owner = thread.now.owner.clone();
    let agent = row.agent.clone().or(owner).unwrap_or_else(|| AgentId(SOMEONE.into()));
    Ok(match in_sent(desk, &thread, &messages, &tip, &agent)?.0 {
        Some(Unseen::Colleague { agent, at }) => {
            Some(wording::colleague_answered_since(&thread, agent.as_ref(), at, desk.policy))
        }
        _ => None,
    })
}

fn is_automatic(sending: &SendingRow) -> bool {
    [ACKNOWLEDGEMENT, NOTICE].contains(&sending.route.as_str())
}

/// Whether it has left, may have, or will if nobody decides otherwise.
fn leaves(state: &State) -> bool {
    !matches!(
        state,
        State::Dropped | State::Held { why: Hold::Question { .. }, .. } | State::Refused { .. }
    )
}
