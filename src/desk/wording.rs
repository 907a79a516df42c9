//! Sentences that people read: refusals, and what each event says.

pub mod card;
pub mod collision;
pub mod drafts;
pub mod hygiene;
pub mod orders;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::event::{Event, What};
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::Refusal;
use crate::desk::thread::{Thread, ThreadId};

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

/// Somebody answers a thread that is another's.
pub fn answers_for_another(
    thread: &Thread,
    owner: &AgentId,
    since: Option<Timestamp>,
    policy: &Policy,
) -> String {
    let owner = called(owner, policy);
    let since = since.map(|at| format!(" since {}", clock_time(at))).unwrap_or_default();
    format!(
        "{} is {owner}'s{since}. Write #claim in the first line to take it over, or ask {owner}.",
        thread.id
    )
}

/// The customer has written since the mail that is answered.
pub fn customer_wrote_since(thread: &Thread, at: Timestamp) -> String {
    let at = clock_time(at);
    format!(
        "The customer of {} has written again at {at}. Read it, and answer that mail.",
        thread.id
    )
}

/// A colleague has answered since the mail that is answered.
pub fn colleague_answered_since(
    thread: &Thread,
    agent: Option<&AgentId>,
    at: Timestamp,
    policy: &Policy,
) -> String {
    let who = agent.map_or_else(|| "Somebody".to_owned(), |agent| called(agent, policy));
    let at = clock_time(at);
    format!("{who} has answered {} at {at} already. Read it, and answer on top of it.", thread.id)
}

/// The agent may not write as this address.
pub fn not_your_address(agent: &Agent, allowed: &[&str]) -> String {
    match allowed {
        [] => format!("{} works in no mailbox from which mail is sent.", agent.name),
        some => {
            format!("{} may send as {}. Choose it as the sender.", agent.name, some.join(" or "))
        }
    }
}

/// A mail was kept, and leaves.
pub fn answer_leaves(thread: Option<ThreadId>, sending: i64, wait: Duration) -> String {
    let thread = thread.map_or_else(|| "For the team".to_owned(), |id| id.to_string());
    match wait.as_secs() {
        0 => format!("{thread}: kept as {sending}, and on its way."),
        seconds => format!(
            "{thread}: kept as {sending}, leaves in {seconds} seconds. `baton outbox drop {sending}` stops it."
        ),
    }
}

/// A mail was kept, and a person has to decide.
pub fn answer_waits(sending: i64, why: &str) -> String {
    format!(
        "Not sent, but kept as {sending}: {why} `baton outbox release {sending}` sends it all the same."
    )
}

/// What a notice about a thread is called: always the same, so that clients file them together.
pub fn notice_subject(thread: Option<&Thread>) -> String {
    match thread {
        Some(thread) if thread.now.subject.is_empty() => format!("{}", thread.id),
        Some(thread) => format!("{} {}", thread.id, thread.now.subject),
        None => "Baton".into(),
    }
}

/// The writer of an answer is told that it waits.
pub fn notice_held(sending: i64, why: &str) -> String {
    format!(
        "Your mail was not sent; it is kept as {sending} in the outbox.\n\n{why}\n\n\
         To send it all the same: baton outbox release {sending}\n\
         To take it back: baton outbox drop {sending}\n"
    )
}

/// The writer of an answer is told that it did not leave.
pub fn notice_not_sent(sending: i64, why: &str) -> String {
    format!(
        "Your mail was not sent, as far as Baton knows; it is {sending} in the outbox.\n\n{why}\n\n\
         To see where it stands: baton outbox show {sending}\n\
         To try again: baton outbox retry {sending}\n\
         To give it up: baton outbox drop {sending}\n"
    )
}

/// A mail has left under another address than was written.
pub fn sent_as_another(from: &str, own: &str) -> String {
    format!(
        "It left as {from}: the provider put that in the place of {own}. Customers see it, and answer to it. Let the account \
         of [mailbox.smtp] send as {own} (at Gmail \"Send mail as\", at Microsoft Send As), or log in there as {own}."
    )
}

/// The provider gives mails Message-IDs of its own.
pub fn gives_own_ids() -> String {
    "The provider puts Message-IDs of its own in the place of Baton's. Answers are found by either; nothing has to be done."
        .into()
}

/// The writer of an answer is told under which address it left.
pub fn notice_sent_as_another(words: &str) -> String {
    format!(
        "Your answer has been sent, and not as you wrote it.\n\n{words}\n\n\
         `baton status` tells it as long as it is so; you are not told again.\n"
    )
}

/// A mail that answers nothing.
pub fn answers_nothing() -> String {
    "It answers no thread that Baton knows.".into()
}

/// A time of day in UTC, and the day: whoever reads it may be a day away.
fn clock_time(at: Timestamp) -> String {
    match jiff::Timestamp::from_second(at.0) {
        Ok(time) => time.strftime("%H:%M on %-d %B (UTC)").to_string(),
        Err(_) => at.to_string(),
    }
}

/// What a provider's no means, and what to do about it.
pub fn refused_by_provider(why: Refusal) -> &'static str {
    match why {
        Refusal::NoSendAs => {
            "The account may not send as the shared address. Give it that right (`baton doctor --probe` says how), then retry."
        }
        Refusal::IdentityRewritten => {
            "The provider puts another sender in the place of the shared address. Make the address an alias of the account, then retry."
        }
        Refusal::Limit => {
            "The account has sent as much as it may, or its mailbox is full. Retry tomorrow, or make room."
        }
        Refusal::Size => {
            "The mail is too large for the provider. Write it anew with smaller attachments."
        }
        Refusal::Recipient => {
            "A recipient does not exist, or takes no mail. Nobody got it; write it anew with the right address."
        }
        Refusal::Content => {
            "The provider thinks that the content is harmful. Write it anew without what may look so: an attached program, a shortened link."
        }
        Refusal::Blocked => {
            "The account may not send at all just now. Each try makes that longer: find out why first, then retry."
        }
        Refusal::Other => "The provider does not take it.",
    }
}

/// What to do about a mail of which nobody knows whether it left.
pub const LEFT_OR_NOT: &str = "The provider's answer was lost. Ask the customer, or look at the provider, before it is sent once more.";

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
        What::PutBack { folder } => {
            format!("{actor} moved a mail to {folder}; it is no draft, and was put back")
        }
        What::CopyCameBack { folder } => format!("a copy is back in {folder}"),
        What::NotShown { answer } => format!("the server did not show the marks: {answer}"),
        What::Merged { .. } => format!("{actor} merged {other} into {}", event.thread),
        What::Split { .. } => format!("{actor} split a message off into {other}"),
        What::AnswerKept { sending, remark } if remark.is_empty() => {
            format!("{actor} handed in an answer ({sending} in the outbox)")
        }
        What::AnswerKept { sending, remark } => {
            format!("{actor} handed in an answer ({sending} in the outbox): {remark}")
        }
        What::Begun { sending } => {
            format!("{actor} began the thread with a mail ({sending} in the outbox)")
        }
        What::AnsweredTwice { .. } => "one mail of the customer's has two answers".into(),
        What::AnswerRefused { reason } => format!("{actor}'s answer was refused: {reason}"),
        What::AnswerReleased { sending } => format!("{actor} let answer {sending} go"),
        What::AnswerNotSent { sending, reason } => {
            format!("answer {sending} was not sent: {reason}")
        }
        What::AnswerDropped { sending } => format!("{actor} took answer {sending} back"),
        What::Acknowledged { sending } => {
            format!("the customer was told that the mail has come ({sending} in the outbox)")
        }
        What::CameBack { reason, .. } | What::FellSilent { reason } => {
            reason.trim_end_matches('.').to_owned()
        }
        What::Undone { event, undone, .. } => format!("{actor} undid {undone} (event {event})"),
    }
}
