//! Proofs: that every message is accounted for, and that the log says what the threads say.

use std::collections::{BTreeMap, BTreeSet};

use crate::desk::thread::{MessageKey, Thread, ThreadId};
use crate::store::{Status, ThreadFilter, Tx};

/// How one message on the server is accounted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Account {
    /// It belongs to a thread.
    Threaded,
    /// It is from before the cut-over.
    History,
    /// We sent it or are writing it, and it answers no thread.
    Own,
    /// It needs no thread, for a reason.
    Ignored,
    /// It cannot be read, and a thread says so.
    Unreadable,
}

/// How the messages of one folder are accounted for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FolderAccount {
    /// How many of each.
    pub counts: BTreeMap<Account, usize>,
    /// UIDs on the server that are not accounted for.
    pub unknown: Vec<u32>,
    /// UIDs that are accounted for and are not on the server.
    pub surplus: Vec<u32>,
    /// Why messages are ignored, and how many.
    pub reasons: BTreeMap<String, usize>,
}

/// Compares the UIDs that a folder has on the server with what is known of it.
pub fn account(
    tx: &Tx<'_>,
    mailbox: i64,
    folder: &str,
    uidvalidity: u32,
    uids: &[u32],
) -> anyhow::Result<FolderAccount> {
    let mut account = FolderAccount::default();
    let on_server: BTreeSet<u32> = uids.iter().copied().collect();
    let known = match tx.folder(mailbox, folder)? {
        Some(found) if found.uidvalidity == uidvalidity => tx.accounts_of(found.id)?,
        _ => Vec::new(),
    };
    let mut found = BTreeSet::new();
    for (uid, status, reason, unreadable) in known {
        if !on_server.contains(&uid) {
            account.surplus.push(uid);
            continue;
        }
        found.insert(uid);
        let sort = match status {
            _ if unreadable => Account::Unreadable,
            Status::Threaded => Account::Threaded,
            Status::History => Account::History,
            Status::Own | Status::Draft => Account::Own,
            Status::Ignored => Account::Ignored,
        };
        *account.counts.entry(sort).or_default() += 1;
        if sort == Account::Ignored {
            *account.reasons.entry(reason).or_default() += 1;
        }
    }
    account.unknown = on_server.difference(&found).copied().collect();
    Ok(account)
}

/// One thing in which the threads differ from what the log says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference(pub String);

/// Folds the whole log anew and compares it with the threads and their messages. Answers the differences and the number of
/// events and threads.
pub fn rebuild(tx: &Tx<'_>) -> anyhow::Result<(Vec<Difference>, u64, usize)> {
    let mut threads: BTreeMap<ThreadId, Thread> = BTreeMap::new();
    let mut membership: BTreeMap<MessageKey, ThreadId> = BTreeMap::new();
    let mut events = 0_u64;
    tx.each_event(|event| {
        events += 1;
        for id in [Some(event.thread), event.other].into_iter().flatten() {
            threads.entry(id).or_insert_with(|| Thread::unborn(id, "", event.at)).apply(&event);
        }
        membership.extend(event.joins());
    })?;
    let every_state = crate::desk::thread::State::ALL.to_vec();
    let stored = tx.threads(&ThreadFilter { states: every_state, ..ThreadFilter::default() })?;
    let mut differences = Vec::new();
    let mut say = |words: String| differences.push(Difference(words));
    for row in &stored {
        match threads.get(&row.thread.id) {
            None => say(format!("{} has no event", row.thread.id)),
            Some(folded) if folded.now != row.thread.now => {
                say(format!(
                    "{} differs: the log says {:?}, the table {:?}",
                    row.thread.id, folded.now, row.thread.now
                ));
            }
            Some(folded) if folded.updated_at != row.thread.updated_at => {
                say(format!("{} differs in the time of its last event", row.thread.id));
            }
            Some(_) => (),
        }
    }
    let known: BTreeSet<ThreadId> = stored.iter().map(|row| row.thread.id).collect();
    for id in threads.keys().filter(|id| !known.contains(id)) {
        say(format!("{id} is in the log, not in the table"));
    }
    let members: BTreeMap<MessageKey, ThreadId> = tx.memberships()?.into_iter().collect();
    for (message, thread) in &membership {
        if members.get(message) != Some(thread) {
            say(format!("the log puts message {} into {thread}, the table does not", message.0));
        }
    }
    for (message, thread) in members.iter().filter(|(message, _)| !membership.contains_key(message))
    {
        say(format!("message {} is in {thread} without an event", message.0));
    }
    Ok((differences, events, stored.len()))
}
