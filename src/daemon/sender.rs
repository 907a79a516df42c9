//! One mailbox's sender: hands what is due to the provider's server, a few mails at a time, and sees to the copies in Sent.
//!
//! Nothing is decided here: [`engine::next`] says what is to be done, and is told what came of it. A mail is written down as
//! being attempted before the server hears of it. The copies have a task of their own ([`copies`]), so that a mailbox that is
//! slow to look at holds nothing up; the connections are kept in a [`line::Line`].

mod copies;
mod line;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use self::line::Line;
use crate::clock::Timestamp;
use crate::config;
use crate::daemon::credential::Key;
use crate::daemon::{Mode, Shared};
use crate::desk::retry::Retry;
use crate::engine::{self, Desk, SendOutcome, Task};
use crate::relay::{self, Recipient, refusal};
use crate::store::{SendingRow, SentTo};

/// The pause when the database cannot be asked.
const PAUSE: Duration = Duration::from_secs(5);
/// How long nothing may be due before it is looked again.
const REST_MAX: Duration = Duration::from_secs(3600);
/// For how long a bound on the mails of a minute looks back.
const MINUTE: Duration = Duration::from_secs(60);

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
    stopped: watch::Receiver<bool>,
) {
    let Some(server) = mailbox.smtp.clone().filter(|_| shared.mode == Mode::Live) else { return };
    let key = Key::new(&mailbox, &shared.state_dir);
    let ways = Arc::new(Semaphore::new(mailbox.pace.connections));
    let (line, freed) = (Line::default(), Notify::new());
    let sender = Arc::new(Sender { shared, mailbox, server, key, line, ways, freed });
    tokio::join!(
        hand_over_all(&sender, stopped.clone()),
        copies::see_to_all(&sender, stopped.clone()),
        ring_for_drafts(&sender, stopped),
    );
}

/// Rings the lane whenever the outbox changes and drafts lie there.
async fn ring_for_drafts(sender: &Arc<Sender>, mut stopped: watch::Receiver<bool>) {
    let mut changes = sender.shared.store.outbox_changes();
    while !*stopped.borrow() {
        tokio::select! {
            _ = changes.changed() => sender.ring().await,
            _ = stopped.changed() => (),
        }
    }
}

async fn hand_over_all(sender: &Arc<Sender>, mut stopped: watch::Receiver<bool>) {
    let mut changes = sender.shared.store.outbox_changes();
    let mut going = Going::default();
    while !*stopped.borrow() {
        changes.mark_unchanged();
        let rest = match sender.begin(&mut going).await {
            Ok(None) => continue,
            Ok(Some(rest)) => rest,
            Err(error) => sender.cannot_ask(&error),
        };
        tokio::select! {
            () = tokio::time::sleep(rest.min(line::KEPT_FOR)) => sender.line.tidy().await,
            _ = changes.changed() => (),
            _ = stopped.changed() => (),
            () = going.one_ends(), if !going.is_empty() => (),
            () = sender.freed.notified() => (),
        }
    }
    while !going.is_empty() {
        going.one_ends().await;
    }
    sender.line.close().await;
}

/// The mails that are being handed over, and when those of the last minute were begun, where that is bounded.
#[derive(Default)]
struct Going {
    tasks: JoinSet<()>,
    mails: HashMap<Id, i64>,
    begun: Vec<Instant>,
}

impl Going {
    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits until one of them has ended, however.
    async fn one_ends(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.mails.remove(&ended);
    }

    /// How many may be begun now; or else for how long none may, unless one ends.
    fn room(&mut self, free: usize, per_minute: Option<usize>) -> Result<usize, Duration> {
        if free == 0 {
            return Err(REST_MAX);
        }
        let Some(per_minute) = per_minute else { return Ok(free) };
        let now = Instant::now();
        self.begun.retain(|begun| now.duration_since(*begun) < MINUTE);
        let oldest = self.begun.len().checked_sub(per_minute).and_then(|at| self.begun.get(at));
        match oldest {
            Some(begun) => Err((*begun + MINUTE).duration_since(now)),
            None => Ok(free.min(per_minute - self.begun.len())),
        }
    }
}

struct Sender {
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    server: config::Server,
    key: Key,
    line: Line,
    /// One for each connection that there may be.
    ways: Arc<Semaphore>,
    /// Told when a connection is free again: what came of its mail is still being kept.
    freed: Notify,
}

impl Sender {
    /// Begins with the next mails that are due. Answers for how long there are none that may be begun.
    async fn begin(self: &Arc<Self>, going: &mut Going) -> anyhow::Result<Option<Duration>> {
        let free = self.ways.available_permits();
        let room = match going.room(free, self.mailbox.pace.per_minute) {
            Ok(room) => room,
            Err(pause) => return Ok(Some(pause)),
        };
        let mut busy: Vec<i64> = going.mails.values().copied().collect();
        let (mails, rest) = self
            .at_desk(move |desk| {
                let mut mails = Vec::new();
                while mails.len() < room {
                    match engine::next(desk, &busy)? {
                        Task::Send { sending, raw } => {
                            busy.push(sending.id);
                            mails.push((sending, raw));
                        }
                        Task::Rest(until) => return Ok((mails, Some(until))),
                        // That is for the other task.
                        Task::Look { .. } | Task::Copy { .. } => break,
                    }
                }
                Ok((mails, None))
            })
            .await?;
        for (sending, raw) in mails {
            let id = sending.id;
            let way = Arc::clone(&self.ways).try_acquire_owned().ok();
            let task = going.tasks.spawn(Arc::clone(self).hand_over(sending, raw, way));
            going.mails.insert(task.id(), id);
            if self.mailbox.pace.per_minute.is_some() {
                going.begun.push(Instant::now());
            }
        }
        Ok(rest.map(|until| self.rest(until)))
    }

    fn rest(&self, until: Option<Timestamp>) -> Duration {
        let now = self.shared.clock.now();
        let rest = until.map_or(REST_MAX, |until| until.since(now)).min(REST_MAX);
        // A moment that has just come is not yet over.
        rest.max(Duration::from_millis(100))
    }

    fn cannot_ask(&self, error: &anyhow::Error) -> Duration {
        let name = &self.mailbox.name;
        tracing::error!(mailbox = name, "{name}: the outbox rests: {error:#}");
        PAUSE
    }

    /// Hands one mail over, and keeps what came of it.
    async fn hand_over(
        self: Arc<Self>,
        sending: SendingRow,
        raw: Vec<u8>,
        way: Option<OwnedSemaphorePermit>,
    ) {
        let outcome = self.send(&sending, &raw).await;
        drop(raw);
        drop(way);
        self.freed.notify_one();
        self.tell(&sending, &outcome);
        let id = sending.id;
        let settled = self.at_desk(move |desk| engine::settle_sending(desk, id, &outcome)).await;
        if let Err(error) = settled {
            self.cannot_ask(&error);
        }
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
        let from = &sending.envelope_from;
        let to: Vec<Recipient<'_>> = sending.recipients.iter().map(recipient).collect();
        if let Some(mut kept) = self.line.take().await {
            match kept.connection.send(from, &to, raw).await {
                Ok(words) => {
                    self.line.keep(kept);
                    return SendOutcome::Accepted { words };
                }
                // It had ended meanwhile, or was about to: nothing was sent, and a new one may do better.
                Err(relay::Error::Lost { .. } | relay::Error::Refused { code: 421, .. }) => {}
                Err(error) => return outcome(&error),
            }
        }
        let proof = match self.key.relay_proof(&self.server.login).await {
            Ok(proof) => proof,
            Err(error) => {
                return SendOutcome::Later { retry: Retry::Later, words: format!("{error:#}") };
            }
        };
        let sent = async {
            let settings = relay_settings(&self.server, self.mailbox.pace.patience);
            let mut connection = relay::connect(&settings).await?;
            connection.log_in(&proof).await?;
            let words = connection.send(from, &to, raw).await?;
            Ok((connection, words))
        };
        match sent.await {
            Ok((connection, words)) => {
                self.line.keep(line::Kept::new(connection));
                SendOutcome::Accepted { words }
            }
            Err(error) => outcome(&error),
        }
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

fn recipient(to: &SentTo) -> Recipient<'_> {
    let SentTo { address, notify, orcpt } = to;
    Recipient { address, notify: notify.as_deref(), orcpt: orcpt.as_deref() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_leave_in_a_minute_than_may() {
        let mut going = Going::default();
        assert_eq!(going.room(0, None), Err(REST_MAX));
        assert_eq!(going.room(3, None), Ok(3));
        for room in [2, 1] {
            assert_eq!(going.room(3, Some(2)), Ok(room));
            going.begun.push(Instant::now());
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(going.room(3, Some(2)), Err(Duration::from_secs(40)));
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(going.room(3, Some(2)), Ok(1));
        going.begun.push(Instant::now());
        assert_eq!(going.room(3, Some(2)), Err(Duration::from_secs(10)));
    }
}
