//! What a conversation is given, what it asks for, and what it is answered.

use std::time::Duration;

use super::command::Recipient;
use crate::config::Secret;
use crate::desk::roster::AgentId;

/// How much one conversation may take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The largest message, bytes.
    pub message_bytes: usize,
    /// The most recipients of a message.
    pub recipients: usize,
    /// How many commands may pass without a login, a recipient or a message.
    pub idle_commands: u32,
    /// How many commands may be wrong.
    pub errors: u32,
    /// How long the client may take to log in.
    pub login: Duration,
    /// How long it may take for a command.
    pub command: Duration,
    /// How long it may take for each 64 KiB of a message.
    pub chunk: Duration,
    /// How long it may stay.
    pub session: Duration,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wire {
    /// By TLS.
    Tls,
    /// Not yet; STARTTLS is offered, and nothing else goes before it.
    BeforeTls,
    /// Not at all, on this machine, where the admin allows it.
    Plain,
    /// Not yet; on this machine, where the admin allows it, STARTTLS is only offered.
    PlainOrTls,
}

/// What the connection must do next.
#[derive(Debug)]
pub enum Action {
    /// Read, and hand in what came.
    Read,
    /// Write this.
    Say(Vec<u8>),
    /// Shake hands, throw away whatever was read before, then call [`super::Session::encrypted`].
    StartTls,
    /// Find out who this is, then call [`super::Session::checked`].
    Check {
        /// As the client names itself.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// Find out whether the agent may write as this address, then call [`super::Session::judged`].
    JudgeSender {
        /// Who is logged in.
        agent: AgentId,
        /// Empty for the null path.
        address: String,
    },
    /// Find out whether the agent may write to this address, then call [`super::Session::judged`].
    JudgeRecipient {
        /// Who is logged in.
        agent: AgentId,
        /// To whom.
        address: String,
    },
    /// Keep the message durably, then call [`super::Session::kept`].
    Keep {
        /// Who is logged in.
        agent: AgentId,
        /// From whom and to whom.
        envelope: Envelope,
        /// The message. Its lines end with CR and LF.
        raw: Vec<u8>,
    },
    /// Close the connection; whatever the client still sends is of no interest.
    Close,
}

/// From whom and to whom a message is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    /// MAIL FROM.
    pub from: String,
    /// RCPT TO, in the order in which they were named.
    pub to: Vec<Recipient>,
    /// Whether the addresses or the header hold letters beyond ASCII (RFC 6531).
    pub utf8: bool,
    /// Whether the body holds bytes beyond ASCII (RFC 6152).
    pub eight_bit: bool,
    /// How much of the message a report is to hold (RFC 3461, section 4.3).
    pub ret: Option<String>,
    /// The sender's name for this message (RFC 3461, section 4.4).
    pub envid: Option<String>,
}

/// Who a client turned out to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Checked {
    /// This agent.
    Agent(AgentId),
    /// User and password do not belong together, or there is no such user: nobody learns which.
    Wrong,
    /// Too many attempts have failed; even the right password is not looked at.
    Slower,
    /// It cannot be found out now.
    Unknown,
}

/// Whether an address may be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judged {
    /// It may.
    Allowed,
    /// It may not, for the reason given as a sentence.
    Refused(String),
    /// It cannot be found out now.
    Unknown,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It is durable, and will leave.
    Kept {
        /// What the client is told.
        text: String,
    },
    /// It is durable, and waits for a person.
    Held {
        /// What the client is told.
        text: String,
    },
    /// It is not taken.
    Refused {
        /// Why, as a sentence.
        text: String,
    },
    /// It could not be taken now.
    TryLater {
        /// Why, as a sentence.
        text: String,
    },
}
