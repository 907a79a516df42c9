//! Turns what was seen or asked into events, and events into work.
//!
//! Everything here runs inside one transaction of the store: load, decide with the pure rules of `desk`, write the events,
//! the threads, the wishes and the cursor together. A crash means that the same is seen again, and unique keys make that
//! harmless. Nothing here knows a server: the doors hand in what they saw and are handed what to write.

mod amend;
mod arrive;
mod ask;
mod automatic;
mod came_back;
mod card;
mod card_reply;
mod drafts;
mod errand;
mod folders;
mod hand_in;
mod join;
mod leak;
mod look;
mod notice;
pub mod outlook;
mod record;
mod send;
mod sent;
mod show;
mod stop;
mod twice;
mod verify;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;

pub use arrive::{Seen, arrivals};
pub use ask::{Answer, Request, Verb, answer, tick};
pub use drafts::{
    Deed, DeedOutcome, Draft, PlannedDeed, PlannedDrafts, plan_drafts, settle_drafts,
};
pub use errand::{Errand, errand};
pub use folders::{ListedFolder, Listing, list, lose_uids};
pub use hand_in::{HandedIn, Taken, hand_in, may_send_as};
pub use look::{Flags, change, judge};
pub use send::{
    Outcome as SendOutcome, Task, copied, looked, next, next_in_sent, not_looked,
    sent as settle_sending,
};
pub use show::{Action, Outcome, Planned, Write, plan, plan_in_shadow, settle};
pub use stop::stop_held;
pub use verify::{Account, Difference, FolderAccount, account, rebuild};

use crate::clock::Timestamp;
use crate::desk::layout::{Dialect, Layout};
use crate::desk::policy::Policy;
use crate::desk::thread::{Thread, ThreadId};
use crate::store::Tx;

/// The policies of all mailboxes, by name.
pub type Policies = BTreeMap<String, Policy>;

/// One mailbox's desk during one transaction.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The transaction.
    pub tx: &'a Tx<'a>,
    /// The admin's choices.
    pub policy: &'a Policy,
    /// How marks are spelled on the server.
    pub dialect: &'a Dialect,
    /// The mailbox's number in the store.
    pub mailbox: i64,
    /// The time of everything that is decided in it.
    pub now: Timestamp,
    /// For how long nobody had looked before what is being read now; zero once everything has been looked at.
    pub away: Duration,
}

impl Desk<'_> {
    fn thread(&self, id: ThreadId) -> anyhow::Result<Thread> {
        self.tx.thread(id)?.with_context(|| format!("there is no thread {id}"))
    }
}

/// How the mailbox is spelled, as far as it is known by now.
pub fn dialect(tx: &Tx<'_>, policy: &Policy) -> anyhow::Result<(i64, Dialect)> {
    let row = tx.mailbox_row(&policy.mailbox)?;
    let layout = row.layout.unwrap_or(Layout::Keywords);
    Ok((row.id, Dialect::new(policy, layout, &row.prefix, row.delimiter)))
}
