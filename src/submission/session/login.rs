//! The part of a conversation before the first mail: encryption, and who the client is.

use std::time::Duration;

use super::auth;
use super::reply::plain;
use super::{Action, Checked, LOGINS_MAX, Phase, Session, Wire};

impl Session {
    pub(super) fn start_tls(&mut self) {
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

    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        if self.agent.is_some() {
            return self.fault(503, "5.5.1", "You are logged in.");
        }
        match auth::begin(mechanism, initial) {
            Some(next) => self.auth_next(next),
            None => self.fault(504, "5.5.4", "Log in with PLAIN or LOGIN."),
        }
    }

    pub(super) fn auth_answer(&mut self, step: auth::Step, line: &[u8]) {
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
}
