//! A small team and its threads, for the tests of the rules.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::layout::MarkNames;
use crate::desk::policy::{KeepText, Policy, Sending};
use crate::desk::roster::{Agent, AgentId};
use crate::desk::thread::{Block, State, Thread, ThreadId};
use crate::mail::proof::Key;

fn agent(id: &str, name: &str, mailboxes: &[&str]) -> Agent {
    Agent {
        id: AgentId(id.into()),
        name: name.into(),
        address: format!("{id}@example.test"),
        mark: name.into(),
        mailboxes: mailboxes.iter().map(|name| (*name).to_owned()).collect(),
        cards: true,
    }
}

/// Of the mailbox `support`, in which Ana and Ben work, and Zoe does not.
pub(super) fn policy() -> Policy {
    Policy {
        mailbox: "support".into(),
        own_addresses: vec!["support@example.test".into()],
        agents: vec![
            agent("ana", "Ana", &[]),
            agent("ben", "Ben", &[]),
            agent("zoe", "Zoe", &["billing"]),
        ],
        since: Timestamp(0),
        reopen_within: Duration::from_secs(100),
        join_within: Duration::from_secs(100),
        burst_moves_per_minute: 30,
        leave_moved: Duration::ZERO,
        flag_escalates: None,
        keep_text: KeepText::Excerpt,
        names: MarkNames::default(),
        sending: Sending::default(),
        key: Key::new(b"sample"),
        deadlines: None,
    }
}

/// `"waiting ana"`: the state, and the owner or `-`. A blocked or ignored thread was in progress before, a resolved one was
/// resolved at 10; the customer wrote at 5.
pub(super) fn thread(spelled: &str) -> Thread {
    let (state, owner) = spelled.split_once(' ').unwrap();
    let mut thread = Thread::unborn(ThreadId(1), "support", Timestamp(0));
    let now = &mut thread.now;
    now.state = State::from_name(state).unwrap();
    now.owner = (owner != "-").then(|| AgentId(owner.into()));
    now.last_customer_at = Some(Timestamp(5));
    now.resolved_at = (now.state == State::Resolved).then_some(Timestamp(10));
    if matches!(now.state, State::Blocked | State::Ignored) {
        now.before = Some(State::InProgress);
    }
    if now.state == State::Blocked {
        now.block = Some(Block { reason: "parts".into(), until: None });
    }
    thread
}

/// A thread as `thread` reads it.
pub(super) fn spell(thread: &Thread) -> String {
    let owner = thread.now.owner.as_ref().map_or("-", |owner| owner.0.as_str());
    format!("{} {owner}", thread.now.state)
}
