//! The local socket: commands reach the running daemon through it, one JSON line each way.
//!
//! Mode 0600 in the state directory: whoever may write the database may command, nobody else.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon::{Mode, Shared, lock, mail_key, policies};
use crate::engine::{self, Answer, Errand, Policies, Request};
use crate::store::{Store, Tx};

/// The socket's name in the state directory.
const FILE_NAME: &str = "baton.sock";
/// The longest request or answer, bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How long the daemon may take to answer, and a client to ask.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a question may take that needs no writing.
const QUESTION_PATIENCE: Duration = Duration::from_secs(3);
/// How long a command waits for whoever has the state directory and does not listen.
const BUSY_WAIT: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// What may be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Asked {
    Question(Question),
    Errand(Errand),
    Command(Request),
}

/// What only the running daemon knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Question {
    /// Whether it can keep what happens.
    Health,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Health(Option<String>),
    Answer(Answer),
    Failed(String),
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE_NAME)
}

/// Listens until the daemon stops.
pub(crate) fn listen(
    state_dir: &Path,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<JoinHandle<()>> {
    // The lock is ours, so whoever left a socket here is gone.
    remove(state_dir);
    let path = path(state_dir);
    let cannot = || format!("cannot listen at {}", path.display());
    let listener = UnixListener::bind(&path).with_context(cannot)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).with_context(cannot)?;
    Ok(tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.changed() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        if let Err(error) = serve(stream, &shared).await {
                            tracing::warn!("A command failed: {error:#}");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!("Cannot accept a command: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }))
}

/// Takes the socket away.
pub(crate) fn remove(state_dir: &Path) {
    let path = path(state_dir);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!("Cannot remove {}: {error}", path.display());
    }
}

async fn serve(stream: UnixStream, shared: &Arc<Shared>) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(LINE_BYTES_MAX));
    tokio::time::timeout(PATIENCE, read.read_line(&mut line)).await??;
    let asked: Asked = serde_json::from_str(&line).context("not a request")?;
    if let Asked::Question(Question::Health) = asked {
        return reply(&mut write, &Reply::Health(shared.store.trouble())).await;
    }
    let now = shared.clock.now();
    let policies = shared.policies();
    let answer = shared.store.write(move |tx| decide(tx, &policies, &asked, now)).await;
    let answered = match answer {
        Ok(answer) => Reply::Answer(answer),
        Err(error) => Reply::Failed(format!("{error:#}")),
    };
    reply(&mut write, &answered).await?;
    shared.alarm.notify_one();
    Ok(())
}

fn decide(
    tx: &Tx<'_>,
    policies: &Policies,
    asked: &Asked,
    now: Timestamp,
) -> anyhow::Result<Answer> {
    match asked {
        Asked::Command(request) => engine::answer(tx, policies, request, now),
        Asked::Errand(errand) => engine::errand(tx, policies, errand, now),
        Asked::Question(Question::Health) => bail!("a question is not for the database"),
    }
}

async fn reply(write: &mut OwnedWriteHalf, reply: &Reply) -> anyhow::Result<()> {
    write.write_all(format!("{}\n", serde_json::to_string(reply)?).as_bytes()).await?;
    Ok(())
}

/// Why the running daemon cannot keep what happens; `None` when it can.
///
/// # Errors
/// When none runs, or it does not answer.
pub async fn trouble(state_dir: &Path) -> anyhow::Result<Option<String>> {
    let stream = UnixStream::connect(path(state_dir)).await.context("no Baton listens")?;
    let asked = converse(stream, &Asked::Question(Question::Health));
    match tokio::time::timeout(QUESTION_PATIENCE, asked).await?? {
        Reply::Health(trouble) => Ok(trouble),
        Reply::Failed(words) => bail!(words),
        Reply::Answer(_) => bail!("the running Baton misunderstood; it is of another version"),
    }
}

/// Asks the running daemon, or decides here when none runs: the same decision either way.
///
/// # Errors
/// When neither the daemon nor the database can be reached. A refusal is an [`Answer`].
pub async fn ask(config: &Config, request: &Request) -> anyhow::Result<Answer> {
    put(config, &Asked::Command(request.clone())).await
}

/// Has an errand run by the daemon, or runs it here when none runs.
///
/// # Errors
/// As [`ask`].
pub async fn run_errand(config: &Config, errand: Errand) -> anyhow::Result<Answer> {
    put(config, &Asked::Errand(errand)).await
}

async fn put(config: &Config, asked: &Asked) -> anyhow::Result<Answer> {
    let mut waited = Duration::ZERO;
    loop {
        if let Ok(stream) = UnixStream::connect(path(&config.state_dir)).await {
            let answered = converse(stream, asked);
            let reply = tokio::time::timeout(PATIENCE, answered)
                .await
                .context("the running Baton does not answer; see its log")??;
            return match reply {
                Reply::Answer(answer) => Ok(answer),
                Reply::Failed(words) => bail!(words),
                Reply::Health(_) => {
                    bail!("the running Baton misunderstood; it is of another version")
                }
            };
        }
        if let Some(answer) = decide_here(config, asked).await? {
            return Ok(answer);
        }
        if waited >= BUSY_WAIT {
            bail!("the running Baton does not listen; see its log");
        }
        // Another command works here, or a daemon that does not listen yet.
        tokio::time::sleep(BUSY_PAUSE).await;
        waited += BUSY_PAUSE;
    }
}

async fn converse(mut stream: UnixStream, request: &impl Serialize) -> anyhow::Result<Reply> {
    stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    serde_json::from_str(&line).context("the running Baton gave no answer; see its log")
}

/// Decides without a daemon; `None` when somebody else has the state directory.
async fn decide_here(config: &Config, asked: &Asked) -> anyhow::Result<Option<Answer>> {
    let database = config.state_dir.join(crate::store::FILE_NAME);
    if !database.exists() {
        return Err(crate::store::Error::Absent { path: database }.into());
    }
    let Some(_lock) = lock::try_take(&config.state_dir)? else { return Ok(None) };
    let store = Store::open(&config.state_dir)?;
    let policies = policies(config, Mode::Live, &mail_key::if_there(&config.state_dir));
    let (asked, now) = (asked.clone(), Clock::system().now());
    store.write(move |tx| decide(tx, &policies, &asked, now)).await.map(Some)
}
