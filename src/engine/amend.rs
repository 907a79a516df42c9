//! Acts about earlier acts, and about which mails belong together: undo, merge, split.

use std::time::Duration;

use anyhow::Context;

use crate::clock::Timestamp;
use crate::desk::arrival;
use crate::desk::command::coherent;
use crate::desk::event::{Actor, Cause, Event, NewEvent, What};
use crate::desk::roster::AgentId;
use crate::desk::thread::{Change, MessageKey, Position, State, Thread, ThreadId};
use crate::engine::ask::{Answer, before, cause, done, no_thread, policy, refused, stranger, told};
use crate::engine::record::record;
use crate::engine::{Desk, Policies, dialect};
use crate::store::{Effect, Tx};

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
            | What::Begun { .. }
            | What::AnsweredTwice { .. }
            | What::AnswerKept { .. }
            | What::AnswerRefused { .. }
            | What::AnswerReleased { .. }
            | What::AnswerNotSent { .. }
            | What::AnswerDropped { .. }
            | What::Restored { .. }
            | What::CopyCameBack { .. }
            | What::NotShown { .. }
            | What::Acknowledged { .. }
            | What::FellSilent { .. }
    )
}

pub(super) fn undo(
    tx: &Tx<'_>,
    policies: &Policies,
    seq: i64,
    actor: &AgentId,
    cause: Cause,
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
    let undone = undone(tx, &event, &thread, actor, cause)?;
    if let Some(empty) = left_empty(tx, thread.id, &undone)? {
        return Ok(refused(format!(
            "{empty} would have no mail left: its mails have gone on to other threads since event {seq}. Undo that first."
        )));
    }
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
    let mut holds = event.change.decided().holds_in(&thread.now);
    if let Some(other) = event.other {
        let other = tx.thread(other)?.context("an event without its other thread")?;
        holds = holds && event.other_change.decided().holds_in(&other.now);
        // The thread that a split made may have been merged into a third.
        holds &= !matches!(event.what, What::Split { .. }) || other.now.merged_into.is_none();
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
    cause: Cause,
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
        cause,
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

/// The messages that taking an event back moves, and where to. What has gone on to a third thread since stays there, and
/// nothing stays in a thread that a split made: nobody would see it there.
fn moved_back(tx: &Tx<'_>, event: &Event) -> anyhow::Result<Vec<(MessageKey, ThreadId)>> {
    let Some(other) = event.other else { return Ok(Vec::new()) };
    if matches!(event.what, What::Split { .. }) {
        let messages = tx.messages_of(other)?;
        return Ok(messages.into_iter().map(|row| (row.key, event.thread)).collect());
    }
    let mut moved = Vec::new();
    for (message, went_to) in event.joins() {
        let back = if went_to == other { event.thread } else { other };
        if tx.message(message)?.is_some_and(|row| row.thread == Some(went_to)) {
            moved.push((message, back));
        }
    }
    Ok(moved)
}

/// A thread that would be left without a mail, and does not end by it.
fn left_empty(
    tx: &Tx<'_>,
    thread: ThreadId,
    undone: &NewEvent,
) -> anyhow::Result<Option<ThreadId>> {
    let What::Undone { moved, .. } = &undone.what else { return Ok(None) };
    let Some(other) = undone.other else { return Ok(None) };
    for (id, from, change) in
        [(thread, other, &undone.change), (other, thread, &undone.other_change)]
    {
        let ends = match &change.merged_into {
            Some(target) => target.is_some(),
            None => tx.thread(id)?.is_some_and(|thread| thread.now.merged_into.is_some()),
        };
        let come = moved.iter().filter(|(_, to)| *to == id).count();
        let go = moved.iter().filter(|(_, to)| *to == from).count();
        let have = usize::try_from(tx.count_messages(id)?).unwrap_or(0);
        if !ends && (have + come).saturating_sub(go) == 0 {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

pub(super) fn merge(
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

pub(super) fn split(
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
