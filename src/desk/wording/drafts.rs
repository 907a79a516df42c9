//! Sentences about drafts: what was not sent of them and why, and who else writes to the same customer.

use super::called;
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::thread::Thread;

/// The writer of an answer is told that somebody stopped it.
pub fn notice_stopped(sending: i64) -> String {
    format!(
        "Your mail, {sending} in the outbox, was stopped before it left: somebody took it out of Baton's Outbox folder.\n"
    )
}

/// The writer of a draft is told that it was not sent.
pub fn notice_given_back(why: &str) -> String {
    format!(
        "A draft that was moved to Baton's Send folder was not sent; it lies in Drafts again.\n\n{why}\n\n\
         To send it after all, put that right and move it to the Send folder once more.\n"
    )
}

/// The owner of a thread is told that one of its mails was taken for a draft.
pub fn notice_put_back(thread: &Thread, folder: &str) -> String {
    format!(
        "A mail of {} was moved to {folder}. It is no draft, so nothing was sent, and it was put back.\n",
        thread.id
    )
}

/// The owner of a thread is told that somebody else is writing to the customer.
pub fn notice_anothers_draft(thread: &Thread, writer: &AgentId, policy: &Policy) -> String {
    let writer = called(writer, policy);
    format!(
        "{writer} is writing an answer to {id}, which is yours; the draft lies in Drafts.\n\n\
         Agree which of you answers. To give it to {writer}: baton assign {number} AGENT --as YOU\n",
        id = thread.id,
        number = thread.id.0
    )
}

/// The writer of a draft is told whose thread it answers.
pub fn notice_draft_for_another(thread: &Thread, owner: &AgentId, policy: &Policy) -> String {
    let owner = called(owner, policy);
    format!(
        "You are writing an answer to {id}, which is {owner}'s.\n\n\
         Ask {owner}, or take it over: #claim alone in the first line of the answer, or baton assign {number} YOU --as YOU\n",
        id = thread.id,
        number = thread.id.0
    )
}

/// One of two who write to the same customer is told of the other.
pub fn notice_two_drafts(thread: &Thread, other: &AgentId, policy: &Policy) -> String {
    format!(
        "{} is writing an answer to {}, too; both drafts lie in Drafts. Agree which of you answers.\n",
        called(other, policy),
        thread.id
    )
}

/// A draft holds a line for Baton, and nobody knows who wrote it.
pub fn nobodys_command() -> String {
    "It begins with a command, and nothing in it says who wrote it. Take that line out, or send it through your own account."
        .into()
}

/// A draft names no recipient.
pub fn goes_to_nobody() -> String {
    "It names nobody in To, Cc or Bcc.".into()
}

/// A mail goes to the team itself.
pub fn goes_to_the_team(address: &str) -> String {
    format!("{address} is the team's own. Take it out of the recipients.")
}

/// A draft names too many recipients.
pub fn goes_to_too_many(most: usize) -> String {
    format!("It goes to more than {most} people. Send it to fewer at once.")
}

/// A draft is larger than what is read of one.
pub fn draft_too_large() -> String {
    "It is too large. Send a link in place of the attachment.".into()
}

/// The writer of a draft works elsewhere.
pub fn works_elsewhere(agent: &Agent, mailbox: &str) -> String {
    format!("{} does not work in {mailbox}.", agent.name)
}
