//! The messages known of one folder, at a server that cannot tell what changed: only as much of it is listed as has to be.
//!
//! What `rounds.rs` wants compared is compared; and where the number of messages says that some are missing, `missing.rs`
//! finds out where. A message counts as gone only where a list names its neighbours and not it.

use super::catch_up::Known;
use super::error::Error;
use super::rounds::{NEWEST, OPEN_MAX};
use super::session::{Selected, Session};
use super::{Changes, Memory, fetch, missing, uid_set};

/// How many changes of flags, told while we wait, are asked for; more of them are left to the walk.
const TOLD_MAX: usize = 1_000;

impl<M: Memory> Known<'_, M> {
    /// Compares what is due, and everything where that never was. What is new must have been read.
    pub(super) async fn compare_some(&mut self) -> Result<(), Error> {
        let Selected { folder, uidvalidity, .. } = self.selected;
        let Some(surplus) = self.rounds.surplus(folder, *uidvalidity) else {
            self.compare().await?;
            return self.is_whole().await;
        };
        let owed = self.rounds.owed(folder);
        let open = if owed.open { OPEN_MAX } else { 0 };
        let lively = self.memory.lively(folder, NEWEST, open).await.map_err(Error::Memory)?;
        self.compare_named(&lively).await?;
        for (first, last) in &owed.stretches {
            self.compare_between(*first, *last).await?;
        }
        self.rounds.paid(folder);
        if self.surplus().await? != surplus && self.search().await? {
            self.is_whole().await?;
        }
        Ok(())
    }

    /// Nothing is missing from now on but what the server does not show us.
    pub(super) async fn is_whole(&mut self) -> Result<(), Error> {
        let surplus = self.surplus().await?;
        self.rounds.is_whole(&self.selected.folder, self.selected.uidvalidity, surplus);
        Ok(())
    }

    /// How many more messages there are than are known.
    async fn surplus(&mut self) -> Result<i64, Error> {
        let known = self.memory.count(&self.selected.folder).await.map_err(Error::Memory)?;
        Ok(i64::from(self.selected.exists) - i64::try_from(known).unwrap_or(i64::MAX))
    }

    /// Finds what is missing. Answers `false` when the folder has changed once more: the next look does it.
    async fn search(&mut self) -> Result<bool, Error> {
        let selected = self.selected;
        // A UID FETCH may have told that messages are gone (RFC 3501, section 7.4.1), which moves all behind them.
        let now = self.session.select(&selected.folder, self.settings.access).await?;
        let uidnext = now.uidnext.or(selected.uidnext);
        if (now.uidvalidity, uidnext, now.exists)
            != (selected.uidvalidity, selected.uidnext, selected.exists)
        {
            return Ok(false);
        }
        let known = self.memory.uids(&selected.folder).await.map_err(Error::Memory)?;
        match missing::stretches(self.session, &known, now.exists).await {
            Ok(stretches) => {
                for (first, last) in stretches {
                    self.compare_between(first, last).await?;
                }
            }
            Err(Error::Refused { answer, .. }) => {
                tracing::debug!("places are not told, listing everything: {answer}");
                self.compare().await?;
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Compares all that is known between two UIDs, both included.
    async fn compare_between(&mut self, first: u32, last: u32) -> Result<(), Error> {
        let mut from = first;
        while let Some(mut window) = self.known_from(from).await? {
            from = window.last.saturating_add(1);
            window.known.retain(|(uid, _)| *uid <= last);
            let Some((end, _)) = window.known.last() else { break };
            let set = format!("{}:{end}", window.first);
            self.compare_set(&set, &window.known).await?;
            if last < from {
                break;
            }
        }
        Ok(())
    }

    /// Compares messages that need not be neighbours.
    async fn compare_named(&mut self, known: &[(u32, Vec<String>)]) -> Result<(), Error> {
        let uids: Vec<u32> = known.iter().map(|(uid, _)| *uid).collect();
        for (set, named) in uid_set::sets(&uids) {
            let of = |(uid, _): &&(u32, Vec<String>)| named.binary_search(uid).is_ok();
            let known: Vec<(u32, Vec<String>)> = known.iter().filter(of).cloned().collect();
            self.compare_set(&set, &known).await?;
        }
        Ok(())
    }
}

/// Asks for the flags of messages of the open folder of which it was told, by number, that they have changed. `known` is
/// the folder as it was last looked at.
pub(super) async fn told_of<M: Memory>(
    session: &mut Session,
    memory: &mut M,
    known: &Selected,
    numbers: &[u32],
) -> Result<(), Error> {
    let open = session.selected.as_ref();
    let same = open
        .is_some_and(|open| open.folder == known.folder && open.uidvalidity == known.uidvalidity);
    // Where labels count, flags alone would say that a message has lost them all.
    if !same || session.labels || known.modseq != 0 || numbers.len() > TOLD_MAX {
        return Ok(());
    }
    let (folder, uidvalidity) = (known.folder.clone(), known.uidvalidity);
    let mut changes = Changes { folder, uidvalidity, ..Changes::default() };
    for (set, _) in uid_set::sets(numbers) {
        let take = |response: &async_imap::imap_proto::Response<'_>| {
            let Some(row) = fetch::row(response) else { return };
            if let (Some(uid), Some(flags)) = (row.uid, row.marks(false)) {
                changes.flags.push((uid, flags));
            }
        };
        match session.exec(&format!("FETCH {set} (UID FLAGS)"), take).await {
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    changes.flags.retain(|(uid, _)| known.uidnext.is_some_and(|next| *uid < next));
    match changes.flags.is_empty() {
        true => Ok(()),
        false => memory.changed(changes).await.map_err(Error::Memory),
    }
}
