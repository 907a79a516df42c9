//! Goes to the server that sends: as far as the login, and with a probe as far as a mail of our own to ourselves.
//!
//! Whether a mailbox may send as an address is judged by most servers at MAIL FROM, so nothing needs to be sent there. By
//! Microsoft it is judged at the end of the mail (M90), and Gmail says nothing and rewrites it (G93): there one mail is sent
//! from the shared address to itself, looked for, and removed again. After one refusal nothing more is tried (M91).

use std::time::Duration;

use super::letter::Letter;
use super::reach::{self, Reach};
use crate::config::{self, Mailbox, Provider};
use crate::daemon::{Key, relay_settings};
use crate::imap::Role;
use crate::imap::checkup::Visit;
use crate::imap::connect::Settings;
use crate::imap::remains::{Find, Search};
use crate::relay::{self, Connection, Offer, Recipient};
use crate::tls::Language;

/// How long the copy of a mail is waited for: M97 says ten to thirty seconds, G96 five.
const COPY_WAIT: Duration = Duration::from_secs(20);
/// How long a server that owes an answer may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it went.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) reach: Reach,
    /// What the server offers, or why it says nothing.
    pub(super) hello: Option<Result<Offer, relay::Error>>,
    pub(super) login: Option<Result<(), Refusal>>,
    pub(super) trial: Trial,
}

/// Why nobody was let in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There was nothing to show; why is told at the token, or at the secrets.
    NoProof,
    /// It was not taken.
    Door(relay::Error),
}

/// How the attempt to send went.
#[derive(Debug)]
pub(super) enum Trial {
    /// Not tried, and why.
    Skipped(String),
    /// Refused, or the connection was lost.
    Refused(relay::Error),
    /// The server would take a mail; none was sent.
    Allowed,
    /// One was sent.
    Sent(Box<Traces>),
}

/// What became of the mail that was sent.
#[derive(Debug)]
pub(super) struct Traces {
    /// The folder for sent mail.
    pub(super) sent_folder: String,
    /// Where it was found.
    pub(super) found: Vec<Find>,
    /// What the server said when it took it.
    pub(super) answer: String,
    /// The Message-ID that it was given by us.
    pub(super) message_id: String,
    /// Whether nothing is left of it.
    pub(super) removed: Result<(), String>,
}

/// What a probe may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe<'a> {
    pub(super) settings: &'a Settings,
    pub(super) visit: &'a Visit,
    pub(super) letter: &'a Letter,
}

/// Goes there. `probe` is the reason why none is wanted, or what it may use.
pub(super) async fn go(
    mailbox: &Mailbox,
    server: &config::Server,
    key: &Key,
    probe: Result<Probe<'_>, String>,
) -> Submission {
    let reach = reach::look(server, Language::Smtp).await;
    let not_tried = |why: &str| Trial::Skipped(why.to_owned());
    let mut told =
        Submission { hello: None, login: None, trial: not_tried("it was not reached"), reach };
    if !told.reach.is_open() {
        return told;
    }
    let mut connection = match relay::connect(&relay_settings(server, PATIENCE)).await {
        Ok(connection) => connection,
        Err(error) => {
            told.hello = Some(Err(error));
            return told;
        }
    };
    told.hello = Some(Ok(connection.offer().clone()));
    told.trial = not_tried("the login failed");
    let entered = log_in(&mut connection, server, key).await;
    let is_in = entered.is_ok();
    told.login = Some(entered);
    if is_in {
        told.trial = match probe {
            Ok(probe) => try_out(&mut connection, mailbox, probe).await,
            Err(why) => Trial::Skipped(why),
        };
    }
    connection.quit().await;
    told
}

async fn log_in(
    connection: &mut Connection,
    server: &config::Server,
    key: &Key,
) -> Result<(), Refusal> {
    let proof = key.relay_proof(&server.login).await;
    let proof = proof.map_err(|_| Refusal::NoProof)?;
    connection.log_in(&proof).await.map_err(Refusal::Door)
}

async fn try_out(connection: &mut Connection, mailbox: &Mailbox, probe: Probe<'_>) -> Trial {
    let address = &mailbox.address;
    if mailbox.provider == Provider::Imap {
        return match connection.may_send(address, address).await {
            Ok(()) => Trial::Allowed,
            Err(error) => Trial::Refused(error),
        };
    }
    let Probe { settings, visit, letter } = probe;
    let has = |name: &str| visit.server.capabilities.iter().any(|have| have == name);
    if !has("UIDPLUS") {
        return Trial::Skipped("without UIDPLUS the mail could not be removed again".into());
    }
    let Some(sent) = super::folders::found(&visit.folders, Role::Sent) else {
        return Trial::Skipped("no folder for sent mail was found".into());
    };
    let trash = super::folders::found(&visit.folders, Role::Trash);
    let trash = trash.filter(|_| mailbox.provider == Provider::Gmail);
    if trash.is_none() && mailbox.provider == Provider::Gmail {
        return Trial::Skipped("Gmail's Trash is hidden, so the mail could not be removed".into());
    }
    let folders = ["INBOX", sent.name.as_str()];
    let trash = trash.map(|folder| folder.name.clone());
    let mut search = match Search::begin(settings, &folders, trash).await {
        Ok(search) => search,
        Err(error) => return Trial::Skipped(format!("it could not be looked for: {error}")),
    };
    let answer = match connection.send(address, &[Recipient::at(address)], &letter.bytes).await {
        Ok(answer) => answer,
        // What may have been sent is removed all the same.
        Err(error @ relay::Error::Uncertain { .. }) => {
            let _ = search.wait(&letter.word, COPY_WAIT).await;
            let _ = search.end(&letter.word).await;
            return Trial::Refused(error);
        }
        Err(error) => return Trial::Refused(error),
    };
    let found = search.wait(&letter.word, COPY_WAIT).await;
    let removed = search.end(&letter.word).await.map_err(|error| error.to_string());
    Trial::Sent(Box::new(Traces {
        sent_folder: sent.name.clone(),
        found: found.unwrap_or_default(),
        answer,
        message_id: letter.message_id.clone(),
        removed,
    }))
}
