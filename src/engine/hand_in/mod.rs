//! An agent hands in a mail that is to leave under a shared address: which thread it answers, whether it may, and what is
//! kept of it. All of it in one transaction, so of two answers at once one is judged after the other.
//!
//! Nothing leaves here. What is kept has a state ([`crate::desk::sending`]), and whoever sends goes by that.

mod begin;
mod judge;
mod keep;
mod orders;

use std::collections::BTreeSet;
use std::time::Duration;

pub(super) use judge::overtaken;
pub(super) use keep::hashed;

use judge::{answered, answers_unknown, judge};
use keep::{Kept, already, fingerprint, letterhead, settle, state};
use orders::{Written, obey, written};

use crate::clock::Timestamp;
use crate::desk::answer::Verdict;
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::State;
use crate::desk::thread::Thread;
use crate::desk::wording;
use crate::engine::{Desk, Policies, dialect, leak};
use crate::mail::message::Message;
use crate::mail::outgoing::compose;
use crate::store::{NewSending, SentTo, Tx};

/// For how long the same mail, handed in again, is the same mail: a client that never heard 250 tries again.
const SAME_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// In whose name a draft is judged of which nobody knows who wrote it, in a thread of nobody's. No agent is called so.
const SOMEONE: &str = "someone";

/// A mail as an agent handed it in.
#[derive(Clone, Debug)]
pub struct HandedIn {
    /// Who wrote it; only of a draft it may be unknown.
    pub agent: Option<AgentId>,
    /// By which way.
    pub route: &'static str,
    /// MAIL FROM: a shared address.
    pub from: String,
    /// RCPT TO.
    pub to: Vec<SentTo>,
    /// The bytes. Lines end with CR and LF.
    pub raw: Vec<u8>,
    /// What they say.
    pub message: Message,
    /// Something that no other mail has, for Baton's own Message-ID.
    pub unique: String,
    /// Why a person has to look at it whatever the thread says.
    pub doubt: Option<String>,
}

/// What became of it, and the sentence for the agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is kept, and leaves.
    Leaves(String),
    /// It is kept, and a person has to decide.
    Held(String),
    /// It held nothing but lines for Baton, and what they asked for is done: nothing is kept, and nothing leaves.
    Done(String),
    /// It is not kept.
    Refused(String),
}

/// The mailbox of a shared address under which the agent may write, or why there is none.
///
/// # Errors
/// A sentence for the agent.
pub fn may_send_as<'a>(
    policies: &'a Policies,
    agent: &AgentId,
    address: &str,
) -> Result<(&'a Policy, &'a Agent), String> {
    let mut allowed = Vec::new();
    let mut known = None;
    for policy in policies.values() {
        let Some(found) = policy.agent(agent) else { continue };
        known = Some(found);
        if !found.works_in(&policy.mailbox) {
            continue;
        }
        if policy.is_own(address) {
            return Ok((policy, found));
        }
        allowed.extend(policy.own_addresses.first().map(String::as_str));
    }
    match known {
        Some(agent) => Err(wording::not_your_address(agent, &allowed)),
        None => Err(format!("There is no agent {agent} any more.")),
    }
}

/// Judges a mail, and keeps it if it may leave or a person has to decide.
pub fn hand_in(
    tx: &Tx<'_>,
    policies: &Policies,
    mail: &HandedIn,
    now: Timestamp,
) -> anyhow::Result<Taken> {
    let nobody = AgentId(SOMEONE.into());
    let agent = mail.agent.as_ref().unwrap_or(&nobody);
    let (policy, agent) = match may_send_as(policies, agent, &mail.from) {
        Ok(found) => found,
        Err(words) => return Ok(Taken::Refused(words)),
    };
    let fingerprint = fingerprint(mail);
    let before = tx.sending_again(&fingerprint, now - SAME_WITHIN)?;
    if let Some(same) = before.filter(|same| same.state != State::Dropped) {
        return Ok(already(&same, now));
    }
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    Ok(take(&desk, policies, Some(agent), mail, fingerprint)?.0)
}

/// Judges a mail that was not handed in before; answers its number in the outbox as well, if it is kept. A draft of which nobody
/// knows who wrote it counts as the owner's: one writes, another moves it.
pub(super) fn take(
    desk: &Desk<'_>,
    policies: &Policies,
    writer: Option<&Agent>,
    mail: &HandedIn,
    fingerprint: String,
) -> anyhow::Result<(Taken, Option<i64>)> {
    let answered = answered(desk, mail)?;
    let thread = answered.as_ref().map(|found| desk.thread(found.thread)).transpose()?;
    let owner = thread.as_ref().and_then(|thread| desk.policy.agent(thread.now.owner.as_ref()?));
    let agent = writer.or(owner);
    let by = agent.map_or_else(|| AgentId(SOMEONE.into()), |agent| agent.id.clone());
    let refused = |words| Ok((Taken::Refused(words), None));
    let written = match written(desk, mail, &by, thread.as_ref()) {
        // Only a person who is known tells Baton what to do.
        Ok(Written { orders, .. }) if writer.is_none() && !orders.is_empty() => {
            return refused(wording::drafts::nobodys_command());
        }
        Ok(Written { says_more: false, orders, .. }) => {
            if let Some(doubt) = &mail.doubt {
                return Ok((Taken::Refused(doubt.clone()), None));
            }
            let done = obey(desk, policies, thread, &by, &mail.message.message_id, &orders)?;
            return Ok((done, None));
        }
        Ok(written) => written,
        Err(words) => return refused(words),
    };
    let letterhead = letterhead(desk, agent, mail);
    let raw = match compose(&written.raw, &letterhead) {
        Ok(raw) => raw,
        Err(why) => return refused(format!("It cannot be sent: {why}.")),
    };
    let claims = written.claims();
    let verdict = match (&thread, &answered, &written.question) {
        (_, _, Some(question)) => Verdict::Held(question.clone()),
        (Some(thread), Some(found), None) => judge(desk, thread, found, &by, claims)?,
        _ if answers_unknown(desk, mail)? => Verdict::Held(wording::answers_nothing()),
        _ => Verdict::Leaves { claims: false, remark: None },
    };
    let verdict = admitted(desk, thread.as_ref(), mail, verdict)?;
    let verdict = leak::guard(desk, thread.as_ref().map(|thread| thread.id), mail, verdict)?;
    let verdict = match (&mail.doubt, verdict) {
        (Some(doubt), Verdict::Leaves { .. }) => Verdict::Held(doubt.clone()),
        (_, verdict) => verdict,
    };
    let new = NewSending {
        thread: thread.as_ref().map(|thread| thread.id),
        agent: mail.agent.clone(),
        route: mail.route,
        state: state(desk, &verdict),
        envelope_from: mail.from.clone(),
        recipients: mail.to.clone(),
        message_id: letterhead.message_id,
        answered: answered.and_then(|found| found.message.map(|row| row.message_id)),
        fingerprint,
        created_at: desk.now,
        raw,
    };
    let subject = mail.message.base_subject.clone();
    settle(desk, thread, Kept { new, orders: written.orders, claims, subject }, verdict)
}

/// Refuses what goes to somebody to whom nobody may write from here.
fn admitted(
    desk: &Desk<'_>,
    thread: Option<&Thread>,
    mail: &HandedIn,
    verdict: Verdict,
) -> anyhow::Result<Verdict> {
    let participants = match thread {
        Some(thread) => desk.tx.participants(thread.id)?,
        None => BTreeSet::new(),
    };
    let stranger = mail
        .to
        .iter()
        .map(|to| to.address.as_str())
        .find(|to| !participants.contains(&to.to_lowercase()) && !desk.policy.may_write_to(to));
    Ok(stranger
        .map_or(verdict, |to| Verdict::Refused(wording::collision::recipient_not_allowed(to))))
}
