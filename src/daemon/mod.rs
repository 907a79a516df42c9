//! Builds the rooms and supervises their tasks: a lane per mailbox, the socket for commands, the timer, signals, systemd.
//!
//! No rule lives here. A lane that fails begins again with growing pauses and never takes the others along.

mod accounts;
mod credential;
mod expiry;
mod lane;
mod layout;
mod lock;
mod mail_key;
mod memory;
mod outlook;
mod reload;
mod sender;
mod socket;
mod submission;
mod supervise;
mod traffic;
mod wake;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

pub use credential::Key;
pub use lane::settings;
pub use layout::{ALL_MAIL_IS_HIDDEN, dialect, layout};
pub use lock::is_running;
pub(crate) use mail_key::if_there as mail_key;
pub use sender::relay_settings;
pub use socket::{ask, run_errand, trouble};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::desk::policy::Policy;
use crate::engine::Policies;
use crate::imap::Rounds;
use crate::mail::proof;
use crate::store::{Effect, Store};

/// How long lanes may take to finish what they are writing when the daemon stops.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// Whether Baton writes to the mailboxes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// It shows marks.
    Live,
    /// It only reads, and says what it would show.
    Shadow,
}

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) mode: Mode,
    pub(crate) state_dir: PathBuf,
    /// The policies now in force; replaced as a whole by a reload.
    pub(crate) policies: watch::Sender<Arc<Policies>>,
    /// Rings a lane when there may be something to write.
    pub(crate) bells: std::sync::Mutex<BTreeMap<String, Arc<Notify>>>,
    /// What has been compared in each mailbox whose server cannot tell what changed.
    rounds: std::sync::Mutex<BTreeMap<String, Rounds>>,
    /// Rings when a blocked thread may have a new time.
    pub(crate) alarm: Notify,
    pub(crate) accounts: accounts::Accounts,
    /// By which Baton knows its own mail.
    pub(crate) key: proof::Key,
}

impl Shared {
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.policies.borrow().clone()
    }

    pub(crate) fn policy(&self, mailbox: &str) -> anyhow::Result<Policy> {
        let policies = self.policies.borrow();
        policies.get(mailbox).cloned().with_context(|| format!("{mailbox} is not configured"))
    }

    fn bell(&self, mailbox: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(bells.entry(mailbox.to_string()).or_default())
    }

    /// The bell of the task that shows the mailbox's threads as Outlook's categories.
    fn outlook_bell(&self, mailbox: &str) -> Arc<Notify> {
        // No mailbox's name holds a space.
        self.bell(&format!("{mailbox} in Outlook"))
    }

    fn rounds(&self, mailbox: &str) -> Rounds {
        let mut rounds = self.rounds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rounds.entry(mailbox.to_string()).or_default().clone()
    }

    /// Rings the lanes for which something is to be written.
    pub(crate) async fn ring(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        for (mailbox, effect) in
            self.store.write(move |tx| Ok(tx.mailboxes_with_wishes(now)?)).await?
        {
            match effect {
                Effect::ShowMarks => self.bell(&mailbox).notify_one(),
                Effect::ShowCategories => self.outlook_bell(&mailbox).notify_one(),
            }
        }
        Ok(())
    }
}

/// The policies of a configuration, by mailbox. In shadow no mail can leave.
pub(crate) fn policies(config: &Config, mode: Mode, key: &proof::Key) -> Policies {
    let policy = |mailbox: &config::Mailbox| {
        let mut policy = mailbox.policy.clone();
        policy.sending.can &= mode == Mode::Live;
        policy.key = key.clone();
        let all = config.mailboxes.iter().flat_map(|one| one.policy.own_addresses.clone());
        policy.sending.shared = all.collect();
        (mailbox.name.clone(), policy)
    };
    config.mailboxes.iter().map(policy).collect()
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When another daemon runs, or the database cannot be used.
pub async fn run(config: Config, shadow: bool) -> anyhow::Result<()> {
    let state_dir = config.state_dir.clone();
    let _lock = lock::take(&state_dir).await?;
    let store = Store::open(&state_dir)?;
    store.write(|tx| Ok(tx.set_all_disconnected()?)).await?;
    let mode = if shadow { Mode::Shadow } else { Mode::Live };
    let had_key = mail_key::is_there(&state_dir);
    let key = mail_key::load(&state_dir)?;
    mail_key::warn_if_lost(had_key, store.write(|tx| Ok(tx.has_shingles()?)).await?);
    let (policies, _) = watch::channel(Arc::new(policies(&config, mode, &key)));
    let shared = Arc::new(Shared {
        store,
        clock: Clock::system(),
        mode,
        state_dir: state_dir.clone(),
        policies,
        bells: std::sync::Mutex::default(),
        rounds: std::sync::Mutex::default(),
        alarm: Notify::new(),
        accounts: accounts::Accounts::default(),
        key,
    });
    let (stop, stopped) = watch::channel(false);
    let socket = socket::listen(&state_dir, Arc::clone(&shared), stopped.clone())?;
    let timer = tokio::spawn(wake::wake(Arc::clone(&shared), stopped.clone()));
    let mut door = submission::Door::open(&shared, &config).await?;
    let mut lanes = supervise::Lanes::start(&shared, &config);
    tell_systemd(&[sd_notify::NotifyState::Ready]);
    tracing::info!(
        mailboxes = config.mailboxes.len(),
        "Baton watches {} mailbox(es)",
        config.mailboxes.len()
    );
    let watchdog = tokio::spawn(watchdog(stopped.clone()));

    until_told_to_stop(config, &shared, &mut lanes, &mut door).await?;

    tell_systemd(&[sd_notify::NotifyState::Stopping]);
    stop.send_replace(true);
    door.close().await;
    lanes.stop(STOP_WAIT).await;
    for task in [socket, timer, watchdog] {
        task.abort();
    }
    socket::remove(&state_dir);
    shared.store.close().await;
    tracing::info!("Baton has stopped");
    Ok(())
}

async fn until_told_to_stop(
    mut config: Config,
    shared: &Arc<Shared>,
    lanes: &mut supervise::Lanes,
    door: &mut submission::Door,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen to SIGHUP")?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => reload::reload(&mut config, shared, lanes, door).await,
        }
    }
}

/// Tells systemd, when it is there to listen.
pub(crate) fn tell_systemd(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("Cannot tell systemd: {error}");
    }
}

/// Shows systemd that the runtime still turns, twice as often as it asks.
async fn watchdog(mut stopped: watch::Receiver<bool>) {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    loop {
        tell_systemd(&[sd_notify::NotifyState::Watchdog]);
        tokio::select! {
            () = tokio::time::sleep(period / 2) => (),
            _ = stopped.changed() => return,
        }
    }
}
