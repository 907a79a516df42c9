//! Who keeps the mailboxes of a world: a real Dovecot, or one of the emulated providers.

use std::fmt::Write as _;
use std::sync::Arc;

use super::dovecot::{Dovecot, Server};
use super::exchange::{Language, Tenant};
use super::gmail::{self, Gmail, GmailSmtp};
use super::smtpd::{Plain, Smtpd};
use super::tokens::microsoft::{CLIENT_ID, SECRET, TENANT};

/// Which provider a story is told at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Provider {
    Dovecot,
    Gmail,
    Exchange,
}

/// The running servers of one provider.
pub(crate) enum Host {
    Dovecot(Box<Dovecot>),
    Gmail(Arc<Gmail>),
    Exchange(Arc<Tenant>),
}

impl Host {
    /// Starts with these mailboxes.
    pub(super) fn start(provider: Provider, server: &Server, addresses: &[&str]) -> Host {
        match provider {
            Provider::Dovecot => Host::Dovecot(Box::new(Dovecot::start(server.clone()))),
            Provider::Gmail => Host::Gmail(Arc::new(Gmail::start(addresses))),
            Provider::Exchange => {
                let tenant = Tenant::start();
                addresses.iter().for_each(|one| tenant.adds_mailbox(one, Language::English));
                Host::Exchange(Arc::new(tenant))
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Host::Dovecot(dovecot) => dovecot.port,
            Host::Gmail(gmail) => gmail.port(),
            Host::Exchange(tenant) => tenant.imap.port,
        }
    }

    /// Where mail is submitted, where the host has a server of its own for it.
    pub(super) fn smtp_port(&self) -> Option<u16> {
        match self {
            Host::Exchange(tenant) => Some(tenant.smtp.port),
            Host::Dovecot(_) | Host::Gmail(_) => None,
        }
    }

    /// A server that sends for these mailboxes, where the host has none of its own.
    pub(super) fn starts_smtp(&self) -> Option<Smtpd> {
        match self {
            Host::Dovecot(_) => Some(Smtpd::start(Plain::default())),
            Host::Gmail(gmail) => {
                let gmail = Arc::clone(gmail);
                let smtpd = Smtpd::start(GmailSmtp { gmail, counted: Default::default() });
                smtpd.set(gmail::offers);
                Some(smtpd)
            }
            Host::Exchange(_) => None,
        }
    }

    /// Gives a folder a new UIDVALIDITY, as a restored backup does. At Gmail it is that of All Mail, whatever folder the
    /// story speaks of.
    pub(crate) fn loses_uids(&mut self, address: &str, folder: &str) {
        match self {
            Host::Dovecot(dovecot) => dovecot.loses_uids(address, folder),
            Host::Gmail(gmail) => gmail.renumbers(address, "[Gmail]/All Mail"),
            Host::Exchange(tenant) => tenant.renumbers_of(address, folder),
        }
    }

    /// The password of every mailbox; at Exchange the secret of the application.
    pub(super) fn password(&self) -> &'static str {
        match self {
            Host::Dovecot(_) => super::PASSWORD,
            Host::Gmail(_) => Gmail::PASSWORD,
            Host::Exchange(_) => SECRET,
        }
    }

    /// How Baton logs in to the mailbox at this port, as the last sections of its `[[mailbox]]`. What [`Host::password`] says
    /// is in a file in `dir`.
    pub(super) fn login(&self, address: &str, port: u16, dir: &str) -> String {
        let mut text = String::new();
        let secret = format!("{{ file = \"{dir}/password\" }}");
        let server = format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n");
        if let Host::Exchange(tenant) = self {
            let url = tenant.microsoft.token_url(TENANT);
            let _ = write!(
                text,
                "[mailbox.login]\nmethod = \"oauth2\"\nflow = \"client-credentials\"\ntenant = \"{TENANT}\"\n\
                 client_id = \"{CLIENT_ID}\"\nclient_secret = {secret}\ntoken_url = \"{url}\"\n\
                 [mailbox.imap]\n{server}"
            );
        } else {
            let _ =
                write!(text, "[mailbox.imap]\n{server}user = \"{address}\"\npassword = {secret}\n");
        }
        text
    }

    /// What else the mailbox's section says, unless a story says it: whose server it is, and that nobody has to wait.
    pub(super) fn usual_settings(&self) -> &'static [&'static str] {
        match self {
            Host::Exchange(_) => {
                &["provider = \"microsoft365\"", "poll_seconds = 1", "leave_moved_seconds = 0"]
            }
            Host::Dovecot(_) | Host::Gmail(_) => &["provider = \"imap\"", "poll_seconds = 1"],
        }
    }

    /// What nobody may read in a log.
    pub(super) fn secrets(&self, addresses: &[&str]) -> Vec<String> {
        let Host::Exchange(tenant) = self else {
            let of = |address: &&str| super::secrets::of_password(address, self.password());
            return addresses.iter().flat_map(of).collect();
        };
        let mut secrets =
            super::secrets::of_tokens(addresses, &tenant.microsoft.ledger.everything_given_out());
        secrets.push(SECRET.to_owned());
        secrets
    }
}
