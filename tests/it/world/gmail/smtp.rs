//! `smtp.gmail.com`: the same accounts, seen by SMTP (G90 to G101, point 20).
//!
//! What it does differently from other days is turned with [`Gmail::set_smtp`]. The conversation is the engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::super::smtpd::{Knobs as Offers, Policy, Sent};
use super::login::BAD_TOKEN;
use super::threads::field;
use super::{Gmail, Token};

/// G98: how many recipients a message may have.
const RECIPIENTS: usize = 100;

/// What Gmail's SMTP does on one day and not on another.
#[derive(Clone, Debug)]
pub(crate) struct SmtpKnobs {
    /// The verified "Send mail as" addresses (G93).
    pub(crate) aliases: BTreeSet<String>,
    /// The login counts as that of this account, as where a person's password sends for a group's address.
    pub(crate) rewrites_to: Option<String>,
    /// A copy comes to lie in Sent Mail (G96). smtp-relay.gmail.com keeps none (G100).
    pub(crate) keeps_copy: bool,
    /// How long the copy takes (point 20: up to five seconds).
    pub(crate) copy_lag: Duration,
    /// How many messages may be sent in a day (G98).
    pub(crate) messages_a_day: usize,
}

impl Default for SmtpKnobs {
    fn default() -> SmtpKnobs {
        SmtpKnobs {
            aliases: BTreeSet::new(),
            rewrites_to: None,
            keeps_copy: true,
            copy_lag: Duration::ZERO,
            messages_a_day: 2_000,
        }
    }
}

/// G90, without those that nobody uses here.
pub(crate) fn offers(knobs: &mut Offers) {
    let lines = [
        "SIZE 35651584",
        "8BITMIME",
        "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
        "ENHANCEDSTATUSCODES",
        "PIPELINING",
        "CHUNKING",
        "SMTPUTF8",
    ];
    knobs.offers = lines.map(str::to_owned).into();
}

/// Gmail as a provider.
pub(crate) struct GmailSmtp {
    pub(crate) gmail: Arc<Gmail>,
    /// How many each account has sent.
    pub(crate) counted: BTreeMap<String, usize>,
}

/// G91, with the code of today.
fn refused() -> String {
    "535-5.7.8 Username and Password not accepted. For more information, go to\n\
     535 5.7.8  https://support.google.com/mail/?p=BadCredentials d2e1a72fcca58-7 - gsmtp"
        .into()
}

impl Policy for GmailSmtp {
    fn banner(&self) -> String {
        "smtp.gmail.com ESMTP d2e1a72fcca58-7 - gsmtp".into()
    }

    fn greets(&self) -> String {
        "mx.google.com at your service, [127.0.0.1]".into()
    }

    /// G88, G92.
    fn password(&mut self, user: &str, password: &str) -> Result<String, String> {
        match self.gmail.app_password_fits(user, password) {
            true => Ok("235 2.7.0 Accepted".into()),
            false => Err(refused()),
        }
    }

    /// G91: the reason first.
    fn bearer(&mut self, user: &str, token: &str) -> Result<String, (Option<String>, String)> {
        match self.gmail.judges_token(user, token) {
            Token::Good => Ok("235 2.7.0 Accepted".into()),
            // G81: that scope is for IMAP only.
            Token::GoodForEverything | Token::Bad => Err((Some(BAD_TOKEN.into()), refused())),
        }
    }

    /// G98; the text is from memory.
    fn recipient(&mut self, _to: &str, before: usize) -> String {
        if before < RECIPIENTS {
            return "250 2.1.5 OK d2e1a72fcca58-7 - gsmtp".into();
        }
        "452 4.5.3 Your message has too many recipients. d2e1a72fcca58-7 - gsmtp".into()
    }

    fn takes(&mut self, sent: &mut Sent) -> String {
        let knobs = self.gmail.smtp_knobs();
        let account = sent.login.to_lowercase();
        let counted = self.counted.entry(account.clone()).or_default();
        *counted += 1;
        if knobs.messages_a_day < *counted {
            // G98.
            return "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n\
                550-5.4.5 sending limits go to\n\
                550 5.4.5  https://support.google.com/a/answer/166852 d2e1a72fcca58-7 - gsmtp"
                .into();
        }
        let from = field(&sent.message, "from");
        let own = address_of(&from).to_lowercase();
        let of = knobs.rewrites_to.as_ref().unwrap_or(&account);
        if own != *of && !knobs.aliases.contains(&own) {
            sent.message = rewritten(&sent.message, &from, of);
        }
        if knobs.keeps_copy {
            self.files(&account, sent.message.clone(), knobs.copy_lag);
        }
        let now = Timestamp::now().as_second();
        // G92.
        format!("250 2.0.0 OK  {now} d2e1a72fcca58-7 - gsmtp")
    }
}

impl GmailSmtp {
    /// G96, G97: it gets no other label.
    fn files(&self, account: &str, message: Vec<u8>, lag: Duration) {
        let (gmail, account) = (Arc::clone(&self.gmail), account.to_owned());
        let files = move || {
            gmail.person(&account, |account| {
                account.take_in(message, Timestamp::now(), &["\\Seen".to_owned()], &["\\Sent"]);
            });
        };
        if lag.is_zero() {
            files();
            return;
        }
        thread::spawn(move || {
            thread::park_timeout(lag);
            files();
        });
    }
}

fn address_of(from: &str) -> &str {
    let within = from.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    within.map_or(from, |(address, _)| address).trim()
}

/// G93: the account's own address, and the original in a field of its own.
fn rewritten(message: &[u8], from: &str, account: &str) -> Vec<u8> {
    let name = from.rsplit_once('<').map_or("", |(name, _)| name).trim();
    let mut lines = Vec::new();
    let (mut header, mut within) = (true, false);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if header && within && folded {
            continue;
        }
        within = header && line.len() >= 5 && line[..5].eq_ignore_ascii_case(b"from:");
        if within {
            let new = format!("From: {name} <{account}>\r\nX-Google-Original-From: {from}\r\n");
            lines.extend_from_slice(new.as_bytes());
            continue;
        }
        header &= line != b"\r\n";
        lines.extend_from_slice(line);
    }
    lines
}
