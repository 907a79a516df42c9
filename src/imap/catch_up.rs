//! One folder: tells the memory what is new, what changed and what is gone since the cursor.
//!
//! Everything is read with PEEK, in windows of UIDs and batches of bytes, so that memory stays flat whatever the folder
//! holds. Each batch is durable before the next but one is fetched; a lost connection costs two at most. Where to start:
//! [`catch_up`]. What is new comes from `arrivals.rs`; how little is listed where the server cannot tell what changed, from
//! `compare.rs`.

use super::connect::Settings;
use super::error::Error;
use super::session::{Selected, Session};
use super::{Changes, Cursor, Listed, Memory, Rounds, ahead, arrivals, folders, marks};
use crate::desk::budget::Reading;

/// How many known messages are compared at a time, where the server cannot tell what changed.
const COMPARED_MAX: usize = 1_000;
/// The most UIDs that a VANISHED may name before it is compared with what is known instead: servers may name UIDs that
/// never were (RFC 7162, section 3.2.10).
const VANISHED_MAX: usize = 10_000;

/// What a look at a folder found out.
#[derive(Debug)]
pub(super) struct Looked {
    /// The folder's counters as they were when it was opened.
    pub(super) selected: Selected,
    /// The folders that the memory wants to be created, where it was told meanwhile which there are.
    pub(super) create: Option<Vec<String>>,
}

/// Looks at one folder.
pub(super) async fn catch_up<M: Memory>(
    session: &mut Session,
    memory: &mut M,
    settings: &Settings,
    folder: &Listed,
) -> Result<Looked, Error> {
    let reading = session.reading(memory).await?;
    // Where older mail waits, newer mail is known beyond the cursor.
    let ahead = reading == Reading::NewMail || session.waiting.contains(&folder.name);
    if reading == Reading::Everything {
        session.waiting.remove(&folder.name);
    }
    let mut selected = session.select(&folder.name, settings.access).await?;
    session.heard.remove(&folder.name);
    let cursor = memory.cursor(&folder.name).await.map_err(Error::Memory)?;
    let told = selected.uidnext;
    let next = arrivals::next_uid(session, &selected, &cursor).await?;
    selected.uidnext = Some(next);
    let begun = begin(memory, cursor, &selected, told).await?;
    let cursor = begun.cursor;
    let known_before = !begun.anew && cursor.next_uid > 1;
    let known_to = match ahead && !begun.anew {
        true => ahead::known_to(memory, &folder.name, cursor.next_uid).await?,
        false => cursor.next_uid,
    };
    let asked = !begun.anew && known_to > 1;
    let rounds = memory.rounds();
    let (all, create) = (Cursor { next_uid: known_to, ..cursor }, None);
    let mut known =
        Known { session, memory, selected: &selected, settings, cursor: all, rounds, create };
    // What people decided about older mail comes before the newer mail, which it cannot have been about.
    if asked {
        known.changed().await?;
    }
    known.cursor = cursor;
    let Known { session, memory, .. } = &mut known;
    let waits_from = match session.waiting.contains(&folder.name) {
        true => Some(cursor.next_uid),
        false => arrivals::read(session, *memory, settings, folder, &selected, begun).await?,
    };
    if let Some(waits_from) = waits_from {
        session.waiting.insert(folder.name.clone());
        let from = ahead::known_to(*memory, &folder.name, waits_from).await?;
        let ends = (waits_from, from);
        ahead::read(session, *memory, settings, folder, &selected, ends).await?;
    }
    if asked && waits_from.is_some() {
        // Counting finds nothing out while some are not counted.
    } else if known_before {
        // What is gone is found by counting, for which everything new must have been read.
        known.gone().await?;
    } else if selected.modseq != cursor.modseq {
        // Flags came with the messages; what changes from the SELECT on is asked for from here.
        let changes = changes(&selected, selected.modseq);
        known.memory.changed(changes).await.map_err(Error::Memory)?;
    } else if selected.modseq == 0 && waits_from.is_none() {
        known.is_whole().await?;
    }
    let create = known.create;
    Ok(Looked { selected, create })
}

/// Where a look begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) cursor: Cursor,
    /// The folder is new, or its UIDs were given anew: nothing is known of it.
    pub(super) anew: bool,
}

/// Where to read from: the cursor, or the beginning when the folder is new or its UIDs were given anew.
async fn begin<M: Memory>(
    memory: &mut M,
    cursor: Cursor,
    selected: &Selected,
    told: Option<u32>,
) -> Result<Begun, Error> {
    let first = Cursor { uidvalidity: selected.uidvalidity, next_uid: 1, modseq: 0 };
    if cursor.uidvalidity == 0 {
        return Ok(Begun { cursor: first, anew: true });
    }
    // UIDs never fall while UIDVALIDITY stays (RFC 3501, section 2.3.1.1). Where they do, as after a restored backup,
    // new messages would get UIDs that have been read already.
    let fell = told.is_some_and(|next| next < cursor.next_uid);
    if cursor.uidvalidity != selected.uidvalidity || fell {
        tracing::warn!(
            uidvalidity = selected.uidvalidity,
            "the folder {} was numbered anew; reading it from the beginning",
            selected.folder
        );
        memory.renumbered(&selected.folder, selected.uidvalidity).await.map_err(Error::Memory)?;
        return Ok(Begun { cursor: first, anew: true });
    }
    let cursor = Cursor { next_uid: cursor.next_uid.max(1), ..cursor };
    Ok(Begun { cursor, anew: false })
}

fn changes(selected: &Selected, modseq: u64) -> Changes {
    let (folder, uidvalidity) = (selected.folder.clone(), selected.uidvalidity);
    Changes { folder, uidvalidity, modseq, ..Changes::default() }
}

/// The messages below the cursor's `next_uid`.
pub(super) struct Known<'a, M> {
    pub(super) session: &'a mut Session,
    pub(super) memory: &'a mut M,
    pub(super) selected: &'a Selected,
    pub(super) settings: &'a Settings,
    cursor: Cursor,
    pub(super) rounds: Rounds,
    /// As in [`Looked`].
    create: Option<Vec<String>>,
}

/// A stretch of known messages, and the UIDs of its ends.
pub(super) struct Window {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) known: Vec<(u32, Vec<String>)>,
}

impl<M: Memory> Known<'_, M> {
    /// Whether the server can tell what changed since the last look (RFC 7162).
    fn is_counted(&self) -> bool {
        self.selected.modseq != 0 && self.cursor.modseq != 0
    }

    /// What changed, as far as the server can tell it.
    async fn changed(&mut self) -> Result<(), Error> {
        if !self.is_counted() || self.selected.modseq == self.cursor.modseq {
            return Ok(());
        }
        self.changed_since(if self.session.qresync { " VANISHED" } else { "" }).await
    }

    /// What is gone, and what changed where the server cannot tell it.
    async fn gone(&mut self) -> Result<(), Error> {
        if self.selected.modseq == 0 && self.cursor.modseq == 0 {
            return self.compare_some().await;
        }
        if !self.is_counted() {
            return self.compare().await;
        }
        if self.session.qresync {
            return Ok(());
        }
        // RFC 7162, section 3.1: CONDSTORE tells of flags but not of what is gone; the number of messages does.
        let known = self.memory.count(&self.selected.folder).await.map_err(Error::Memory)?;
        if known != usize::try_from(self.selected.exists).unwrap_or(usize::MAX) {
            return self.compare().await;
        }
        Ok(())
    }

    /// Asks what changed since the cursor's `modseq`.
    async fn changed_since(&mut self, vanished: &str) -> Result<(), Error> {
        let below = self.cursor.next_uid;
        let set = format!("1:{}", below.saturating_sub(1));
        let since = format!(" (CHANGEDSINCE {}{vanished})", self.cursor.modseq);
        let (there, gone) = marks::told(self.session, &set, &since).await?;
        let mut changes = changes(self.selected, self.selected.modseq);
        changes.flags = there
            .into_iter()
            .filter(|(uid, _)| *uid < below)
            .filter_map(|(uid, marks)| Some((uid, marks?)))
            .collect();
        changes.flags.sort();
        changes.vanished = self.vanished(gone).await?;
        self.list_labels(&changes).await?;
        self.memory.changed(changes).await.map_err(Error::Memory)
    }

    /// Tells the memory which labels there are before it hears that messages have lost some: a label that somebody has
    /// deleted or renamed was not taken off by a decision.
    async fn list_labels(&mut self, changes: &Changes) -> Result<(), Error> {
        if !self.session.labels || changes.flags.is_empty() {
            return Ok(());
        }
        let listed = folders::list(self.session, self.settings).await?;
        let wanted = self.memory.listed(listed).await.map_err(Error::Memory)?;
        self.create = Some(wanted.create);
        Ok(())
    }

    /// The UIDs of `gone` that may have been seen.
    async fn vanished(&mut self, gone: Vec<(u32, u32)>) -> Result<Vec<u32>, Error> {
        let last = self.cursor.next_uid.saturating_sub(1);
        let named: usize = gone
            .iter()
            .map(|(from, to)| to.min(&last).saturating_sub(*from) as usize + 1)
            .fold(0, usize::saturating_add);
        if named <= VANISHED_MAX {
            return Ok(gone.into_iter().flat_map(|(from, to)| from..=to.min(last)).collect());
        }
        let is_gone = |uid: &u32| gone.iter().any(|(from, to)| from <= uid && uid <= to);
        let (mut vanished, mut from) = (Vec::new(), 1);
        while let Some(window) = self.known_from(from).await? {
            vanished.extend(window.known.iter().map(|(uid, _)| *uid).filter(is_gone));
            from = window.last.saturating_add(1);
        }
        Ok(vanished)
    }

    /// The next stretch of what is known below the cursor; `None` behind the last.
    pub(super) async fn known_from(&mut self, from: u32) -> Result<Option<Window>, Error> {
        let folder = &self.selected.folder;
        let known = self.memory.known(folder, from, COMPARED_MAX).await.map_err(Error::Memory)?;
        let below = |(uid, _): &(u32, Vec<String>)| *uid < self.cursor.next_uid;
        let known: Vec<(u32, Vec<String>)> = known.into_iter().filter(below).collect();
        let ends = (known.first(), known.last());
        let (Some((first, _)), Some((last, _))) = ends else { return Ok(None) };
        Ok(Some(Window { first: *first, last: *last, known }))
    }

    /// Lists what is there and compares it with what is known, a window at a time.
    pub(super) async fn compare(&mut self) -> Result<(), Error> {
        let mut from = 1;
        while let Some(Window { first, last, known }) = self.known_from(from).await? {
            from = last.saturating_add(1);
            self.compare_set(&format!("{first}:{last}"), &known).await?;
        }
        if self.selected.modseq != self.cursor.modseq {
            let changes = changes(self.selected, self.selected.modseq);
            self.memory.changed(changes).await.map_err(Error::Memory)?;
        }
        Ok(())
    }

    /// Lists a set of UIDs, which names all of `known`, and tells the memory what is other than it knows.
    pub(super) async fn compare_set(
        &mut self,
        set: &str,
        known: &[(u32, Vec<String>)],
    ) -> Result<(), Error> {
        let (there, _) = marks::told(self.session, set, "").await?;
        // The cursor's modseq moves only when the last window is kept.
        let mut changes = changes(self.selected, self.cursor.modseq);
        marks::difference(known, there, &mut changes);
        if changes.flags.is_empty() && changes.vanished.is_empty() {
            return Ok(());
        }
        self.list_labels(&changes).await?;
        self.memory.changed(changes).await.map_err(Error::Memory)
    }
}
