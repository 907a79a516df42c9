//! One mailbox's sender: hands what is due to the provider's server, one mail at a time, and sees to the copies in Sent.
//!
//! Nothing is decided here: [`engine::next`] says what is to be done, and is told what came of it. A mail is written down as
//! being attempted before the server hears of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::config;
use crate::daemon::credential::Key;
use crate::daemon::{Mode, Shared, lane};
use crate::desk::retry::Retry;
use crate::engine::{self, Desk, SendOutcome, Task};
use crate::imap::connect::Access;
use crate::imap::{add_copy, find_copy};
use crate::relay::{self, refusal};
use crate::store::SendingRow;

/// How long a server that sends may owe an answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause when the database cannot be asked.
const PAUSE: Duration = Duration::from_secs(5);
/// How long nothing may be due before it is looked again.
const REST_MAX: Duration = Duration::from_secs(3600);

/// What the door that sends needs to know of a server.
pub fn relay_settings(server: &config::Server, patience: Duration) -> relay::Settings {
    relay::Settings {
        host: server.host.clone(),
        port: server.port,
        tls: match server.tls {
            config::Tls::Implicit => relay::Tls::Implicit,
            config::Tls::Starttls => relay::Tls::Starttls,
            config::Tls::None => relay::Tls::None,
        },
        user: server.user.clone(),
        patience,
    }
}

/// Sends until `stopped` says true; a mail that has been begun is finished.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(server) = mailbox.smtp.clone().filter(|_| shared.mode == Mode::Live) else { return };
    let mut changes = shared.store.outbox_changes();
    let key = Key::new(&mailbox, &shared.state_dir);
    let sender = Sender { shared, mailbox, server, key };
    while !*stopped.borrow() {
        let rest = match sender.turn().await {
            Ok(None) => continue,
            Ok(Some(rest)) => rest,
            Err(error) => {
                let name = &sender.mailbox.name;
                tracing::error!(mailbox = name, "{name}: the outbox rests: {error:#}");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => (),
            _ = changes.changed() => sender.ring().await,
            _ = stopped.changed() => (),
        }
    }
}

struct Sender {
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    server: config::Server,
    key: Key,
}

impl Sender {
    /// Does the next thing that is due. Answers for how long nothing is.
    async fn turn(&self) -> anyhow::Result<Option<Duration>> {
        match self.at_desk(engine::next).await? {
            Task::Rest(until) => {
                let now = self.shared.clock.now();
                let rest = until.map_or(REST_MAX, |until| until.since(now)).min(REST_MAX);
                // A moment that has just come is not yet over.
                return Ok(Some(rest.max(Duration::from_millis(100))));
            }
            Task::Send { sending, raw } => {
                let outcome = self.send(&sending, &raw).await;
                self.tell(&sending, &outcome);
                let id = sending.id;
                self.at_desk(move |desk| engine::settle_sending(desk, id, &outcome)).await?;
            }
            Task::Look { sending } => self.look(sending).await?,
            Task::Copy { sending, raw } => self.copy(sending, raw).await?,
        }
        Ok(None)
    }

    /// Rings the lane where a draft, or the copy of a mail, may have to be moved.
    async fn ring(&self) {
        let name = &self.mailbox.name;
        match self.at_desk(|desk| Ok(desk.tx.has_drafts(desk.mailbox)?)).await {
            Ok(true) => self.shared.bell(name).notify_one(),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(mailbox = name, "{name}: cannot look for drafts: {error:#}");
            }
        }
    }

    async fn send(&self, sending: &SendingRow, raw: &[u8]) -> SendOutcome {
        let proof = match self.key.relay_proof(&self.server.login).await {
            Ok(proof) => proof,
            Err(error) => {
                return SendOutcome::Later { retry: Retry::Later, words: format!("{error:#}") };
            }
        };
        match self.hand_over(sending, raw, &proof).await {
            Ok(words) => SendOutcome::Accepted { words },
            Err(error) => outcome(&error),
        }
    }

    async fn hand_over(
        &self,
        sending: &SendingRow,
        raw: &[u8],
        proof: &relay::Proof,
    ) -> Result<String, relay::Error> {
        let mut connection = relay::connect(&relay_settings(&self.server, PATIENCE)).await?;
        connection.log_in(proof).await?;
        let to: Vec<&str> = sending.recipients.iter().map(|to| to.address.as_str()).collect();
        let words = connection.send(&sending.envelope_from, &to, raw).await?;
        connection.quit().await;
        Ok(words)
    }

    fn tell(&self, sending: &SendingRow, outcome: &SendOutcome) {
        let (mailbox, id) = (&self.mailbox.name, sending.id);
        match outcome {
            SendOutcome::Accepted { .. } => {
                tracing::info!(mailbox, sending = id, "{mailbox}: mail {id} has been sent");
            }
            SendOutcome::Refused { words, .. } => {
                tracing::error!(mailbox, sending = id, "{mailbox}: mail {id} was refused: {words}");
            }
            SendOutcome::Later { words, .. } | SendOutcome::Lost { words } => {
                tracing::warn!(mailbox, sending = id, "{mailbox}: mail {id}: {words}");
            }
        }
    }

    /// Looks for a mail that may have left.
    async fn look(&self, sending: SendingRow) -> anyhow::Result<()> {
        let looked_at = self.shared.clock.now();
        let id = sending.id;
        let found = match self.sent_folder().await? {
            Some(folder) => find_copy(&self.imap(), &folder, &sending.message_id).await,
            // Nowhere to look: time alone decides.
            None => Ok(None),
        };
        match found {
            Ok(found) => {
                self.at_desk(move |desk| engine::looked(desk, id, looked_at, found.as_deref()))
                    .await
            }
            Err(error) => self.not_looked(id, &error).await,
        }
    }

    /// Sees to the copy of a mail that has left.
    async fn copy(&self, sending: SendingRow, raw: Vec<u8>) -> anyhow::Result<()> {
        let id = sending.id;
        if let Some(folder) = self.sent_folder().await? {
            let added = add_copy(&self.imap(), &folder, &sending.message_id, &raw).await;
            if let Err(error) = added {
                return self.not_looked(id, &error).await;
            }
        }
        self.at_desk(move |desk| engine::copied(desk, id)).await
    }

    async fn not_looked(&self, id: i64, error: &crate::imap::Error) -> anyhow::Result<()> {
        let mailbox = &self.mailbox.name;
        tracing::warn!(
            mailbox,
            sending = id,
            "{mailbox}: cannot look for mail {id} in Sent: {error}"
        );
        self.at_desk(move |desk| engine::not_looked(desk, id)).await
    }

    fn imap(&self) -> crate::imap::connect::Settings {
        lane::settings(&self.mailbox, &self.key, Access::ReadWrite)
    }

    async fn sent_folder(&self) -> anyhow::Result<Option<String>> {
        self.at_desk(|desk| {
            let folders = desk.tx.folders(desk.mailbox)?;
            let sent = folders.into_iter().find(|folder| folder.role == "sent" && folder.listed);
            Ok(sent.map(|folder| folder.name))
        })
        .await
    }

    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let policy = self.shared.policy(&self.mailbox.name)?;
        let now: Timestamp = self.shared.clock.now();
        self.shared
            .store
            .write(move |tx| {
                let (mailbox, dialect) = engine::dialect(tx, &policy)?;
                let away = Duration::ZERO;
                let policy = &policy;
                work(&Desk { tx, policy, dialect: &dialect, mailbox, now, away })
            })
            .await
    }
}

/// What an error of the door means for the mail.
fn outcome(error: &relay::Error) -> SendOutcome {
    let words = error.to_string();
    match error {
        relay::Error::Uncertain { .. } => SendOutcome::Lost { words },
        relay::Error::Refused { step, code, text, .. } if *code >= 500 => {
            SendOutcome::Refused { why: refusal(step, *code, text), words }
        }
        // It is the way that is wrong, and not the mail.
        relay::Error::Refused { .. }
        | relay::Error::Unreachable { .. }
        | relay::Error::Tls { .. }
        | relay::Error::NoWay { .. }
        | relay::Error::LoginRefused { .. }
        | relay::Error::Lost { .. } => SendOutcome::Later { retry: error.retry(), words },
    }
}
