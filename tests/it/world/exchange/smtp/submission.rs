//! Who may send as whom, and what becomes of a message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mail_parser::MessageParser;

use super::super::super::tokens::microsoft::scope;
use super::super::super::tokens::{Who, random};
use super::super::knobs::SentCopy;
use super::super::service::Exchange;
use super::{Disabled, Knobs, MessageIds};

/// The server that a client is connected to.
pub(super) const HOST: &str = "PN3PR01MB9597.INDPRD01.PROD.OUTLOOK.COM";
/// For how long a mailbox is locked (M91: "for a while").
const LOCK_SECONDS: i64 = 3600;

/// Somebody who may send.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// The mailbox that is authenticated.
    mailbox: String,
    who: Who,
}

/// A message that has left.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The mailbox that was authenticated.
    pub(crate) login: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// As it is delivered.
    pub(crate) message: String,
    /// The same, byte for byte, as long as the Message-ID is kept.
    pub(crate) raw: Vec<u8>,
}

/// A copy on its way to Sent Items.
struct Copy {
    due: i64,
    mailbox: String,
    message: String,
}

/// What SMTP keeps.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) knobs: Knobs,
    pub(crate) sent: Vec<Sent>,
    /// Which mailbox each connection sends for.
    connections: BTreeMap<usize, String>,
    denials: BTreeMap<String, u32>,
    locked_until: BTreeMap<String, i64>,
    /// When each mailbox has sent, and to how many.
    times: BTreeMap<String, Vec<(i64, usize)>>,
    ids: BTreeSet<String>,
    copies: Vec<Copy>,
}

impl Desk {
    pub(super) fn leaves(&mut self, number: usize) {
        self.connections.remove(&number);
    }
}

/// M82.
pub(super) fn not_authenticated() -> String {
    refusal("535 5.7.3 Authentication unsuccessful")
}

fn refusal(words: &str) -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    format!("{words} [{HOST} {now} 08DCA18218166FB4]")
}

impl Exchange {
    /// M84, M85, M86: a member is only ever authenticated as the member; an app as a mailbox that it has Full Access to.
    pub(super) fn logs_in_to_send(
        &mut self,
        number: usize,
        user: &str,
        token: &str,
    ) -> Result<Login, String> {
        let grant = self.ledger.look_up(token).map_err(|_| not_authenticated())?;
        let mailbox = user.to_lowercase();
        let allowed = match &grant.who {
            Who::Person(person) => person.eq_ignore_ascii_case(user),
            Who::App(id) => {
                let known = self.mailboxes.get(&mailbox);
                known.is_some_and(|mailbox| mailbox.full_access.contains(id))
            }
        };
        if !allowed || !scope::opens_smtp(&grant) || !self.mailboxes.contains_key(&mailbox) {
            return Err(not_authenticated());
        }
        let is_off = match self.smtp.knobs.disabled {
            Disabled::Nobody => None,
            Disabled::Tenant => Some("Tenant"),
            Disabled::Mailbox => Some("Mailbox"),
        };
        if let Some(whom) = is_off {
            return Err(refusal(&format!(
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the {whom}. Visit \
                 https://aka.ms/smtp_auth_disabled for more information."
            )));
        }
        if self.smtp.knobs.unlicensed && matches!(grant.who, Who::App(_)) {
            return Err("430 4.2.0 STOREDRV; mailbox logon failure; failed to process message due to a transient \
                exception with message MapiExceptionLogonFailed"
                .into());
        }
        self.smtp.connections.insert(number, mailbox.clone());
        Ok(Login { mailbox, who: grant.who })
    }

    /// M105: passwords are over, unless the tenant is one of those where they are not.
    pub(super) fn logs_in_with_password(
        &mut self,
        number: usize,
        user: &str,
        password: &str,
    ) -> Result<Login, String> {
        let mailbox = user.to_lowercase();
        match self.knobs.basic_password {
            None => {
                Err("550 5.7.30 Basic authentication is not supported for Client Submission."
                    .into())
            }
            Some(right) if right == password && self.mailboxes.contains_key(&mailbox) => {
                self.smtp.connections.insert(number, mailbox.clone());
                Ok(Login { mailbox, who: Who::Person(user.to_owned()) })
            }
            Some(_) => Err(not_authenticated()),
        }
    }

    /// The answer to a message, and how long it takes.
    pub(super) fn submits(
        &mut self,
        login: &Login,
        from: &str,
        to: &[String],
        message: &[u8],
    ) -> (String, Duration) {
        let text = String::from_utf8_lossy(message).into_owned();
        let sender = from_header(message).unwrap_or_else(|| from.to_owned());
        let now = self.ledger.now();
        if let Some(refusal) = self.refuses_to_send(login, from, &sender, to.len(), now) {
            return (refusal, Duration::ZERO);
        }
        let id = header(&text, "Message-ID").unwrap_or_default();
        if !self.smtp.ids.insert(id.clone()) && self.smtp.knobs.refuses_duplicates {
            // M94.
            let words = "554 5.2.0 STOREDRV.Submission.Exception:DuplicateDeliveryException.MapiExceptionDuplicateDelivery; \
                Failed to process message due to a permanent exception with message Cannot submit message.";
            return (format!("{words} [Hostname={HOST}]"), Duration::ZERO);
        }
        let (text, told) = match self.smtp.knobs.message_ids {
            MessageIds::Kept => (text, if id.is_empty() { new_id() } else { id }),
            MessageIds::Replaced => {
                let new = new_id();
                (replace_id(&text, &id, &new), new)
            }
        };
        let delay = self.counts(login, to.len(), now);
        self.files_copies(login, &sender, &text, now);
        for recipient in to {
            let recipient = recipient.to_lowercase();
            if self.mailboxes.contains_key(&recipient) {
                self.delivers(&recipient, &text);
            }
        }
        let (login, from) = (login.mailbox.clone(), from.to_owned());
        self.smtp.sent.push(Sent {
            login,
            from,
            to: to.to_vec(),
            message: text,
            raw: message.to_vec(),
        });
        (format!("250 2.0.0 OK {told} [Hostname={HOST}]"), delay)
    }

    fn refuses_to_send(
        &mut self,
        login: &Login,
        from: &str,
        sender: &str,
        to: usize,
        now: i64,
    ) -> Option<String> {
        if let Some(answer) = self.smtp.knobs.answers.take() {
            return Some(answer);
        }
        // M92: at the end of DATA.
        let same = self.smtp.connections.values().filter(|mailbox| **mailbox == login.mailbox);
        if same.count() > self.smtp.knobs.concurrent {
            return Some(format!(
                "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more \
                 information. [Hostname={HOST}]"
            ));
        }
        // M91: 550, not 554.
        if self.smtp.locked_until.get(&login.mailbox).is_some_and(|until| *until > now) {
            return Some(format!(
                "550 5.2.252 Sender throttled due to continuous send as denied errors. [Hostname={HOST}]"
            ));
        }
        if let Some(other) =
            [from, sender].into_iter().find(|as_whom| !self.may_send_as(login, as_whom))
        {
            return Some(self.denies(login, other, now));
        }
        let submission = "STOREDRV.Submission.Exception:";
        if self.smtp.knobs.mailbox_full {
            return Some(format!(
                "554 5.2.2 mailbox full; {submission}QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message [Hostname={HOST}]"
            ));
        }
        // M93.
        let times = self.smtp.times.entry(login.mailbox.clone()).or_default();
        let today: usize =
            times.iter().filter(|(then, _)| now - then < 86_400).map(|(_, count)| count).sum();
        (today + to > self.smtp.knobs.recipients_a_day).then(|| {
            format!("554 5.2.0 {submission}SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message The message can't be submitted because the sender's submission quota was exceeded. [Hostname={HOST}]")
        })
    }

    /// M65, M90: the own address always, another with Send As.
    fn may_send_as(&self, login: &Login, address: &str) -> bool {
        let address = address.to_lowercase();
        let (Who::Person(name) | Who::App(name)) = &login.who;
        address == login.mailbox
            || self.mailboxes.get(&address).is_some_and(|mailbox| mailbox.send_as.contains(name))
    }

    /// M90, and M91 after some of these.
    fn denies(&mut self, login: &Login, other: &str, now: i64) -> String {
        let denials = self.smtp.denials.entry(login.mailbox.clone()).or_default();
        *denials += 1;
        if *denials >= self.smtp.knobs.denials {
            *denials = 0;
            self.smtp.locked_until.insert(login.mailbox.clone(), now + LOCK_SECONDS);
        }
        format!(
            "554 5.2.252 SendAsDenied; {} not allowed to send as {other}; STOREDRV.Submission.Exception:\
             SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception \
             with message Cannot submit message. [Hostname={HOST}]",
            login.mailbox
        )
    }

    /// M93: thirty a minute; the others are slow.
    fn counts(&mut self, login: &Login, to: usize, now: i64) -> Duration {
        let times = self.smtp.times.entry(login.mailbox.clone()).or_default();
        let in_a_minute = times.iter().filter(|(then, _)| now - then < 60).count();
        times.push((now, to));
        if in_a_minute >= self.smtp.knobs.per_minute {
            self.smtp.knobs.delay
        } else {
            Duration::ZERO
        }
    }

    /// M95, M96, M98: the mailbox that is authenticated gets a copy; who sends as another gets it where the knob says.
    fn files_copies(&mut self, login: &Login, sender: &str, text: &str, now: i64) {
        if !self.smtp.knobs.keeps_copy {
            return;
        }
        let (own, other) = (login.mailbox.clone(), sender.to_lowercase());
        let whose = match self.knobs.sent_copy {
            _ if own == other => vec![own],
            SentCopy::Member => vec![own],
            SentCopy::Shared => vec![other],
            SentCopy::Both => vec![own, other],
            SentCopy::None => Vec::new(),
        };
        let due = now + self.smtp.knobs.copy_seconds;
        let copy = |mailbox| Copy { due, mailbox, message: text.to_owned() };
        self.smtp.copies.extend(whose.into_iter().map(copy));
        self.delivers_copies();
    }

    /// The copies that are due come to lie in Sent Items.
    pub(in super::super) fn delivers_copies(&mut self) {
        let now = self.ledger.now();
        let (due, later) =
            std::mem::take(&mut self.smtp.copies).into_iter().partition(|copy| copy.due <= now);
        self.smtp.copies = later;
        let due: Vec<Copy> = due;
        for copy in due {
            self.puts(&copy.mailbox, "\\Sent", &copy.message, &["\\Seen"]);
        }
    }
}

fn new_id() -> String {
    format!("<PN3PR01MB9597{}@{HOST}>", random(12).replace(['-', '_'], "A").to_uppercase())
}

fn from_header(message: &[u8]) -> Option<String> {
    let parsed = MessageParser::default().parse_headers(message)?;
    Some(parsed.from()?.first()?.address()?.to_owned())
}

fn header(text: &str, name: &str) -> Option<String> {
    let header = text.split("\r\n\r\n").next()?;
    let header = header.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut fields = header.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned())
}

/// M100.
fn replace_id(text: &str, old: &str, new: &str) -> String {
    let header_end = text.find("\r\n\r\n").unwrap_or(text.len());
    let (header, body) = text.split_at(header_end);
    let header = match old {
        "" => header.to_owned(),
        old => header.replacen(old, new, 1),
    };
    let added = match old {
        "" => format!("\r\nMessage-ID: {new}"),
        old => format!("\r\nX-Microsoft-Original-Message-ID: {old}"),
    };
    format!("{header}{added}{body}")
}
