//! Mails on their way out, one at a time: what is to be done next, and what came of it.
//!
//! What is handed out for sending is *attempting* before the server hears of it. So whatever is found attempting when the
//! next thing to do is asked for was cut short, by a crash or by the end of the daemon: it may have left, and is looked for.

use std::time::Duration;

use anyhow::Context;

use crate::clock::Timestamp;
use crate::desk::automatic::DAY;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::retry::{Retry, pause};
use crate::desk::sending::{Happened, Refusal, State, step};
use crate::desk::thread::Change;
use crate::desk::wording;
use crate::engine::card::CARD;
use crate::engine::hand_in::overtaken;
use crate::engine::notice::{self as own, tell};
use crate::engine::record::record;
use crate::engine::{Desk, drafts};
use crate::mail::outgoing::ACKNOWLEDGEMENT;
use crate::store::{SendingRow, Stage};

/// How often a mail that may have left is looked for in Sent, at least once in the time for which it is.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What is to be done about one mail.
#[derive(Clone, Debug)]
pub enum Task {
    /// Hand it to the provider's server.
    Send {
        /// The mail.
        sending: SendingRow,
        /// Its bytes.
        raw: Vec<u8>,
    },
    /// Look for it in Sent: nobody knows whether it left.
    Look {
        /// The mail.
        sending: SendingRow,
    },
    /// It has left, and the provider has had its time to put a copy into Sent: add one where there is none.
    Copy {
        /// The mail.
        sending: SendingRow,
        /// Its bytes.
        raw: Vec<u8>,
    },
    /// Nothing, until this moment; for ever where there is none.
    Rest(Option<Timestamp>),
}

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The server took it; its words may name the Message-ID that it gave the mail (M100).
    Accepted {
        /// The words.
        words: String,
    },
    /// The server does not want it.
    Refused {
        /// Why.
        why: Refusal,
        /// The words, with the remedy.
        words: String,
    },
    /// It has certainly not left.
    Later {
        /// When to try again.
        retry: Retry,
        /// Why.
        words: String,
    },
    /// It may have left.
    Lost {
        /// What happened.
        words: String,
    },
}

/// Which mail is to be handed over next; `going` are those that are being handed over now.
pub fn next(desk: &Desk<'_>, going: &[i64]) -> anyhow::Result<Task> {
    loop {
        let next = desk.tx.next_sending(desk.mailbox, Stage::Before, going)?;
        let Some((row, due)) = next else { return Ok(Task::Rest(None)) };
        if desk.now < due {
            return Ok(Task::Rest(Some(due)));
        }
        match &row.state {
            State::Held { .. } => advance(desk, &row, &Happened::Time)?,
            State::Attempting { .. } => advance(desk, &row, &Happened::Restarted)?,
            State::Due { .. } if is_stale(desk, &row) => advance(desk, &row, &Happened::Dropped)?,
            State::Due { .. } => {
                if let Some(words) = overtaken(desk, &row)? {
                    object(desk, &row, words)?;
                    continue;
                }
                advance(desk, &row, &Happened::Began)?;
                let raw = desk.tx.sending_mail(row.id)?;
                let raw = raw.with_context(|| format!("the bytes of mail {} are gone", row.id))?;
                return Ok(Task::Send { sending: row, raw });
            }
            State::Unknown { .. }
            | State::Accepted { .. }
            | State::Refused { .. }
            | State::Dropped => desk.tx.set_sending_due(row.id, None)?,
        }
    }
}

/// An acknowledgement that could not leave for a day tells nobody anything any more.
fn is_stale(desk: &Desk<'_>, row: &SendingRow) -> bool {
    row.route == ACKNOWLEDGEMENT && row.created_at + DAY < desk.now
}

/// What is to be seen to in Sent next.
pub fn next_in_sent(desk: &Desk<'_>) -> anyhow::Result<Task> {
    loop {
        let next = desk.tx.next_sending(desk.mailbox, Stage::After, &[])?;
        let Some((row, due)) = next else { return Ok(Task::Rest(None)) };
        if desk.now < due {
            return Ok(Task::Rest(Some(due)));
        }
        if matches!(row.state, State::Unknown { .. }) {
            return Ok(Task::Look { sending: row });
        }
        if let Some(raw) = desk.tx.sending_mail(row.id)? {
            return Ok(Task::Copy { sending: row, raw });
        }
        desk.tx.set_sending_due(row.id, None)?;
    }
}

/// Somebody has answered past Baton while it waited to leave: its writer is asked.
fn object(desk: &Desk<'_>, row: &SendingRow, words: String) -> anyhow::Result<()> {
    advance(desk, row, &Happened::Objected { words: words.clone() })?;
    let Some(thread) = row.thread else { return Ok(()) };
    let mut thread = desk.thread(thread)?;
    let cause = Cause::new(CauseKind::Mail, "an answer in Sent");
    let what = What::AnswerNotSent { sending: row.id, reason: words.clone() };
    record(desk, &mut thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    match row.agent.as_ref().or(thread.now.owner.as_ref()) {
        Some(agent) => tell(desk, &notice::answer_held(agent, Some(&thread), row.id, &words)),
        None => Ok(()),
    }
}

/// Notes what came of an attempt.
pub fn sent(desk: &Desk<'_>, id: i64, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(row) = desk.tx.sending(id)? else { return Ok(()) };
    match outcome {
        Outcome::Accepted { words } => {
            desk.tx.note_attempt(id, None)?;
            if let Some(given) = given_id(words).filter(|given| *given != row.message_id) {
                desk.tx.set_given_id(id, given)?;
            }
            advance(desk, &row, &Happened::Accepted)?;
            match row.route.as_str() {
                // Nobody looks for it in Sent.
                own::NOTICE | ACKNOWLEDGEMENT | CARD if row.agent.is_none() => copied(desk, id)?,
                _ => {
                    let at = desk.now + desk.policy.sending.copy_wait;
                    desk.tx.set_sending_due(id, Some(at))?;
                }
            }
        }
        Outcome::Refused { why, words } if row.route == ACKNOWLEDGEMENT => {
            desk.tx.note_attempt(id, Some(words))?;
            acknowledgement_refused(desk, &row, *why)?;
        }
        Outcome::Refused { why, words } => {
            desk.tx.note_attempt(id, Some(words))?;
            advance(desk, &row, &Happened::Refused(*why))?;
            let remedy = wording::refused_by_provider(*why);
            if !drafts::hand_back(desk, &row, &format!("{remedy}\n\n{words}"))? {
                not_sent(desk, &row, words, remedy)?;
            }
        }
        Outcome::Later { retry, words } => {
            desk.tx.note_attempt(id, Some(words))?;
            let at = desk.now + pause(*retry, row.attempts + 1, 0.0);
            advance(desk, &row, &Happened::Later(at))?;
        }
        Outcome::Lost { words } => {
            desk.tx.note_attempt(id, Some(words))?;
            advance(desk, &row, &Happened::Lost)?;
        }
    }
    Ok(())
}

/// Some servers take no null return path from their own users: then it leaves with the shared address, as all later ones do.
/// Refused for any other reason it is given up, since nobody waits for it.
fn acknowledgement_refused(desk: &Desk<'_>, row: &SendingRow, why: Refusal) -> anyhow::Result<()> {
    advance(desk, row, &Happened::Refused(why))?;
    let of_the_mail = matches!(why, Refusal::Recipient | Refusal::Size);
    match desk.policy.own_addresses.first() {
        Some(own) if row.envelope_from.is_empty() && !of_the_mail => {
            desk.tx.refuse_null_path(desk.mailbox, row.id, own)?;
            advance(desk, row, &Happened::Released)
        }
        _ => advance(desk, row, &Happened::Dropped),
    }
}

/// Notes a look at Sent that began at `looked_at`; `found` is the Message-ID of the copy, where there was one.
pub fn looked(
    desk: &Desk<'_>,
    id: i64,
    looked_at: Timestamp,
    found: Option<&str>,
) -> anyhow::Result<()> {
    let Some(row) = desk.tx.sending(id)? else { return Ok(()) };
    if let Some(given) = found {
        if given != row.message_id {
            desk.tx.set_given_id(id, given)?;
        }
        return there(desk, &row);
    }
    let before = row.state.clone();
    advance(desk, &row, &Happened::NotFound { looked_at })?;
    match desk.tx.sending(id)?.map(|row| row.state) {
        Some(State::Unknown { .. }) => {
            desk.tx.set_sending_due(id, Some(desk.now + look_every(desk)))?;
        }
        Some(State::Held { .. }) if matches!(before, State::Unknown { .. }) => {
            let why = "it is not known whether it left, and it is not in Sent";
            not_sent(desk, &row, why, wording::LEFT_OR_NOT)?;
        }
        _ => {}
    }
    Ok(())
}

fn look_every(desk: &Desk<'_>) -> Duration {
    LOOK_EVERY.min(desk.policy.sending.rules.confirm)
}

/// Notes that the look could not be done, and is to be done again.
pub fn not_looked(desk: &Desk<'_>, id: i64) -> anyhow::Result<()> {
    Ok(desk.tx.set_sending_due(id, Some(desk.now + look_every(desk)))?)
}

/// Notes that a mail that has left has its copy in Sent, or needs none: its bytes are forgotten.
pub fn copied(desk: &Desk<'_>, id: i64) -> anyhow::Result<()> {
    desk.tx.forget_sending_mail(id)?;
    Ok(desk.tx.set_sending_due(id, None)?)
}

/// Its copy lies in Sent: it has left, whatever was thought of it.
pub(super) fn there(desk: &Desk<'_>, row: &SendingRow) -> anyhow::Result<()> {
    if !matches!(row.state, State::Accepted { .. }) {
        // What was wrong with an attempt is over.
        desk.tx.note_sending(row.id, None)?;
    }
    advance(desk, row, &Happened::Found)?;
    copied(desk, row.id)
}

/// Its copy was seen, from `from`. Where that is none of the mailbox's addresses, the provider has put it there: customers see
/// it and answer to it. The writer is told of that once.
pub(super) fn seen_as(desk: &Desk<'_>, row: &SendingRow, from: &str) -> anyhow::Result<()> {
    if desk.policy.is_own(from) {
        return Ok(());
    }
    let own = desk.policy.own_addresses.first().map_or("the shared address", String::as_str);
    let words = wording::sent_as_another(from, own);
    desk.tx.note_sending(row.id, Some(&words))?;
    match &row.agent {
        Some(agent) => tell(desk, &notice::sent_as_another(agent, from, &words)),
        None => Ok(()),
    }
}

fn advance(desk: &Desk<'_>, row: &SendingRow, happened: &Happened) -> anyhow::Result<()> {
    let row = desk.tx.sending(row.id)?.unwrap_or_else(|| row.clone());
    let state = step(&row.state, happened, desk.now, &desk.policy.sending.rules)?;
    Ok(desk.tx.set_sending(row.id, &state)?)
}

/// The thread's history tells it, and its writer is told by mail.
fn not_sent(desk: &Desk<'_>, row: &SendingRow, why: &str, remedy: &str) -> anyhow::Result<()> {
    // A notice that does not arrive is nobody's answer, and telling of it could go on for ever.
    let Some(agent) = &row.agent else { return Ok(()) };
    let mut thread = row.thread.map(|id| desk.thread(id)).transpose()?;
    if let Some(thread) = &mut thread {
        let cause = Cause::new(CauseKind::Server, "the server that sends");
        let what = What::AnswerNotSent { sending: row.id, reason: why.to_owned() };
        record(desk, thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    }
    let why = format!("{remedy}\n\n{why}");
    tell(desk, &notice::answer_not_sent(agent, thread.as_ref(), row.id, row.attempts, &why))
}

/// The Message-ID that a server names when it takes a mail (M100): `2.0.0 OK <…@….outlook.com> [Hostname=…]`.
fn given_id(words: &str) -> Option<&str> {
    let (_, after) = words.split_once('<')?;
    let (id, _) = after.split_once('>')?;
    id.contains('@').then_some(id)
}
