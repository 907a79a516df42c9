//! What the mailbox shows of a thread, and waiting for it: the layouts as product.md describes them, seen
//! from a mail client.
//!
//! An expectation is written as `assigned, ana`, `waiting, ana, escalated`, `new`; several states may be
//! allowed, as in `assigned|in-progress, ana`. Where nobody is named, nobody owns the thread.

use std::collections::BTreeSet;

use super::baton::Thread;
use super::people::AGENTS;
use super::{Layout, Place, World};

/// State, owner and escalation that a story expects.
struct Expected<'a> {
    states: Vec<&'a str>,
    /// `None` where the story does not care (`any`).
    owner: Option<Option<&'a str>>,
    escalated: bool,
}

impl Expected<'_> {
    fn read(text: &str) -> Expected<'_> {
        let mut words = text.split(", ");
        let states = words.next().unwrap_or_default().split('|').collect();
        let mut expected = Expected { states, owner: Some(None), escalated: false };
        for word in words {
            match word {
                "escalated" => expected.escalated = true,
                "any" => expected.owner = None,
                agent => expected.owner = Some(Some(agent)),
            }
        }
        expected
    }

    fn is_met_by(&self, thread: &Thread) -> bool {
        self.states.contains(&thread.state.as_str())
            && self.owner.is_none_or(|owner| owner == thread.owner.as_deref())
            && self.escalated == thread.escalated
    }
}

impl World {
    /// Waits until the last thread with this subject is so, and the mailbox shows it.
    #[track_caller]
    pub(crate) fn becomes(&mut self, subject: &str, expected: &str) {
        self.eventually(
            &format!("{subject:?} is {expected:?}, and the mailbox shows it"),
            |world| world.is(subject, expected) && world.shows(subject),
        );
    }

    /// Waits until the last thread with this subject is so, whatever the mailbox shows.
    #[track_caller]
    pub(crate) fn decides(&mut self, subject: &str, expected: &str) {
        let what = format!("{subject:?} is decided to be {expected:?}");
        self.eventually(&what, |world| world.is(subject, expected));
    }

    /// Checks that the thread stays as it is while Baton looks a few times more.
    #[track_caller]
    pub(crate) fn remains(&mut self, subject: &str, expected: &str) {
        let what = format!("{subject:?} is {expected:?}");
        self.stays(&what, |world| world.is(subject, expected));
    }

    /// Whether the last thread with this subject is so now.
    pub(crate) fn is(&mut self, subject: &str, expected: &str) -> bool {
        let last = self.threads_about(subject).pop();
        last.is_some_and(|thread| Expected::read(expected).is_met_by(&thread))
    }

    /// Whether the mailbox shows the last thread with this subject as Baton has it.
    pub(crate) fn shows(&mut self, subject: &str) -> bool {
        let Some(thread) = self.threads_about(subject).pop() else { return false };
        let Some(thread) = self.baton.show(thread.id) else { return false };
        let Ok(mailbox) = self.eyes().look() else { return false };
        let layout = self.layout();
        thread.messages().iter().all(|message| {
            let places = mailbox.get(message.id()).map(Vec::as_slice).unwrap_or_default();
            let places: Vec<&Place> = places.iter().filter(|place| carries_marks(place)).collect();
            match layout {
                Layout::Keywords => {
                    places.iter().all(|place| keywords(place) == wanted_keywords(&thread))
                }
                Layout::Labels => {
                    let mut shown = places.iter().filter_map(|place| place.labels.as_ref());
                    shown.all(|labels| *labels == wanted_labels(&thread))
                }
                Layout::Folders => places.iter().all(|place| {
                    place.folder == wanted_folder(&thread) || stays(place, &thread.state)
                }),
            }
        })
    }
}

/// Drafts and deleted mail carry no marks.
fn carries_marks(place: &Place) -> bool {
    !matches!(place.folder.as_str(), "Drafts" | "Trash" | "Junk") && !place.away
}

/// A reply's copy stays in Sent whatever becomes of its thread, and what a person put away stays put away where
/// nothing is to be done about it.
fn stays(place: &Place, state: &str) -> bool {
    match place.folder.as_str() {
        "Sent" | "Sent Items" | "Gesendete Elemente" => true,
        "Archive" | "Archiv" => matches!(state, "new" | "resolved" | "ignored"),
        _ => false,
    }
}

fn keywords(place: &Place) -> BTreeSet<String> {
    let ours = |flag: &&String| flag.starts_with("baton-") || *flag == "\\flagged";
    place.flags.iter().filter(ours).cloned().collect()
}

fn wanted_keywords(thread: &Thread) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    wanted.extend(thread.owner.as_ref().map(|owner| format!("baton-{owner}")));
    if matches!(thread.state.as_str(), "waiting" | "blocked" | "resolved" | "ignored") {
        wanted.insert(format!("baton-{}", thread.state));
    }
    if thread.escalated {
        wanted.insert("\\flagged".to_owned());
    }
    wanted
}

/// The labels of a thread's mails; the star stands for escalation.
fn wanted_labels(thread: &Thread) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    wanted.extend(thread.owner.as_deref().map(label_of));
    if matches!(thread.state.as_str(), "waiting" | "blocked" | "resolved" | "ignored") {
        wanted.insert(label_of(&thread.state));
    }
    if thread.escalated {
        wanted.insert("\\Starred".to_owned());
    }
    wanted
}

/// The label that says on Gmail what this keyword says elsewhere: `Baton/Ana` for `ana`, `Baton/Waiting` for `waiting`.
pub(super) fn label_of(word: &str) -> String {
    let name = AGENTS.iter().find(|agent| agent.0 == word).map_or(word, |agent| agent.1);
    let first = name.split(' ').next().unwrap_or_default();
    format!("Baton/{}{}", first[..1].to_uppercase(), &first[1..])
}

/// Where a thread lies; what waits for somebody and is nobody's lies below the root.
fn wanted_folder(thread: &Thread) -> String {
    let owner = thread.owner.as_deref().map(|owner| {
        let name = AGENTS.iter().find(|agent| agent.0 == owner).map_or(owner, |agent| agent.1);
        format!("Baton/{}", name.split(' ').next().unwrap_or_default())
    });
    match (thread.state.as_str(), owner) {
        ("resolved", _) => "Baton/Resolved".to_owned(),
        ("ignored", _) => "Baton/Ignored".to_owned(),
        ("waiting", Some(owner)) => format!("{owner}/Waiting"),
        ("blocked", Some(owner)) => format!("{owner}/Blocked"),
        ("waiting", None) => "Baton/Waiting".to_owned(),
        ("blocked", None) => "Baton/Blocked".to_owned(),
        (_, Some(owner)) => owner,
        (_, None) => "INBOX".to_owned(),
    }
}
