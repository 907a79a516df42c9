//! A mail that answers nothing begins a thread: its writer's, and the customer is whoever it goes to.
//!
//! The thread is there as soon as the mail is kept, so that its number can be told; its first message is the copy in Sent.

use super::keep::{Kept, writer};
use crate::desk::event::{Cause, CauseKind, NewEvent, What};
use crate::desk::thread::{Change, Position, State, Thread};
use crate::engine::Desk;
use crate::engine::arrive::PARTICIPANTS_MAX;
use crate::engine::record::record;
use crate::store::NewSending;

/// The first recipient outside the team.
pub(super) fn customer(desk: &Desk<'_>, new: &NewSending) -> Option<String> {
    let mut to = new.recipients.iter().map(|to| to.address.to_lowercase());
    to.find(|to| !desk.policy.is_own(to) && desk.policy.agent_at(to).is_none())
}

/// A thread of which nothing has happened yet.
pub(super) fn unborn(desk: &Desk<'_>) -> anyhow::Result<Thread> {
    let id = desk.tx.add_thread(desk.mailbox, desk.now)?;
    Ok(Thread::unborn(id, &desk.policy.mailbox, desk.now))
}

/// Writes down that a mail began the thread. It waits for the customer once the mail has left.
pub(super) fn begin(
    desk: &Desk<'_>,
    mut thread: Thread,
    kept: &Kept,
    sending: i64,
    customer: &str,
) -> anyhow::Result<Thread> {
    let after = Position {
        subject: kept.subject.clone(),
        customer: customer.to_owned(),
        owner: kept.new.agent.clone(),
        state: if kept.new.agent.is_some() { State::InProgress } else { State::New },
        ..Position::default()
    };
    let cause = Cause::new(CauseKind::Mail, format!("handed in by {}", kept.new.route));
    let change = Change::between(&Position::default(), &after);
    let event = NewEvent::new(writer(&kept.new), cause, What::Begun { sending }, change);
    record(desk, &mut thread, event)?;
    let to = kept.new.recipients.iter().map(|to| to.address.to_lowercase());
    let to: Vec<String> = to.filter(|to| !desk.policy.is_own(to)).take(PARTICIPANTS_MAX).collect();
    desk.tx.add_participants(thread.id, &to)?;
    Ok(thread)
}
