//! Gmail's IMAP server, in the test's own process: every account, message and label of it.
//!
//! One store of messages, each once, with X-GM-MSGID, X-GM-THRID, labels, flags and keywords; folders are views with
//! UIDs of their own ([`account`]). On the engine of [`super::imapd`] it is a dialect ([`dialect`], [`words`], [`login`]);
//! [`commands`] is what IMAP does to labels, [`people`] what a person at the web does, [`faults`] what goes wrong.
//! Comments name the facts (`G35`) about the real one; texts that nobody has written down say so.
//!
//! ```ignore
//! let gmail = Gmail::start(&["support@example.com"]);
//! let mail = gmail.person("support@example.com", |account| account.deliver(KETTLE));
//! // … Baton at work on gmail.port(), with gmail.password() or the token "token" …
//! gmail.person("support@example.com", |account| {
//!     let mails = account.conversation(mail);
//!     account.label(&mails, "Baton/Ana");
//! });
//! assert_eq!(gmail.dump("support@example.com")[0].labels, …);
//! ```

mod account;
mod commands;
mod dialect;
mod faults;
mod login;
mod names;
mod people;
mod raw_search;
mod smtp;
mod threads;
mod words;

use std::sync::Mutex;

use super::imapd::{Heard, Server};

pub(crate) use self::account::{Account, LastLabel, Nil, Settings};
pub(crate) use self::dialect::{Google, TokenHook};
pub(crate) use self::faults::Faults;
pub(crate) use self::names::Language;
pub(crate) use self::people::Dumped;
pub(crate) use self::smtp::{GmailSmtp, SmtpKnobs, offers};

/// What a bearer token is good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    Good,
    /// Its scope is `gmail.imap_admin`: labels that are hidden from IMAP are there, and no limit holds (G25).
    GoodForEverything,
    Bad,
}

/// A running Gmail; it ends when it is dropped.
pub(crate) struct Gmail {
    server: Server<Google>,
    smtp: Mutex<SmtpKnobs>,
}

impl Gmail {
    /// The app password that every account has at first (G88).
    pub(crate) const PASSWORD: &str = "abcdefghijklmnop";
    /// The token that every account accepts at first.
    pub(crate) const TOKEN: &str = "token";

    /// Starts with these accounts.
    pub(crate) fn start(addresses: &[&str]) -> Gmail {
        let mut google = Google::default();
        for address in addresses {
            let mut account = Account::new(address);
            account.app_passwords.insert(Gmail::PASSWORD.into());
            account.tokens.insert(Gmail::TOKEN.into(), false);
            google.accounts.insert(address.to_lowercase(), account);
        }
        Gmail { server: Server::start(google), smtp: Mutex::default() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// Turns the knobs of its SMTP server.
    pub(crate) fn set_smtp(&self, turn: impl FnOnce(&mut SmtpKnobs)) {
        turn(&mut self.smtp.lock().unwrap());
    }

    fn smtp_knobs(&self) -> SmtpKnobs {
        self.smtp.lock().unwrap().clone()
    }

    fn app_password_fits(&self, user: &str, password: &str) -> bool {
        self.server.with(|google| google.app_password_fits(user, password))
    }

    fn judges_token(&self, user: &str, token: &str) -> Token {
        self.server.with(|google| google.judges_token(user, token))
    }

    /// From now on this says which tokens are good, not [`Account::tokens`].
    pub(crate) fn asks_about_tokens(&self, hook: TokenHook) {
        self.server.with(|google| google.token_hook = Some(hook));
    }

    /// What the account's owner does at the web, or what happens to the account; sessions hear of it at once.
    #[track_caller]
    pub(crate) fn person<T>(&self, address: &str, act: impl FnOnce(&mut Account) -> T) -> T {
        self.server.with(|google| {
            act(google.accounts.get_mut(&address.to_lowercase()).expect("no such account"))
        })
    }

    /// Every message of the account, with its labels and flags.
    #[track_caller]
    pub(crate) fn dump(&self, address: &str) -> Vec<Dumped> {
        self.person(address, |account| account.dump())
    }

    /// The account's tokens are good no longer. Whether that ends sessions is not known (G65): see [`Gmail::drop_sessions`].
    pub(crate) fn expire_tokens(&self, address: &str) {
        self.person(address, |account| account.tokens.clear());
    }

    /// Every session of the account reads `* BYE Session expired, please login again.` and ends (G64).
    pub(crate) fn drop_sessions(&self, address: &str) {
        self.server.with(|google| google.expire_sessions(&address.to_lowercase()));
    }

    /// A folder is numbered anew, and every session of the account ends.
    #[track_caller]
    pub(crate) fn renumbers(&self, address: &str, folder: &str) {
        self.person(address, |account| {
            let folder = account.store.find(folder).map(|folder| folder.id);
            account.store.renumber(folder.expect("no such folder"));
        });
        self.drop_sessions(address);
    }

    /// Every connection breaks, without a word.
    pub(crate) fn cut_connections(&self) {
        self.server.cut();
    }

    /// Everything that clients have said, in order, with byte counts.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.server.heard()
    }

    /// The most sessions that one account has had at a time.
    pub(crate) fn most_sessions(&self) -> usize {
        self.server.with(|google| google.most_sessions)
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }
}
