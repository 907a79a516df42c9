//! Sentences that people read: refusals, and what each event says.

use crate::desk::event::{Event, What};
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::Thread;

/// The name that people call an agent by.
fn called(id: &AgentId, policy: &Policy) -> String {
    policy.agent(id).map_or_else(|| id.0.clone(), |agent| agent.mark.clone())
}

/// Nobody has this id.
pub fn unknown_agent(id: &AgentId, policy: &Policy) -> String {
    let known: Vec<&str> = policy
        .agents
        .iter()
        .filter(|agent| agent.works_in(&policy.mailbox))
        .map(|agent| agent.id.0.as_str())
        .collect();
    format!("There is no agent `{id}`; the agents of {} are {}.", policy.mailbox, known.join(", "))
}

/// Another was first.
pub fn claim_lost(thread: &Thread, owner: &AgentId, agent: &AgentId, policy: &Policy) -> String {
    let owner = called(owner, policy);
    format!(
        "{id} is {owner}'s. Ask {owner}, or give it to {agent} with `baton assign {number} {agent} --as {agent}`.",
        id = thread.id,
        number = thread.id.0
    )
}

/// It is theirs already.
pub fn already_owned(thread: &Thread, agent: &AgentId, policy: &Policy) -> String {
    format!("{} is {}'s already.", thread.id, called(agent, policy))
}

/// Only the owner may do that.
pub fn not_yours(thread: &Thread, owner: &AgentId, agent: &AgentId, policy: &Policy) -> String {
    let owner = called(owner, policy);
    format!(
        "{id} is {owner}'s. Ask {owner}, or take it over with `baton assign {number} {agent} --as {agent}` first.",
        id = thread.id,
        number = thread.id.0
    )
}

/// What an event says, for `show` and `why`: who did what.
pub fn happened(event: &Event) -> String {
    let actor = &event.actor;
    let other = event.other.map(|other| other.to_string()).unwrap_or_default();
    match &event.what {
        What::Opened { .. } => "a mail opened the thread".into(),
        What::CustomerWrote { .. } => "the customer wrote".into(),
        What::InternalWrote { .. } => format!("{actor} wrote to the shared address"),
        What::MachineWrote { .. } => "an automatic mail came".into(),
        What::OwnWrote { .. } => "a copy of our own mail came".into(),
        What::Replied { .. } => format!("{actor} answered the customer"),
        What::Drafted => format!("{actor} began a draft"),
        What::Claimed { agent } => format!("{agent} took the thread"),
        What::ClaimLost { agent, owner } => {
            format!("{agent} wanted the thread, but it is {owner}'s")
        }
        What::Assigned { agent } => format!("{actor} gave the thread to {agent}"),
        What::Released => format!("{actor} put the thread back into the queue"),
        What::Started => format!("{actor} started working"),
        What::Waited => format!("{actor} set the thread to waiting"),
        What::Blocked { reason, until } => match until {
            Some(until) => format!("{actor} blocked the thread until {until}: {reason}"),
            None => format!("{actor} blocked the thread: {reason}"),
        },
        What::Unblocked => format!("{actor} unblocked the thread"),
        What::Resolved => format!("{actor} resolved the thread"),
        What::Reopened => format!("{actor} reopened the thread"),
        What::Ignored { reason } => format!("{actor} marked it as needing no answer: {reason}"),
        What::Deleted => format!("{actor} deleted the mails"),
        What::Returned => "the deleted mails came back".into(),
        What::Escalated { reason } => format!("{actor} escalated the thread: {reason}"),
        What::Deescalated => format!("{actor} ended the escalation"),
        What::Automated { place, moves } => {
            format!("{moves} threads moved within a minute ({place}); not taken for a decision")
        }
        What::Restored { folder } => {
            format!("{folder} was gone; made again, and the mails put back")
        }
        What::CopyCameBack { folder } => format!("a copy is back in {folder}"),
        What::NotShown { answer } => format!("the server did not show the marks: {answer}"),
        What::Merged { .. } => format!("{actor} merged {other} into {}", event.thread),
        What::Split { .. } => format!("{actor} split a message off into {other}"),
        What::Undone { event, undone, .. } => format!("{actor} undid {undone} (event {event})"),
    }
}
