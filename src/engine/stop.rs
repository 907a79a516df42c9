//! Answers that are taken back before they leave: by a person, by a gesture, by `#stop`.
//!
//! What the server may have heard of cannot be taken back any more; [`crate::desk::sending`] says so.

use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, NewEvent, What};
use crate::desk::roster::AgentId;
use crate::desk::sending::{Happened, Hold, State, TooLate, step};
use crate::desk::thread::{Change, Thread, ThreadId};
use crate::engine::Desk;
use crate::engine::record::record;
use crate::store::SendingRow;

/// Stops what this agent has handed in for the thread and what has not been attempted yet. Answers the numbers of what
/// never leaves now.
pub fn stop_held(
    desk: &Desk<'_>,
    thread: ThreadId,
    agent: &AgentId,
    cause: &Cause,
) -> anyhow::Result<Vec<i64>> {
    let mut stopped = Vec::new();
    for sending in desk.tx.sendings_of(thread)? {
        let is_theirs = sending.agent.as_ref() == Some(agent);
        if is_theirs && has_not_left(&sending.state) {
            let by = Actor::Agent(agent.clone());
            if stop(desk, &sending, by, cause.clone())?.is_ok() {
                stopped.push(sending.id);
            }
        }
    }
    Ok(stopped)
}

/// Whether it waits to leave, and certainly has not left.
fn has_not_left(state: &State) -> bool {
    match state {
        State::Due { .. } => true,
        State::Held { why, .. } => !matches!(why, Hold::Unknown),
        State::Attempting { .. }
        | State::Unknown { .. }
        | State::Accepted { .. }
        | State::Refused { .. }
        | State::Dropped => false,
    }
}

/// Takes one mail back, and lets the thread's history tell it. The inner answer says why it is too late.
pub(super) fn stop(
    desk: &Desk<'_>,
    sending: &SendingRow,
    actor: Actor,
    cause: Cause,
) -> anyhow::Result<Result<(), TooLate>> {
    let rules = desk.policy.sending.rules;
    let state = match step(&sending.state, &Happened::Dropped, desk.now, &rules) {
        Ok(state) => state,
        Err(why) => return Ok(Err(why)),
    };
    if state == sending.state {
        return Ok(Ok(()));
    }
    desk.tx.set_sending(sending.id, &state)?;
    if let Some(thread) = sending.thread {
        let mut thread: Thread = desk.thread(thread)?;
        let what = What::AnswerDropped { sending: sending.id };
        let event = NewEvent::new(actor.clone(), cause.clone(), what, Change::default());
        record(desk, &mut thread, event)?;
        if desk.tx.count_messages(thread.id)? == 0 {
            end(desk, &mut thread, actor, cause)?;
        }
    }
    Ok(Ok(()))
}

/// A thread whose only mail never leaves has nothing in it that could be seen or answered.
fn end(desk: &Desk<'_>, thread: &mut Thread, actor: Actor, cause: Cause) -> anyhow::Result<()> {
    let command = Command::Ignore { reason: "its only mail was taken back".into() };
    let asked = Asked { command, actor, cause };
    if let Decision::Done(event) = decide(desk.policy, thread, &asked, desk.now) {
        record(desk, thread, *event)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::sending::Refusal;

    #[test]
    fn only_what_certainly_has_not_left_is_stopped() {
        let at = Timestamp(5);
        let held = |why| State::Held { until: None, why };
        let question = Hold::Question { words: "?".into() };
        for state in [held(Hold::Time), held(question), State::Due { at }] {
            assert!(has_not_left(&state), "{state:?}");
        }
        let others = [
            held(Hold::Unknown),
            State::Attempting { since: at },
            State::Unknown { since: at },
            State::Accepted { at },
            State::Refused { why: Refusal::Size },
            State::Dropped,
        ];
        for state in others {
            assert!(!has_not_left(&state), "{state:?}");
        }
    }
}
