//! How marks are shown: as labels, as folders, or as keywords; and what each mark is called there.
//!
//! The desk speaks of marks by meaning ([`crate::desk::marks`]); only this file spells them. Names are the
//! admin's, so that a team can translate them.

use serde::{Deserialize, Serialize};

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
            keyword: "baton".into(),
        }
    }
}
