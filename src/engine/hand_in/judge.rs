//! Which thread a mail answers, and whether it may: whose thread it is, and what its writer had not seen.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::HandedIn;
use crate::desk::answer::{self, Unseen, Verdict};
use crate::desk::roster::AgentId;
use crate::desk::sending::{Hold, State};
use crate::desk::thread::{Change, Thread, ThreadId};
use crate::engine::Desk;
use crate::store::MessageRow;

/// How many ids of a mail are tried for the thread that it answers, the nearest first.
const REFERENCES_TRIED: usize = 120;

/// What a mail answers.
pub(super) struct Answered {
    pub(super) thread: ThreadId,
    /// The mail itself, if it is known.
    pub(super) message: Option<MessageRow>,
}

/// The thread that the mail's ids point to and that one of its recipients takes part in; else the first that they point to.
pub(super) fn answered(desk: &Desk<'_>, mail: &HandedIn) -> anyhow::Result<Option<Answered>> {
    let message = &mail.message;
    let ids = message.in_reply_to.iter().chain(message.references.iter().rev());
    let recipients: BTreeSet<String> = mail.to.iter().map(|to| to.address.to_lowercase()).collect();
    let mut first = None;
    for id in ids.take(REFERENCES_TRIED) {
        let mut found = None;
        desk.tx.threads_by_reference(desk.mailbox, id, |thread| {
            first.get_or_insert((thread, id));
            let participants = desk.tx.participants(thread)?;
            if participants.is_disjoint(&recipients) {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(thread);
            Ok(ControlFlow::Break(()))
        })?;
        if let Some(thread) = found {
            return known(desk, thread, id).map(Some);
        }
    }
    first.map(|(thread, id)| known(desk, thread, id)).transpose()
}

fn known(desk: &Desk<'_>, thread: ThreadId, id: &str) -> anyhow::Result<Answered> {
    let message = desk.tx.message_with_id(desk.mailbox, id)?;
    Ok(Answered { thread, message: message.filter(|row| row.thread == Some(thread)) })
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

/// What has come into the thread since the mail that is answered. Where that mail is not known, nothing can be said.
fn unseen(
    desk: &Desk<'_>,
    thread: &Thread,
    answered: &Answered,
    agent: &AgentId,
) -> anyhow::Result<Unseen> {
    let Some(tip) = &answered.message else { return Ok(Unseen::Nothing) };
    let is_newer = |row: &&MessageRow| {
        (row.arrived_at, row.key) > (tip.arrived_at, tip.key) && row.message_id != tip.message_id
    };
    let messages = desk.tx.messages_of(thread.id)?;
    let mut colleague = None;
    for row in messages.iter().filter(is_newer) {
        if row.direction == "customer" && matches!(row.kind.as_str(), "human" | "calendar") {
            return Ok(Unseen::Customer { at: row.arrived_at });
        }
        if row.replied {
            let sent = desk.tx.sending_with_id(desk.mailbox, &row.message_id)?;
            let by = sent.and_then(|sending| sending.agent);
            if by.as_ref() != Some(agent) {
                colleague = Some(Unseen::Colleague { agent: by, at: row.arrived_at });
            }
        }
    }
    for sending in desk.tx.sendings_of(thread.id)? {
        let leaves = !matches!(
            sending.state,
            State::Dropped | State::Held { why: Hold::Question { .. }, .. } | State::Refused { .. }
        );
        let by = sending.agent.filter(|by| by != agent);
        if leaves && by.is_some() && sending.created_at >= tip.arrived_at {
            colleague = Some(Unseen::Colleague { agent: by, at: sending.created_at });
        }
    }
    Ok(colleague.unwrap_or(Unseen::Nothing))
}
