//! What is said where two of the team are at one thread.

use super::called;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::Thread;

/// What becomes of an answer to a colleague's thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It waits in the outbox, under this number.
    Waits(i64),
    /// It leaves, under this number.
    Leaves(i64),
    /// It was not taken.
    Refused,
}

/// The owner is told that a colleague answers.
pub fn to_owner(thread: &Thread, writer: &AgentId, fate: Fate, policy: &Policy) -> String {
    let (id, who) = (thread.id, called(writer, policy));
    match fate {
        Fate::Waits(sending) => format!(
            "{who} has written an answer to {id}, which is yours. It was not sent; it waits as {sending} in the outbox.\n\n\
             To see it: baton outbox show {sending}\nTo let it go: baton outbox release {sending}\n\
             To give {who} the thread: baton assign {number} {writer}\n",
            number = thread.id.0
        ),
        Fate::Leaves(sending) => format!(
            "{who} has answered {id}, which is yours. The answer leaves ({sending} in the outbox).\n\n\
             To see it: baton outbox show {sending}\nTo stop it while it waits: baton outbox drop {sending}\n"
        ),
        Fate::Refused => format!(
            "{who} wanted to answer {id}, which is yours. The answer was not taken, and {who} was told so.\n"
        ),
    }
}

/// The writer is told that the answer leaves although something speaks against it.
pub fn to_writer(sending: i64, remark: &str) -> String {
    format!(
        "Your answer leaves, as {sending} in the outbox, although:\n\n{remark}\n\n\
         To stop it while it waits: baton outbox drop {sending}\n"
    )
}

/// Whoever is concerned is told that a mail got two answers.
pub fn answered_twice(thread: &Thread, writers: &[Option<AgentId>], policy: &Policy) -> String {
    let names: Vec<String> = writers
        .iter()
        .map(|writer| {
            writer.as_ref().map_or_else(|| "somebody".to_owned(), |writer| called(writer, policy))
        })
        .collect();
    format!(
        "The customer of {} has got two answers to one mail, by {}. Read both, and tell the customer which one holds.\n",
        thread.id,
        names.join(" and ")
    )
}

/// A recipient to whom nobody may write.
pub fn recipient_not_allowed(address: &str) -> String {
    format!(
        "Mail may not be sent to {address} from here. Take it out of the recipients, or ask the admin (`recipients`)."
    )
}
