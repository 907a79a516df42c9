//! What somebody asks in words: on the command line, and later by mail and on the board.

use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::arrival;
use crate::desk::command::{Asked, Command, Decision, coherent, decide};
use crate::desk::layout::Dialect;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{
    Actor, Cause, CauseKind, Change, Event, MessageKey, NewEvent, Position, State, Thread,
    ThreadId, What,
};
use crate::desk::wording;
use crate::engine::record::record;
use crate::engine::{Desk, Policies, dialect};
use crate::store::{Effect, Tx};

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

fn done(words: impl Into<String>) -> Answer {
    Answer { done: true, words: words.into() }
}

fn refused(words: impl Into<String>) -> Answer {
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
        Verb::Undo { event } => undo(tx, policies, *event, &request.actor, now),
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

fn no_thread(id: ThreadId) -> Answer {
    refused(format!("There is no thread {id}; `baton threads --state all` lists them."))
}

fn policy<'a>(policies: &'a Policies, thread: &Thread) -> anyhow::Result<&'a Policy> {
    policies.get(&thread.mailbox).with_context(|| {
        format!("{} belongs to the mailbox {}, which is not configured", thread.id, thread.mailbox)
    })
}

fn cause(words: &str) -> Cause {
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
fn told(thread: &Thread, event: &Event) -> String {
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

fn stranger(policy: &Policy, actor: &AgentId) -> Option<Answer> {
    match policy.agent(actor) {
        Some(agent) if agent.works_in(&policy.mailbox) => None,
        Some(agent) => Some(refused(format!(
            "{} does not work in the mailbox {}.",
            agent.name, policy.mailbox
        ))),
        None => Some(refused(wording::unknown_agent(actor, policy))),
    }
}

/// Whether an event of this kind is an act that can be taken back, rather than a mail that came.
fn is_act(what: &What) -> bool {
    !matches!(
        what,
        What::Opened { .. }
            | What::CustomerWrote { .. }
            | What::InternalWrote { .. }
            | What::MachineWrote { .. }
            | What::OwnWrote { .. }
            | What::Replied { .. }
            | What::ClaimLost { .. }
            | What::Restored { .. }
            | What::NotShown { .. }
    )
}

fn undo(
    tx: &Tx<'_>,
    policies: &Policies,
    seq: i64,
    actor: &AgentId,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    let Some(event) = tx.event(seq)? else {
        return Ok(refused(format!(
            "There is no event {seq}; `baton show THREAD` lists a thread's events."
        )));
    };
    let mut thread = tx.thread(event.thread)?.context("an event without a thread")?;
    let policy = policy(policies, &thread)?;
    if let Some(answer) = stranger(policy, actor) {
        return Ok(answer);
    }
    if !is_act(&event.what) {
        return Ok(refused(format!(
            "Event {seq} is a fact ({}), not an act; it cannot be undone.",
            event.what.kind()
        )));
    }
    if let Some(words) = changed_since(tx, &event, &thread)? {
        return Ok(refused(words));
    }
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    let undone = undone(tx, &event, &thread, actor)?;
    let undone = record(&desk, &mut thread, undone)?;
    tx.wish(mailbox, thread.id, Effect::ShowMarks, now)?;
    Ok(done(told(&thread, &undone)))
}

/// Why the event can no longer be taken back: something built on it, or it was taken back already.
fn changed_since(tx: &Tx<'_>, event: &Event, thread: &Thread) -> anyhow::Result<Option<String>> {
    let later: Vec<Event> =
        tx.events_of(thread.id)?.into_iter().filter(|one| one.seq > event.seq).collect();
    let again = later.iter().find(
        |one| matches!(&one.what, What::Undone { event: undone, .. } if *undone == event.seq),
    );
    if let Some(again) = again
        && !later
            .iter()
            .any(|one| matches!(&one.what, What::Undone { event, .. } if *event == again.seq))
    {
        return Ok(Some(format!(
            "Event {} was undone already, by event {}.",
            event.seq, again.seq
        )));
    }
    if let (What::Split { .. }, Some(other)) = (&event.what, event.other)
        && tx.count_messages(other)? > 1
    {
        return Ok(Some(format!(
            "{other} has got more mail since it was split off; merge it with `baton merge {} {} --as …` instead.",
            thread.id.0, other.0
        )));
    }
    let mut holds = event.change.decided().holds_in(&thread.now);
    if let Some(other) = event.other {
        let other = tx.thread(other)?.context("an event without its other thread")?;
        holds = holds && event.other_change.decided().holds_in(&other.now);
    }
    if holds {
        return Ok(None);
    }
    let next = later.iter().find(|one| one.change.shows() && is_act(&one.what));
    Ok(Some(match next {
        Some(next) => format!(
            "{} has gone on since event {}: {} (event {}). Undo that first.",
            thread.id,
            event.seq,
            next.what.kind(),
            next.seq
        ),
        None => format!(
            "{} has gone on since event {}; set its state with a command instead.",
            thread.id, event.seq
        ),
    }))
}

fn undone(
    tx: &Tx<'_>,
    event: &Event,
    thread: &Thread,
    actor: &AgentId,
) -> anyhow::Result<NewEvent> {
    let was = before(tx, event.thread, event.seq)?;
    let all = event.change.holds_in(&thread.now);
    let change = if all { event.change.clone() } else { event.change.decided() };
    let other_change = match event.other {
        Some(other) => {
            let now = tx.thread(other)?.context("an event without its other thread")?.now;
            taken_back(&now, &event.other_change, &before(tx, other, event.seq)?)
        }
        None => Change::default(),
    };
    let moved = moved_back(tx, event)?;
    // A thread that a split made has no messages left, so it must not stand open.
    let other_change = match (&event.what, event.other) {
        (What::Split { .. }, Some(_)) => Change {
            merged_into: Some(Some(event.thread)),
            state: Some(State::Ignored),
            ..Change::default()
        },
        _ => other_change,
    };
    Ok(NewEvent {
        actor: Actor::Agent(actor.clone()),
        cause: cause(&format!("undo of event {}", event.seq)),
        what: What::Undone { event: event.seq, undone: event.what.kind().to_string(), moved },
        change: taken_back(&thread.now, &change, &was),
        other: event.other,
        other_change,
    })
}

/// What takes `change` back, whatever else has come about since.
pub(super) fn taken_back(now: &Position, change: &Change, before: &Position) -> Change {
    let mut after = now.clone();
    after.apply(&change.opposite(before));
    Change::between(now, &coherent(after))
}

/// Where the messages that an event moved were before it.
fn moved_back(tx: &Tx<'_>, event: &Event) -> anyhow::Result<Vec<(MessageKey, ThreadId)>> {
    let joins = event.joins();
    let Some(other) = event.other else { return Ok(Vec::new()) };
    Ok(match &event.what {
        What::Merged { .. } => {
            // What was split off since stays where it is.
            let here: Vec<MessageKey> =
                tx.messages_of(event.thread)?.into_iter().map(|row| row.key).collect();
            let still = joins.iter().filter(|(message, _)| here.contains(message));
            still.map(|(message, _)| (*message, other)).collect()
        }
        What::Split { .. } => joins.iter().map(|(message, _)| (*message, event.thread)).collect(),
        What::Undone { event: undone, .. } => {
            tx.event(*undone)?.map(|first| first.joins()).unwrap_or_default()
        }
        _ => Vec::new(),
    })
}

fn merge(
    tx: &Tx<'_>,
    policies: &Policies,
    into: ThreadId,
    from: ThreadId,
    actor: &AgentId,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    let Some(mut thread) = tx.thread(into)? else { return Ok(no_thread(into)) };
    let Some(other) = tx.thread(from)? else { return Ok(no_thread(from)) };
    if into == from {
        return Ok(refused(format!("{into} cannot be merged into itself.")));
    }
    if thread.mailbox != other.mailbox {
        return Ok(refused(format!("{into} and {from} are in different mailboxes.")));
    }
    for one in [&thread, &other] {
        if let Some(target) = one.now.merged_into {
            return Ok(refused(format!("{} was merged into {target} already.", one.id)));
        }
    }
    let policy = policy(policies, &thread)?;
    if let Some(answer) = stranger(policy, actor) {
        return Ok(answer);
    }
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    let messages: Vec<MessageKey> = tx.messages_of(from)?.iter().map(|row| row.key).collect();
    let actor = Actor::Agent(actor.clone());
    let mut event = merging(&thread, &other, messages, actor, cause("command line"));
    if other.now.state.is_open()
        && let Some(wrote_at) = other.now.last_customer_at
    {
        // What nobody has answered must not disappear in a thread that rests.
        arrival::takes_up(policy, &thread.now, wrote_at, &mut event.change);
    }
    let participants: Vec<String> = tx.participants(from)?.into_iter().collect();
    let event = record(&desk, &mut thread, event)?;
    tx.add_participants(into, &participants)?;
    tx.wish(mailbox, into, Effect::ShowMarks, now)?;
    Ok(done(format!("{from} was merged into {}", told(&thread, &event))))
}

/// The event of `into` taking over the messages of `from`.
pub(super) fn merging(
    into: &Thread,
    from: &Thread,
    messages: Vec<MessageKey>,
    actor: Actor,
    cause: Cause,
) -> NewEvent {
    let after = merged(&into.now, &from.now);
    let ended = Position {
        state: State::Ignored,
        before: Some(from.now.state),
        merged_into: Some(into.id),
        ..from.now.clone()
    };
    NewEvent {
        actor,
        cause,
        what: What::Merged { messages },
        change: Change::between(&into.now, &after),
        other: Some(from.id),
        other_change: Change::between(&from.now, &ended),
    }
}

/// Where a thread stands that took over another: its own state, and the times of both.
fn merged(into: &Position, from: &Position) -> Position {
    let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    Position {
        last_customer_at: into.last_customer_at.max(from.last_customer_at),
        last_reply_at: into.last_reply_at.max(from.last_reply_at),
        first_response_at: earlier(into.first_response_at, from.first_response_at),
        escalated: into.escalated || from.escalated,
        ..into.clone()
    }
}

fn split(
    tx: &Tx<'_>,
    policies: &Policies,
    message_id: &str,
    actor: &AgentId,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    let message_id = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    let rows = tx.messages_by_message_id(message_id)?;
    let found = rows.into_iter().find_map(|row| row.thread.map(|thread| (row, thread)));
    let Some((row, id)) = found else {
        return Ok(refused(format!(
            "No thread has a mail <{message_id}>; `baton show THREAD --json` lists the Message-IDs."
        )));
    };
    let mut thread = tx.thread(id)?.context("a message without its thread")?;
    let policy = policy(policies, &thread)?;
    if let Some(answer) = stranger(policy, actor) {
        return Ok(answer);
    }
    if tx.count_messages(id)? < 2 {
        return Ok(refused(format!("{id} has only this mail; there is nothing to split off.")));
    }
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    let other = tx.add_thread(mailbox, row.arrived_at)?;
    let customer = if row.direction == "customer" {
        row.sender.to_lowercase()
    } else {
        thread.now.customer.clone()
    };
    let begun = Position {
        subject: crate::mail::subject::base_subject(&row.subject),
        customer: customer.clone(),
        last_customer_at: (row.direction == "customer").then_some(row.arrived_at),
        linked_to: Some(id),
        ..Position::default()
    };
    let event = NewEvent {
        actor: Actor::Agent(actor.clone()),
        cause: cause("command line"),
        what: What::Split { message: row.key },
        change: Change::default(),
        other: Some(other),
        other_change: Change::between(&Position::default(), &begun),
    };
    let event = record(&desk, &mut thread, event)?;
    let mut participants = row.recipients.iter().map(|one| one.to_lowercase()).collect::<Vec<_>>();
    participants.push(row.sender.to_lowercase());
    participants.push(customer);
    participants.retain(|one| !one.is_empty() && !policy.is_own(one));
    tx.add_participants(other, &participants)?;
    Ok(done(format!("The mail is {other} now. (event {})", event.seq)))
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
