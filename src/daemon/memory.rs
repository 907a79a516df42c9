//! What a lane's watch asks of the engine and tells it: the translation between the door and the desk.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::config::LayoutChoice;
use crate::daemon::layout::{ALL_MAIL_IS_HIDDEN, dialect, layout};
use crate::daemon::traffic::Traffic;
use crate::daemon::{Mode, Shared};
use crate::desk::budget::Reading;
use crate::desk::card::mentioned;
use crate::desk::layout::Layout;
use crate::engine::{
    self, Deed, DeedOutcome, Desk, Draft, Flags, ListedFolder, Planned, PlannedDeed, PlannedDrafts,
    Seen,
};
use crate::imap::{
    Action, Batch, Change, Changes, Cursor, Line, Listed, Memory, Outcome, Role, Rounds, Server,
    Sighting, Wanted,
};
use crate::mail::parse::parse;
use crate::store::{Effect, Folder, Tx};

/// How often the time at which the server was heard last is written down.
const SEEN_EVERY: Duration = Duration::from_secs(5);
/// How many messages at least are read by one thread.
const READ_TOGETHER: usize = 20;
/// What is read in less time than it takes to wake another thread for it.
const READ_AT_ONCE_BYTES: usize = 8 * 1024;

/// How often the progress of a long reading is told, and from how many mails on it is worth a line.
const TELL_EVERY: Duration = Duration::from_secs(5);
const TELL_MIN: usize = 200;

/// The memory of one mailbox.
#[derive(Debug)]
pub(crate) struct LaneMemory {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mailbox: String,
    pub(crate) choice: LayoutChoice,
    pub(crate) bell: Arc<Notify>,
    traffic: Arc<Traffic>,
    /// What status tells of the line.
    notice: Option<String>,
    /// What the server is like, while connected.
    server: Server,
    /// What the watch is writing.
    planned: Planned,
    /// What is being done about drafts that are to leave, behind that.
    drafts: PlannedDrafts,
    next_wish_at: Option<Timestamp>,
    /// For how long mails were left alone that people had moved, when that was last looked up.
    leave_moved: Option<Duration>,
    seen_at: Timestamp,
    /// For how long nobody had looked before this connection; zero once everything has been looked at.
    away: Duration,
    /// How many mails were read on this connection, and how many when that was told.
    read: usize,
    told: usize,
    told_at: Timestamp,
}

impl LaneMemory {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mailbox: &str,
        choice: LayoutChoice,
        traffic: Arc<Traffic>,
    ) -> LaneMemory {
        let bell = shared.bell(mailbox);
        LaneMemory {
            shared,
            mailbox: mailbox.to_string(),
            choice,
            bell,
            traffic,
            notice: None,
            server: Server::default(),
            planned: Planned::default(),
            drafts: PlannedDrafts::default(),
            next_wish_at: None,
            leave_moved: None,
            seen_at: Timestamp::default(),
            away: Duration::ZERO,
            read: 0,
            told: 0,
            told_at: Timestamp::default(),
        }
    }

    /// Runs `work` at this mailbox's desk in one transaction.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let policy = self.shared.policy(&self.mailbox)?;
        let (now, away) = (self.shared.clock.now(), self.away);
        let write = move |tx: &Tx<'_>| {
            let (mailbox, dialect) = engine::dialect(tx, &policy)?;
            work(&Desk { tx, policy: &policy, dialect: &dialect, mailbox, now, away })
        };
        self.shared.store.write(write).await
    }

    /// Tells every few seconds how far a long reading has come.
    fn progress(&mut self, folder: &str, count: usize) {
        let now = self.shared.clock.now();
        self.read += count;
        if now.since(self.told_at) < TELL_EVERY {
            return;
        }
        let (mailbox, read) = (&self.mailbox, self.read);
        if read >= self.told + TELL_MIN {
            tracing::info!(mailbox, folder, read, "{mailbox}: {read} mails read, now in {folder}");
        }
        self.told = read;
        self.told_at = now;
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Inbox => "inbox",
        Role::All => "all",
        Role::Sent => "sent",
        Role::Drafts => "drafts",
        Role::Junk => "junk",
        Role::Archive => "archive",
        Role::Trash => "trash",
        Role::Baton => "baton",
        Role::Other => "other",
    }
}

/// Reads the message; of a panic in a library nothing is left but that it cannot be read.
fn seen(sighting: Sighting) -> Seen {
    let message = (!sighting.raw.is_empty()).then(|| parse(&sighting.raw));
    let answers_card = message.as_ref().is_some_and(|message| !mentioned(message).is_empty());
    Seen {
        uid: sighting.uid,
        flags: sighting.flags,
        arrived_at: sighting.arrived_at,
        size: sighting.size,
        gmail: sighting.gmail,
        message,
        raw: answers_card.then_some(sighting.raw),
    }
}

/// Reads the messages, on as many cores as there are where there are many of them.
async fn seen_all(mut sightings: Vec<Sighting>) -> anyhow::Result<Vec<Seen>> {
    if sightings.iter().map(|sighting| sighting.raw.len()).sum::<usize>() <= READ_AT_ONCE_BYTES {
        return Ok(sightings.into_iter().map(seen).collect());
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = sightings.len().div_ceil(cores).max(READ_TOGETHER);
    let mut readers = Vec::new();
    while !sightings.is_empty() {
        let rest = sightings.split_off(share.min(sightings.len()));
        let read = move || sightings.into_iter().map(seen).collect::<Vec<Seen>>();
        readers.push(tokio::task::spawn_blocking(read));
        sightings = rest;
    }
    let mut all = Vec::new();
    for reader in readers {
        all.extend(reader.await?);
    }
    Ok(all)
}

fn folder(desk: &Desk<'_>, name: &str) -> anyhow::Result<Folder> {
    let folder = desk.tx.folder(desk.mailbox, name)?;
    folder.ok_or_else(|| anyhow::anyhow!("the folder {name} was never listed"))
}

impl Memory for LaneMemory {
    async fn connected(&mut self, server: Server) -> anyhow::Result<()> {
        self.server = server;
        self.seen_at = self.shared.clock.now();
        let now = self.seen_at;
        let shadow = self.shared.mode == Mode::Shadow;
        let connected = move |desk: &Desk<'_>| {
            let (was_shadow, seen_at) = desk.tx.set_connected(desk.mailbox, now, shadow)?;
            desk.tx.answers_since(desk.mailbox, now)?;
            if was_shadow && !shadow {
                // What the shadow would have shown is shown now.
                desk.tx.wish_for_all(desk.mailbox, now)?;
            }
            Ok(seen_at)
        };
        let seen_at = self.at_desk(connected).await?;
        self.away = seen_at.map_or(Duration::ZERO, |seen_at| now.since(seen_at));
        self.traffic.connected(now);
        tracing::info!(mailbox = self.mailbox, "{} is connected", self.mailbox);
        Ok(())
    }

    async fn listed(&mut self, folders: Vec<Listed>) -> anyhow::Result<Wanted> {
        let policy = self.shared.policy(&self.mailbox)?;
        let name = self.mailbox.clone();
        let row = self.shared.store.write(move |tx| Ok(tx.mailbox_row(&name)?)).await?;
        let read_only = self.shared.mode == Mode::Shadow;
        let (layout, _) =
            layout(self.choice, &self.server, read_only, row.layout).map_err(anyhow::Error::msg)?;
        if layout == Layout::Labels && !folders.iter().any(|folder| folder.role == Role::All) {
            anyhow::bail!(ALL_MAIL_IS_HIDDEN);
        }
        let dialect = dialect(&policy, layout, &folders);
        let listed: Vec<ListedFolder> = folders
            .into_iter()
            .map(|folder| ListedFolder {
                role: role_name(folder.role).to_string(),
                name: folder.name,
                selectable: folder.selectable,
            })
            .collect();
        let now = self.shared.clock.now();
        let work = move |tx: &Tx<'_>| {
            let known = (row.layout, row.prefix.as_str(), row.delimiter);
            if known != (Some(layout), dialect.prefix.as_str(), dialect.delimiter) {
                tx.set_dialect(row.id, layout, &dialect.prefix, dialect.delimiter)?;
            }
            let listing = engine::list(tx, &policy, &dialect, row.id, &listed)?;
            if tx.set_spelled(row.id, &dialect.spelled(&policy))? {
                // Marks have other names now, or are shown in another way: everything is shown anew.
                tx.wish_for_all(row.id, now)?;
            }
            Ok(listing)
        };
        let listing = self.shared.store.write(work).await?;
        Ok(Wanted {
            create: listing.create,
            watch: listing.strayed,
            labels: layout == Layout::Labels,
        })
    }

    async fn cursor(&mut self, folder: &str) -> anyhow::Result<Cursor> {
        let name = folder.to_string();
        let found = self.at_desk(move |desk| Ok(desk.tx.folder(desk.mailbox, &name)?)).await?;
        Ok(found.map_or(Cursor::default(), |folder| Cursor {
            uidvalidity: folder.uidvalidity,
            next_uid: folder.next_uid,
            modseq: folder.modseq,
        }))
    }

    async fn renumbered(&mut self, name: &str, uidvalidity: u32) -> anyhow::Result<()> {
        let name = name.to_string();
        self.at_desk(move |desk| {
            let folder = folder(desk, &name)?;
            engine::lose_uids(desk, &folder, uidvalidity)
        })
        .await
    }

    async fn sighted(&mut self, batch: Batch) -> anyhow::Result<()> {
        let Batch { folder: name, uidvalidity, sightings, next_uid } = batch;
        let count = sightings.len();
        let all = seen_all(sightings).await?;
        let told = name.clone();
        let received = self.traffic.unwritten();
        self.at_desk(move |desk| {
            if let Some(received) = received {
                desk.tx.set_received(desk.mailbox, received)?;
            }
            let mut folder = folder(desk, &name)?;
            folder.uidvalidity = uidvalidity;
            engine::arrivals(desk, &folder, &all, next_uid)
        })
        .await?;
        tracing::debug!(mailbox = self.mailbox, folder = told, count, "Read up to UID {next_uid}");
        self.progress(&told, count);
        self.shared.outlook_bell(&self.mailbox).notify_one();
        Ok(())
    }

    async fn count(&mut self, name: &str) -> anyhow::Result<usize> {
        let name = name.to_string();
        self.at_desk(move |desk| {
            let folder = folder(desk, &name)?;
            Ok(desk.tx.count_locations(folder.id)?)
        })
        .await
    }

    async fn known(
        &mut self,
        name: &str,
        from: u32,
        most: usize,
    ) -> anyhow::Result<Vec<(u32, Vec<String>)>> {
        let name = name.to_string();
        self.at_desk(move |desk| {
            let folder = folder(desk, &name)?;
            Ok(desk.tx.flags_from(folder.id, from, most)?)
        })
        .await
    }

    async fn lively(
        &mut self,
        name: &str,
        newest: usize,
        open: usize,
    ) -> anyhow::Result<Vec<(u32, Vec<String>)>> {
        let name = name.to_string();
        self.at_desk(move |desk| {
            let folder = folder(desk, &name)?;
            let mut lively = desk.tx.newest_flags(folder.id, newest)?;
            lively.extend(desk.tx.open_flags(desk.mailbox, folder.id, open)?);
            Ok(lively.into_iter().collect())
        })
        .await
    }

    async fn uids(&mut self, name: &str) -> anyhow::Result<Vec<u32>> {
        let name = name.to_string();
        self.at_desk(move |desk| {
            let folder = folder(desk, &name)?;
            Ok(desk.tx.uids_between(folder.id, 1, u32::MAX)?)
        })
        .await
    }

    fn rounds(&self) -> Rounds {
        self.shared.rounds(&self.mailbox)
    }

    async fn changed(&mut self, changes: Changes) -> anyhow::Result<()> {
        self.at_desk(move |desk| {
            let folder = folder(desk, &changes.folder)?;
            if folder.uidvalidity != changes.uidvalidity && folder.uidvalidity != 0 {
                return Ok(());
            }
            let flags = Flags { flags: changes.flags, vanished: changes.vanished };
            engine::change(desk, &folder, &flags)?;
            Ok(desk.tx.set_modseq(folder.id, changes.modseq)?)
        })
        .await?;
        self.shared.outlook_bell(&self.mailbox).notify_one();
        Ok(())
    }

    async fn pass_done(&mut self) -> anyhow::Result<bool> {
        let again = self.at_desk(engine::judge).await?;
        if !again {
            self.away = Duration::ZERO;
        }
        if self.shared.mode == Mode::Shadow {
            for write in self.at_desk(engine::plan_in_shadow).await? {
                tracing::info!(mailbox = self.mailbox, "Shadow: would {}", would(&write));
            }
        }
        Ok(again)
    }

    async fn wanted(&mut self) -> anyhow::Result<Vec<Change>> {
        let leave_moved = self.shared.policy(&self.mailbox)?.leave_moved;
        let is_another = self.leave_moved.replace(leave_moved) != Some(leave_moved);
        let (planned, next) = self
            .at_desk(move |desk| {
                if is_another {
                    desk.tx.wish_at_once(desk.mailbox, desk.now)?;
                }
                let planned = (engine::plan(desk)?, engine::plan_drafts(desk)?);
                Ok((planned, next_at(desk)?))
            })
            .await?;
        self.next_wish_at = next;
        let (planned, drafts) = planned;
        let mut changes: Vec<Change> = planned
            .writes
            .iter()
            .map(|write| Change {
                folder: write.folder.clone(),
                uidvalidity: write.uidvalidity,
                uids: write.uids.clone(),
                action: match &write.action {
                    engine::Action::Flags { add, remove } => {
                        Action::Flags { add: add.clone(), remove: remove.clone() }
                    }
                    engine::Action::MoveTo(folder) => Action::MoveTo(folder.clone()),
                },
            })
            .collect();
        changes.extend(drafts.deeds.iter().map(change));
        self.planned = planned;
        self.drafts = drafts;
        Ok(changes)
    }

    async fn settled(&mut self, outcomes: Vec<Outcome>) -> anyhow::Result<()> {
        let planned = std::mem::take(&mut self.planned);
        let drafts = std::mem::take(&mut self.drafts);
        let mut outcomes = outcomes;
        let of_drafts = outcomes.split_off(planned.writes.len().min(outcomes.len()));
        let outcomes: Vec<engine::Outcome> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Done(told) => engine::Outcome::Done(told),
                Outcome::Stale => engine::Outcome::Stale,
                Outcome::Refused(words) => engine::Outcome::Refused(words),
                // A mark is neither read nor looked for.
                Outcome::Read(_) | Outcome::Lies(_) => engine::Outcome::Done(None),
            })
            .collect();
        let of_drafts = outcomes_of_drafts(of_drafts).await?;
        let next = self
            .at_desk(move |desk| {
                engine::settle(desk, &planned, &outcomes)?;
                engine::settle_drafts(desk, drafts, of_drafts)?;
                next_at(desk)
            })
            .await?;
        self.next_wish_at = next;
        Ok(())
    }

    async fn line(&mut self, line: Line) -> anyhow::Result<Reading> {
        let reading = self.traffic.count(line.received, self.shared.clock.now());
        let notice = self.traffic.notice(line, reading);
        if notice != self.notice {
            if let Some(words) = &notice {
                tracing::warn!(mailbox = self.mailbox, "{}: {words}", self.mailbox);
            }
            self.notice.clone_from(&notice);
            let write =
                move |desk: &Desk<'_>| Ok(desk.tx.set_notice(desk.mailbox, notice.as_deref())?);
            self.at_desk(write).await?;
        }
        Ok(reading)
    }

    async fn seen(&mut self) -> anyhow::Result<()> {
        let now = self.shared.clock.now();
        if now.since(self.seen_at) < SEEN_EVERY {
            return Ok(());
        }
        self.seen_at = now;
        let received = self.traffic.unwritten();
        self.at_desk(move |desk| {
            if let Some(received) = received {
                desk.tx.set_received(desk.mailbox, received)?;
            }
            Ok(desk.tx.set_seen(desk.mailbox, now)?)
        })
        .await
    }

    async fn nudged(&mut self) {
        match self.next_wish_at {
            Some(at) if self.shared.mode == Mode::Live => {
                tokio::select! {
                    () = self.bell.notified() => (),
                    () = self.shared.clock.sleep_until(at.max(self.shared.clock.now() + Duration::from_secs(1))) => (),
                }
            }
            _ => self.bell.notified().await,
        }
    }
}

/// When the next of what waits may be written.
fn next_at(desk: &Desk<'_>) -> anyhow::Result<Option<Timestamp>> {
    let marks = desk.tx.next_wish_at(desk.mailbox, Effect::ShowMarks)?;
    let drafts = desk.tx.next_draft_at(desk.mailbox, desk.now)?;
    Ok(marks.into_iter().chain(drafts).min())
}

fn change(planned: &PlannedDeed) -> Change {
    Change {
        folder: planned.folder.clone(),
        uidvalidity: planned.uidvalidity,
        uids: planned.uids.clone(),
        action: match planned.deed.clone() {
            Deed::Read => Action::Read,
            Deed::MoveTo(folder) => Action::MoveTo(folder),
            Deed::Label { add, remove } => Action::Flags { add, remove },
            Deed::Find { message_id } => Action::Find { message_id },
            Deed::Append { unless_there, mail } => Action::Append { unless_there, message: mail },
            Deed::Remove { message_id, trash } => Action::Remove { message_id, trash },
        },
    }
}

/// Reads drafts where nobody waits for it: a large one takes its time.
async fn outcomes_of_drafts(outcomes: Vec<Outcome>) -> anyhow::Result<Vec<DeedOutcome>> {
    let read = move || {
        let outcomes = outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Done(told) => DeedOutcome::Done(told),
            Outcome::Stale => DeedOutcome::Failed("the folder changed meanwhile".into()),
            Outcome::Refused(words) => DeedOutcome::Failed(words),
            Outcome::Read(raw) => DeedOutcome::Read(raw.map(|raw| {
                let message = parse(&raw);
                Box::new(Draft { raw, message })
            })),
            Outcome::Lies(there) => DeedOutcome::Lies(there),
        });
        outcomes.collect()
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

fn would(write: &engine::Write) -> String {
    let uids = write.uids.len();
    match &write.action {
        engine::Action::Flags { add, remove } => format!(
            "put [{}] on and take [{}] off {uids} mail(s) in {}",
            add.join(" "),
            remove.join(" "),
            write.folder
        ),
        engine::Action::MoveTo(folder) => {
            format!("move {uids} mail(s) from {} to {folder}", write.folder)
        }
    }
}
