//! How marks are shown: as labels, as folders, or as keywords; and what each mark is called there.
//!
//! The desk speaks of marks by meaning ([`crate::desk::marks`]); only this file spells them. Names are the
//! admin's, so that a team can translate them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::desk::label;
use crate::desk::marks::{Mark, Place};
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};

/// How a mailbox shows owner and state.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Gmail labels.
    Labels,
    /// One folder for every place a thread can be in (Microsoft 365).
    Folders,
    /// IMAP keywords on every message of the thread (RFC 9051, section 2.3.2).
    Keywords,
}

/// What the marks of a mailbox are called. The defaults are in `config.example.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MarkNames {
    /// The folder above all of Baton's folders and labels, `Baton`.
    pub root: String,
    /// The folder of waiting threads, below an agent's folder: `Waiting`.
    pub waiting: String,
    /// The folder of blocked threads, below an agent's folder: `Blocked`.
    pub blocked: String,
    /// The folder of resolved threads: `Resolved`.
    pub resolved: String,
    /// The folder of threads that need no answer: `Ignored`.
    pub ignored: String,
    /// The folder from which drafts are sent: `Send`.
    pub send: String,
    /// The folder that shows what is about to leave: `Outbox`.
    pub outbox: String,
    /// What keywords begin with, without the hyphen, lower case: `baton`.
    pub keyword: String,
}

impl Default for MarkNames {
    fn default() -> MarkNames {
        MarkNames {
            root: "Baton".into(),
            waiting: "Waiting".into(),
            blocked: "Blocked".into(),
            resolved: "Resolved".into(),
            ignored: "Ignored".into(),
            send: "Send".into(),
            outbox: "Outbox".into(),
            keyword: "baton".into(),
        }
    }
}

/// Spells marks and places for one mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dialect {
    /// How marks are shown.
    pub layout: Layout,
    /// Whether `\Flagged` means escalation.
    pub flags: bool,
    /// What stands before the root where all folders lie below INBOX, as in `INBOX.`; else empty.
    pub prefix: String,
    /// The server's hierarchy delimiter.
    pub delimiter: char,
}

impl Dialect {
    /// How `policy`'s mailbox is spelled on a server.
    pub fn new(policy: &Policy, layout: Layout, prefix: &str, delimiter: char) -> Dialect {
        let flags = policy.flag_escalates.unwrap_or(layout != Layout::Folders);
        Dialect { layout, flags, prefix: prefix.to_string(), delimiter }
    }

    /// Everything that the names of marks depend on, in one text: where it changes, marks must be shown anew.
    pub fn spelled(&self, policy: &Policy) -> String {
        let agents: Vec<String> =
            policy.agents.iter().map(|agent| format!("{}={}", agent.id, agent.mark)).collect();
        let names = &policy.names;
        match self.layout {
            Layout::Keywords => format!("keywords {}", names.keyword),
            layout => format!(
                "{layout:?} {}{} {} {} {} {} {}",
                self.prefix,
                names.root,
                names.waiting,
                names.blocked,
                names.resolved,
                names.ignored,
                agents.join(" ")
            ),
        }
    }

    /// The flag or keyword for a mark, or the word of its label ([`label::word`]).
    pub fn keyword(&self, policy: &Policy, mark: &Mark) -> String {
        if let (Layout::Labels, Some(place)) = (self.layout, label_place(mark)) {
            return label::word(&self.folder(policy, &place).unwrap_or_default());
        }
        let keyword = &policy.names.keyword;
        match mark {
            Mark::Owner(agent) => format!("{keyword}-{agent}"),
            Mark::Waiting => format!("{keyword}-waiting"),
            Mark::Blocked => format!("{keyword}-blocked"),
            Mark::Resolved => format!("{keyword}-resolved"),
            Mark::Ignored => format!("{keyword}-ignored"),
            Mark::Escalated => "\\Flagged".to_string(),
        }
    }

    /// What a message's flags and labels say. Neither keywords have no case (RFC 9051, section 2.3.2); those of nobody we know say nothing.
    pub fn marks(&self, policy: &Policy, flags: &[String]) -> BTreeSet<Mark> {
        flags.iter().filter_map(|flag| self.mark(policy, flag)).collect()
    }

    fn mark(&self, policy: &Policy, flag: &str) -> Option<Mark> {
        if flag.eq_ignore_ascii_case("\\Flagged") {
            return self.flags.then_some(Mark::Escalated);
        }
        match self.layout {
            Layout::Labels => return self.labelled(policy, &label::label(flag)?),
            Layout::Folders => return None,
            Layout::Keywords => {}
        }
        let flag = flag.to_ascii_lowercase();
        let name = flag.strip_prefix(&policy.names.keyword)?.strip_prefix('-')?;
        match name {
            "waiting" => Some(Mark::Waiting),
            "blocked" => Some(Mark::Blocked),
            "resolved" => Some(Mark::Resolved),
            "ignored" => Some(Mark::Ignored),
            _ => {
                let id = AgentId(name.to_string());
                policy.agent(&id).map(|_| Mark::Owner(id))
            }
        }
    }

    fn labelled(&self, policy: &Policy, label: &str) -> Option<Mark> {
        let is = |mark: &Mark| {
            let place = label_place(mark);
            place
                .and_then(|place| self.folder(policy, &place))
                .is_some_and(|name| same_folder(&name, label))
        };
        let states = [Mark::Waiting, Mark::Blocked, Mark::Resolved, Mark::Ignored];
        let owners = policy.agents.iter().map(|agent| Mark::Owner(agent.id.clone()));
        states.into_iter().chain(owners).find(is)
    }

    /// The labels of all marks of the mailbox, parents first; none in other layouts.
    fn labels(&self, policy: &Policy) -> Vec<String> {
        let agents = policy.agents.iter().filter(|agent| agent.works_in(&policy.mailbox));
        let owners = agents.map(|agent| Mark::Owner(agent.id.clone()));
        let states = [Mark::Waiting, Mark::Blocked, Mark::Resolved, Mark::Ignored];
        let places = owners.chain(states).filter_map(|mark| label_place(&mark));
        std::iter::once(self.below_root(policy, &[]))
            .chain(places.filter_map(|place| self.folder(policy, &place)))
            .collect()
    }

    /// The label of a mark, as the folder that shows it; `None` for what is no label.
    pub fn label(&self, policy: &Policy, mark: &Mark) -> Option<String> {
        match self.layout {
            Layout::Labels => self.folder(policy, &label_place(mark)?),
            Layout::Folders | Layout::Keywords => None,
        }
    }

    /// Which of the places of mails that are about to leave these labels name; in other layouts folders do. A mail that has
    /// both is still where a person put it.
    pub fn leaving(&self, policy: &Policy, flags: &[String]) -> Option<Place> {
        if self.layout != Layout::Labels || !policy.sending.can {
            return None;
        }
        let has = |place: &&Place| {
            let label = self.folder(policy, place).unwrap_or_default();
            let labels = flags.iter().filter_map(|flag| label::label(flag));
            labels.into_iter().any(|one| same_folder(&one, &label))
        };
        LEAVING.iter().find(has).cloned()
    }

    /// The folder above all of Baton's.
    pub fn root(&self, policy: &Policy) -> String {
        self.below_root(policy, &[])
    }

    fn below_root(&self, policy: &Policy, levels: &[&str]) -> String {
        let mut name = format!("{}{}", self.prefix, policy.names.root);
        for level in levels {
            name.push(self.delimiter);
            name.push_str(level);
        }
        name
    }

    /// The folder of a place; `None` for places that are the server's or nobody's.
    pub fn folder(&self, policy: &Policy, place: &Place) -> Option<String> {
        let names = &policy.names;
        let of = |agent: &AgentId| policy.agent(agent).map(|agent| agent.mark.clone());
        match place {
            Place::Inbox => Some("INBOX".to_string()),
            Place::Owned(agent) => Some(self.below_root(policy, &[&of(agent)?])),
            Place::Waiting(Some(agent)) => {
                Some(self.below_root(policy, &[&of(agent)?, &names.waiting]))
            }
            Place::Waiting(None) => Some(self.below_root(policy, &[&names.waiting])),
            Place::Blocked(Some(agent)) => {
                Some(self.below_root(policy, &[&of(agent)?, &names.blocked]))
            }
            Place::Blocked(None) => Some(self.below_root(policy, &[&names.blocked])),
            Place::Resolved => Some(self.below_root(policy, &[&names.resolved])),
            Place::Ignored => Some(self.below_root(policy, &[&names.ignored])),
            Place::Send => Some(self.below_root(policy, &[&names.send])),
            Place::Outbox => Some(self.below_root(policy, &[&names.outbox])),
            _ => None,
        }
    }

    /// The folders, or labels, that exist from the start, parents first: those of the marks, and where mail can leave, those
    /// of the mails that do.
    pub fn folders(&self, policy: &Policy) -> Vec<String> {
        let mut folders = match self.layout {
            Layout::Keywords => Vec::new(),
            Layout::Labels => self.labels(policy),
            Layout::Folders => {
                let places = self.places(policy);
                let below = places.iter().filter_map(|place| self.folder(policy, place));
                std::iter::once(self.below_root(policy, &[])).chain(below).collect()
            }
        };
        let leaving = LEAVING.iter().filter(|_| policy.sending.can);
        folders.extend(leaving.filter_map(|place| self.folder(policy, place)));
        folders
    }

    fn places(&self, policy: &Policy) -> Vec<Place> {
        let mut places = Vec::new();
        for agent in policy.agents.iter().filter(|agent| agent.works_in(&policy.mailbox)) {
            let id = &agent.id;
            places.push(Place::Owned(id.clone()));
            places.push(Place::Waiting(Some(id.clone())));
            places.push(Place::Blocked(Some(id.clone())));
        }
        places.extend([
            Place::Waiting(None),
            Place::Blocked(None),
            Place::Resolved,
            Place::Ignored,
        ]);
        places
    }

    /// What a folder of Baton's means. Folder names are compared without case, as Exchange does.
    pub fn place_below_root(&self, policy: &Policy, folder: &str) -> Place {
        let is = |place: &&Place| {
            let name = self.folder(policy, place);
            name.is_some_and(|name| same_folder(&name, folder))
        };
        // At Gmail they are views of All Mail, as every folder.
        if policy.sending.can
            && self.layout != Layout::Labels
            && let Some(place) = LEAVING.iter().find(is)
        {
            return place.clone();
        }
        if self.layout != Layout::Folders {
            return Place::Elsewhere;
        }
        let everyone = Policy {
            agents: policy
                .agents
                .iter()
                .map(|agent| Agent { mailboxes: Vec::new(), ..agent.clone() })
                .collect(),
            ..policy.clone()
        };
        self.places(&everyone)
            .into_iter()
            .find(|place| self.folder(policy, place).is_some_and(|name| same_folder(&name, folder)))
            .unwrap_or(Place::Elsewhere)
    }
}

/// The places of mails that are about to leave.
const LEAVING: [Place; 2] = [Place::Send, Place::Outbox];

/// The folder by which Gmail shows the label of a mark; an owner's and a state's labels stand side by side.
fn label_place(mark: &Mark) -> Option<Place> {
    match mark {
        Mark::Owner(agent) => Some(Place::Owned(agent.clone())),
        Mark::Waiting => Some(Place::Waiting(None)),
        Mark::Blocked => Some(Place::Blocked(None)),
        Mark::Resolved => Some(Place::Resolved),
        Mark::Ignored => Some(Place::Ignored),
        Mark::Escalated => None,
    }
}

/// Whether two folder names are one folder.
pub fn same_folder(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}
