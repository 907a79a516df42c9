//! A draft answers a thread: who is writing to whom, and who is to know of it.

use std::collections::BTreeSet;

use crate::desk::arrival;
use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind};
use crate::desk::notice;
use crate::desk::roster::AgentId;
use crate::desk::thread::{MessageKey, Thread};
use crate::engine::Desk;
use crate::engine::arrive::Seen;
use crate::engine::join::candidates;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::engine::sent::written_by;
use crate::mail::message::Message;

/// A draft that answers a thread lies in Drafts: work on it has begun, a thread of nobody's is the writer's now, and whoever
/// else answers the same customer is told.
pub(in crate::engine) fn drafted(
    desk: &Desk<'_>,
    folder: &str,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    let Some((mut thread, writer)) = drafting(desk, seen, message, key)? else { return Ok(()) };
    let detail = format!("a draft answer in {folder}");
    if let Some(writer) = &writer {
        claim(desk, &mut thread, writer, &detail)?;
    }
    if let Some(event) = arrival::drafted(&thread, writer.as_ref(), detail) {
        record(desk, &mut thread, event)?;
    }
    match writer {
        Some(writer) => tell_others(desk, &thread, &writer),
        None => Ok(()),
    }
}

/// Notes that the draft answers a thread, and who writes it.
pub(super) fn drafting(
    desk: &Desk<'_>,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<Option<(Thread, Option<AgentId>)>> {
    let answered = candidates(desk, seen, message, false, |_| true)?.into_iter().next();
    let Some(candidate) = answered else { return Ok(None) };
    let writer = written_by(desk, message);
    desk.tx.set_drafting(key, candidate.thread, writer.as_ref())?;
    Ok(Some((desk.thread(candidate.thread)?, writer)))
}

fn claim(
    desk: &Desk<'_>,
    thread: &mut Thread,
    writer: &AgentId,
    detail: &str,
) -> anyhow::Result<()> {
    let works_here =
        |id| desk.policy.agent(id).is_some_and(|one| one.works_in(&desk.policy.mailbox));
    let is_open = thread.now.state.is_open() && thread.now.merged_into.is_none();
    if thread.now.owner.is_some() || !is_open || !works_here(writer) {
        return Ok(());
    }
    let asked = Asked {
        command: Command::Claim { agent: writer.clone() },
        actor: Actor::Agent(writer.clone()),
        cause: Cause::new(CauseKind::Gesture, detail),
    };
    if let Decision::Done(event) = decide(desk.policy, thread, &asked, desk.now) {
        record(desk, thread, *event)?;
    }
    Ok(())
}

/// Tells the writer, and everybody whose answer this draft may cross.
fn tell_others(desk: &Desk<'_>, thread: &Thread, writer: &AgentId) -> anyhow::Result<()> {
    if !thread.now.state.is_open() {
        return Ok(());
    }
    let drafts = desk.tx.writers_of_drafts(thread.id)?;
    let mut others: BTreeSet<AgentId> = drafts.into_iter().flatten().collect();
    others.extend(thread.now.owner.clone());
    others.remove(writer);
    for other in others {
        for told in notice::drafts_meet(thread, writer, &other, desk.policy) {
            tell(desk, &told)?;
        }
    }
    Ok(())
}
