//! The conversation with an agent's mail client (RFC 5321, RFC 6409), without a socket, a clock or a thread.
//!
//! Bytes go in with [`Session::input`]; [`Session::next`] answers what the connection must do. Where that is a question to the
//! desk, nothing goes on before it is answered: whoever hears 250 behind a message can rely on it. Time is a [`Duration`] since
//! the connection began, handed in. Memory is bounded by [`Limits`].
//!
//! Commands and messages begin and end with CR and LF together, never with one of them: a conversation in which one stands
//! alone is ended, since another server may read it as another mail. The same holds for text that comes before it was asked
//! for. Start with [`Session::command`].

mod auth;
mod command;
mod reply;
mod text;

use std::collections::VecDeque;
use std::time::Duration;

pub use command::Recipient;

use crate::config::Secret;
use crate::desk::roster::AgentId;
use command::{Command, MailFrom, Wrong};
use reply::{plain, reply};
use text::{Flaw, Taken, Text};

/// The longest command (RFC 5321, section 4.5.3.1.4, and room for the parameters of the extensions), bytes without its end.
const LINE_BYTES_MAX: usize = 4096;
/// The longest line of AUTH (RFC 4954, section 4.3), bytes without its end.
const AUTH_BYTES_MAX: usize = 12288;
/// How much of a message has to come within [`Limits::chunk`], bytes.
const CHUNK_BYTES: u64 = 64 * 1024;
/// How often a connection may fail to log in.
const LOGINS_MAX: u32 = 3;

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
    /// Shake hands, throw away whatever was read before, then call [`Session::encrypted`].
    StartTls,
    /// Find out who this is, then call [`Session::checked`].
    Check {
        /// As the client names itself.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// Find out whether the agent may write as this address, then call [`Session::judged`].
    JudgeSender {
        /// Who is logged in.
        agent: AgentId,
        /// Empty for the null path.
        address: String,
    },
    /// Find out whether the agent may write to this address, then call [`Session::judged`].
    JudgeRecipient {
        /// Who is logged in.
        agent: AgentId,
        /// To whom.
        address: String,
    },
    /// Keep the message durably, then call [`Session::kept`].
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
#[derive(Debug)]
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

    fn start_tls(&mut self) {
        if !matches!(self.wire, Wire::BeforeTls | Wire::PlainOrTls) || self.agent.is_some() {
            return self.fault(503, "5.5.1", "There is nothing to encrypt.");
        }
        // RFC 3207, section 4.2: whatever stands in the clear behind STARTTLS may be a stranger's.
        self.buffer.clear();
        self.say(220, "2.0.0", "Begin.");
        self.actions.push_back(Action::StartTls);
    }

    /// The connection is encrypted now; all that was said before is forgotten.
    pub fn encrypted(&mut self, now: Duration) {
        self.wire = Wire::Tls;
        self.greeted = false;
        self.mail = None;
        self.buffer.clear();
        self.patience_ends = now + self.limits.command;
    }

    fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        if self.agent.is_some() {
            return self.fault(503, "5.5.1", "You are logged in.");
        }
        match auth::begin(mechanism, initial) {
            Some(next) => self.auth_next(next),
            None => self.fault(504, "5.5.4", "Log in with PLAIN or LOGIN."),
        }
    }

    fn auth_answer(&mut self, step: auth::Step, line: &[u8]) {
        if line == b"*" {
            return self.fault(501, "5.7.0", "Cancelled.");
        }
        self.auth_next(auth::go_on(step, line));
    }

    fn auth_next(&mut self, next: auth::Next) {
        match next {
            auth::Next::Ask(step, question) => {
                self.actions.push_back(Action::Say(plain(334, question)));
                self.phase = Phase::Auth(step);
            }
            auth::Next::Check { user, password } => {
                self.phase = Phase::AskedWho;
                self.actions.push_back(Action::Check { user, password });
            }
            auth::Next::Malformed => self.fault(501, "5.5.2", "That is no answer in base64."),
        }
    }

    /// Answers [`Action::Check`].
    pub fn checked(&mut self, checked: Checked, now: Duration) {
        if !matches!(self.phase, Phase::AskedWho) {
            return;
        }
        self.phase = Phase::Command;
        self.patience_ends = now + self.limits.command;
        match checked {
            Checked::Agent(agent) => {
                self.agent = Some(agent);
                self.idle_commands = 0;
                return self.say(235, "2.7.0", "Welcome.");
            }
            Checked::Wrong => self.fault(535, "5.7.8", "The user name or the password is wrong. Baton's own password is needed here, not that of the mailbox."),
            Checked::Slower => self.fault(454, "4.7.0", "Too many wrong passwords. Wait some minutes, then try again."),
            Checked::Unknown => self.fault(454, "4.7.0", "Baton cannot check passwords just now. Try again in a minute."),
        }
        self.failed_logins += 1;
        if self.failed_logins >= LOGINS_MAX {
            self.phase = Phase::Closed;
        }
    }

    fn mail_from(&mut self, from: MailFrom) {
        let Some(agent) = self.agent.clone() else { return };
        if self.mail.is_some() {
            return self.fault(503, "5.5.1", "There is a sender already.");
        }
        if from.bytes.is_some_and(|bytes| bytes > self.limits.message_bytes as u64) {
            return self.too_large();
        }
        if !from.utf8 && !from.address.is_ascii() {
            return self.fault(553, "5.6.7", "That address needs SMTPUTF8.");
        }
        let address = from.address.clone();
        self.phase = Phase::AskedSender(from);
        self.actions.push_back(Action::JudgeSender { agent, address });
    }

    fn rcpt_to(&mut self, to: Recipient) {
        let (Some(agent), Some(mail)) = (self.agent.clone(), &self.mail) else {
            return self.fault(503, "5.5.1", "Say MAIL first.");
        };
        if mail.to.len() >= self.limits.recipients {
            return self.fault(452, "4.5.3", "Too many recipients for one mail.");
        }
        if !mail.from.utf8 && !to.address.is_ascii() {
            return self.fault(553, "5.6.7", "That address needs SMTPUTF8.");
        }
        let address = to.address.clone();
        self.phase = Phase::AskedRecipient(to);
        self.actions.push_back(Action::JudgeRecipient { agent, address });
    }

    /// Answers [`Action::JudgeSender`] and [`Action::JudgeRecipient`].
    pub fn judged(&mut self, judged: &Judged, now: Duration) {
        self.patience_ends = now + self.limits.command;
        let asked = std::mem::replace(&mut self.phase, Phase::Command);
        match (asked, judged) {
            (Phase::AskedSender(from), Judged::Allowed) => {
                self.mail = Some(Mail { from, to: Vec::new(), chunks: None });
                self.say(250, "2.1.0", "Well.");
            }
            (Phase::AskedRecipient(to), Judged::Allowed) => {
                if let Some(mail) = &mut self.mail {
                    mail.to.push(to);
                }
                self.idle_commands = 0;
                self.say(250, "2.1.5", "Well.");
            }
            (Phase::AskedSender(_), Judged::Refused(why)) => self.fault(550, "5.7.1", why),
            (Phase::AskedRecipient(_), Judged::Refused(why)) => self.fault(550, "5.7.1", why),
            (Phase::AskedSender(_) | Phase::AskedRecipient(_), Judged::Unknown) => {
                self.fault(
                    451,
                    "4.3.0",
                    "Baton cannot look that up just now. Try again in a minute.",
                );
            }
            (other, _) => self.phase = other,
        }
    }

    fn begin_data(&mut self, now: Duration) {
        match &self.mail {
            Some(mail) if mail.chunks.is_some() => {
                self.fault(503, "5.5.1", "The message comes in chunks; DATA cannot end it.");
            }
            Some(mail) if !mail.to.is_empty() => {
                if !self.buffer.is_empty() {
                    // RFC 2920, section 3.1: the client has to wait for 354. What did not wait is of another's making.
                    return self.close_with(503, "5.5.1", "Wait for 354 after DATA. Goodbye.");
                }
                self.actions.push_back(Action::Say(plain(354, "Go on; end with a dot.")));
                self.expect_text(now);
                self.phase = Phase::Data(Text::new(self.limits.message_bytes));
            }
            _ => self.fault(503, "5.5.1", "Name a recipient first."),
        }
    }

    fn expect_text(&mut self, now: Duration) {
        self.patience_ends = now + self.limits.chunk;
        self.chunk_mark = CHUNK_BYTES;
    }

    /// A client that sends a byte a minute is not sending a message.
    fn note_progress(&mut self, read: u64, now: Duration) {
        if read >= self.chunk_mark {
            self.chunk_mark = read + CHUNK_BYTES;
            self.patience_ends = now + self.limits.chunk;
        }
    }

    fn data(&mut self, mut text: Text, now: Duration) -> bool {
        if self.buffer.is_empty() {
            self.phase = Phase::Data(text);
            return false;
        }
        match text.take_dotted(&self.buffer) {
            Taken::More => {
                self.buffer.clear();
                self.note_progress(text.read(), now);
                self.phase = Phase::Data(text);
            }
            Taken::End(used) => {
                self.buffer.drain(..used);
                self.finish(text, now);
            }
            Taken::Flawed(flaw) => self.flawed(flaw),
        }
        true
    }

    fn begin_chunk(&mut self, bytes: u64, last: bool, now: Duration) {
        let max = self.limits.message_bytes;
        let fits = bytes <= max as u64;
        match &mut self.mail {
            Some(mail) if !mail.to.is_empty() && fits => {
                if mail.chunks.is_none() {
                    mail.chunks = Some(Text::new(max));
                    self.chunk_mark = 0;
                }
                self.patience_ends = now + self.limits.chunk;
                self.phase = Phase::Chunk { left: bytes, last };
            }
            Some(mail) if !mail.to.is_empty() => {
                self.close_with(552, "5.3.4", "The mail is too large. Goodbye.");
            }
            // RFC 3030 has the chunk's bytes thrown away. Whoever did not wait for its recipients can begin anew.
            _ => self.close_with(503, "5.5.1", "Name a recipient first. Goodbye."),
        }
    }

    fn chunk(&mut self, left: u64, last: bool, now: Duration) -> bool {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        if here == 0 && left > 0 {
            self.phase = Phase::Chunk { left, last };
            return false;
        }
        let bytes: Vec<u8> = self.buffer.drain(..here).collect();
        let text = self.mail.as_mut().and_then(|mail| mail.chunks.as_mut());
        let Some(text) = text else { return true };
        if let Err(flaw) = text.take_counted(&bytes) {
            self.flawed(flaw);
            return true;
        }
        let (read, too_large) = (text.read(), text.is_too_large());
        self.note_progress(read, now);
        let left = left - here as u64;
        if left > 0 {
            self.phase = Phase::Chunk { left, last };
        } else if last {
            if let Some(text) = self.mail.as_mut().and_then(|mail| mail.chunks.take()) {
                self.finish(text, now);
            }
        } else if too_large {
            self.close_with(552, "5.3.4", "The mail is too large. Goodbye.");
        } else {
            self.phase = Phase::Command;
            self.patience_ends = now + self.limits.command;
            self.say(250, "2.0.0", "Well.");
        }
        true
    }

    fn finish(&mut self, text: Text, now: Duration) {
        self.phase = Phase::Command;
        self.patience_ends = now + self.limits.command;
        let raw = match text.finish() {
            Ok(raw) => raw,
            Err(flaw) => return self.flawed(flaw),
        };
        let (Some(agent), Some(mail)) = (self.agent.clone(), self.mail.take()) else { return };
        let Some(raw) = raw else { return self.too_large() };
        let MailFrom { address, utf8, eight_bit, ret, envid, .. } = mail.from;
        let envelope = Envelope { from: address, to: mail.to, utf8, eight_bit, ret, envid };
        self.phase = Phase::AskedToKeep;
        self.actions.push_back(Action::Keep { agent, envelope, raw });
    }

    /// Answers [`Action::Keep`].
    pub fn kept(&mut self, answer: &Answer, now: Duration) {
        if !matches!(self.phase, Phase::AskedToKeep) {
            return;
        }
        self.phase = Phase::Command;
        self.patience_ends = now + self.limits.command;
        match answer {
            Answer::Kept { text } | Answer::Held { text } => {
                self.idle_commands = 0;
                self.say(250, "2.0.0", text);
            }
            Answer::Refused { text } => self.say(554, "5.7.1", text),
            Answer::TryLater { text } => self.say(451, "4.3.0", text),
        }
    }

    fn flawed(&mut self, flaw: Flaw) {
        let words = match flaw {
            Flaw::BareCr => "The mail holds a CR without an LF behind it. Goodbye.",
            Flaw::BareLf => "The mail holds an LF without a CR before it. Goodbye.",
            Flaw::Nul => "The mail holds a NUL. Goodbye.",
        };
        self.close_with(554, "5.6.0", words);
    }

    fn too_large(&mut self) {
        let words = format!(
            "The mail is too large: {} MB is the most. Send a link instead of the attachment.",
            self.limits.message_bytes / 1_000_000
        );
        self.fault(552, "5.3.4", &words);
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
mod tests;
