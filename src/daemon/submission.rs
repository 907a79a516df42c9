//! Behind the door for agents' mail clients: who they are, and what becomes of what they hand in.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::JoinHandle;

use crate::config::{Config, Secret, Submission};
use crate::daemon::Shared;
use crate::desk::policy::Policy;
use crate::desk::roster::{Agent, AgentId};
use crate::engine::{self, HandedIn, Taken};
use crate::mail::parse::parse;
use crate::store::{PasswordRow, SentTo};
use crate::submission::attempts::{Attempts, Verdict};
use crate::submission::password::{self, NOBODYS_SALT, Workspace};
use crate::submission::session::{Answer, Checked, Envelope, Judged};
use crate::submission::{Clerk, Listeners};

/// How long a message that is being kept may take when the daemon stops.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// The clerk behind the door.
#[derive(Debug)]
pub(crate) struct Desk {
    shared: Arc<Shared>,
    attempts: Mutex<Attempts>,
    /// For one password after the other: many guesses at once take no more memory than one.
    hashing: Arc<tokio::sync::Mutex<Workspace>>,
}

/// What is known of somebody who wants to log in.
struct Known {
    agent: Option<AgentId>,
    salt: Vec<u8>,
    passwords: Vec<PasswordRow>,
}

impl Desk {
    fn new(shared: Arc<Shared>) -> Desk {
        Desk { shared, attempts: Mutex::default(), hashing: Arc::default() }
    }

    /// The agent who is called so, by id or by their own address.
    fn named(&self, user: &str) -> Option<AgentId> {
        let user = user.trim().to_lowercase();
        let is_named = |agent: &&Agent| agent.id.0 == user || agent.address == user;
        let policies = self.shared.policies();
        let agents = policies.values().next().map_or(&[][..], |policy: &Policy| &policy.agents);
        agents.iter().find(is_named).map(|agent| agent.id.clone())
    }

    async fn known(&self, user: &str) -> anyhow::Result<Known> {
        let agent = self.named(user);
        let asked = agent.clone().unwrap_or(AgentId(String::new()));
        // Asked for a stranger too, so that nobody can tell by the time it takes.
        let (salting, passwords) = self
            .shared
            .store
            .write(move |tx| Ok((tx.salting(&asked)?, tx.passwords(&asked)?)))
            .await?;
        let salt = salting.map_or_else(|| NOBODYS_SALT.to_vec(), |salting| salting.salt);
        Ok(Known { agent, salt, passwords })
    }

    /// The agent, if the password is one of theirs.
    async fn recognised(
        &self,
        user: &str,
        password: Secret,
        mut workspace: OwnedMutexGuard<Workspace>,
    ) -> anyhow::Result<Option<(AgentId, String)>> {
        let Known { agent, salt, passwords } = self.known(user).await?;
        let hashed = move || password::hash(&password, &salt, &mut workspace);
        let hash = tokio::task::spawn_blocking(hashed).await??;
        let hashes: Vec<Vec<u8>> = passwords.iter().map(|row| row.hash.clone()).collect();
        let found = password::find(&hash, &hashes).and_then(|at| passwords.get(at));
        Ok(agent.zip(found).map(|(agent, row)| (agent, row.name.clone())))
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn judge(&self, user: &str, password: Secret, peer: IpAddr) -> (Checked, Duration) {
        // One after the other, so that many guesses at once are counted as well.
        let workspace = Arc::clone(&self.hashing).lock_owned().await;
        let now = self.shared.clock.now();
        if self.attempts().may_try(peer, now) == Verdict::Refuse {
            tracing::warn!("{peer} has tried too many wrong passwords");
            return (Checked::Slower, Duration::ZERO);
        }
        match self.recognised(user, password, workspace).await {
            Ok(Some((agent, name))) => {
                self.attempts().succeeded(peer);
                self.note_use(agent.clone(), name).await;
                (Checked::Agent(agent), Duration::ZERO)
            }
            Ok(None) => {
                let pause = self.attempts().failed(user, peer, now);
                tracing::warn!("A wrong user or password from {peer}");
                (Checked::Wrong, pause)
            }
            Err(error) => {
                tracing::error!("Cannot check a password: {error:#}");
                (Checked::Unknown, Duration::ZERO)
            }
        }
    }

    async fn note_use(&self, agent: AgentId, name: String) {
        tracing::info!(agent = %agent, "{agent} logged in with the password \"{name}\"");
        let now = self.shared.clock.now();
        let noted =
            self.shared.store.write(move |tx| Ok(tx.note_password_use(&agent, &name, now)?)).await;
        if let Err(error) = noted {
            tracing::warn!("Cannot note when a password was used: {error:#}");
        }
    }
}

impl Clerk for Desk {
    async fn check(&self, user: String, password: Secret, peer: IpAddr) -> Checked {
        let (checked, pause) = self.judge(&user, password, peer).await;
        tokio::time::sleep(pause).await;
        checked
    }

    async fn may_send_as(&self, agent: AgentId, address: String) -> Judged {
        match engine::may_send_as(&self.shared.policies(), &agent, &address) {
            Ok(_) => Judged::Allowed,
            Err(words) => Judged::Refused(words),
        }
    }

    async fn may_send_to(&self, _agent: AgentId, address: String) -> Judged {
        let policies = self.shared.policies();
        match policies.values().any(|policy| policy.is_own(&address)) {
            true => Judged::Refused(format!(
                "{address} is the team's own. Take it out of the recipients."
            )),
            false => Judged::Allowed,
        }
    }

    async fn keep(&self, agent: AgentId, envelope: Envelope, raw: Vec<u8>) -> Answer {
        let later = |error: &dyn std::fmt::Display| {
            tracing::error!("Cannot keep a mail that was handed in: {error}");
            Answer::TryLater {
                text:
                    "Baton cannot keep the mail just now. It was not sent; try again in a minute."
                        .into(),
            }
        };
        let mut random = [0; 12];
        if SystemRandom::new().fill(&mut random).is_err() {
            return later(&"the system gives no random bytes");
        }
        let unique = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let sent_to = |to: crate::submission::session::Recipient| SentTo {
            address: to.address,
            notify: to.notify,
            orcpt: to.orcpt,
        };
        let (from, to) = (envelope.from, envelope.to.into_iter().map(sent_to).collect());
        // A large mail takes its time, and the store's one writer has others waiting.
        let understood = tokio::task::spawn_blocking(move || {
            let message = parse(&raw);
            let agent = Some(agent);
            HandedIn { agent, route: "submission", from, to, raw, message, unique, doubt: None }
        });
        let mail = match understood.await {
            Ok(mail) => mail,
            Err(error) => return later(&error),
        };
        let (policies, now) = (self.shared.policies(), self.shared.clock.now());
        let kept =
            self.shared.store.write(move |tx| engine::hand_in(tx, &policies, &mail, now)).await;
        match kept {
            Ok(Taken::Leaves(text) | Taken::Done(text)) => Answer::Kept { text },
            Ok(Taken::Held(text)) => Answer::Held { text },
            Ok(Taken::Refused(text)) => Answer::Refused { text },
            Err(error) => later(&format!("{error:#}")),
        }
    }
}

/// The listeners that run, and what they were begun with.
#[derive(Debug)]
pub(crate) struct Door {
    desk: Arc<Desk>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    settings: Submission,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Door {
    /// Opens the listeners that are configured.
    ///
    /// # Errors
    /// When an address is taken or a certificate is of no use: whoever starts Baton by hand must see that.
    pub(crate) async fn open(shared: &Arc<Shared>, config: &Config) -> anyhow::Result<Door> {
        let mut door = Door { desk: Arc::new(Desk::new(Arc::clone(shared))), open: None };
        door.begin(config.submission.as_ref()).await?;
        Ok(door)
    }

    async fn begin(&mut self, settings: Option<&Submission>) -> anyhow::Result<()> {
        let Some(settings) = settings else { return Ok(()) };
        let listeners = Listeners::open(settings, Arc::clone(&self.desk)).await?;
        for address in listeners.addresses() {
            tracing::info!("Mail clients are listened to at {address}");
        }
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(listeners.serve(stopped));
        self.open = Some(Open { settings: settings.clone(), stop, task });
        Ok(())
    }

    /// Begins anew where the section changed. What cannot be opened stays closed, and the log says why.
    pub(crate) async fn adopt(&mut self, config: &Config) {
        let same = self.open.as_ref().map(|open| &open.settings) == config.submission.as_ref();
        if same {
            return;
        }
        self.close().await;
        if let Err(error) = self.begin(config.submission.as_ref()).await {
            tracing::error!("Mail clients are not listened to: {error:#}");
        }
    }

    /// Closes the listeners; what is being kept is finished first.
    pub(crate) async fn close(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.stop.send_replace(true);
        if tokio::time::timeout(STOP_WAIT, &mut open.task).await.is_err() {
            open.task.abort();
            tracing::warn!("Some mail clients did not end in time");
        }
    }
}
