//! Logging in, being thrown out, and everything that goes wrong between.

use super::super::imapd::{Before, Credentials, Session, Verdict};
use super::super::tokens::microsoft::scope;
use super::super::tokens::{Grant, Who};
use super::knobs::{Expiry, Unavailable, Word};
use super::service::Exchange;
use super::words::{NOT_CONNECTED, TOKEN_EXPIRED};

/// Commands that need no mailbox, and are answered to those who have none.
const ABOUT_NOTHING: &[&str] = &["CAPABILITY", "ID", "LOGOUT"];

/// Somebody at the door.
#[derive(Clone, Debug, Default)]
pub(super) struct Guest {
    /// What they logged in with.
    token: Option<String>,
    /// Whether they have a mailbox; it may be that they are in, and have none (M12).
    connected: bool,
    /// The command that they gave last.
    verb: String,
    failed_logins: u32,
    unconnected_commands: u32,
    errors: u32,
    /// What they are to be told at the end.
    bye: Option<String>,
}

impl Exchange {
    pub(super) fn log_in(&mut self, session: &Session, credentials: &Credentials) -> Verdict {
        let (user, token) = match credentials {
            Credentials::Bearer { user, token } => (user, Some(token)),
            Credentials::Password { user, password }
                if self.knobs.basic_password == Some(password) =>
            {
                (user, None)
            }
            _ => return self.refuse_login(session),
        };
        let connected = match token.map(|token| self.ledger.look_up(token)) {
            None => self.mailboxes.contains_key(&user.to_lowercase()),
            Some(Ok(grant)) if scope::opens_imap(&grant) => self.may_open(&grant, user),
            Some(_) => return self.refuse_login(session),
        };
        self.logins += 1;
        let too_many = self.knobs.logins.is_some_and(|allowed| self.logins > allowed);
        let verb = {
            let guest = self.guests.entry(session.number).or_default();
            guest.token = token.cloned();
            // M12, M16: too many connects in a period look the same.
            guest.connected = connected && !too_many;
            guest.verb.clone()
        };
        let account = user.to_lowercase();
        Verdict::Welcome { account, untagged: Vec::new(), tagged: format!("OK {verb} completed.") }
    }

    /// M15: no challenge. After a few of these the connection is closed.
    fn refuse_login(&mut self, session: &Session) -> Verdict {
        let limit = self.knobs.failed_logins;
        let guest = self.guests.entry(session.number).or_default();
        guest.failed_logins += 1;
        if guest.failed_logins >= limit {
            guest.bye = Some("* BYE Connection is closed. 14".into());
        }
        let tagged = format!("NO {} failed.", guest.verb);
        Verdict::Refused { challenge: None, untagged: Vec::new(), tagged }
    }

    /// A member opens the own mailbox and those with Full Access (M65, M66); an app those that its service principal
    /// was given (M70, M73). Nothing opens a mailbox that is not there (M12).
    fn may_open(&self, grant: &Grant, user: &str) -> bool {
        let Some(mailbox) = self.mailboxes.get(&user.to_lowercase()) else { return false };
        let (Who::Person(name) | Who::App(name)) = &grant.who;
        grant.is_for(&mailbox.address)
            || mailbox.full_access.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    /// What is to happen to a command instead of being carried out.
    pub(super) fn fault(&mut self, session: &Session, verb: &str) -> Before {
        let guest = self.guests.entry(session.number).or_default();
        verb.clone_into(&mut guest.verb);
        if session.account.is_none() {
            return Before::Go;
        }
        if self.token_is_over(session) {
            return match self.knobs.expiry {
                Expiry::Bye => Before::Close(vec![format!("* BYE {TOKEN_EXPIRED}")]),
                Expiry::Tagged => Before::Close(vec![format!("{{tag}} BAD {TOKEN_EXPIRED}")]),
            };
        }
        if ABOUT_NOTHING.contains(&verb) {
            return Before::Go;
        }
        if let Some(before) = self.unconnected(session) {
            return before;
        }
        if let Some(before) = self.throttled(verb) {
            return before;
        }
        match self.knobs.unavailable.pop() {
            // M17: the words stand on a line of their own, without tag or star.
            Some(Unavailable::Bare) => Before::Answer(vec!["Server Unavailable. 15".into()]),
            Some(Unavailable::Tagged) => {
                Before::Answer(vec!["{tag} NO Server Unavailable. 15".into()])
            }
            None => Before::Go,
        }
    }

    /// M12, M13.
    fn unconnected(&mut self, session: &Session) -> Option<Before> {
        let limit = self.knobs.unconnected_commands;
        let guest = self.guests.get_mut(&session.number).filter(|guest| !guest.connected)?;
        guest.unconnected_commands += 1;
        let mut lines = vec![format!("{{tag}} {NOT_CONNECTED}")];
        if guest.unconnected_commands < limit {
            return Some(Before::Answer(lines));
        }
        lines.push("* BYE Connection closed. 14".into());
        Some(Before::Close(lines))
    }

    /// M57.
    fn throttled(&mut self, verb: &str) -> Option<Before> {
        let throttle = self.knobs.throttle.as_mut()?;
        if throttle.times == 0 || throttle.verb.is_some_and(|only| only != verb) {
            return None;
        }
        throttle.times -= 1;
        let word = if throttle.word == Word::Bad { "BAD" } else { "NO" };
        let line = format!(
            "{{tag}} {word} Request is throttled. Suggested Backoff Time: {} milliseconds",
            throttle.backoff.as_millis()
        );
        Some(if throttle.closes { Before::Close(vec![line]) } else { Before::Answer(vec![line]) })
    }

    fn token_is_over(&self, session: &Session) -> bool {
        let token = self.guests.get(&session.number).and_then(|guest| guest.token.as_deref());
        token.is_some_and(|token| self.ledger.look_up(token).is_err())
    }

    /// M46: about ten errors, and the server hangs up.
    pub(super) fn count_error(&mut self, session: &Session, tagged: &str) {
        let limit = self.knobs.errors;
        let Some(guest) = self.guests.get_mut(&session.number) else { return };
        if tagged.starts_with("OK") || session.account.is_none() {
            return;
        }
        guest.errors += 1;
        if guest.errors >= limit {
            guest.bye = Some("* BYE Connection is closed. 10".into());
        }
    }

    /// The last words to a session, if it is over. A token that ends is told of while the client idles; otherwise it
    /// waits for the next command (M55).
    pub(super) fn end_of(&mut self, session: &Session) -> Option<Vec<String>> {
        let guest = self.guests.get_mut(&session.number)?;
        if let Some(bye) = guest.bye.take() {
            return Some(vec![bye]);
        }
        let over = session.idling && self.token_is_over(session);
        over.then(|| vec![format!("* BYE {TOKEN_EXPIRED}")])
    }

    /// Every session is to hear this and go.
    pub(super) fn throw_out(&mut self, bye: &str) {
        self.guests.values_mut().for_each(|guest| guest.bye = Some(bye.to_owned()));
    }
}
