//! What people of the team are told by mail, each once per occasion. Pure; the sentences are in `wording.rs`.

use std::time::Duration;

use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{MessageKey, Thread, ThreadId};
use crate::desk::wording;
use crate::desk::wording::collision::Fate;

/// How long a draft that crosses another is waited with: mail programs replace what is being written every few seconds.
const DRAFT_WAIT: Duration = Duration::from_secs(15);

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

/// A colleague answers the thread of whom this goes to. `occasion` names the answer.
pub fn colleague_answers(
    to: &AgentId,
    thread: &Thread,
    writer: &AgentId,
    fate: Fate,
    occasion: &str,
    policy: &Policy,
) -> Notice {
    let text = wording::collision::to_owner(thread, writer, fate, policy);
    Notice::new(to, Some(thread), format!("{writer} answers {occasion}"), text)
}

/// The writer's answer leaves although something speaks against it.
pub fn answer_recorded(to: &AgentId, thread: &Thread, sending: i64, remark: &str) -> Notice {
    let text = wording::collision::to_writer(sending, remark);
    Notice::new(to, Some(thread), format!("recorded {sending}"), text)
}

/// A customer's mail got two answers.
pub fn answered_twice(
    to: &AgentId,
    thread: &Thread,
    (first, second): (MessageKey, MessageKey),
    writers: &[Option<AgentId>],
    policy: &Policy,
) -> Notice {
    let text = wording::collision::answered_twice(thread, writers, policy);
    Notice::new(to, Some(thread), format!("twice {} {}", first.0, second.0), text)
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

/// The provider puts another sender in the place of the shared address. Told once for each address that it puts there.
pub fn sent_as_another(to: &AgentId, from: &str, words: &str) -> Notice {
    let text = wording::notice_sent_as_another(words);
    Notice::new(to, None, format!("sent as {from}"), text)
}

/// The writer's answer was stopped by somebody, who is not known.
pub fn answer_stopped(to: &AgentId, thread: Option<&Thread>, sending: i64) -> Notice {
    let text = wording::drafts::notice_stopped(sending);
    Notice::new(to, thread, format!("stopped {sending}"), text)
}

/// A draft was not sent, and lies in Drafts again.
pub fn draft_given_back(
    to: &AgentId,
    thread: Option<&Thread>,
    occasion: String,
    why: &str,
) -> Notice {
    Notice::new(to, thread, occasion, wording::drafts::notice_given_back(why))
}

/// A mail of the owner's thread was moved to where drafts are sent from; `event` is the one that says so.
pub fn put_back(to: &AgentId, thread: &Thread, folder: &str, event: i64) -> Notice {
    let text = wording::drafts::notice_put_back(thread, folder);
    Notice::new(to, Some(thread), format!("put back {event}"), text)
}

/// Two people write to the same customer: both are told, once until an answer has left.
pub fn drafts_meet(
    thread: &Thread,
    writer: &AgentId,
    other: &AgentId,
    policy: &Policy,
) -> [Notice; 2] {
    let since = thread.now.last_reply_at.map_or(0, |at| at.0);
    let (first, second) = if writer < other { (writer, other) } else { (other, writer) };
    let occasion = format!("drafts of {first} and {second} since {since}");
    let texts = match &thread.now.owner {
        Some(owner) if owner == other => [
            wording::drafts::notice_draft_for_another(thread, owner, policy),
            wording::drafts::notice_anothers_draft(thread, writer, policy),
        ],
        _ => [
            wording::drafts::notice_two_drafts(thread, other, policy),
            wording::drafts::notice_two_drafts(thread, writer, policy),
        ],
    };
    let [to_writer, to_other] = texts;
    [(writer, to_writer), (other, to_other)].map(|(to, text)| {
        let notice = Notice::new(to, Some(thread), occasion.clone(), text);
        Notice { wait: DRAFT_WAIT, ..notice }
    })
}

/// The writer's answer to a card did not leave.
pub fn card_reply_not_sent(
    to: &AgentId,
    thread: Option<&Thread>,
    message_id: &str,
    why: &str,
) -> Notice {
    let text = wording::card::not_sent(why);
    Notice::new(to, thread, format!("card reply {message_id}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::sample::{policy, thread};

    #[test]
    fn two_who_write_to_one_customer_are_each_told_of_the_other_once() {
        let id = |id: &str| AgentId(id.into());
        let told = |writer: &str, other: &str, thread: &Thread| {
            drafts_meet(thread, &id(writer), &id(other), &policy())
        };
        let mut anas = thread("assigned ana");
        let [to_ben, to_ana] = told("ben", "ana", &anas);
        assert_eq!((to_ben.to.0.as_str(), to_ana.to.0.as_str()), ("ben", "ana"));
        assert!(to_ben.text.contains("which is Ana's"), "{}", to_ben.text);
        assert!(to_ana.text.contains("Ben is writing an answer to #1, which is yours"));
        assert_eq!((to_ben.wait, to_ana.wait), (DRAFT_WAIT, DRAFT_WAIT));
        // The same occasion, whoever is seen first.
        assert_eq!(told("ana", "ben", &anas)[0].occasion, to_ben.occasion);
        anas.now.last_reply_at = Some(Timestamp(7));
        assert_ne!(told("ben", "ana", &anas)[0].occasion, to_ben.occasion);
        let [to_ana, to_ben] = told("ana", "ben", &thread("new -"));
        assert!(to_ana.text.contains("Ben is writing an answer to #1, too"));
        assert!(to_ben.text.contains("Ana is writing an answer to #1, too"));
    }
}
