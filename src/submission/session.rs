//! The conversation with an agent's mail client (RFC 5321, RFC 6409), without a socket, a clock or a thread.
//!
//! Bytes go in with [`Session::input`]; [`Session::next`] answers what the connection must do. Where that is a question to the
//! desk, nothing goes on before it is answered: whoever hears 250 behind a message can rely on it. Time is a [`Duration`] since
//! the connection began, handed in. Memory is bounded by [`Limits`].
//!
//! Commands and messages begin and end with CR and LF together, never with one of them: a conversation in which one stands
//! alone is ended, since another server may read it as another mail. The same holds for text that comes before it was asked
//! for. Start with `Session::obey`.

mod action;
mod auth;
mod command;
mod login;
mod mail;
mod reply;
mod text;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

pub use action::{Action, Answer, Checked, Envelope, Judged, Limits, Wire};
pub use command::Recipient;

use crate::desk::roster::AgentId;
use command::{Command, MailFrom, Wrong};
use reply::{plain, reply};
use text::Text;

/// The longest command (RFC 5321, section 4.5.3.1.4, and room for the parameters of the extensions), bytes without its end.
const LINE_BYTES_MAX: usize = 4096;
/// The longest line of AUTH (RFC 4954, section 4.3), bytes without its end.
const AUTH_BYTES_MAX: usize = 12288;
/// How much of a message has to come within [`Limits::chunk`], bytes.
const CHUNK_BYTES: u64 = 64 * 1024;
/// How often a connection may fail to log in.
const LOGINS_MAX: u32 = 3;

#[derive(Debug)]
enum Phase {
    Command,
    Auth(auth::Step),
    Data(Text),
    Chunk { left: u64, last: bool },
    AskedWho,
    AskedSender(MailFrom),
    AskedRecipient(Recipient),
    AskedToKeep,
    Closed,
}

#[derive(Debug)]
struct Mail {
    from: MailFrom,
    to: Vec<Recipient>,
    /// What came with BDAT so far.
    chunks: Option<Text>,
}

/// One client's conversation.
pub struct Session {
    hostname: String,
    limits: Limits,
    wire: Wire,
    phase: Phase,
    greeted: bool,
    agent: Option<AgentId>,
    mail: Option<Mail>,
    buffer: Vec<u8>,
    actions: VecDeque<Action>,
    idle_commands: u32,
    errors: u32,
    failed_logins: u32,
    /// When the client has been waited for long enough.
    patience_ends: Duration,
    /// When so much of the message has to be here.
    chunk_mark: u64,
}

impl fmt::Debug for Session {
    /// Nothing of what the client said, which may be a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session")
            .field("wire", &self.wire)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A client has connected.
    pub fn new(hostname: &str, limits: Limits, wire: Wire) -> Session {
        let greeting = plain(220, &format!("{hostname} ESMTP Baton"));
        Session {
            hostname: hostname.to_owned(),
            patience_ends: limits.command,
            limits,
            wire,
            phase: Phase::Command,
            greeted: false,
            agent: None,
            mail: None,
            buffer: Vec::new(),
            actions: VecDeque::from([Action::Say(greeting)]),
            idle_commands: 0,
            errors: 0,
            failed_logins: 0,
            chunk_mark: 0,
        }
    }

    /// When the client has been waited for long enough; then call [`Session::late`].
    pub fn patience_ends(&self) -> Duration {
        let whole = if self.agent.is_some() { self.limits.session } else { self.limits.login };
        self.patience_ends.min(whole)
    }

    /// The client took too long.
    pub fn late(&mut self) {
        self.close_with(421, "4.4.2", "You took too long. Goodbye.");
    }

    /// The daemon stops. A message that is being kept is answered for first.
    pub fn stop(&mut self) {
        if !self.is_asking() {
            self.close_with(421, "4.3.2", "The server stops now. Try again in a minute.");
        }
    }

    /// Who is logged in.
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// Hands in what was read, after [`Action::Read`] only.
    pub fn input(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// What the connection must do now. `now` is the time since it began.
    pub fn next(&mut self, now: Duration) -> Action {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return action;
            }
            if !self.go_on(now) {
                return Action::Read;
            }
        }
    }

    /// Takes one step with what is in the buffer; answers whether there was one.
    fn go_on(&mut self, now: Duration) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Command => {
                self.phase = Phase::Command;
                let Some(line) = self.line(now) else { return !self.actions.is_empty() };
                self.command(&line, now);
            }
            Phase::Auth(step) => {
                self.phase = Phase::Auth(step);
                let Some(line) = self.line(now) else { return !self.actions.is_empty() };
                if let Phase::Auth(step) = std::mem::replace(&mut self.phase, Phase::Command) {
                    self.auth_answer(step, &line);
                }
            }
            Phase::Data(text) => return self.data(text, now),
            Phase::Chunk { left, last } => return self.chunk(left, last, now),
            Phase::Closed => self.actions.push_back(Action::Close),
            asking => {
                // The connection has not answered our question; there is nothing to do but that.
                self.phase = asking;
                return false;
            }
        }
        true
    }

    fn is_asking(&self) -> bool {
        matches!(
            self.phase,
            Phase::AskedWho | Phase::AskedSender(_) | Phase::AskedRecipient(_) | Phase::AskedToKeep
        )
    }

    /// Takes a line out of the buffer. Ends the conversation over one that ends in any other way than with CR and LF.
    fn line(&mut self, now: Duration) -> Option<Vec<u8>> {
        let is_auth = matches!(self.phase, Phase::Auth(_))
            || self.buffer.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH "));
        let bytes_max = if is_auth { AUTH_BYTES_MAX } else { LINE_BYTES_MAX };
        let odd = self.buffer.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0));
        let length = odd.unwrap_or(self.buffer.len());
        if length > bytes_max {
            self.close_with(500, "5.5.6", "That line is too long. Goodbye.");
            return None;
        }
        match (odd.and_then(|at| self.buffer.get(at)), self.buffer.get(length + 1)) {
            (None, _) | (Some(b'\r'), None) => None,
            (Some(b'\r'), Some(b'\n')) => {
                let mut line: Vec<u8> = self.buffer.drain(..length + 2).collect();
                line.truncate(length);
                self.patience_ends = now + self.limits.command;
                Some(line)
            }
            _ => {
                self.close_with(
                    500,
                    "5.5.2",
                    "Lines end with CR and LF, and hold no NUL. Goodbye.",
                );
                None
            }
        }
    }

    fn command(&mut self, line: &[u8], now: Duration) {
        self.idle_commands += 1;
        if self.idle_commands > self.limits.idle_commands {
            return self.close_with(421, "4.7.0", "Too many commands without a message. Goodbye.");
        }
        let text = std::str::from_utf8(line).ok();
        let Some(text) = text.filter(|text| !text.contains(|letter: char| letter.is_control()))
        else {
            // It could be a BDAT, so nobody knows whether what follows is a command.
            return self.close_with(500, "5.5.2", "Commands are plain text. Goodbye.");
        };
        let command = command::parse(text);
        match command {
            Ok(command) => self.obey(command, now),
            Err(Wrong::Chunk) => {
                self.close_with(501, "5.5.4", "BDAT needs the number of bytes. Goodbye.");
            }
            Err(Wrong::Unknown) => self.fault(500, "5.5.1", "There is no such command."),
            Err(Wrong::Arguments) => {
                self.fault(501, "5.5.4", "That command is not complete or not well formed.")
            }
            Err(Wrong::Parameter) => self.fault(555, "5.5.4", "That parameter was not offered."),
            Err(Wrong::Address) => {
                self.fault(553, "5.1.3", "That is no whole address, such as ben@example.org.")
            }
        }
    }

    fn obey(&mut self, command: Command, now: Duration) {
        match command {
            Command::Hello { extended } => self.hello(extended),
            Command::Noop => self.say(250, "2.0.0", "Well."),
            Command::Help => self.say(214, "2.0.0", "See docs/sending.md of Baton."),
            Command::Vrfy => self.say(252, "2.1.5", "Write to the address, and see."),
            Command::Quit => {
                self.say(221, "2.0.0", "Goodbye.");
                self.phase = Phase::Closed;
            }
            Command::Rset => {
                self.mail = None;
                self.say(250, "2.0.0", "Forgotten.");
            }
            Command::StartTls => self.start_tls(),
            _ if !self.greeted => self.fault(503, "5.5.1", "Say EHLO first."),
            _ if self.wire == Wire::BeforeTls => {
                self.refuse_before(
                    &command,
                    530,
                    "5.7.0",
                    "Encryption is needed: set the client to STARTTLS.",
                );
            }
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial.as_deref()),
            _ if self.agent.is_none() => {
                self.refuse_before(
                    &command,
                    530,
                    "5.7.0",
                    "Log in first: set the client to use a user name and password.",
                );
            }
            Command::Mail(from) => self.mail_from(from),
            Command::Rcpt(to) => self.rcpt_to(to),
            Command::Data => self.begin_data(now),
            Command::Bdat { bytes, last } => self.begin_chunk(bytes, last, now),
        }
    }

    /// Refuses a command that comes too early. Whoever sends a chunk uninvited sends its bytes with it, which must not be
    /// taken for commands.
    fn refuse_before(&mut self, command: &Command, code: u16, status: &str, words: &str) {
        match command {
            Command::Bdat { .. } => self.close_with(code, status, words),
            _ => self.fault(code, status, words),
        }
    }

    fn hello(&mut self, extended: bool) {
        self.greeted = true;
        self.mail = None;
        if !extended {
            return self.actions.push_back(Action::Say(plain(250, &self.hostname)));
        }
        let size = format!("SIZE {}", self.limits.message_bytes);
        let mut lines = vec![
            self.hostname.as_str(),
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            &size,
            "CHUNKING",
            "ENHANCEDSTATUSCODES",
            "DSN",
        ];
        match self.wire {
            Wire::BeforeTls => lines.push("STARTTLS"),
            Wire::PlainOrTls => lines.extend(["STARTTLS", "AUTH PLAIN LOGIN"]),
            Wire::Tls | Wire::Plain => lines.push("AUTH PLAIN LOGIN"),
        }
        self.actions.push_back(Action::Say(reply::lines(250, &lines)));
    }

    fn say(&mut self, code: u16, status: &str, words: &str) {
        self.actions.push_back(Action::Say(reply(code, status, words)));
    }

    /// Says what is wrong. Whoever goes on like that is not listening.
    fn fault(&mut self, code: u16, status: &str, words: &str) {
        self.say(code, status, words);
        self.errors += 1;
        if self.errors > self.limits.errors {
            self.close_with(421, "4.7.0", "Too many errors. Goodbye.");
        }
    }

    fn close_with(&mut self, code: u16, status: &str, words: &str) {
        self.say(code, status, words);
        self.buffer = Vec::new();
        self.mail = None;
        self.phase = Phase::Closed;
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
