//! One mailbox's lane: watches it for as long as the connection holds, and begins again with growing pauses.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Timestamp;
use crate::config;
use crate::daemon::accounts::{Held, account};
use crate::daemon::credential::Key;
use crate::daemon::memory::LaneMemory;
use crate::daemon::traffic::Traffic;
use crate::daemon::{Mode, Shared, expiry};
use crate::desk::budget;
use crate::desk::retry::{Retry, WAIT_MIN, pause};
use crate::imap::Error;
use crate::imap::connect::{Access, FolderNames, Settings, Tls};
use crate::imap::watch::watch as watch_mailbox;
use crate::login::Tokens;

/// A connection that held this long was a good one: the next failure counts as the first (M61).
const STABLE_AFTER: Duration = Duration::from_secs(300);

/// How often it is looked whether somebody has run `baton login` while a login is refused.
const LOGIN_LOOK: Duration = Duration::from_secs(2);

/// What the door needs to know of a mailbox.
pub fn settings(mailbox: &config::Mailbox, key: &Key, access: Access) -> Settings {
    let imap = &mailbox.imap;
    let folders = &mailbox.folders;
    Settings {
        host: imap.host.clone(),
        port: imap.port,
        tls: match imap.tls {
            config::Tls::Implicit => Tls::Implicit,
            config::Tls::Starttls => Tls::Starttls,
            config::Tls::None => Tls::None,
        },
        login: key.login(&imap.user),
        access,
        since: mailbox.policy.since,
        poll: mailbox.poll,
        patience: mailbox.patience,
        folders: FolderNames {
            sent: folders.sent.clone(),
            drafts: folders.drafts.clone(),
            junk: folders.junk.clone(),
            archive: folders.archive.clone(),
            trash: folders.trash.clone(),
        },
        root: mailbox.policy.names.root.clone(),
        turn: Some(key.turn_file()),
    }
}

/// Watches the mailbox until `stopped` says true.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    mut stopped: watch::Receiver<bool>,
) {
    let key = Key::new(&mailbox, &shared.state_dir);
    let warnings =
        tokio::spawn(expiry::watch(Arc::clone(&shared), mailbox.name.clone(), key.clone()));
    let account = account(&mailbox);
    let traffic = Traffic::load(&shared, &mailbox.name, mailbox.daily_bytes).await;
    let traffic = Arc::new(traffic);
    let (mut failures, mut refused) = (0_u32, false);
    // Other settings make no server forget what it has asked for.
    let now = shared.clock.now();
    if let Some(held) = shared.accounts.held(&account, now) {
        failures = held.failures;
        sleep_unless_stopped(held.until.since(now), &mut stopped).await;
    }
    let mut reloaded = shared.policies.subscribe();
    while !*stopped.borrow() {
        reloaded.mark_unchanged();
        let agreed_at = agreed_at(&key);
        let ended = one_connection(&shared, &mailbox, &key, &traffic, &stopped).await;
        let Err(end) = ended else { break };
        if traffic.held_for(shared.clock.now()) > STABLE_AFTER {
            failures = 0;
        }
        failures = failures.saturating_add(1);
        let (error, retry) = match end {
            // Its time was over. Only a server that says so again and again is worth a word and a pause.
            End::Routine(words) if failures == 1 => {
                tracing::info!(
                    mailbox = mailbox.name,
                    "{}: {words}; logging in again",
                    mailbox.name
                );
                continue;
            }
            End::Routine(words) => (anyhow!(words), Retry::Later),
            End::Spent(error) => {
                failures = 0;
                rest_of_the_day(&shared, &mailbox.name, &traffic, &error, &mut stopped).await;
                continue;
            }
            End::Failed(error, retry) => (error, retry),
        };
        let retry = match (retry, std::mem::replace(&mut refused, retry == Retry::Never)) {
            // It may be a mishap of the server's. One more try soon locks no account.
            (Retry::Never, false) => Retry::Later,
            (retry, _) => retry,
        };
        let wait = match retry {
            // Whatever happened, the mailbox is looked at again no later than it would have been.
            Retry::Later => pause(retry, failures, spread()).min(mailbox.poll.max(WAIT_MIN)),
            Retry::After(_) | Retry::Rarely { .. } | Retry::Never => {
                pause(retry, failures, spread())
            }
        };
        let until = shared.clock.now() + wait;
        tell(&shared, &mailbox.name, &traffic, &error, retry, (wait, until)).await;
        if retry.was_asked_for() {
            // Nobody makes this shorter: not a wish, not a reload, not a login.
            shared.accounts.hold(&account, Held { until, failures });
            sleep_unless_stopped(wait, &mut stopped).await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => (),
            _ = stopped.changed() => (),
            // Whoever reloads may have just corrected a password.
            _ = reloaded.changed() => (failures, refused) = (0, false),
            () = until_agreed(&key, agreed_at) => (failures, refused) = (0, false),
        }
    }
    warnings.abort();
    if shared.accounts.held(&account, shared.clock.now()).is_none() {
        note(&shared, &mailbox.name, &traffic, None, None).await;
    }
}

/// Waits for the next day. A reload with a larger budget begins another lane.
async fn rest_of_the_day(
    shared: &Arc<Shared>,
    mailbox: &str,
    traffic: &Traffic,
    error: &anyhow::Error,
    stopped: &mut watch::Receiver<bool>,
) {
    let now = shared.clock.now();
    let until = budget::next_day(now);
    let wait = until.since(now);
    tell(shared, mailbox, traffic, error, Retry::Later, (wait, until)).await;
    sleep_unless_stopped(wait, stopped).await;
}

async fn sleep_unless_stopped(wait: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(wait) => (),
        _ = stopped.wait_for(|stopped| *stopped) => (),
    }
}

fn agreed_at(key: &Key) -> Option<Timestamp> {
    key.tokens().and_then(Tokens::agreed_at)
}

/// Waits until somebody has run `baton login`.
async fn until_agreed(key: &Key, before: Option<Timestamp>) {
    while key.tokens().is_none_or(|tokens| tokens.agreed_at() == before) {
        tokio::time::sleep(LOGIN_LOOK).await;
    }
}

/// A number between 0 and 1 that differs from lane to lane and time to time, so that many do not knock at once.
fn spread() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(random % 1000).unwrap_or(0)) / 1000.0
}

/// How a connection ended that was not told to.
enum End {
    /// The session's time was over; nothing is wrong.
    Routine(String),
    /// As much was received today as may be; nothing is wrong.
    Spent(anyhow::Error),
    Failed(anyhow::Error, Retry),
}

async fn one_connection(
    shared: &Arc<Shared>,
    mailbox: &config::Mailbox,
    key: &Key,
    traffic: &Arc<Traffic>,
    stopped: &watch::Receiver<bool>,
) -> Result<(), End> {
    let access = match shared.mode {
        Mode::Live => Access::ReadWrite,
        Mode::Shadow => Access::ReadOnly,
    };
    let settings = settings(mailbox, key, access);
    let traffic = Arc::clone(traffic);
    let mut memory =
        LaneMemory::new(Arc::clone(shared), &mailbox.name, mailbox.layout, Arc::clone(&traffic));
    let mut stopped = stopped.clone();
    let (shared, account) = (Arc::clone(shared), account(mailbox));
    // A task of its own, because the parser of server lines can panic on some of them. It ends with its set, so that a
    // lane that is given up leaves no connection behind.
    let mut task = JoinSet::new();
    task.spawn(async move {
        let _connection = tokio::select! {
            connection = shared.accounts.connection(&account) => connection,
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
        };
        watch_mailbox(&settings, &mut memory, &stopped).await
    });
    match task.join_next().await {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error @ Error::Ended { .. }))) => {
            key.session_ended();
            Err(End::Routine(error.to_string()))
        }
        Some(Ok(Err(Error::Spent { .. }))) => Err(End::Spent(anyhow!(traffic.spent()))),
        Some(Ok(Err(error))) => {
            let (error, retry) = key.explained(error);
            Err(End::Failed(error, retry))
        }
        Some(Err(_)) => {
            let words = "a line of the server could not be understood";
            Err(End::Failed(anyhow!(words), Retry::Later))
        }
    }
}

async fn tell(
    shared: &Arc<Shared>,
    mailbox: &str,
    traffic: &Traffic,
    error: &anyhow::Error,
    retry: Retry,
    (wait, until): (Duration, Timestamp),
) {
    let seconds = wait.as_secs();
    if retry == Retry::Never {
        tracing::error!(mailbox, "{mailbox}: {error:#}; trying again in {seconds}s");
    } else {
        tracing::warn!(mailbox, "{mailbox}: {error:#}; trying again in {seconds}s");
    }
    note(shared, mailbox, traffic, Some(format!("{error:#}")), Some(until)).await;
}

/// Writes down that the mailbox is not connected, and until when.
async fn note(
    shared: &Arc<Shared>,
    mailbox: &str,
    traffic: &Traffic,
    error: Option<String>,
    until: Option<Timestamp>,
) {
    let name = mailbox.to_string();
    let received = traffic.unwritten();
    let written = shared
        .store
        .write(move |tx| {
            let mailbox = tx.mailbox(&name)?;
            if let Some(received) = received {
                tx.set_received(mailbox, received)?;
            }
            Ok(tx.set_disconnected(mailbox, error.as_deref(), until)?)
        })
        .await;
    if let Err(error) = written {
        tracing::error!(mailbox, "Cannot write down the state of {mailbox}: {error:#}");
    }
}
