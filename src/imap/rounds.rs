//! What is compared when, at a server that cannot tell what changed (RFC 7162 tells; Exchange Online does not, M6).
//!
//! Its counters tell what came and what went; that a flag changed they do not tell, and to list a folder of 50,000
//! messages costs two megabytes. So a look compares the newest messages, [`Rounds::plan`] has those of open threads
//! compared every [`OFTEN`], and walks through everything else once in [`WITHIN`]. Pure: nothing here asks a server. What
//! it remembers outlives a connection, since those end hourly (M55), but not the daemon: whoever has been away compares
//! everything once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How soon a changed flag on a message of an open thread is seen, in whatever folder.
pub(super) const OFTEN: Duration = Duration::from_secs(5 * 60);
/// How soon a changed flag on any message is seen.
pub(super) const WITHIN: Duration = Duration::from_secs(2 * 60 * 60);
/// How many of a folder's newest messages are compared at each look.
pub(super) const NEWEST: usize = 100;
/// How many messages of open threads are compared in a folder; those beyond are the walk's.
pub(super) const OPEN_MAX: usize = 500;
/// How many messages a poll walks past at least: a small mailbox is through in a few polls.
const SHARE_MIN: usize = 100;
/// What it costs to open a folder, in listed messages.
const FOLDER_COST: usize = 25;

/// What has been compared in one mailbox. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Rounds(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Folders that have been compared as a whole.
    whole: BTreeMap<String, Whole>,
    /// What was planned and has not been compared yet.
    owed: BTreeMap<String, Owed>,
    /// The folder that the walk is in, and the UID to go on from.
    walk: (String, u32),
    /// The folder whose open threads were compared last.
    open: String,
}

#[derive(Clone, Copy, Debug)]
struct Whole {
    uidvalidity: u32,
    /// How many more messages the server counts than are known: those that it would not show us, mostly none.
    surplus: i64,
}

/// What is to be compared in a folder besides its newest messages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Owed {
    /// The messages of open threads.
    pub(super) open: bool,
    /// Stretches of UIDs, both ends included.
    pub(super) stretches: Vec<(u32, u32)>,
}

impl Rounds {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many more messages the folder had than were known, when it was last known to be compared as a whole; `None`
    /// when that never was, or was under another UIDVALIDITY.
    pub(super) fn surplus(&self, folder: &str, uidvalidity: u32) -> Option<i64> {
        let whole = self.state().whole.get(folder).copied()?;
        (whole.uidvalidity == uidvalidity).then_some(whole.surplus)
    }

    /// Nothing is missing in the folder but what the server has beyond.
    pub(super) fn is_whole(&self, folder: &str, uidvalidity: u32, surplus: i64) {
        self.state().whole.insert(folder.to_owned(), Whole { uidvalidity, surplus });
    }

    /// What is to be compared in a folder.
    pub(super) fn owed(&self, folder: &str) -> Owed {
        self.state().owed.get(folder).cloned().unwrap_or_default()
    }

    /// Whether anything is.
    pub(super) fn owes(&self, folder: &str) -> bool {
        self.state().owed.contains_key(folder)
    }

    /// Everything that was owed has been compared.
    pub(super) fn paid(&self, folder: &str) {
        self.state().owed.remove(folder);
    }

    /// The messages of open threads are to be compared in a folder.
    pub(super) fn owe_open(&self, folder: &str) {
        self.state().owed.entry(folder.to_owned()).or_default().open = true;
    }

    /// Plans one of the polls that are `every` apart: which folders to ask for open threads, and where the walk goes on.
    /// `folders` are all that are watched, with how many messages each has.
    pub(super) fn plan(&self, folders: &[(String, u32)], every: Duration) -> (Vec<String>, Turn) {
        let mut state = self.state();
        let names: BTreeSet<&String> = folders.iter().map(|(name, _)| name).collect();
        state.owed.retain(|name, _| names.contains(name));
        state.whole.retain(|name, _| names.contains(name));
        let names: Vec<String> = names.into_iter().cloned().collect();
        let messages = folders.iter().map(|(_, count)| *count as usize).sum::<usize>();
        let left = share(messages + names.len() * FOLDER_COST, WITHIN, every).max(SHARE_MIN);
        let some = share(names.len(), OFTEN, every);
        let open: Vec<String> = after(&names, &state.open).take(some).cloned().collect();
        state.open = open.last().cloned().unwrap_or_default();
        let (folder, from) = state.walk.clone();
        (open, Turn { names, folder, from, left, stretches: Vec::new(), opened: 0 })
    }

    /// Keeps where a turn of the walk has come to, and owes its stretches.
    pub(super) fn walked(&self, turn: Turn) {
        let mut state = self.state();
        for (folder, first, last) in turn.stretches {
            state.owed.entry(folder).or_default().stretches.push((first, last));
        }
        state.walk = (turn.folder, turn.from);
    }
}

/// How much of `whole` has to be done in each of the rounds that are `every` apart, so that all is done `within`.
fn share(whole: usize, within: Duration, every: Duration) -> usize {
    let rounds = within.as_secs() / every.as_secs().max(1);
    whole.div_ceil(usize::try_from(rounds).unwrap_or(usize::MAX).max(1))
}

/// All names, beginning behind `last`.
fn after<'a>(names: &'a [String], last: &str) -> impl Iterator<Item = &'a String> {
    let behind = names.partition_point(|name| name.as_str() <= last);
    let (before, rest) = names.split_at_checked(behind).unwrap_or((names, &[]));
    rest.iter().chain(before)
}

/// One poll's share of the walk.
#[derive(Debug)]
pub(super) struct Turn {
    names: Vec<String>,
    folder: String,
    from: u32,
    left: usize,
    opened: usize,
    stretches: Vec<(String, u32, u32)>,
}

impl Turn {
    /// Where to go on: the folder, the first UID and how many messages at most. `None` at the end of the share.
    pub(super) fn next(&mut self) -> Option<(String, u32, usize)> {
        // Each folder is visited once at most, and the first perhaps for its rest and then for its beginning.
        if self.left == 0 || self.opened > self.names.len() {
            return None;
        }
        if !self.names.contains(&self.folder) {
            self.next_folder();
        }
        self.names.contains(&self.folder).then(|| (self.folder.clone(), self.from, self.left))
    }

    /// `rows` messages were known from there on, of as many as were asked for; the ends are the first UID and the last.
    pub(super) fn took(&mut self, ends: Option<(u32, u32)>, rows: usize) {
        let asked = self.left;
        if let Some((first, last)) = ends {
            self.stretches.push((self.folder.clone(), first, last));
            self.from = last.saturating_add(1);
            self.left = self.left.saturating_sub(FOLDER_COST);
        }
        self.left = self.left.saturating_sub(rows);
        if rows < asked {
            self.next_folder();
        }
    }

    fn next_folder(&mut self) {
        let next = after(&self.names, &self.folder).next();
        self.folder = next.cloned().unwrap_or_default();
        self.from = 1;
        self.opened += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mailbox whose folders hold messages with odd UIDs, and one poll of it after the other.
    struct Mailbox {
        folders: Vec<(String, u32)>,
        rounds: Rounds,
        every: Duration,
    }

    impl Mailbox {
        fn new(folders: &[(&str, u32)], every: u64) -> Mailbox {
            let folders = folders.iter().map(|(name, count)| (name.to_string(), *count)).collect();
            Mailbox { folders, rounds: Rounds::default(), every: Duration::from_secs(every) }
        }

        /// The folders that are asked for open threads, and the stretches to compare.
        fn poll(&self) -> (Vec<String>, Vec<(String, u32, u32)>) {
            let (open, mut turn) = self.rounds.plan(&self.folders, self.every);
            while let Some((folder, from, most)) = turn.next() {
                let count = self.folders.iter().find(|(name, _)| *name == folder).unwrap().1;
                let uids = (0..count).map(|n| n * 2 + 1).filter(|uid| from <= *uid).take(most);
                let uids: Vec<u32> = uids.collect();
                turn.took(uids.first().copied().zip(uids.last().copied()), uids.len());
            }
            let stretches = turn.stretches.clone();
            self.rounds.walked(turn);
            (open, stretches)
        }
    }

    #[test]
    fn everything_is_walked_through_in_time_and_evenly() {
        let mailbox = Mailbox::new(&[("Archive", 7_000), ("Empty", 0), ("INBOX", 43_000)], 60);
        let polls = WITHIN.as_secs() / 60;
        let mut seen: BTreeSet<(String, u32)> = BTreeSet::new();
        for _ in 0..polls {
            let (_, stretches) = mailbox.poll();
            let rows: u32 = stretches.iter().map(|(_, first, last)| (last - first) / 2 + 1).sum();
            assert!(rows <= 420, "{rows} messages at one poll");
            for (folder, first, last) in stretches {
                seen.extend((first..=last).step_by(2).map(|uid| (folder.clone(), uid)));
            }
        }
        assert_eq!(seen.len(), 50_000);
    }

    #[test]
    fn a_small_mailbox_is_through_in_a_few_polls_and_begins_anew() {
        let mailbox = Mailbox::new(&[("A", 3), ("B", 0), ("C", 60), ("D", 5)], 60);
        let stretch = |folder: &str, first, last| (folder.to_string(), first, last);
        assert_eq!(mailbox.poll().1, [stretch("A", 1, 5), stretch("C", 1, 119)]);
        let on = [stretch("D", 1, 9), stretch("A", 1, 5), stretch("C", 1, 83)];
        assert_eq!(mailbox.poll().1, on);
        let on = [stretch("C", 85, 119), stretch("D", 1, 9), stretch("A", 1, 5)];
        assert_eq!(mailbox.poll().1, on);
        let nothing = Mailbox::new(&[("A", 0), ("B", 0)], 60);
        assert_eq!(nothing.poll().1, []);
        assert_eq!(Mailbox::new(&[], 60).poll(), (vec![], vec![]));
    }

    #[test]
    fn polls_that_are_rare_do_it_in_as_few() {
        let mailbox = Mailbox::new(&[("A", 1_000), ("B", 1_000)], 3_600);
        let rows = |stretches: &[(String, u32, u32)]| -> u32 {
            stretches.iter().map(|(_, first, last)| (last - first) / 2 + 1).sum()
        };
        assert!(1_000 <= rows(&mailbox.poll().1) + rows(&mailbox.poll().1));
        assert_eq!(mailbox.poll().0, ["A", "B"]);
    }

    #[test]
    fn open_threads_are_asked_for_in_turn() {
        let names = ["A", "B", "C", "D", "E", "F"];
        let folders: Vec<(&str, u32)> = names.iter().map(|name| (*name, 1)).collect();
        let mailbox = Mailbox::new(&folders, 60);
        let asked: Vec<Vec<String>> = (0..4).map(|_| mailbox.poll().0).collect();
        assert_eq!(asked, [["A", "B"], ["C", "D"], ["E", "F"], ["A", "B"]]);
    }

    #[test]
    fn what_was_not_compared_is_owed_until_it_is_or_its_folder_is_gone() {
        let mut mailbox = Mailbox::new(&[("A", 3), ("B", 2)], 60);
        mailbox.poll();
        mailbox.rounds.owe_open("A");
        let owed = Owed { open: true, stretches: vec![(1, 5)] };
        assert_eq!(mailbox.rounds.owed("A"), owed);
        mailbox.rounds.is_whole("A", 7, 1);
        assert_eq!(mailbox.rounds.surplus("A", 7), Some(1));
        assert_eq!(mailbox.rounds.surplus("A", 8), None, "numbered anew");
        mailbox.rounds.paid("A");
        assert!(!mailbox.rounds.owes("A") && mailbox.rounds.owes("B"));
        mailbox.folders.truncate(1);
        mailbox.poll();
        assert!(!mailbox.rounds.owes("B") && mailbox.rounds.owes("A"));
    }
}
