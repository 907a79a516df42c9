//! What people of the team are told by mail, each once per occasion. Pure; the sentences are in `wording.rs`.

use std::time::Duration;

use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Thread, ThreadId};
use crate::desk::wording;

/// Something that one of the team is to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Whom.
    pub to: AgentId,
    /// The thread that it is about.
    pub thread: Option<ThreadId>,
    /// Names the occasion: whoever was told of it is not told again.
    pub occasion: String,
    /// The mail's subject.
    pub subject: String,
    /// The mail's text.
    pub text: String,
    /// How long it waits, because more may follow that makes it needless.
    pub wait: Duration,
}

impl Notice {
    /// A notice about a thread, or about none.
    pub fn new(to: &AgentId, thread: Option<&Thread>, occasion: String, text: String) -> Notice {
        Notice {
            to: to.clone(),
            thread: thread.map(|thread| thread.id),
            occasion,
            subject: wording::notice_subject(thread),
            text,
            wait: Duration::ZERO,
        }
    }
}

/// The writer's answer was kept, and a person has to decide.
pub fn answer_held(to: &AgentId, thread: Option<&Thread>, sending: i64, why: &str) -> Notice {
    let text = wording::notice_held(sending, why);
    Notice::new(to, thread, format!("held {sending}"), text)
}

/// A colleague has taken somebody's thread, or given it to another.
pub fn taken_over(
    to: &AgentId,
    thread: &Thread,
    by: &AgentId,
    event: i64,
    policy: &Policy,
) -> Notice {
    let text = wording::orders::notice_taken_over(thread, by, event, policy);
    Notice::new(to, Some(thread), format!("taken over {event}"), text)
}

/// The writer's answer did not leave, or nobody knows whether it did. It can happen to one mail more than once, so the attempt
/// belongs to the occasion.
pub fn answer_not_sent(
    to: &AgentId,
    thread: Option<&Thread>,
    sending: i64,
    attempt: u32,
    why: &str,
) -> Notice {
    let text = wording::notice_not_sent(sending, why);
    Notice::new(to, thread, format!("not sent {sending} {attempt}"), text)
}

/// An answer came back.
pub fn came_back(to: &AgentId, thread: &Thread, report: &str, why: &str) -> Notice {
    let text = wording::hygiene::notice_came_back(why);
    Notice::new(to, Some(thread), format!("came back {report}"), text)
}

/// Machines are silent towards an address from now on.
pub fn fell_silent(to: &AgentId, thread: &Thread, heard: &str, why: &str) -> Notice {
    let text = wording::hygiene::notice_fell_silent(why);
    Notice::new(to, Some(thread), format!("fell silent {heard}"), text)
}
