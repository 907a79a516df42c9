//! What may be asked of a thread, and the only place with opinions about it.
//!
//! A command line, a gesture in the mailbox and later a mail all become a [`Command`]; [`decide`] answers what happened,
//! or a refusal in words. It is a function of the thread as it stands, so whoever is decided first has won.

use crate::clock::Timestamp;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Actor, Block, Cause, Change, NewEvent, Position, State, Thread, What};
use crate::desk::wording;

/// What somebody wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// To have it, unless another was first.
    Claim {
        /// For whom.
        agent: AgentId,
    },
    /// To give it to someone, whoever has it.
    Assign {
        /// To whom.
        agent: AgentId,
    },
    /// To put it back into the queue.
    Release,
    /// To begin, or go on, working on it.
    Start,
    /// To wait for the customer.
    Wait,
    /// To wait for someone else, or a time.
    Block {
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// To go on where it was blocked.
    Unblock,
    /// To be done with it.
    Resolve,
    /// Not to be done with it after all.
    Reopen,
    /// To need no answer.
    Ignore {
        /// Why.
        reason: String,
    },
    /// The mails were deleted.
    Delete,
    /// The mails came back.
    Return,
    /// To have the inbox owner look.
    Escalate {
        /// Why.
        reason: String,
    },
    /// To end that.
    Deescalate,
}

/// A command with who asks and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// What.
    pub command: Command,
    /// Who.
    pub actor: Actor,
    /// How.
    pub cause: Cause,
}

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It happened.
    Done(Box<NewEvent>),
    /// It is so already; in words.
    Already(String),
    /// It may not be; in words that say what to do next. A lost claim is also an event.
    Refused(String, Option<Box<NewEvent>>),
}

/// Decides about `asked` for `thread` as it stands at `now`.
pub fn decide(policy: &Policy, thread: &Thread, asked: &Asked, now: Timestamp) -> Decision {
    if let Some(target) = thread.now.merged_into {
        return refused(format!("{} was merged into {target}; ask that of {target}.", thread.id));
    }
    if let Some(words) = stranger(policy, thread, asked) {
        return refused(words);
    }
    match &asked.command {
        Command::Claim { agent } => claim(policy, thread, asked, agent),
        Command::Assign { agent } => assign(thread, asked, agent),
        Command::Release => release(thread, asked),
        Command::Start => start(policy, thread, asked),
        Command::Wait => wait(thread, asked),
        Command::Block { reason, until } => block(thread, asked, reason, *until),
        Command::Unblock => unblock(thread, asked),
        Command::Resolve => resolve(thread, asked, now),
        Command::Reopen => reopen(thread, asked),
        Command::Ignore { reason } => {
            let what = What::Ignored { reason: reason.clone() };
            leave(thread, asked, what, "needs no answer already")
        }
        Command::Delete => leave(thread, asked, What::Deleted, "needs no answer already"),
        Command::Return => come_back(thread, asked),
        Command::Escalate { reason } => {
            let what = What::Escalated { reason: reason.clone() };
            escalate(thread, asked, what, true)
        }
        Command::Deescalate => escalate(thread, asked, What::Deescalated, false),
    }
}

/// Nobody acts, and nobody is given a thread, in a mailbox that they do not work in.
fn stranger(policy: &Policy, thread: &Thread, asked: &Asked) -> Option<String> {
    let asked_for = match &asked.command {
        Command::Claim { agent } | Command::Assign { agent } => Some(agent),
        _ => None,
    };
    let actor = match &asked.actor {
        Actor::Agent(agent) => Some(agent),
        _ => None,
    };
    actor.into_iter().chain(asked_for).find_map(|id| match policy.agent(id) {
        None => Some(wording::unknown_agent(id, policy)),
        Some(agent) if !agent.works_in(&thread.mailbox) => Some(format!(
            "{} does not work in the mailbox {}; add it to the agent's `mailboxes`, or ask someone else.",
            agent.name, thread.mailbox
        )),
        Some(_) => None,
    })
}

fn refused(words: impl Into<String>) -> Decision {
    Decision::Refused(words.into(), None)
}

fn already(thread: &Thread, words: &str) -> Decision {
    Decision::Already(format!("{} {words}.", thread.id))
}

/// The event of `thread` going to `after`.
fn event(thread: &Thread, asked: &Asked, what: What, after: &Position) -> NewEvent {
    let change = Change::between(&thread.now, after);
    NewEvent::new(asked.actor.clone(), asked.cause.clone(), what, change)
}

fn done(thread: &Thread, asked: &Asked, what: What, after: &Position) -> Decision {
    Decision::Done(Box::new(event(thread, asked, what, after)))
}

/// The state of a thread that gets an owner: what it was, if somebody is at work on it.
fn state_with_owner(now: &Position, same_owner: bool) -> State {
    match now.state {
        State::New | State::Ignored | State::Resolved => State::Assigned,
        State::InProgress if now.owner.is_some() && !same_owner => State::Assigned,
        state => state,
    }
}

fn give_to(thread: &Thread, agent: &AgentId) -> Position {
    let same = thread.now.owner.as_ref() == Some(agent);
    let state = state_with_owner(&thread.now, same);
    let mut after = Position { owner: Some(agent.clone()), state, ..thread.now.clone() };
    if state != State::Blocked {
        after.before = None;
        after.block = None;
    }
    after
}

fn claim(policy: &Policy, thread: &Thread, asked: &Asked, agent: &AgentId) -> Decision {
    match &thread.now.owner {
        Some(owner) if owner == agent && thread.now.state.is_open() => {
            Decision::Already(wording::already_owned(thread, agent, policy))
        }
        Some(owner) if owner != agent && thread.now.state.is_open() => {
            let what = What::ClaimLost { agent: agent.clone(), owner: owner.clone() };
            let lost = event(thread, asked, what, &thread.now);
            Decision::Refused(
                wording::claim_lost(thread, owner, agent, policy),
                Some(Box::new(lost)),
            )
        }
        _ => {
            let what = What::Claimed { agent: agent.clone() };
            done(thread, asked, what, &give_to(thread, agent))
        }
    }
}

fn assign(thread: &Thread, asked: &Asked, agent: &AgentId) -> Decision {
    if thread.now.owner.as_ref() == Some(agent) && thread.now.state.is_open() {
        return already(thread, &format!("is {agent}'s already"));
    }
    done(thread, asked, What::Assigned { agent: agent.clone() }, &give_to(thread, agent))
}

fn release(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.owner.is_none() && now.state == State::New {
        return already(thread, "is in the queue already");
    }
    let by_command = asked.cause.by == crate::desk::thread::CauseKind::Command;
    if !now.state.is_open() && by_command {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    let after =
        Position { owner: None, state: State::New, before: None, block: None, ..now.clone() };
    done(thread, asked, What::Released, &after)
}

fn start(policy: &Policy, thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if !now.state.is_open() {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    if let (Actor::Agent(agent), Some(owner)) = (&asked.actor, &now.owner)
        && agent != owner
    {
        return refused(wording::not_yours(thread, owner, agent, policy));
    }
    let owner = match (&now.owner, &asked.actor) {
        (None, Actor::Agent(agent)) => Some(agent.clone()),
        (owner, _) => owner.clone(),
    };
    if now.state == State::InProgress && now.owner == owner {
        return already(thread, "is in progress already");
    }
    let after =
        Position { owner, state: State::InProgress, before: None, block: None, ..now.clone() };
    done(thread, asked, What::Started, &after)
}

fn wait(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    match now.state {
        State::Waiting => already(thread, "is waiting for the customer already"),
        state if !state.is_open() => refused(format!("{} is {state}; reopen it first.", thread.id)),
        _ => {
            let after =
                Position { state: State::Waiting, before: None, block: None, ..now.clone() };
            done(thread, asked, What::Waited, &after)
        }
    }
}

fn block(thread: &Thread, asked: &Asked, reason: &str, until: Option<Timestamp>) -> Decision {
    let now = &thread.now;
    if !now.state.is_open() {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    let block = Some(Block { reason: reason.to_string(), until });
    if now.block == block {
        return already(thread, "is blocked for that reason already");
    }
    let before = if now.state == State::Blocked { now.before } else { Some(now.state) };
    let after = Position { state: State::Blocked, before, block, ..now.clone() };
    done(thread, asked, What::Blocked { reason: reason.to_string(), until }, &after)
}

fn unblock(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state != State::Blocked {
        return already(thread, &format!("is not blocked, it is {}", now.state));
    }
    done(thread, asked, What::Unblocked, &unblocked(now))
}

/// Where a blocked thread goes on.
pub(super) fn unblocked(now: &Position) -> Position {
    let state = match now.before {
        Some(State::New) if now.owner.is_some() => State::Assigned,
        Some(State::Assigned | State::InProgress) | None if now.owner.is_none() => State::New,
        Some(state) => state,
        None => State::InProgress,
    };
    Position { state, before: None, block: None, ..now.clone() }
}

fn resolve(thread: &Thread, asked: &Asked, at: Timestamp) -> Decision {
    let now = &thread.now;
    match now.state {
        State::Resolved => already(thread, "is resolved already"),
        State::Ignored => refused(format!("{} is ignored; reopen it first.", thread.id)),
        _ => {
            let after = Position {
                state: State::Resolved,
                before: None,
                block: None,
                resolved_at: Some(at),
                ..now.clone()
            };
            done(thread, asked, What::Resolved, &after)
        }
    }
}

fn reopen(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state.is_open() {
        return already(thread, &format!("is open already, it is {}", now.state));
    }
    let state = if now.owner.is_some() { State::InProgress } else { State::New };
    let reopens = now.reopens + u32::from(now.state == State::Resolved);
    let after = Position { state, before: None, block: None, reopens, ..now.clone() };
    done(thread, asked, What::Reopened, &after)
}

fn leave(thread: &Thread, asked: &Asked, what: What, words: &str) -> Decision {
    let now = &thread.now;
    if now.state == State::Ignored {
        return already(thread, words);
    }
    let after = Position { state: State::Ignored, before: Some(now.state), ..now.clone() };
    done(thread, asked, what, &after)
}

fn come_back(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state != State::Ignored {
        return already(thread, &format!("is {}", now.state));
    }
    let state = match now.before {
        Some(State::Ignored) | None => State::New,
        Some(state) => state,
    };
    let after = Position { state, before: None, ..now.clone() };
    done(thread, asked, What::Returned, &after)
}

fn escalate(thread: &Thread, asked: &Asked, what: What, escalated: bool) -> Decision {
    if thread.now.escalated == escalated {
        let words = if escalated { "is escalated already" } else { "is not escalated" };
        return already(thread, words);
    }
    done(thread, asked, what, &Position { escalated, ..thread.now.clone() })
}
