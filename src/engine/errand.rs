//! What the command line asks for that concerns no thread: agents' passwords, and mails on their way out.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;
use crate::engine::Answer;
use crate::engine::ask::{done, refused};
use crate::store::{Salting, Tx};

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
    /// Forget a password.
    RevokePassword {
        /// Whose.
        agent: AgentId,
        /// What it was made for.
        name: String,
    },
}

/// Does it.
pub fn errand(tx: &Tx<'_>, errand: &Errand, now: Timestamp) -> anyhow::Result<Answer> {
    match errand {
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
