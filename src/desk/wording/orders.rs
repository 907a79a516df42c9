//! What is said about lines in an agent's mail that are for Baton.

use super::called;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Thread, ThreadId};
use crate::mail::orders::Stuck;

/// A colleague has taken somebody's thread, or given it to another.
pub fn notice_taken_over(thread: &Thread, by: &AgentId, event: i64, policy: &Policy) -> String {
    let who = called(by, policy);
    let now = match &thread.now.owner {
        Some(owner) if owner == by => "theirs".to_owned(),
        Some(owner) => format!("{}'s", called(owner, policy)),
        None => "nobody's".to_owned(),
    };
    let id = thread.id;
    format!(
        "{who} has taken {id} over from you; it is {now} now.\n\nTo undo that: baton undo {event}\n"
    )
}

/// A line for Baton cannot be taken out of a mail.
pub fn cannot_take_out(line: &str, why: Stuck) -> String {
    let why = match why {
        Stuck::Signed => "the mail is signed, and would not be the same without it",
        Stuck::Form => "the plain text and the HTML of the mail do not both begin with it",
        Stuck::Long => "where it ends cannot be told; leave an empty line below it",
    };
    format!("\"{line}\" is for Baton and cannot be taken out: {why}. The mail was not sent.")
}

/// Of several lines for Baton, one is not known.
pub fn unknown_among_others(line: &str) -> String {
    format!("Baton does not know \"{line}\", so it did nothing. The mail was not sent.")
}

/// A command needs to stand alone in its mail.
pub fn undo_stands_alone() -> String {
    "#undo must be the only thing in its mail. The mail was not sent.".into()
}

/// A command in a mail that answers nothing.
pub fn command_without_thread() -> String {
    "A command is about a thread: answer one of its mails. The mail was not sent.".into()
}

/// A mail held nothing but commands, and they are done.
pub fn commands_done(done: &[String]) -> String {
    format!("{} Nothing was sent.", done.join(" "))
}

/// What became of `#stop`.
pub fn stopped(sendings: &[i64]) -> String {
    let numbers: Vec<String> = sendings.iter().map(ToString::to_string).collect();
    match sendings {
        [] => "Nothing of yours waits to leave.".into(),
        [one] => format!("{one} is stopped and never leaves."),
        _ => format!("{} are stopped and never leave.", numbers.join(", ")),
    }
}

/// The same mail asked for it before.
pub fn undone_already() -> String {
    "That was undone already.".into()
}

/// The agent has done nothing in the thread that could be undone.
pub fn nothing_to_undo(thread: ThreadId) -> String {
    format!("You have done nothing in {thread} that could be undone.")
}

/// Notes cannot be kept yet.
pub fn no_notes_yet() -> String {
    "Baton keeps no notes yet, so #note cannot be taken. Send it without that line.".into()
}

/// A verb takes nothing behind it.
pub fn stands_alone(verb: &str) -> String {
    format!("{verb} must stand alone in its line, with the text below it.")
}

/// A time was not understood.
pub fn no_such_time(time: &str) -> String {
    format!(
        "\"{time}\" is no time in the future; write #snooze mon 9:00, #snooze 2h or #snooze 2026-12-01 (UTC)."
    )
}

/// A mail begins with what looks like a command.
pub fn begins_with_a_command(line: &str) -> String {
    format!(
        "Its first line, \"{line}\", looks like a command, and Baton does not know it. Was it meant for the customer?"
    )
}
