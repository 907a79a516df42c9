//! What an agent's mail says to Baton in its first lines, and doing it.
//!
//! All of a mail's lines are done, or none: they are decided one after the other on a copy of the thread, and only then
//! written down. A line that Baton knows never leaves; one that it does not know may be meant for the customer, so a person
//! is asked.

use super::{HandedIn, Taken};
use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind, Event, NewEvent, What};
use crate::desk::notice;
use crate::desk::roster::AgentId;
use crate::desk::thread::Thread;
use crate::desk::verb::{Afterwards, Order, Reading, read};
use crate::desk::wording;
use crate::engine::amend::undo;
use crate::engine::ask::told;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::engine::stop::stop_held;
use crate::engine::{Desk, Policies};
use crate::mail::orders::{Top, top};

/// The longest first line that is repeated in a sentence, letters.
const LINE_SHOWN: usize = 40;

/// A mail as it was written: what it says to Baton, and what is left of it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) orders: Vec<Order>,
    /// The mail without them.
    pub(super) raw: Vec<u8>,
    /// Whether it says anything else.
    pub(super) says_more: bool,
    /// What a person has to be asked.
    pub(super) question: Option<String>,
}

impl Written {
    fn as_text(mail: &HandedIn, question: Option<String>) -> Written {
        Written { orders: Vec::new(), raw: mail.raw.clone(), says_more: true, question }
    }

    /// Whether its writer wants the thread.
    pub(super) fn claims(&self) -> bool {
        let is_claim = |order: &Order| matches!(order, Order::Command(Command::Claim { .. }));
        self.orders.iter().any(is_claim)
    }
}

/// Reads the lines at the top; an error is why the mail cannot be taken, as a sentence.
pub(super) fn written(
    desk: &Desk<'_>,
    mail: &HandedIn,
    by: &AgentId,
    thread: Option<&Thread>,
) -> Result<Written, String> {
    let understood = |line: &String| read(line, by, desk.policy, desk.now);
    let (lines, rest, says_more) = match top(&mail.raw, &mail.message) {
        Top::Text => return Ok(Written::as_text(mail, None)),
        Top::Stuck { lines, why } => {
            let known = lines.iter().find(|line| understood(line) != Reading::Unknown);
            return match (known, lines.first()) {
                (Some(known), _) => Err(wording::orders::cannot_take_out(&shown(known), why)),
                (None, first) => Ok(Written::as_text(mail, first.map(|line| question(line)))),
            };
        }
        Top::Orders { lines, rest, says_more } => (lines, rest, says_more),
    };
    let mut orders = Vec::new();
    let mut unknown = None;
    for line in &lines {
        match understood(line) {
            Reading::Order(order) => orders.push(order),
            Reading::Unclear(words) => return Err(words),
            Reading::Unknown => unknown = unknown.or(Some(line)),
        }
    }
    match unknown {
        Some(line) if orders.is_empty() => {
            return Ok(Written::as_text(mail, Some(question(line))));
        }
        Some(line) => return Err(wording::orders::unknown_among_others(&shown(line))),
        None => {}
    }
    let alone = !says_more && orders.len() == 1;
    if orders.contains(&Order::Undo) && !alone {
        return Err(wording::orders::undo_stands_alone());
    }
    match thread {
        None => Err(wording::orders::command_without_thread()),
        Some(_) => Ok(Written { orders, raw: rest, says_more, question: None }),
    }
}

fn question(line: &str) -> String {
    wording::orders::begins_with_a_command(&shown(line))
}

fn shown(line: &str) -> String {
    line.chars().take(LINE_SHOWN).collect()
}

/// Does what a mail without other text asks for.
pub(super) fn obey(
    desk: &Desk<'_>,
    policies: &Policies,
    thread: Option<Thread>,
    agent: &AgentId,
    mail_id: &str,
    orders: &[Order],
) -> anyhow::Result<Taken> {
    let Some(mut thread) = thread else {
        return Ok(Taken::Refused(wording::orders::command_without_thread()));
    };
    if orders.contains(&Order::Undo) {
        return take_back(desk, policies, &thread, agent, mail_id);
    }
    let plan = match plan(desk, &thread, orders, agent) {
        Ok(plan) => plan,
        Err(refused) => {
            if let Some(event) = refused.event {
                record(desk, &mut thread, *event)?;
            }
            return Ok(Taken::Refused(refused.words));
        }
    };
    let done = carry_out(desk, &mut thread, plan, agent)?;
    Ok(Taken::Done(wording::orders::commands_done(&done)))
}

/// What is to be done, decided on a copy of the thread.
#[derive(Debug, Default)]
pub(super) struct Plan {
    events: Vec<NewEvent>,
    /// What is so already, in words.
    already: Vec<String>,
    stops: bool,
}

/// A line that may not be.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) words: String,
    event: Option<Box<NewEvent>>,
}

/// Decides about all lines, as if each had been done before the next.
pub(super) fn plan(
    desk: &Desk<'_>,
    thread: &Thread,
    orders: &[Order],
    agent: &AgentId,
) -> Result<Plan, Refused> {
    let mut thread = thread.clone();
    let mut plan = Plan::default();
    for order in orders {
        let command = match order {
            Order::Command(command) => command.clone(),
            Order::Stop => {
                plan.stops = true;
                continue;
            }
            Order::Undo => continue,
        };
        let asked = Asked {
            command,
            actor: Actor::Agent(agent.clone()),
            cause: Cause::new(CauseKind::Command, "the first line of a mail"),
        };
        match decide(desk.policy, &thread, &asked, desk.now) {
            Decision::Done(event) => {
                thread.now.apply(&event.change);
                plan.events.push(*event);
            }
            Decision::Already(words) => plan.already.push(words),
            Decision::Refused(words, event) => return Err(Refused { words, event }),
        }
    }
    Ok(plan)
}

/// Writes down what was decided; answers what happened, in sentences.
pub(super) fn carry_out(
    desk: &Desk<'_>,
    thread: &mut Thread,
    plan: Plan,
    agent: &AgentId,
) -> anyhow::Result<Vec<String>> {
    let mut done = plan.already;
    for event in plan.events {
        let before = thread.now.owner.clone();
        let event = record(desk, thread, event)?;
        tell_former_owner(desk, thread, before, agent, &event)?;
        done.push(told(thread, &event));
    }
    if plan.stops {
        let cause = Cause::new(CauseKind::Command, "#stop");
        done.push(wording::orders::stopped(&stop_held(desk, thread.id, agent, &cause)?));
    }
    Ok(done)
}

/// Whoever had a thread that a colleague has taken or given away is told so.
pub(super) fn tell_former_owner(
    desk: &Desk<'_>,
    thread: &Thread,
    before: Option<AgentId>,
    by: &AgentId,
    event: &Event,
) -> anyhow::Result<()> {
    match before.filter(|before| before != by && Some(before) != thread.now.owner.as_ref()) {
        Some(before) => {
            let notice = notice::taken_over(&before, thread, by, event.seq, desk.policy);
            tell(desk, &notice)
        }
        None => Ok(()),
    }
}

/// Splits what an answer asks for into what is done at once, and what when it has left. A claim is part of the judgement.
pub(super) fn by_time(orders: &[Order]) -> (Vec<Order>, Vec<Afterwards>) {
    let mut now = Vec::new();
    let mut afterwards = Vec::new();
    for order in orders {
        match order {
            // The thread waits for the customer by itself once the answer has left.
            Order::Command(Command::Claim { .. } | Command::Wait) => {}
            Order::Command(command) => match Afterwards::of(command) {
                Some(later) => afterwards.push(later),
                None => now.push(order.clone()),
            },
            Order::Stop | Order::Undo => now.push(order.clone()),
        }
    }
    (now, afterwards)
}

/// Takes back the agent's latest act in the thread. The mail's id is in the event, so that the same mail, handed in again,
/// does not take back the act before.
fn take_back(
    desk: &Desk<'_>,
    policies: &Policies,
    thread: &Thread,
    agent: &AgentId,
    mail_id: &str,
) -> anyhow::Result<Taken> {
    let cause = Cause::new(CauseKind::Command, format!("#undo in <{mail_id}>"));
    let events = desk.tx.events_of(thread.id)?;
    if events.iter().any(|event| event.cause == cause) {
        return Ok(Taken::Done(wording::orders::undone_already()));
    }
    let undone = |seq: i64| {
        events.iter().any(|one| matches!(one.what, What::Undone { event, .. } if event == seq))
    };
    let theirs = events.iter().rev().find(|event| {
        event.thread == thread.id
            && event.actor == Actor::Agent(agent.clone())
            && !matches!(event.what, What::Undone { .. } | What::Replied { .. })
            && !event.change.decided().is_empty()
            && !undone(event.seq)
    });
    let Some(event) = theirs else {
        return Ok(Taken::Refused(wording::orders::nothing_to_undo(thread.id)));
    };
    let answer = undo(desk.tx, policies, event.seq, agent, cause, desk.now)?;
    Ok(match answer.done {
        true => Taken::Done(wording::orders::commands_done(&[answer.words])),
        false => Taken::Refused(answer.words),
    })
}
