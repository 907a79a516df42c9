//! The part of a conversation that hands in a mail: sender, recipients, and the text in either way.

use std::time::Duration;

use super::command::{MailFrom, Recipient};
use super::reply::plain;
use super::text::{Flaw, Taken, Text};
use super::{Action, Answer, CHUNK_BYTES, Envelope, Judged, Mail, Phase, Session};

impl Session {
    pub(super) fn mail_from(&mut self, from: MailFrom) {
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

    pub(super) fn rcpt_to(&mut self, to: Recipient) {
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

    /// How much of a message is in memory, bytes; zero between two messages.
    pub fn message_bytes(&self) -> u64 {
        match &self.phase {
            Phase::Data(text) => text.read(),
            Phase::Command | Phase::Chunk { .. } => {
                let chunks = self.mail.as_ref().and_then(|mail| mail.chunks.as_ref());
                chunks.map_or(0, Text::read)
            }
            _ => 0,
        }
    }

    /// How large the message will be at most, bytes: what the client announced (RFC 1870), else the most that is taken.
    pub fn message_bytes_most(&self) -> u64 {
        let most = self.limits.message_bytes as u64;
        self.mail.as_ref().and_then(|mail| mail.from.bytes).map_or(most, |bytes| bytes.min(most))
    }

    /// We let the client wait, so its time begins anew.
    pub fn waited(&mut self, now: Duration) {
        self.patience_ends = self.patience_ends.max(now + self.limits.chunk);
    }

    pub(super) fn begin_data(&mut self, now: Duration) {
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

    pub(super) fn data(&mut self, mut text: Text, now: Duration) -> bool {
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

    pub(super) fn begin_chunk(&mut self, bytes: u64, last: bool, now: Duration) {
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

    pub(super) fn chunk(&mut self, left: u64, last: bool, now: Duration) -> bool {
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
}
