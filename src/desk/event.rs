//! What can happen to a thread: facts in the past tense, with who did it, by what, and what it changed.
//!
//! Events are appended to the log and never changed; [`crate::desk::thread::Thread::apply`] folds them. A new kind of fact is
//! a variant of [`What`], a sentence in `wording.rs`, and a place in [`Event::joins`] if a message changes threads by it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Change, MessageKey, ThreadId};

/// Who did it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A named person of the team.
    Agent(AgentId),
    /// Someone with access to the mailbox: IMAP does not say who.
    Someone,
    /// Whoever wrote to the shared address.
    Customer,
    /// The mail server, or the way of the mail.
    Server,
    /// A rule of the configuration.
    Rule(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Agent(id) => write!(out, "{id}"),
            Actor::Someone => write!(out, "someone"),
            Actor::Customer => write!(out, "customer"),
            Actor::Server => write!(out, "server"),
            Actor::Rule(name) => write!(out, "rule {name}"),
        }
    }
}

/// By what it came about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// A change that a person made in the mailbox.
    Gesture,
    /// The same said in words.
    Command,
    /// A mail that came or left.
    Mail,
    /// A rule of the configuration.
    Rule,
    /// A time that was reached.
    Time,
    /// Something the server did.
    Server,
}

impl CauseKind {
    /// The name in JSON and the database.
    pub fn name(self) -> &'static str {
        match self {
            CauseKind::Gesture => "gesture",
            CauseKind::Command => "command",
            CauseKind::Mail => "mail",
            CauseKind::Rule => "rule",
            CauseKind::Time => "time",
            CauseKind::Server => "server",
        }
    }
}

/// By what it came about, and the particulars that `why` shows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The sort of cause.
    pub by: CauseKind,
    /// The particulars: which mark, in which folder, which words.
    pub detail: String,
}

impl Cause {
    /// A cause with its particulars.
    pub fn new(by: CauseKind, detail: impl Into<String>) -> Cause {
        Cause { by, detail: detail.into() }
    }
}

/// What happened, in the past tense, with the facts used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A mail that joins no open thread began this one.
    Opened {
        /// The mail.
        message: MessageKey,
        /// Why it joined no other.
        joined_by: String,
        /// Our own earlier mails that it answers and that had no thread.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        adopted: Vec<MessageKey>,
    },
    /// The customer wrote again.
    CustomerWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What it did not do, and why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// One of the team wrote to the shared address.
    InternalWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
    },
    /// A robot wrote: an automatic answer, a bounce, a receipt.
    MachineWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What sort of mail it is, and the sign of it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// A copy of our own mail came in.
    OwnWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
    },
    /// A human reply to the customer left.
    Replied {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What it did not do, and why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// A draft answer appeared in Drafts.
    Drafted,
    /// An agent took it.
    Claimed {
        /// Who.
        agent: AgentId,
    },
    /// An agent wanted it, and another had been first.
    ClaimLost {
        /// Who wanted it.
        agent: AgentId,
        /// Who has it.
        owner: AgentId,
    },
    /// It was given to an agent.
    Assigned {
        /// To whom.
        agent: AgentId,
    },
    /// It went back to the queue.
    Released,
    /// Work on it began.
    Started,
    /// It waits for the customer.
    Waited,
    /// It waits for someone else.
    Blocked {
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// What it waited for came.
    Unblocked,
    /// It is done.
    Resolved,
    /// It is not done after all.
    Reopened,
    /// It needs no answer.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The mails were deleted by a person.
    Deleted,
    /// Deleted mails came back.
    Returned,
    /// It needs the inbox owner's eye.
    Escalated {
        /// Why.
        reason: String,
    },
    /// It no longer does.
    Deescalated,
    /// Many mails moved at once: a rule or a clean-up, not a decision about this thread.
    Automated {
        /// Where this thread's mail went.
        place: String,
        /// How many threads moved within a minute.
        moves: u32,
    },
    /// Baton's folder was renamed or deleted; it was made again and the mails were put back.
    Restored {
        /// The folder.
        folder: String,
    },
    /// A mail that is no draft was moved to where drafts are sent from; it was put back.
    PutBack {
        /// The folder.
        folder: String,
    },
    /// A mail program put a copy of a mail back to where it was before it was moved; the copy stays there.
    CopyCameBack {
        /// The folder.
        folder: String,
    },
    /// The server would not show the marks.
    NotShown {
        /// What it said.
        answer: String,
    },
    /// The other thread's messages were taken over.
    Merged {
        /// The messages.
        messages: Vec<MessageKey>,
    },
    /// A message became a thread of its own, the other one.
    Split {
        /// The message.
        message: MessageKey,
    },
    /// An agent handed in an answer, and it was kept; it has not left yet.
    AnswerKept {
        /// Its number in the outbox.
        sending: i64,
        /// Why it waits for a person, or what is remarkable about it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// An agent began the thread by writing to a customer; the mail has not left yet.
    Begun {
        /// Its number in the outbox.
        sending: i64,
    },
    /// One mail of the customer's got two answers, by two people or by somebody unknown.
    AnsweredTwice {
        /// The answer that was seen before.
        first: MessageKey,
        /// The one that was seen now.
        second: MessageKey,
    },
    /// An agent handed in an answer, and it was not taken.
    AnswerRefused {
        /// Why.
        reason: String,
    },
    /// A person let a kept answer go.
    AnswerReleased {
        /// Its number in the outbox.
        sending: i64,
    },
    /// A kept answer has not left, or nobody knows whether it has; a person has to decide.
    AnswerNotSent {
        /// Its number in the outbox.
        sending: i64,
        /// Why.
        reason: String,
    },
    /// A person took a kept answer back; it never leaves.
    AnswerDropped {
        /// Its number in the outbox.
        sending: i64,
    },
    /// The customer was told by a machine that the mail has come.
    Acknowledged {
        /// The number of that mail in the outbox.
        sending: i64,
    },
    /// A mail of ours did not arrive.
    CameBack {
        /// Its Message-ID.
        about: String,
        /// Whom it did not reach, and why, as a sentence.
        reason: String,
    },
    /// Machines write nothing any more to an address, for a while.
    FellSilent {
        /// Why, as a sentence.
        reason: String,
    },
    /// An earlier event was taken back.
    Undone {
        /// The event's number.
        event: i64,
        /// Its kind.
        undone: String,
        /// Messages that changed threads by it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        moved: Vec<(MessageKey, ThreadId)>,
    },
}

impl What {
    /// The kind's name in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Opened { .. } => "opened",
            What::CustomerWrote { .. } => "customer-wrote",
            What::InternalWrote { .. } => "internal-wrote",
            What::MachineWrote { .. } => "machine-wrote",
            What::OwnWrote { .. } => "own-wrote",
            What::Replied { .. } => "replied",
            What::Drafted => "drafted",
            What::Claimed { .. } => "claimed",
            What::ClaimLost { .. } => "claim-lost",
            What::Assigned { .. } => "assigned",
            What::Released => "released",
            What::Started => "started",
            What::Waited => "waited",
            What::Blocked { .. } => "blocked",
            What::Unblocked => "unblocked",
            What::Resolved => "resolved",
            What::Reopened => "reopened",
            What::Ignored { .. } => "ignored",
            What::Deleted => "deleted",
            What::Returned => "returned",
            What::Escalated { .. } => "escalated",
            What::Deescalated => "deescalated",
            What::Automated { .. } => "automated",
            What::Restored { .. } => "restored",
            What::PutBack { .. } => "put-back",
            What::CopyCameBack { .. } => "copy-came-back",
            What::NotShown { .. } => "not-shown",
            What::Merged { .. } => "merged",
            What::Split { .. } => "split",
            What::AnswerKept { .. } => "answer-kept",
            What::Begun { .. } => "begun",
            What::AnsweredTwice { .. } => "answered-twice",
            What::AnswerRefused { .. } => "answer-refused",
            What::AnswerReleased { .. } => "answer-released",
            What::AnswerNotSent { .. } => "answer-not-sent",
            What::AnswerDropped { .. } => "answer-dropped",
            What::Acknowledged { .. } => "acknowledged",
            What::CameBack { .. } => "came-back",
            What::FellSilent { .. } => "fell-silent",
            What::Undone { .. } => "undone",
        }
    }
}

/// A fact about a thread that has not been written down yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewEvent {
    /// Who did it.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// What happened.
    pub what: What,
    /// What changed in the thread.
    pub change: Change,
    /// The other thread that it touches.
    pub other: Option<ThreadId>,
    /// What changed in that one.
    pub other_change: Change,
}

impl NewEvent {
    /// An event that touches one thread only.
    pub fn new(actor: Actor, cause: Cause, what: What, change: Change) -> NewEvent {
        NewEvent { actor, cause, what, change, other: None, other_change: Change::default() }
    }
}

/// One fact about a thread, as it stands in the log for ever.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Its number; later events have higher ones.
    pub seq: i64,
    /// When it was written down.
    pub at: Timestamp,
    /// The thread that it happened to.
    pub thread: ThreadId,
    /// The other thread that it touched.
    pub other: Option<ThreadId>,
    /// Who did it.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// What happened.
    pub what: What,
    /// What changed in the thread.
    pub change: Change,
    /// What changed in the other thread.
    pub other_change: Change,
}

impl Event {
    /// The messages that belong to another thread since this event.
    pub fn joins(&self) -> Vec<(MessageKey, ThreadId)> {
        match &self.what {
            What::Opened { message, adopted, .. } => {
                adopted.iter().chain([message]).map(|message| (*message, self.thread)).collect()
            }
            What::CustomerWrote { message, .. }
            | What::InternalWrote { message, .. }
            | What::MachineWrote { message, .. }
            | What::OwnWrote { message, .. }
            | What::Replied { message, .. } => vec![(*message, self.thread)],
            What::Merged { messages } => {
                messages.iter().map(|message| (*message, self.thread)).collect()
            }
            What::Split { message } => {
                self.other.map(|other| (*message, other)).into_iter().collect()
            }
            What::Undone { moved, .. } => moved.clone(),
            _ => Vec::new(),
        }
    }
}
