//! What somebody asks in words: on the command line, and later by mail and on the board.

use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::arrival;
use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind, Event};
use crate::desk::layout::Dialect;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Position, Thread, ThreadId};
use crate::desk::wording;
use crate::engine::amend::{merge, split, undo};
use crate::engine::record::record;
use crate::engine::{Desk, Policies, dialect};
use crate::store::Tx;

/// How many blocked threads are woken in one transaction.
const WOKEN_MAX: u32 = 200;

/// What is asked, and by whom. This is also the form that the command line sends to a running daemon.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What.
    pub verb: Verb,
    /// Who asks.
    pub actor: AgentId,
}

/// The verbs of the command line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Take it.
    Claim {
        /// Which.
        thread: ThreadId,
    },
    /// Give it to someone.
    Assign {
        /// Which.
        thread: ThreadId,
        /// To whom.
        agent: AgentId,
    },
    /// Put it back.
    Release {
        /// Which.
        thread: ThreadId,
    },
    /// Begin.
    Start {
        /// Which.
        thread: ThreadId,
    },
    /// Wait for the customer.
    Wait {
        /// Which.
        thread: ThreadId,
    },
    /// Wait for someone else.
    Block {
        /// Which.
        thread: ThreadId,
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// Go on.
    Unblock {
        /// Which.
        thread: ThreadId,
    },
    /// Be done.
    Resolve {
        /// Which.
        thread: ThreadId,
    },
    /// Not be done.
    Reopen {
        /// Which.
        thread: ThreadId,
    },
    /// Needs no answer.
    Ignore {
        /// Which.
        thread: ThreadId,
        /// Why.
        reason: String,
    },
    /// Needs the inbox owner.
    Escalate {
        /// Which.
        thread: ThreadId,
        /// Why.
        reason: String,
    },
    /// Take an event back.
    Undo {
        /// Its number.
        event: i64,
    },
    /// Take over another thread's messages.
    Merge {
        /// The thread that stays.
        into: ThreadId,
        /// The thread that ends.
        from: ThreadId,
    },
    /// Make a message a thread of its own.
    Split {
        /// Its Message-ID.
        message_id: String,
    },
}

/// What came of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it is so now.
    pub done: bool,
    /// What happened, or why not and what to do next.
    pub words: String,
}

pub(super) fn done(words: impl Into<String>) -> Answer {
    Answer { done: true, words: words.into() }
}

pub(super) fn refused(words: impl Into<String>) -> Answer {
    Answer { done: false, words: words.into() }
}

/// Decides about a request and writes down what follows.
pub fn answer(
    tx: &Tx<'_>,
    policies: &Policies,
    request: &Request,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    match &request.verb {
        Verb::Undo { event } => {
            let cause = cause(&format!("undo of event {event}"));
            undo(tx, policies, *event, &request.actor, cause, now)
        }
        Verb::Merge { into, from } => merge(tx, policies, *into, *from, &request.actor, now),
        Verb::Split { message_id } => split(tx, policies, message_id, &request.actor, now),
        verb => match command(verb, &request.actor) {
            Some((thread, command)) => act(tx, policies, thread, command, &request.actor, now),
            None => Ok(refused("That is no command for a thread.")),
        },
    }
}

fn command(verb: &Verb, actor: &AgentId) -> Option<(ThreadId, Command)> {
    Some(match verb {
        Verb::Claim { thread } => (*thread, Command::Claim { agent: actor.clone() }),
        Verb::Assign { thread, agent } => (*thread, Command::Assign { agent: agent.clone() }),
        Verb::Release { thread } => (*thread, Command::Release),
        Verb::Start { thread } => (*thread, Command::Start),
        Verb::Wait { thread } => (*thread, Command::Wait),
        Verb::Block { thread, reason, until } => {
            (*thread, Command::Block { reason: reason.clone(), until: *until })
        }
        Verb::Unblock { thread } => (*thread, Command::Unblock),
        Verb::Resolve { thread } => (*thread, Command::Resolve),
        Verb::Reopen { thread } => (*thread, Command::Reopen),
        Verb::Ignore { thread, reason } => (*thread, Command::Ignore { reason: reason.clone() }),
        Verb::Escalate { thread, reason } => {
            (*thread, Command::Escalate { reason: reason.clone() })
        }
        Verb::Undo { .. } | Verb::Merge { .. } | Verb::Split { .. } => return None,
    })
}

pub(super) fn no_thread(id: ThreadId) -> Answer {
    refused(format!("There is no thread {id}; `baton threads --state all` lists them."))
}

pub(super) fn policy<'a>(policies: &'a Policies, thread: &Thread) -> anyhow::Result<&'a Policy> {
    policies.get(&thread.mailbox).with_context(|| {
        format!("{} belongs to the mailbox {}, which is not configured", thread.id, thread.mailbox)
    })
}

pub(super) fn cause(words: &str) -> Cause {
    Cause::new(CauseKind::Command, words)
}

fn act(
    tx: &Tx<'_>,
    policies: &Policies,
    id: ThreadId,
    command: Command,
    actor: &AgentId,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    let Some(mut thread) = tx.thread(id)? else { return Ok(no_thread(id)) };
    let policy = policy(policies, &thread)?;
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    let asked = Asked { command, actor: Actor::Agent(actor.clone()), cause: cause("command line") };
    match decide(policy, &thread, &asked, now) {
        Decision::Done(event) => {
            let event = record(&desk, &mut thread, *event)?;
            Ok(done(told(&thread, &event)))
        }
        Decision::Already(words) => Ok(done(words)),
        Decision::Refused(words, event) => {
            if let Some(event) = event {
                record(&desk, &mut thread, *event)?;
            }
            Ok(refused(words))
        }
    }
}

/// One line about what an event made of the thread.
pub(super) fn told(thread: &Thread, event: &Event) -> String {
    let owner =
        thread.now.owner.as_ref().map_or("nobody's".to_string(), |owner| format!("{owner}'s"));
    format!(
        "{} {}: {}, {owner}. (event {})",
        thread.id,
        event.what.kind(),
        thread.now.state,
        event.seq
    )
}

/// Where a thread stood before an event.
pub(super) fn before(tx: &Tx<'_>, thread: ThreadId, seq: i64) -> anyhow::Result<Position> {
    let mut folded = Thread::unborn(thread, "", Timestamp(0));
    for event in tx.events_of(thread)?.iter().take_while(|event| event.seq < seq) {
        folded.apply(event);
    }
    Ok(folded.now)
}

pub(super) fn stranger(policy: &Policy, actor: &AgentId) -> Option<Answer> {
    match policy.agent(actor) {
        Some(agent) if agent.works_in(&policy.mailbox) => None,
        Some(agent) => Some(refused(format!(
            "{} does not work in the mailbox {}.",
            agent.name, policy.mailbox
        ))),
        None => Some(refused(wording::unknown_agent(actor, policy))),
    }
}

/// Wakes the blocked threads whose time has come. Answers when it is to be called next.
pub fn tick(tx: &Tx<'_>, policies: &Policies, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    for policy in policies.values() {
        let (mailbox, dialect) = dialect(tx, policy)?;
        wake(tx, policy, &dialect, mailbox, now)?;
        let then = tx.next_unblocking(mailbox)?;
        next = next.min(then).or(next).or(then);
    }
    Ok(next)
}

fn wake(
    tx: &Tx<'_>,
    policy: &Policy,
    dialect: &Dialect,
    mailbox: i64,
    now: Timestamp,
) -> anyhow::Result<()> {
    for mut thread in tx.blocked_until(mailbox, now, WOKEN_MAX)? {
        let desk = Desk { tx, policy, dialect, mailbox, now, away: Duration::ZERO };
        let event = arrival::time_reached(&thread);
        record(&desk, &mut thread, event)?;
    }
    Ok(())
}
