//! The people who answer: who they are, and which mailboxes they work in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An agent's id: what the configuration, the commands and the log call a person. Lower case.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub String);

impl fmt::Display for AgentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A person of the team.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// Names the agent in commands, keywords and the log.
    pub id: AgentId,
    /// The full name.
    pub name: String,
    /// The agent's own address, lower case; never the shared one.
    pub address: String,
    /// How the agent's label or folder is called; by default the first word of the name.
    pub mark: String,
    /// The names of the mailboxes that the agent works in; empty means all.
    pub mailboxes: Vec<String>,
    /// Whether the agent gets cards, where the mailbox sends any.
    pub cards: bool,
}

impl Agent {
    /// Whether the agent works in `mailbox`.
    pub fn works_in(&self, mailbox: &str) -> bool {
        self.mailboxes.is_empty() || self.mailboxes.iter().any(|name| name == mailbox)
    }
}
