//! Keeping a mail that was handed in, and writing down what that does to its thread.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::begin::{begin, customer, unborn};
use super::orders::{Plan, Refused, by_time, carry_out, plan};
use super::{HandedIn, Taken};
use crate::clock::Timestamp;
use crate::desk::answer::Verdict;
use crate::desk::command::Command;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::{Hold, State};
use crate::desk::thread::{Change, Thread};
use crate::desk::verb::{Afterwards, Order};
use crate::desk::wording;
use crate::desk::wording::collision::Fate;
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
    /// Whether its writer wants the thread.
    pub(super) claims: bool,
    /// Its subject without `Re:` and its like.
    pub(super) subject: String,
}

impl Kept {
    /// Tells the owner of a thread that a colleague answers it, unless the colleague takes it.
    fn tell_owner(
        &self,
        desk: &Desk<'_>,
        thread: &Thread,
        fate: Fate,
        occasion: &str,
    ) -> anyhow::Result<()> {
        let (Some(owner), Some(writer)) = (&thread.now.owner, &self.new.agent) else {
            return Ok(());
        };
        if owner == writer || self.claims {
            return Ok(());
        }
        let notice = notice::colleague_answers(owner, thread, writer, fate, occasion, desk.policy);
        tell(desk, &notice)
    }
}

/// Keeps it, or not, and writes down what happened to the thread.
pub(super) fn settle(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    kept: Kept,
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
        Verdict::Refused(words) => Ok((refuse(desk, thread, &kept, words)?, None)),
        verdict => keep(desk, thread, kept, verdict, plan, &afterwards),
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
    kept: &Kept,
    words: String,
) -> anyhow::Result<Taken> {
    if let Some(mut thread) = thread {
        let what = What::AnswerRefused { reason: words.clone() };
        record(desk, &mut thread, event(&kept.new, what))?;
        // However often a client tries: once for each mail that is answered.
        let occasion = kept.new.answered.clone().unwrap_or_default();
        kept.tell_owner(desk, &thread, Fate::Refused, &occasion)?;
    }
    Ok(Taken::Refused(words))
}

fn keep(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    mut kept: Kept,
    verdict: Verdict,
    plan: Plan,
    afterwards: &[Afterwards],
) -> anyhow::Result<(Taken, Option<i64>)> {
    let leaves = matches!(verdict, Verdict::Leaves { .. });
    let begun = match (&thread, customer(desk, &kept.new)) {
        (None, Some(customer)) if leaves => Some((unborn(desk)?, customer)),
        _ => None,
    };
    kept.new.thread = thread.as_ref().or(begun.as_ref().map(|begun| &begun.0)).map(|one| one.id);
    let id = desk.tx.add_sending(desk.mailbox, &kept.new)?;
    announce(desk, id, &kept.new)?;
    if !afterwards.is_empty() {
        desk.tx.set_afterwards(id, afterwards)?;
    }
    let thread = match begun {
        Some((thread, customer)) => Some(begin(desk, thread, &kept, id, &customer)?),
        None => thread,
    };
    let thread = match thread {
        Some(thread) => Some(note(desk, thread, &kept, id, &verdict, plan)?),
        None => None,
    };
    // Where nobody knows who wrote it, its owner has to decide.
    let owner = thread.as_ref().and_then(|thread| thread.now.owner.clone());
    if let (Verdict::Held(words), Some(agent)) = (&verdict, kept.new.agent.clone().or(owner)) {
        tell(desk, &notice::answer_held(&agent, thread.as_ref(), id, words))?;
    }
    let taken = match verdict {
        Verdict::Held(words) => Taken::Held(wording::answer_waits(id, &words)),
        Verdict::Refused(words) => Taken::Refused(words),
        Verdict::Leaves { .. } => {
            Taken::Leaves(wording::answer_leaves(kept.new.thread, id, desk.policy.sending.hold))
        }
    };
    Ok((taken, Some(id)))
}

/// Writes into the thread's history that an answer was kept, with what that does; tells its owner.
fn note(
    desk: &Desk<'_>,
    mut thread: Thread,
    kept: &Kept,
    id: i64,
    verdict: &Verdict,
    plan: Plan,
) -> anyhow::Result<Thread> {
    let (fate, remark) = match verdict {
        Verdict::Leaves { remark, .. } => (Fate::Leaves(id), remark.clone().unwrap_or_default()),
        Verdict::Held(words) | Verdict::Refused(words) => (Fate::Waits(id), words.clone()),
    };
    kept.tell_owner(desk, &thread, fate, &id.to_string())?;
    if let Some(agent) = &kept.new.agent {
        carry_out(desk, &mut thread, plan, agent)?;
        if matches!(fate, Fate::Leaves(_)) && !remark.is_empty() {
            tell(desk, &notice::answer_recorded(agent, &thread, id, &remark))?;
        }
    }
    record(desk, &mut thread, event(&kept.new, What::AnswerKept { sending: id, remark }))?;
    Ok(thread)
}

fn event(new: &NewSending, what: What) -> NewEvent {
    let cause = Cause::new(CauseKind::Mail, format!("handed in by {}", new.route));
    NewEvent::new(writer(new), cause, what, Change::default())
}

pub(super) fn writer(new: &NewSending) -> Actor {
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
            Taken::Leaves(wording::answer_leaves(Some(thread), same.id, until.since(now)))
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
