//! An agent hands in a mail that is to leave under a shared address: which thread it answers, whether it may, and what is
//! kept of it. All of it in one transaction, so of two answers at once one is judged after the other.
//!
//! Nothing leaves here. What is kept has a state ([`crate::desk::sending`]), and whoever sends goes by that.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::desk::answer::{self, Unseen, Verdict};
use crate::desk::command::{Asked, Command, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::{Hold, State};
use crate::desk::thread::{Change, Thread, ThreadId};
use crate::desk::wording;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::engine::{Desk, Policies, dialect};
use crate::mail::message::{Address, Message};
use crate::mail::outgoing::{Letterhead, compose, without_first_line};
use crate::store::{MessageRow, NewSending, SendingRow, SentTo, Tx};

/// How many ids of a mail are tried for the thread that it answers, the nearest first.
const REFERENCES_TRIED: usize = 120;
/// For how long the same mail, handed in again, is the same mail: a client that never heard 250 tries again.
const SAME_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// The first line of an answer that says: the thread is mine from now on.
const CLAIM: &str = "#claim";
/// The longest first line that is repeated in a sentence, letters.
const LINE_SHOWN: usize = 40;

/// A mail as an agent handed it in.
#[derive(Clone, Debug)]
pub struct HandedIn {
    /// Who.
    pub agent: AgentId,
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
}

/// What became of it, and the sentence for the agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is kept, and leaves.
    Leaves(String),
    /// It is kept, and a person has to decide.
    Held(String),
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
    let (policy, agent) = match may_send_as(policies, &mail.agent, &mail.from) {
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
    let (claims, body) = match without_first_line(&mail.raw, CLAIM) {
        Some(rest) => (true, Cow::Owned(rest)),
        None => (false, Cow::Borrowed(&mail.raw)),
    };
    let answered = answered(&desk, mail)?;
    let letterhead = letterhead(&desk, agent, mail);
    let raw = match compose(&body, &letterhead) {
        Ok(raw) => raw,
        Err(why) => return Ok(Taken::Refused(format!("It cannot be sent: {why}."))),
    };
    let mut thread = answered.as_ref().map(|found| desk.thread(found.thread)).transpose()?;
    let verdict = match (&mut thread, &answered) {
        (Some(thread), Some(found)) => judge(&desk, thread, found, &mail.agent, claims)?,
        _ => Verdict::Held(wording::answers_nothing()),
    };
    let verdict = match command_line(&mail.message.new_text) {
        Some(line) if !claims => Verdict::Held(wording::begins_with_a_command(&line)),
        _ => verdict,
    };
    let new = NewSending {
        thread: thread.as_ref().map(|thread| thread.id),
        agent: Some(mail.agent.clone()),
        route: mail.route,
        state: state(&desk, &verdict),
        envelope_from: mail.from.clone(),
        recipients: mail.to.clone(),
        message_id: letterhead.message_id,
        answered: answered.and_then(|found| found.message.map(|row| row.message_id)),
        fingerprint,
        created_at: now,
        raw,
    };
    settle(&desk, thread, &new, verdict)
}

/// Keeps it, or not, and writes down what happened to the thread.
fn settle(
    desk: &Desk<'_>,
    thread: Option<Thread>,
    new: &NewSending,
    verdict: Verdict,
) -> anyhow::Result<Taken> {
    if let Verdict::Refused(words) = verdict {
        if let Some(mut thread) = thread {
            let what = What::AnswerRefused { reason: words.clone() };
            record(desk, &mut thread, event(new, what))?;
        }
        return Ok(Taken::Refused(words));
    }
    let id = desk.tx.add_sending(desk.mailbox, new)?;
    let mut about = None;
    if let Some(mut thread) = thread {
        if matches!(verdict, Verdict::Leaves { claims: true, .. }) {
            claim(desk, &mut thread, new)?;
        }
        let remark = match &verdict {
            Verdict::Leaves { remark, .. } => remark.clone().unwrap_or_default(),
            Verdict::Held(words) | Verdict::Refused(words) => words.clone(),
        };
        record(desk, &mut thread, event(new, What::AnswerKept { sending: id, remark }))?;
        about = Some(thread);
    }
    if let (Verdict::Held(words), Some(agent)) = (&verdict, &new.agent) {
        tell(desk, &notice::answer_held(agent, about.as_ref(), id, words))?;
    }
    Ok(match verdict {
        Verdict::Held(words) => Taken::Held(wording::answer_waits(id, &words)),
        Verdict::Refused(words) => Taken::Refused(words),
        Verdict::Leaves { .. } => {
            let thread = new.thread.unwrap_or(ThreadId(0));
            Taken::Leaves(wording::answer_leaves(thread, id, desk.policy.sending.hold))
        }
    })
}

fn event(new: &NewSending, what: What) -> NewEvent {
    let cause = Cause::new(CauseKind::Mail, format!("handed in by {}", new.route));
    NewEvent::new(writer(new), cause, what, Change::default())
}

fn writer(new: &NewSending) -> Actor {
    new.agent.clone().map_or(Actor::Someone, Actor::Agent)
}

/// Whoever answers a thread of nobody's has taken it. One that rests is not woken by that: its answer, once seen in Sent, is.
fn claim(desk: &Desk<'_>, thread: &mut Thread, new: &NewSending) -> anyhow::Result<()> {
    let Some(agent) = new.agent.clone() else { return Ok(()) };
    let command = match thread.now.owner {
        // A claim never takes anything away; whoever takes a thread over says so.
        Some(_) => Command::Assign { agent },
        None => Command::Claim { agent },
    };
    let asked = Asked {
        command,
        actor: writer(new),
        cause: Cause::new(CauseKind::Mail, "an answer that was handed in"),
    };
    if thread.now.state.is_open()
        && let Decision::Done(event) = decide(desk.policy, thread, &asked, desk.now)
    {
        record(desk, thread, *event)?;
    }
    Ok(())
}

fn state(desk: &Desk<'_>, verdict: &Verdict) -> State {
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
fn fingerprint(mail: &HandedIn) -> String {
    let to = mail.to.iter().map(|to| to.address.as_str());
    hashed([mail.agent.0.as_str(), mail.from.as_str()].into_iter().chain(to), &mail.raw)
}

/// A short text that stands for these parts and these bytes.
pub(super) fn hashed<'a>(parts: impl IntoIterator<Item = &'a str>, raw: &[u8]) -> String {
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
fn already(same: &SendingRow, now: Timestamp) -> Taken {
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

/// What a mail answers.
struct Answered {
    thread: ThreadId,
    /// The mail itself, if it is known.
    message: Option<MessageRow>,
}

/// The thread that the mail's ids point to and that one of its recipients takes part in; else the first that they point to.
fn answered(desk: &Desk<'_>, mail: &HandedIn) -> anyhow::Result<Option<Answered>> {
    let message = &mail.message;
    let ids = message.in_reply_to.iter().chain(message.references.iter().rev());
    let recipients: BTreeSet<String> = mail.to.iter().map(|to| to.address.to_lowercase()).collect();
    let mut first = None;
    for id in ids.take(REFERENCES_TRIED) {
        let mut found = None;
        desk.tx.threads_by_reference(desk.mailbox, id, |thread| {
            first.get_or_insert((thread, id));
            let participants = desk.tx.participants(thread)?;
            if participants.is_disjoint(&recipients) {
                return Ok(ControlFlow::Continue(()));
            }
            found = Some(thread);
            Ok(ControlFlow::Break(()))
        })?;
        if let Some(thread) = found {
            return known(desk, thread, id).map(Some);
        }
    }
    first.map(|(thread, id)| known(desk, thread, id)).transpose()
}

fn known(desk: &Desk<'_>, thread: ThreadId, id: &str) -> anyhow::Result<Answered> {
    let message = desk.tx.message_with_id(desk.mailbox, id)?;
    Ok(Answered { thread, message: message.filter(|row| row.thread == Some(thread)) })
}

fn judge(
    desk: &Desk<'_>,
    thread: &Thread,
    answered: &Answered,
    agent: &AgentId,
    claims: bool,
) -> anyhow::Result<Verdict> {
    let owned_since = match &thread.now.owner {
        Some(owner) => {
            let gave = |change: &Change| change.owner.as_ref() == Some(&Some(owner.clone()));
            let events = desk.tx.events_of(thread.id)?;
            events.iter().rev().find(|event| gave(&event.change)).map(|event| event.at)
        }
        None => None,
    };
    let unseen = unseen(desk, thread, answered, agent)?;
    let answer = answer::Answer { agent: agent.clone(), claims, unseen };
    Ok(answer::judge(desk.policy, desk.policy.sending.enforce, thread, owned_since, &answer))
}

/// What has come into the thread since the mail that is answered. Where that mail is not known, nothing can be said.
fn unseen(
    desk: &Desk<'_>,
    thread: &Thread,
    answered: &Answered,
    agent: &AgentId,
) -> anyhow::Result<Unseen> {
    let Some(tip) = &answered.message else { return Ok(Unseen::Nothing) };
    let is_newer = |row: &&MessageRow| {
        (row.arrived_at, row.key) > (tip.arrived_at, tip.key) && row.message_id != tip.message_id
    };
    let messages = desk.tx.messages_of(thread.id)?;
    let mut colleague = None;
    for row in messages.iter().filter(is_newer) {
        if row.direction == "customer" && matches!(row.kind.as_str(), "human" | "calendar") {
            return Ok(Unseen::Customer { at: row.arrived_at });
        }
        if row.replied {
            let sent = desk.tx.sending_with_id(desk.mailbox, &row.message_id)?;
            let by = sent.and_then(|sending| sending.agent);
            if by.as_ref() != Some(agent) {
                colleague = Some(Unseen::Colleague { agent: by, at: row.arrived_at });
            }
        }
    }
    for sending in desk.tx.sendings_of(thread.id)? {
        let leaves = !matches!(
            sending.state,
            State::Dropped | State::Held { why: Hold::Question { .. }, .. } | State::Refused { .. }
        );
        let by = sending.agent.filter(|by| by != agent);
        if leaves && by.is_some() && sending.created_at >= tip.arrived_at {
            colleague = Some(Unseen::Colleague { agent: by, at: sending.created_at });
        }
    }
    Ok(colleague.unwrap_or(Unseen::Nothing))
}

fn letterhead(desk: &Desk<'_>, agent: &Agent, mail: &HandedIn) -> Letterhead {
    let address = mail.from.to_lowercase();
    let domain = address.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let mut references = mail.message.references.clone();
    references.extend(mail.message.in_reply_to.iter().cloned());
    Letterhead {
        message_id: format!("{}.baton@{domain}", mail.unique),
        from: Address { name: desk.policy.sending.name_of(agent), address },
        references,
        writer: vec![agent.address.clone()],
        at: desk.now,
    }
}

/// The first line of the text, where it looks like a command: those are for Baton and must never leave.
fn command_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let word = line.strip_prefix('#')?;
    let is_command = word.starts_with(|first: char| first.is_ascii_alphabetic());
    is_command.then(|| line.chars().take(LINE_SHOWN).collect())
}

#[cfg(test)]
mod tests;
