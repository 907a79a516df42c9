//! Lines that begin with `#` and a verb, at the top of an agent's mail: what they ask for.
//!
//! Pure, and without opinions about the thread: those are [`crate::desk::command::decide`]'s. Start with [`read`].

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::command::Command;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::when;
use crate::desk::wording;

/// What a line asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Order {
    /// A command about the thread.
    Command(Command),
    /// What its writer has handed in for the thread is not to leave.
    Stop,
    /// The writer's latest act in the thread is to be taken back.
    Undo,
}

/// How a line was understood.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// As this.
    Order(Order),
    /// Its verb is known, and something is wrong with it; as a sentence.
    Unclear(String),
    /// Its verb is not known, so it may be meant for the customer.
    Unknown,
}

/// What an answer does to its thread once it has left: until then the thread stays as it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterwards {
    /// It is done.
    Resolve,
    /// It waits for someone else, or a time.
    Block {
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// It goes back to the queue.
    Release,
}

impl Afterwards {
    /// The part of a command that waits until the answer has left; `None` where nothing has to wait. An answer that has
    /// left makes its thread wait for the customer, so what says otherwise comes after it.
    pub fn of(command: &Command) -> Option<Afterwards> {
        match command {
            Command::Resolve => Some(Afterwards::Resolve),
            Command::Release => Some(Afterwards::Release),
            Command::Block { reason, until } => {
                Some(Afterwards::Block { reason: reason.clone(), until: *until })
            }
            _ => None,
        }
    }

    /// The command that it is.
    pub fn command(self) -> Command {
        match self {
            Afterwards::Resolve => Command::Resolve,
            Afterwards::Release => Command::Release,
            Afterwards::Block { reason, until } => Command::Block { reason, until },
        }
    }
}

/// Understands a line, written by this agent.
pub fn read(line: &str, by: &AgentId, policy: &Policy, now: Timestamp) -> Reading {
    let line = line.trim_start_matches(|letter: char| letter != '#');
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (verb, rest) = (verb.to_lowercase(), rest.trim());
    let reason = || rest.to_owned();
    let command = match verb.as_str() {
        "#assign" => return assign(rest, policy),
        "#snooze" => return snooze(rest, now),
        "#block" if rest.is_empty() => {
            return Reading::Unclear("Write what it waits for behind #block.".into());
        }
        "#block" => Command::Block { reason: reason(), until: None },
        "#escalate" => Command::Escalate { reason: reason() },
        "#note" => return Reading::Unclear(wording::orders::no_notes_yet()),
        other => {
            let order = match other {
                "#claim" => Order::Command(Command::Claim { agent: by.clone() }),
                "#wait" => Order::Command(Command::Wait),
                "#unblock" => Order::Command(Command::Unblock),
                "#resolve" => Order::Command(Command::Resolve),
                "#release" => Order::Command(Command::Release),
                "#reopen" => Order::Command(Command::Reopen),
                "#start" => Order::Command(Command::Start),
                "#stop" => Order::Stop,
                "#undo" => Order::Undo,
                _ => return Reading::Unknown,
            };
            return match rest.is_empty() {
                true => Reading::Order(order),
                false => Reading::Unclear(wording::orders::stands_alone(other)),
            };
        }
    };
    Reading::Order(Order::Command(command))
}

fn assign(to: &str, policy: &Policy) -> Reading {
    let name = to.trim_start_matches('@');
    let is_meant = |known: &str| known.eq_ignore_ascii_case(name);
    let agent = policy.agents.iter().find(|agent| {
        [&agent.id.0, &agent.mark, &agent.name, &agent.address].into_iter().any(|one| is_meant(one))
    });
    match agent {
        Some(agent) => Reading::Order(Order::Command(Command::Assign { agent: agent.id.clone() })),
        None => Reading::Unclear(wording::unknown_agent(&AgentId(name.to_owned()), policy)),
    }
}

fn snooze(time: &str, now: Timestamp) -> Reading {
    match when::until(time, now) {
        Some(at) => Reading::Order(Order::Command(Command::Block {
            reason: "snoozed".into(),
            until: Some(at),
        })),
        None => Reading::Unclear(wording::orders::no_such_time(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::sample::policy;

    fn reading(line: &str) -> Reading {
        read(line, &AgentId("ana".into()), &policy(), Timestamp(0))
    }

    #[test]
    fn every_verb_of_the_table_is_known() {
        let agent = |id: &str| AgentId(id.into());
        let commands = [
            ("#claim", Command::Claim { agent: agent("ana") }),
            ("#Claim", Command::Claim { agent: agent("ana") }),
            ("#assign ben", Command::Assign { agent: agent("ben") }),
            ("#assign @Ben", Command::Assign { agent: agent("ben") }),
            ("#assign ben@example.test", Command::Assign { agent: agent("ben") }),
            ("#wait", Command::Wait),
            (
                "#block parts are late",
                Command::Block { reason: "parts are late".into(), until: None },
            ),
            (
                "#snooze 2h",
                Command::Block { reason: "snoozed".into(), until: Some(Timestamp(7200)) },
            ),
            ("#unblock", Command::Unblock),
            ("#resolve", Command::Resolve),
            ("#escalate", Command::Escalate { reason: String::new() }),
            ("#escalate legal threat", Command::Escalate { reason: "legal threat".into() }),
            ("#release", Command::Release),
            ("#reopen", Command::Reopen),
            ("#start", Command::Start),
        ];
        for (line, command) in commands {
            assert_eq!(reading(line), Reading::Order(Order::Command(command)), "{line}");
        }
        assert_eq!(reading("#stop"), Reading::Order(Order::Stop));
        assert_eq!(reading("#undo"), Reading::Order(Order::Undo));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for line in [
            "#assign",
            "#assign eve",
            "#block",
            "#snooze",
            "#snooze someday",
            "#note x",
            "#claim it",
            "#resolve.",
        ] {
            let reading = reading(line);
            let is_unknown = line == "#resolve.";
            assert_eq!(reading == Reading::Unknown, is_unknown, "{line}: {reading:?}");
            assert!(
                is_unknown || matches!(&reading, Reading::Unclear(words) if words.ends_with('.')),
                "{reading:?}"
            );
        }
        for line in ["#nosuchverb", "#hashtag x", "#claimed"] {
            assert_eq!(reading(line), Reading::Unknown, "{line}");
        }
    }
}
