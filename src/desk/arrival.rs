//! What a mail does to a thread: a customer's, the team's own, a robot's, a draft.
//!
//! Messages are met in any order (folder after folder, after a month away), so nothing here trusts the order in which
//! they are decided: arrival times say who wrote last.

use crate::clock::Timestamp;
use crate::desk::command::unblocked;
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Change, MessageKey, Position, State, Thread, ThreadId};

/// What the desk needs to know of a mail that belongs to a thread.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// The message.
    pub message: MessageKey,
    /// Why it belongs here.
    pub joined_by: String,
    /// When it arrived, by INTERNALDATE.
    pub arrived_at: Timestamp,
    /// Where it was seen, for the log.
    pub folder: String,
}

/// What a customer's mail does to a resolved thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It belongs to the thread.
    Joins,
    /// Too long after the thread was resolved: it opens a new one, linked to the old.
    OpensAnother,
}

/// Whether a customer's mail of `arrived_at` still belongs to the thread.
pub fn fit(policy: &Policy, now: &Position, arrived_at: Timestamp) -> Fit {
    match (now.state, now.resolved_at) {
        (State::Resolved, Some(resolved_at))
            if resolved_at + policy.reopen_within <= arrived_at =>
        {
            Fit::OpensAnother
        }
        _ => Fit::Joins,
    }
}

fn cause(mail: &Mail) -> Cause {
    Cause::new(CauseKind::Mail, format!("seen in {}", mail.folder))
}

/// The first mail of a thread.
pub fn opened(
    mail: Mail,
    subject: &str,
    customer: &str,
    linked_to: Option<ThreadId>,
    adopted: Vec<MessageKey>,
) -> NewEvent {
    let after = Position {
        subject: subject.to_string(),
        customer: customer.to_string(),
        last_customer_at: Some(mail.arrived_at),
        linked_to,
        ..Position::default()
    };
    let cause = cause(&mail);
    let what = What::Opened { message: mail.message, joined_by: mail.joined_by, adopted };
    NewEvent::new(Actor::Customer, cause, what, Change::between(&Position::default(), &after))
}

/// The owner, unless the configuration no longer knows them here.
fn owner_still_here(policy: &Policy, now: &Position) -> Option<AgentId> {
    let owner = now.owner.clone()?;
    policy.agent(&owner).filter(|agent| agent.works_in(&policy.mailbox)).map(|_| owner)
}

fn in_progress_with(owner: Option<AgentId>, now: &Position) -> Position {
    let state = if owner.is_some() { State::InProgress } else { State::New };
    Position { owner, state, before: None, block: None, ..now.clone() }
}

/// What is known of a customer's mail and our newest reply, beside their times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timing {
    /// Nothing: their times say who wrote last.
    ByArrival,
    /// We have answered this very mail already.
    Answered,
    /// It answers our newest reply.
    AnswersUs,
}

/// A customer's mail joined the thread. `bare_thanks` is whether it says nothing but thank you. Where it reopens the thread, that is an event of its own, so that it
/// is counted and can be undone.
pub fn customer_wrote(
    policy: &Policy,
    thread: &Thread,
    mail: Mail,
    bare_thanks: bool,
    timing: Timing,
) -> Vec<NewEvent> {
    let now = &thread.now;
    let stale = match timing {
        Timing::Answered => true,
        Timing::AnswersUs => false,
        Timing::ByArrival => now.last_reply_at.is_some_and(|reply| mail.arrived_at < reply),
    };
    let (mut after, remark) = if stale {
        (now.clone(), "older than our last reply".to_string())
    } else {
        after_customer(policy, now, bare_thanks)
    };
    after.last_customer_at = now.last_customer_at.max(Some(mail.arrived_at));
    let cause = cause(&mail);
    let what = What::CustomerWrote { message: mail.message, joined_by: mail.joined_by, remark };
    let event = |cause, what, change| NewEvent::new(Actor::Customer, cause, what, change);
    if after.reopens == now.reopens {
        return vec![event(cause, what, Change::between(now, &after))];
    }
    let wrote = Position { last_customer_at: after.last_customer_at, ..now.clone() };
    vec![
        event(cause.clone(), what, Change::between(now, &wrote)),
        event(cause, What::Reopened, Change::between(&wrote, &after)),
    ]
}

/// A customer's mail that was taken for another matter turns out to belong to a thread that rests: adds to `change` what
/// the mail would have done.
pub fn takes_up(policy: &Policy, now: &Position, arrived_at: Timestamp, change: &mut Change) {
    let rests = matches!(now.state, State::Waiting | State::Resolved | State::Ignored);
    if !rests || now.last_reply_at.is_some_and(|at| arrived_at < at) {
        return;
    }
    let after = in_progress_with(owner_still_here(policy, now), now);
    let up = Change::between(now, &after);
    change.state = up.state;
    change.owner = up.owner;
}

fn after_customer(policy: &Policy, now: &Position, bare_thanks: bool) -> (Position, String) {
    let owner = owner_still_here(policy, now);
    match now.state {
        State::Resolved if bare_thanks => (now.clone(), "only a thank you".to_string()),
        State::Resolved => {
            let after = in_progress_with(owner, now);
            (Position { reopens: now.reopens + 1, ..after }, String::new())
        }
        State::Waiting => (in_progress_with(owner, now), String::new()),
        State::Blocked => (unblocked(&Position { owner, ..now.clone() }), String::new()),
        // A mail to an ignored thread must not stay unseen, so it goes to the queue.
        State::Ignored => (in_progress_with(None, now), String::new()),
        State::New | State::Assigned | State::InProgress => (now.clone(), String::new()),
    }
}

/// A human reply to the customer left, by whatever route. `by` is who sent it, if it is known; `outrun` whether the
/// customer is known to have written after it.
pub fn replied(thread: &Thread, mail: Mail, by: Option<AgentId>, outrun: bool) -> NewEvent {
    let now = &thread.now;
    let outrun = outrun || now.last_customer_at.is_some_and(|wrote| mail.arrived_at < wrote);
    let mut after = now.clone();
    let answers_someone = now.last_customer_at.is_some();
    if answers_someone && now.first_response_at.is_none_or(|first| mail.arrived_at < first) {
        after.first_response_at = Some(mail.arrived_at);
    }
    after.last_reply_at = now.last_reply_at.max(Some(mail.arrived_at));
    let mut remark = String::new();
    if outrun {
        remark = "the customer has written since".to_string();
    } else {
        after.drafted = false;
        if now.state != State::Resolved {
            after.state = State::Waiting;
            after.before = None;
            after.block = None;
            after.owner = now.owner.clone().or_else(|| by.clone());
        }
    }
    let actor = by.map_or(Actor::Someone, Actor::Agent);
    let cause = cause(&mail);
    let what = What::Replied { message: mail.message, joined_by: mail.joined_by, remark };
    NewEvent::new(actor, cause, what, Change::between(now, &after))
}

/// A mail of ours came back. The customer has not read an answer that did: the thread returns to its owner, unless another
/// answer has left since.
pub fn came_back(
    policy: &Policy,
    thread: &Thread,
    cause: Cause,
    what: What,
    arrived_at: Timestamp,
    is_answer: bool,
) -> NewEvent {
    let now = &thread.now;
    let overtaken = now.last_reply_at.is_some_and(|reply| arrived_at < reply);
    let rests = matches!(now.state, State::Waiting | State::Resolved);
    let after = match is_answer && rests && !overtaken {
        true => in_progress_with(owner_still_here(policy, now), now),
        false => now.clone(),
    };
    NewEvent::new(Actor::Server, cause, what, Change::between(now, &after))
}

/// A draft that answers the thread appeared in Drafts, written by this agent as far as that is known; `None` when that changes
/// nothing.
pub fn drafted(thread: &Thread, by: Option<&AgentId>, detail: String) -> Option<NewEvent> {
    let now = &thread.now;
    if now.drafted || now.merged_into.is_some() || !now.state.is_open() {
        return None;
    }
    let mut after = Position { drafted: true, ..now.clone() };
    if matches!(now.state, State::New | State::Assigned) {
        after.state = State::InProgress;
    }
    let cause = Cause::new(CauseKind::Gesture, detail);
    let actor = by.map_or(Actor::Someone, |by| Actor::Agent(by.clone()));
    Some(NewEvent::new(actor, cause, What::Drafted, Change::between(now, &after)))
}

/// A blocked thread's time was reached.
pub fn time_reached(thread: &Thread) -> NewEvent {
    let until =
        thread.now.block.as_ref().and_then(|block| block.until).map(|until| until.to_string());
    let cause = Cause::new(CauseKind::Time, format!("until {}", until.unwrap_or_default()));
    let change = Change::between(&thread.now, &unblocked(&thread.now));
    NewEvent::new(Actor::Server, cause, What::Unblocked, change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::sample::{policy, spell, thread};

    fn after(mut thread: Thread, events: Vec<NewEvent>) -> String {
        for event in events {
            thread.now.apply(&event.change);
        }
        spell(&thread)
    }

    fn mail(arrived_at: i64) -> Mail {
        Mail {
            message: MessageKey(1),
            joined_by: "a reference".into(),
            arrived_at: Timestamp(arrived_at),
            folder: "INBOX".into(),
        }
    }

    #[test]
    fn what_a_customers_mail_does() {
        let cases = [
            ("new -", "new -"),
            ("assigned ana", "assigned ana"),
            ("in-progress ana", "in-progress ana"),
            ("waiting ana", "in-progress ana"),
            ("waiting -", "new -"),
            ("waiting gone", "new -"),
            ("blocked ana", "in-progress ana"),
            ("resolved ana", "in-progress ana"),
            ("resolved -", "new -"),
            ("ignored -", "new -"),
        ];
        for (before, wanted) in cases {
            let event =
                customer_wrote(&policy(), &thread(before), mail(20), false, Timing::ByArrival);
            assert_eq!(after(thread(before), event), wanted, "{before}");
        }
    }

    #[test]
    fn a_thank_you_does_not_reopen_but_moves_a_waiting_thread() {
        for (before, wanted) in
            [("resolved ana", "resolved ana"), ("waiting ana", "in-progress ana")]
        {
            let event =
                customer_wrote(&policy(), &thread(before), mail(20), true, Timing::ByArrival);
            assert_eq!(after(thread(before), event), wanted);
        }
    }

    #[test]
    fn what_a_reply_does() {
        let cases = [
            ("new -", "waiting ana"),
            ("assigned ben", "waiting ben"),
            ("in-progress ana", "waiting ana"),
            ("blocked ana", "waiting ana"),
            ("waiting ana", "waiting ana"),
            ("resolved ana", "resolved ana"),
        ];
        for (before, wanted) in cases {
            let event = replied(&thread(before), mail(20), Some(AgentId("ana".into())), false);
            assert_eq!(after(thread(before), vec![event]), wanted, "{before}");
        }
    }

    #[test]
    fn an_answer_that_came_back_returns_the_thread_to_its_owner() {
        let cases = [
            ("waiting ana", "in-progress ana"),
            ("waiting -", "new -"),
            ("waiting gone", "new -"),
            ("resolved ana", "in-progress ana"),
            ("blocked ana", "blocked ana"),
            ("in-progress ana", "in-progress ana"),
            ("ignored -", "ignored -"),
        ];
        let event = |thread: &Thread, at, is_answer| {
            let what = What::CameBack { about: "a@b".into(), reason: "Gone.".into() };
            let cause = Cause::new(CauseKind::Mail, "seen in INBOX");
            came_back(&policy(), thread, cause, what, Timestamp(at), is_answer)
        };
        for (before, wanted) in cases {
            let mut thread = thread(before);
            thread.now.last_reply_at = Some(Timestamp(15));
            assert_eq!(after(thread.clone(), vec![event(&thread, 20, true)]), wanted, "{before}");
            let unchanged = [event(&thread, 20, false), event(&thread, 14, true)];
            assert!(unchanged.iter().all(|event| event.change.is_empty()), "{before}");
        }
    }

    #[test]
    fn mails_met_in_the_wrong_order_change_nothing() {
        let older_reply = replied(&thread("new -"), mail(1), None, false);
        assert_eq!(after(thread("new -"), vec![older_reply]), "new -");
        let mut waiting = thread("waiting ana");
        waiting.now.last_reply_at = Some(Timestamp(30));
        let older_mail = customer_wrote(&policy(), &waiting, mail(20), false, Timing::ByArrival);
        assert_eq!(after(waiting, older_mail), "waiting ana");
    }

    #[test]
    fn a_mail_long_after_the_end_opens_another_thread() {
        let resolved = thread("resolved ana").now;
        assert_eq!(fit(&policy(), &resolved, Timestamp(109)), Fit::Joins);
        assert_eq!(fit(&policy(), &resolved, Timestamp(110)), Fit::OpensAnother);
    }
}
