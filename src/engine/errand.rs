//! What the command line asks for that concerns no thread: agents' passwords, and mails on their way out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::roster::AgentId;
use crate::desk::sending::{Happened, TooLate, step};
use crate::desk::thread::Change;
use crate::engine::ask::{done, refused};
use crate::engine::record::record;
use crate::engine::stop::stop;
use crate::engine::{Answer, Desk, Policies, dialect};
use crate::store::{Salting, SendingRow, Tx};

/// What is asked for. This is also the form that the command line sends to a running daemon; no password is in it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "kebab-case")]
pub enum Errand {
    /// Keep a password's hash.
    KeepPassword {
        /// Whose.
        agent: AgentId,
        /// What it was made for.
        name: String,
        /// What it was hashed with.
        salt: Vec<u8>,
        /// How it was hashed.
        cost: String,
        /// The hash.
        hash: Vec<u8>,
    },
    /// Let a kept mail go, or try it again.
    Release {
        /// Its number.
        sending: i64,
    },
    /// Take a kept mail back.
    Drop {
        /// Its number.
        sending: i64,
    },
    /// Forget a password.
    RevokePassword {
        /// Whose.
        agent: AgentId,
        /// What it was made for.
        name: String,
    },
}

/// Does it.
pub fn errand(
    tx: &Tx<'_>,
    policies: &Policies,
    errand: &Errand,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    match errand {
        Errand::Release { sending } => decide(tx, policies, *sending, &Happened::Released, now),
        Errand::Drop { sending } => decide(tx, policies, *sending, &Happened::Dropped, now),
        Errand::KeepPassword { agent, name, salt, cost, hash } => {
            let salting = Salting { salt: salt.clone(), cost: cost.clone() };
            keep_password(tx, agent, name, &salting, hash, now)
        }
        Errand::RevokePassword { agent, name } => Ok(match tx.revoke_password(agent, name)? {
            true => done(format!("{agent}'s password \"{name}\" no longer works.")),
            false => refused(format!(
                "{agent} has no password \"{name}\"; `baton password {agent} --list` names them."
            )),
        }),
    }
}

fn keep_password(
    tx: &Tx<'_>,
    agent: &AgentId,
    name: &str,
    salting: &Salting,
    hash: &[u8],
    now: Timestamp,
) -> anyhow::Result<Answer> {
    match tx.salting(agent)? {
        Some(kept) if kept == *salting => {}
        Some(kept) if kept.cost == salting.cost => {
            return Ok(refused(format!(
                "Somebody else made {agent}'s first password at the same moment. Try again."
            )));
        }
        _ => tx.set_salting(agent, salting)?,
    }
    tx.set_password(agent, name, hash, now)?;
    Ok(done(format!("{agent}'s password \"{name}\" works from now on.")))
}

/// A person decides about a kept mail.
fn decide(
    tx: &Tx<'_>,
    policies: &Policies,
    id: i64,
    happened: &Happened,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    let Some(sending) = tx.sending(id)? else {
        return Ok(refused(format!(
            "There is no mail {id} in the outbox; `baton outbox` lists them."
        )));
    };
    let Some(policy) = policies.get(&sending.mailbox) else {
        return Ok(refused(format!("The mailbox {} is not configured any more.", sending.mailbox)));
    };
    let (mailbox, dialect) = dialect(tx, policy)?;
    let desk = Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO };
    let cause = Cause::new(CauseKind::Command, "command line");
    let decided = match happened {
        Happened::Dropped => stop(&desk, &sending, Actor::Someone, cause)?,
        _ => release(&desk, &sending, happened, cause)?,
    };
    Ok(match (decided, happened) {
        (Err(why), _) => refused(format!("Mail {id} stays as it is: {why}.")),
        (Ok(()), Happened::Dropped) => done(format!("Mail {id} is dropped; it never leaves.")),
        (Ok(()), _) => done(format!("Mail {id} leaves as soon as it can.")),
    })
}

/// Lets it go, and lets the thread's history tell it.
fn release(
    desk: &Desk<'_>,
    sending: &SendingRow,
    happened: &Happened,
    cause: Cause,
) -> anyhow::Result<Result<(), TooLate>> {
    let state = match step(&sending.state, happened, desk.now, &desk.policy.sending.rules) {
        Ok(state) => state,
        Err(why) => return Ok(Err(why)),
    };
    if state == sending.state {
        return Ok(Ok(()));
    }
    desk.tx.set_sending(sending.id, &state)?;
    if let Some(thread) = sending.thread {
        let mut thread = desk.thread(thread)?;
        let what = What::AnswerReleased { sending: sending.id };
        let event = NewEvent::new(Actor::Someone, cause, what, Change::default());
        record(desk, &mut thread, event)?;
    }
    Ok(Ok(()))
}
