//! One connection's life: connect, look everywhere once, then look where something happens, and show what is wanted.
//!
//! ```text
//! connect, list, create ─▶ look ─▶ pass_done ─▶ write ─▶ rest ─┐
//!                            ▲                                │ folders with news
//!                            └────────────────────────────────┘
//! ```
//! Looking may be abandoned at any point, because the cursors are the memory's; a write is finished first. After an
//! error the connection is gone, and the daemon calls [`watch`] again.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Glimpse;
use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::idle::{self, Looked, Rest, stopped};
use super::session::Session;
use super::{
    Listed, Memory, Outcome, Role, Rounds, Server, arrivals, catch_up, compare, folders, show,
    survey,
};
use crate::desk::budget::Reading;

/// The pause before another look that the memory wants: a message that left one folder arrives in the next.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often in a row we look without resting, whatever the counters say: some servers' counters never agree.
const LOOKS_MAX: u32 = 10;
/// The shortest time between two polls.
const POLL_MIN: Duration = Duration::from_secs(1);
/// How often in a row the memory is asked for more to write.
const WRITES_MAX: u32 = 20;
const INBOX: &str = "INBOX";

/// Watches one mailbox until `stop` says true, or its sender is gone, or the connection ends.
pub async fn watch<M: Memory>(
    settings: &Settings,
    memory: &mut M,
    stop: &tokio::sync::watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut stop = stop.clone();
    let session = tokio::select! {
        biased;
        () = stopped(&mut stop) => return Ok(()),
        session = connect(settings) => session?,
    };
    tracing::info!(host = settings.host, "logged in to {}", settings.host);
    let next_poll = Instant::now();
    let (all, looked) = (Vec::new(), Looked::new());
    let silent = BTreeSet::new();
    let (notified, parked) = (None, BTreeSet::new());
    let (home, missing) = (INBOX.to_owned(), Vec::new());
    let rounds = memory.rounds();
    let mut watch = Watch {
        settings,
        session,
        memory,
        home,
        all,
        looked,
        silent,
        parked,
        notified,
        missing,
        rounds,
        next_poll,
    };
    watch.live(&mut stop).await?;
    watch.session.logout().await;
    Ok(())
}

struct Watch<'a, M> {
    settings: &'a Settings,
    session: Session,
    memory: &'a mut M,
    /// The folder that new mail comes to, and that is open while we wait: INBOX, or Gmail's All Mail.
    home: String,
    /// The folders, with what the memory wants watched besides.
    all: Vec<Listed>,
    looked: Looked,
    /// Folders that gave no counters or could not be opened, although they were listed.
    silent: BTreeSet<String>,
    /// Folders that could not be opened; tried again at the next poll, not sooner.
    parked: BTreeSet<String>,
    /// Whether the server tells of other folders by itself; not asked yet where `None`.
    notified: Option<bool>,
    /// Folders to create after the next look.
    missing: Vec<String>,
    /// What is compared when, where the server cannot tell what changed.
    rounds: Rounds,
    next_poll: Instant,
}

impl<M: Memory> Watch<'_, M> {
    async fn live(&mut self, stop: &mut tokio::sync::watch::Receiver<bool>) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = stopped(stop) => return Ok(()),
            begun = self.begin() => begun?,
        }
        let mut due = folders::watched(&self.all, self.session.labels);
        let mut looks = 0;
        loop {
            let again = tokio::select! {
                biased;
                () = stopped(stop) => return Ok(()),
                again = self.look(&due) => again?,
            };
            let wrote = self.write().await?;
            self.session.reading(self.memory).await?;
            self.memory.seen().await.map_err(Error::Memory)?;
            looks += 1;
            if (again || wrote) && looks < LOOKS_MAX {
                let pause = if again { LOOK_AGAIN } else { Duration::ZERO };
                tokio::select! {
                    biased;
                    () = stopped(stop) => return Ok(()),
                    found = self.round_after(pause) => due = found?,
                }
                continue;
            }
            match self.rest(stop, &due, &mut looks).await? {
                Some(found) => due = found,
                None => return Ok(()),
            }
        }
    }

    /// Tells the memory what the server is, and which folders there are.
    async fn begin(&mut self) -> Result<(), Error> {
        let inbox = self.session.inbox(self.settings.access).await?;
        let capabilities = self.session.capabilities.clone();
        let server = Server { capabilities, keywords: inbox.keywords };
        self.memory.connected(server).await.map_err(Error::Memory)?;
        self.next_poll = self.poll_at();
        self.list().await
    }

    fn is_home(&self, folder: &Listed) -> bool {
        folder.name == self.home
    }

    fn poll_at(&self) -> Instant {
        Instant::now() + self.settings.poll.max(POLL_MIN)
    }

    /// Tells the memory of the folders, and creates what it asks for: which may be more than last time although nothing
    /// changed here, because the configuration did.
    async fn list(&mut self) -> Result<(), Error> {
        let listed = self.really_there().await?;
        let missing = self.tell(listed).await?;
        if missing.is_empty() || self.settings.access == Access::ReadOnly {
            return Ok(());
        }
        if self.session.labels {
            // A label that somebody deleted has left its mails. That is looked at while it is gone, or it would seem that
            // it was taken off every one of them.
            self.missing = missing;
            return Ok(());
        }
        self.create(&missing).await
    }

    /// Creates folders, and tells the memory of them.
    async fn create(&mut self, missing: &[String]) -> Result<(), Error> {
        for folder in missing {
            match show::create(&mut self.session, folder).await {
                Ok(()) => {}
                Err(Error::Refused { answer, .. }) => {
                    tracing::warn!(folder, "cannot create the folder {folder}: {answer}");
                }
                Err(error) => return Err(error),
            }
        }
        let listed = self.really_there().await?;
        // Asked once per change: what could not be created now is asked for again at the next.
        self.tell(listed).await?;
        Ok(())
    }

    /// The folders, without those that are listed although they are gone: Dovecot goes on listing a deleted folder that
    /// has others below it. They give no counters, and cannot be opened.
    async fn really_there(&mut self) -> Result<Vec<Listed>, Error> {
        let mut listed = folders::list(&mut self.session, self.settings).await?;
        for folder in &mut listed {
            if !self.silent.contains(&folder.name) || self.is_home(folder) {
                continue;
            }
            match self.session.select(&folder.name, Access::ReadOnly).await {
                Ok(_) => {
                    self.silent.remove(&folder.name);
                }
                Err(Error::Refused { code, answer, .. }) if says_gone(code.as_deref(), &answer) => {
                    folder.selectable = false;
                }
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    /// Tells the memory of the folders, and takes over which others to watch. Answers those to create.
    async fn tell(&mut self, listed: Vec<Listed>) -> Result<Vec<String>, Error> {
        let wanted = self.memory.listed(listed.clone()).await.map_err(Error::Memory)?;
        self.all = listed;
        self.session.labels = wanted.labels;
        let all_mail = self.all.iter().find(|folder| folder.role == Role::All && wanted.labels);
        self.home = all_mail.map_or(INBOX, |folder| &folder.name).to_owned();
        for folder in self.all.iter_mut().filter(|folder| wanted.watch.contains(&folder.name)) {
            folder.role = Role::Baton;
        }
        Ok(wanted.create)
    }

    /// Reads the folders that are due. Answers whether the memory wants another look soon.
    async fn look(&mut self, due: &[Listed]) -> Result<bool, Error> {
        if due.is_empty() {
            return Ok(false);
        }
        let mut gone = false;
        for folder in due {
            let looked =
                catch_up::catch_up(&mut self.session, self.memory, self.settings, folder).await;
            match looked {
                Ok(catch_up::Looked { selected, create }) => {
                    self.looked.insert(folder.name.clone(), selected);
                    self.missing = create.unwrap_or(std::mem::take(&mut self.missing));
                }
                // Somebody removed or renamed it, or it cannot be opened; the others go on.
                Err(Error::Refused { answer, .. }) if !self.is_home(folder) => {
                    let name = &folder.name;
                    tracing::warn!(folder = name, "cannot look into the folder {name}: {answer}");
                    self.looked.remove(name);
                    self.parked.insert(name.clone());
                    self.silent.insert(name.clone());
                    gone = true;
                }
                Err(error) => return Err(error),
            }
        }
        if gone {
            self.list().await?;
        }
        let missing = std::mem::take(&mut self.missing);
        if !missing.is_empty() && self.settings.access == Access::ReadWrite {
            self.create(&missing).await?;
        }
        self.memory.pass_done().await.map_err(Error::Memory)
    }

    /// Writes what the memory wants, until it wants nothing more. Answers whether anything was written.
    async fn write(&mut self) -> Result<bool, Error> {
        if self.settings.access == Access::ReadOnly {
            return Ok(false);
        }
        let mut wrote = false;
        for _ in 0..WRITES_MAX {
            let wanted = self.memory.wanted().await.map_err(Error::Memory)?;
            if wanted.is_empty() {
                break;
            }
            let mut outcomes = Vec::with_capacity(wanted.len());
            for change in &wanted {
                outcomes.push(show::show(&mut self.session, change).await?);
            }
            wrote |= outcomes.iter().any(|outcome| matches!(outcome, Outcome::Done(_)));
            self.memory.settled(outcomes).await.map_err(Error::Memory)?;
        }
        Ok(wrote)
    }

    /// Asks every watched folder for its counters. Answers those to look at; INBOX always.
    async fn round_after(&mut self, pause: Duration) -> Result<Vec<Listed>, Error> {
        tokio::time::sleep(pause).await;
        let others: Vec<Listed> = folders::watched(&self.all, self.session.labels)
            .into_iter()
            .filter(|folder| !self.is_home(folder))
            .collect();
        if !survey::survey(&mut self.session, &others).await? {
            let silent = others.iter().filter(|one| !self.session.heard.contains_key(&one.name));
            self.silent.extend(silent.map(|one| one.name.clone()));
            self.list().await?;
        }
        Ok(self.due(|folder| self.is_home(folder)))
    }

    /// The watched folders of which something new was heard, or that were never looked at, or that `also` names.
    fn due(&self, also: impl Fn(&Listed) -> bool) -> Vec<Listed> {
        let mut due = folders::watched(&self.all, self.session.labels);
        due.retain(|folder| {
            let heard = self.session.heard.get(&folder.name);
            let news = match (self.looked.get(&folder.name), heard) {
                (None, _) => !self.parked.contains(&folder.name),
                (Some(known), Some(glimpse)) => glimpse.differs(known),
                (Some(_), None) => false,
            };
            news || also(folder)
        });
        due
    }

    /// Waits for news. Answers the folders to look at, none after a nudge; `None` when the daemon stops.
    async fn rest(
        &mut self,
        stop: &mut tokio::sync::watch::Receiver<bool>,
        looked_at: &[Listed],
        looks: &mut u32,
    ) -> Result<Option<Vec<Listed>>, Error> {
        let ready = tokio::select! {
            biased;
            () = stopped(stop) => return Ok(None),
            ready = self.ready(looked_at) => ready?,
        };
        if !ready.is_empty() && *looks < LOOKS_MAX {
            return Ok(Some(ready));
        }
        *looks = 0;
        let Watch { session, memory, looked, .. } = self;
        let rest = idle::wait(session, *memory, stop, looked, self.next_poll).await?;
        tracing::debug!(?rest, "the wait ended");
        match rest {
            Rest::Stopped => Ok(None),
            Rest::Nudged => Ok(Some(Vec::new())),
            Rest::Arrived(exists) => {
                tokio::select! {
                    biased;
                    () = stopped(stop) => return Ok(None),
                    greeted = self.greet(exists) => greeted?,
                }
                // What was moved is looked at in its new place before anybody can move it on.
                if self.write().await? {
                    return Ok(Some(self.round_after(Duration::ZERO).await?));
                }
                Ok(Some(self.due(|folder| self.is_home(folder))))
            }
            Rest::News { marked } => {
                tokio::select! {
                    biased;
                    () = stopped(stop) => return Ok(None),
                    told = self.told_of(&marked) => told?,
                }
                Ok(Some(self.due(|folder| self.is_home(folder))))
            }
            Rest::Deadline => tokio::select! {
                biased;
                () = stopped(stop) => Ok(None),
                due = self.poll() => Ok(Some(due?)),
            },
        }
    }

    /// Takes in what has just arrived, so that it is shown at once; the look that follows sees to everything else.
    async fn greet(&mut self, exists: u32) -> Result<(), Error> {
        let Some(known) = self.looked.get_mut(&self.home) else { return Ok(()) };
        let Some(batch) = arrivals::few(&mut self.session, known, exists).await? else {
            return Ok(());
        };
        known.uidnext = Some(batch.next_uid);
        self.memory.sighted(batch).await.map_err(Error::Memory)
    }

    /// Asks about the messages of which it was told, by number, that their flags have changed.
    async fn told_of(&mut self, numbers: &[u32]) -> Result<(), Error> {
        let Some(known) = self.looked.get(&self.home) else { return Ok(()) };
        compare::told_of(&mut self.session, self.memory, known, numbers).await
    }

    /// Opens INBOX for the wait. Answers what happened while we looked elsewhere.
    async fn ready(&mut self, looked_at: &[Listed]) -> Result<Vec<Listed>, Error> {
        let notified = match self.notified {
            Some(notified) => notified,
            None => survey::notify(&mut self.session).await?,
        };
        self.notified = Some(notified);
        // A folder that was open told of changes by lines of its own, which nobody kept.
        let elsewhere = looked_at.iter().any(|folder| !self.is_home(folder));
        if elsewhere && notified {
            self.round_after(Duration::ZERO).await?;
        }
        let inbox = self.session.select(&self.home, self.settings.access).await?;
        let known = self.looked.get(&self.home);
        let news = known.is_none_or(|known| Glimpse::of(&inbox).differs(known));
        Ok(self.due(|folder| self.is_home(folder) && news))
    }

    /// Looks everywhere: the list, the counters, and where counters cannot tell, as much of the folders as is due.
    async fn poll(&mut self) -> Result<Vec<Listed>, Error> {
        if Instant::now() < self.next_poll {
            // Only IDLE had to begin anew.
            return Ok(self.due(|folder| self.is_home(folder)));
        }
        self.next_poll = self.poll_at();
        self.parked.clear();
        self.list().await?;
        self.round_after(Duration::ZERO).await?;
        self.plan().await?;
        // What waited for another day is read when that has come, although nothing happens there.
        let all = self.session.reading(self.memory).await? == Reading::Everything;
        let waits = |name: &String| all && self.session.waiting.contains(name);
        Ok(self.due(|folder| {
            self.is_home(folder) || self.rounds.owes(&folder.name) || waits(&folder.name)
        }))
    }

    /// Decides what is compared at this poll, besides what the counters tell.
    async fn plan(&mut self) -> Result<(), Error> {
        let watched = folders::watched(&self.all, self.session.labels);
        let folders = untold(&watched, &self.looked);
        let (open, mut turn) = self.rounds.plan(&folders, self.settings.poll.max(POLL_MIN));
        for folder in open {
            let open = self.memory.lively(&folder, 0, 1).await.map_err(Error::Memory)?;
            if !open.is_empty() {
                self.rounds.owe_open(&folder);
            }
        }
        while let Some((folder, from, most)) = turn.next() {
            let known = self.memory.known(&folder, from, most).await.map_err(Error::Memory)?;
            let ends = (known.first(), known.last());
            let ends = ends.0.zip(ends.1).map(|((first, _), (last, _))| (*first, *last));
            turn.took(ends, known.len());
        }
        self.rounds.walked(turn);
        Ok(())
    }
}

/// The folders of which nobody tells what changed, with how many messages each has. A server with CONDSTORE may have such
/// ones, too (NOMODSEQ, RFC 7162, section 3.1.2.2).
fn untold(watched: &[Listed], looked: &Looked) -> Vec<(String, u32)> {
    let known = watched.iter().filter_map(|folder| looked.get(&folder.name));
    let untold = known.filter(|known| known.modseq == 0);
    untold.map(|known| (known.folder.clone(), known.exists)).collect()
}

/// Whether a refused SELECT says that there is no such folder, by its code (RFC 5530) or, as Dovecot, in words.
fn says_gone(code: Option<&str>, answer: &str) -> bool {
    let words = answer.to_lowercase();
    match code {
        Some(code) => code.eq_ignore_ascii_case("NONEXISTENT"),
        None => words.contains("exist") || words.contains("unknown") || words.contains("not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Selected;
    use super::*;

    #[test]
    fn folders_without_counters_of_changes_are_compared_whatever_the_server_can_do() {
        let listed = |name: &str| Listed {
            name: name.to_owned(),
            role: Role::Archive,
            selectable: true,
            delimiter: Some('/'),
        };
        let watched = ["Archive", "INBOX", "New"].map(listed);
        let looked = [("Archive", 0), ("INBOX", 7), ("Other", 0)].map(|(folder, modseq)| {
            let folder = folder.to_owned();
            (folder.clone(), Selected { folder, modseq, exists: 3, ..Selected::default() })
        });
        assert_eq!(untold(&watched, &Looked::from(looked)), [("Archive".to_owned(), 3)]);
    }
}
