//! Keeping a mail that was handed in, and writing down what that does to its thread.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::orders::{Plan, Refused, by_time, carry_out, plan};
use super::{HandedIn, Taken};
use crate::clock::Timestamp;
use crate::desk::answer::Verdict;
use crate::desk::command::Command;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::{Hold, State};
use crate::desk::thread::{Change, Thread, ThreadId};
use crate::desk::verb::{Afterwards, Order};
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::drafts::announce;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::mail::message::Address;
use crate::mail::outgoing::Letterhead;
use crate::store::{NewSending, SendingRow};

/// A mail that is to be kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) new: NewSending,
    /// What its first lines ask for.
    pub(super) orders: Vec<Order>,
}

/// Keeps it, or not, and writes down what happened to the thread.
pub(super) fn settle(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    kept: &Kept,
    verdict: Verdict,
) -> anyhow::Result<(Taken, Option<i64>)> {
    let (now, afterwards) = by_time(&kept.orders);
    let (verdict, plan) = match (verdict, &thread, &kept.new.agent) {
        (verdict @ Verdict::Leaves { .. }, Some(thread), Some(agent)) => {
            match decided(desk, thread, &verdict, &now, agent) {
                Ok(plan) => (verdict, plan),
                Err(refused) => (Verdict::Refused(refused.words), Plan::default()),
            }
        }
        (verdict, _, _) => (verdict, Plan::default()),
    };
    match verdict {
        Verdict::Refused(words) => Ok((refuse(desk, thread, &kept.new, words)?, None)),
        verdict => keep(desk, thread, &kept.new, verdict, plan, &afterwards),
    }
}

/// What is done at once when the answer may leave: its writer takes the thread, and then what the first lines ask for.
fn decided(
    desk: &Desk<'_>,
    thread: &Thread,
    verdict: &Verdict,
    now: &[Order],
    agent: &AgentId,
) -> Result<Plan, Refused> {
    let takes = matches!(verdict, Verdict::Leaves { claims: true, .. });
    // One that rests is not woken by that: its answer, once seen in Sent, is.
    let first = (takes && thread.now.state.is_open()).then(|| {
        let agent = agent.clone();
        // A claim never takes anything away; whoever takes a thread over says so.
        Order::Command(match thread.now.owner {
            Some(_) => Command::Assign { agent },
            None => Command::Claim { agent },
        })
    });
    let orders: Vec<Order> = first.into_iter().chain(now.iter().cloned()).collect();
    plan(desk, thread, &orders, agent)
}

fn refuse(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    new: &NewSending,
    words: String,
) -> anyhow::Result<Taken> {
    if let Some(mut thread) = thread {
        let what = What::AnswerRefused { reason: words.clone() };
        record(desk, &mut thread, event(new, what))?;
    }
    Ok(Taken::Refused(words))
}

fn keep(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    new: &NewSending,
    verdict: Verdict,
    plan: Plan,
    afterwards: &[Afterwards],
) -> anyhow::Result<(Taken, Option<i64>)> {
    let id = desk.tx.add_sending(desk.mailbox, new)?;
    announce(desk, id, new)?;
    if !afterwards.is_empty() {
        desk.tx.set_afterwards(id, afterwards)?;
    }
    let mut about = None;
    if let Some(mut thread) = thread {
        if let Some(agent) = &new.agent {
            carry_out(desk, &mut thread, plan, agent)?;
        }
        let remark = match &verdict {
            Verdict::Leaves { remark, .. } => remark.clone().unwrap_or_default(),
            Verdict::Held(words) | Verdict::Refused(words) => words.clone(),
        };
        record(desk, &mut thread, event(new, What::AnswerKept { sending: id, remark }))?;
        about = Some(thread);
    }
    // Where nobody knows who wrote it, its owner has to decide.
    let owner = about.as_ref().and_then(|thread| thread.now.owner.clone());
    if let (Verdict::Held(words), Some(agent)) = (&verdict, new.agent.clone().or(owner)) {
        tell(desk, &notice::answer_held(&agent, about.as_ref(), id, words))?;
    }
    let taken = match verdict {
        Verdict::Held(words) => Taken::Held(wording::answer_waits(id, &words)),
        Verdict::Refused(words) => Taken::Refused(words),
        Verdict::Leaves { .. } => {
            let thread = new.thread.unwrap_or(ThreadId(0));
            Taken::Leaves(wording::answer_leaves(thread, id, desk.policy.sending.hold))
        }
    };
    Ok((taken, Some(id)))
}

fn event(new: &NewSending, what: What) -> NewEvent {
    let cause = Cause::new(CauseKind::Mail, format!("handed in by {}", new.route));
    NewEvent::new(writer(new), cause, what, Change::default())
}

fn writer(new: &NewSending) -> Actor {
    new.agent.clone().map_or(Actor::Someone, Actor::Agent)
}

pub(super) fn state(desk: &Desk<'_>, verdict: &Verdict) -> State {
    let hold = desk.policy.sending.hold;
    match verdict {
        Verdict::Held(words) | Verdict::Refused(words) => {
            State::Held { until: None, why: Hold::Question { words: words.clone() } }
        }
        Verdict::Leaves { .. } if hold.is_zero() => State::Due { at: desk.now },
        Verdict::Leaves { .. } => State::Held { until: Some(desk.now + hold), why: Hold::Time },
    }
}

/// The same mail to the same people, handed in by the same agent.
pub(super) fn fingerprint(mail: &HandedIn) -> String {
    let to = mail.to.iter().map(|to| to.address.as_str());
    let agent = mail.agent.as_ref().map_or("", |agent| agent.0.as_str());
    hashed([agent, mail.from.as_str()].into_iter().chain(to), &mail.raw)
}

/// A short text that stands for these parts and these bytes.
pub(in crate::engine) fn hashed<'a>(
    parts: impl IntoIterator<Item = &'a str>,
    raw: &[u8],
) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(raw);
    hash.finalize().iter().take(20).fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// The sentence for a mail that was handed in before.
pub(super) fn already(same: &SendingRow, now: Timestamp) -> Taken {
    match (&same.state, same.thread) {
        (State::Held { why: Hold::Question { words }, .. }, _) => {
            Taken::Held(wording::answer_waits(same.id, words))
        }
        (State::Held { until: Some(until), .. }, Some(thread)) => {
            Taken::Leaves(wording::answer_leaves(thread, same.id, until.since(now)))
        }
        _ => Taken::Leaves(format!("Kept as {} already.", same.id)),
    }
}

pub(super) fn letterhead(desk: &Desk<'_>, agent: Option<&Agent>, mail: &HandedIn) -> Letterhead {
    let address = mail.from.to_lowercase();
    let domain = address.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let mut references = mail.message.references.clone();
    references.extend(mail.message.in_reply_to.iter().cloned());
    Letterhead {
        message_id: desk.policy.key.id(&mail.unique, domain),
        from: Address { name: display_name(desk, agent, mail), address },
        references,
        writer: agent.iter().map(|agent| agent.address.clone()).collect(),
        at: desk.now,
    }
}

/// The name that customers see. Of a draft that is nobody's it is the one that stands over it, if that is the shared address's.
fn display_name(desk: &Desk<'_>, agent: Option<&Agent>, mail: &HandedIn) -> String {
    match agent {
        Some(agent) => desk.policy.sending.name_of(agent),
        None => {
            let own = mail.message.from.iter().find(|from| desk.policy.is_own(&from.address));
            own.map_or_else(String::new, |from| from.name.clone())
        }
    }
}
