//! What Graph is asked for one mailbox, in rounds: read what people changed, decide, show what should be shown.
//!
//! One request at a time. A round without news is one small request; each wish costs two or three for each mail that it is
//! about: find or read it, and write it where it differs. Where to start: [`Session::watch`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::config::{self, OAuth2};
use crate::daemon::{Mode, Shared};
use crate::desk::category;
use crate::desk::policy::Policy;
use crate::desk::retry::Retry;
use crate::engine::outlook::{self, Carrier, Categorised, Glance, Showing};
use crate::engine::{self, Desk};
use crate::graph::{Changed, Client, Copy, Error, Folders};
use crate::login::Tokens;
use crate::store::{Effect, OutlookCopy, Tx};

/// Changes are read again from so long before the last one: servers tell of them out of order.
const OVERLAP: Duration = Duration::from_secs(60);
/// After how many pages a round goes on to show, if it has come further than the last one: the next begins there.
const PAGES_MAX: usize = 20;
/// The shortest and the longest that IMAP may take to tell of a move, before a category beside it is decided.
const PATIENCE_MIN: Duration = Duration::from_secs(3);
const PATIENCE_MAX: Duration = Duration::from_secs(60);
/// For how long mails that lose a category that is gone from the mailbox's list lose it by that.
const UNLISTED_FOR: Duration = Duration::from_secs(600);
/// How many copies are cleaned in one go.
const LEAVING_MAX: u32 = 100;
/// The shortest pause between two rounds.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// A copy as it was read. With its categories, because the server's clock counts in seconds.
type Read = (String, Option<Timestamp>, Vec<String>);

/// Why a session ended, and whether another can help.
#[derive(Debug)]
pub(super) struct Failed(pub(super) anyhow::Error, pub(super) Retry);

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        let retry = error.retry();
        Failed(error.into(), retry)
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Failed {
        Failed(error, Retry::Later)
    }
}

/// One mailbox in Graph.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    client: Client,
    folders: Folders,
    bell: Arc<Notify>,
    /// What was read last time, so that it is no news.
    read: BTreeSet<Read>,
    /// Baton's categories that are gone from the mailbox's list, and until when that explains what mails lose.
    unlisted: BTreeMap<String, Timestamp>,
    /// How the categories were called when the list was seen to hold them.
    listed_as: String,
    /// What works only in part.
    notice: Option<String>,
    read_at: Option<Timestamp>,
}

impl Session {
    pub(super) fn new(
        shared: Arc<Shared>,
        mailbox: config::Mailbox,
        oauth: &OAuth2,
    ) -> Result<Session, Failed> {
        let clock = shared.clock.clone();
        let tokens =
            Tokens::for_graph(&mailbox.name, &mailbox.imap.user, oauth, &shared.state_dir, clock);
        let client = Client::new(&oauth.graph_url, &mailbox.imap.user, tokens)?;
        let bell = shared.outlook_bell(&mailbox.name);
        Ok(Session {
            shared,
            mailbox,
            client,
            folders: Folders::default(),
            bell,
            read: BTreeSet::new(),
            unlisted: BTreeMap::new(),
            listed_as: String::new(),
            notice: None,
            read_at: None,
        })
    }

    /// Shows and reads for as long as Graph answers.
    pub(super) async fn watch(&mut self) -> Result<(), Failed> {
        self.adopt_names().await?;
        self.folders = self.client.folders().await?;
        loop {
            self.adopt_names().await?;
            if self.is_poll_due() {
                self.read().await?;
            }
            let glance = self.glance();
            self.at_desk(move |desk| outlook::reconsider(desk, &glance)).await?;
            let more = self.show().await?;
            if !more {
                self.rest().await?;
            }
        }
    }

    /// Runs `work` at this mailbox's desk in one transaction.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let policy = self.shared.policy(&self.mailbox.name)?;
        let now = self.shared.clock.now();
        let write = move |tx: &Tx<'_>| {
            let (mailbox, dialect) = engine::dialect(tx, &policy)?;
            let away = Duration::ZERO;
            work(&Desk { tx, policy: &policy, dialect: &dialect, mailbox, now, away })
        };
        self.shared.store.write(write).await
    }

    fn is_poll_due(&self) -> bool {
        let now = self.shared.clock.now();
        self.read_at.is_none_or(|at| now.since(at) >= self.mailbox.poll || at > now)
    }

    fn glance(&self) -> Glance {
        let now = self.shared.clock.now();
        let patience = (self.mailbox.poll + PATIENCE_MIN).min(PATIENCE_MAX);
        let recent = self.unlisted.iter().filter(|(_, until)| **until > now);
        Glance { patience, unlisted: recent.map(|(name, _)| name.clone()).collect() }
    }

    /// Waits for news, the next poll, or the next thing that is due.
    async fn rest(&self) -> Result<(), Failed> {
        let next = self
            .at_desk(|desk| {
                let wish = desk.tx.next_wish_at(desk.mailbox, Effect::ShowCategories)?;
                Ok((wish, desk.tx.next_outlook_decision(desk.mailbox)?))
            })
            .await?;
        let now = self.shared.clock.now();
        let poll = self.read_at.unwrap_or(now) + self.mailbox.poll;
        // A shadow shows nothing, so its wishes are never done.
        let wish = next.0.filter(|_| self.shared.mode == Mode::Live);
        let until = [Some(poll), wish, next.1].into_iter().flatten().min().unwrap_or(poll);
        tokio::select! {
            () = self.bell.notified() => (),
            () = self.shared.clock.sleep_until(until.max(now + PAUSE_MIN)) => (),
        }
        Ok(())
    }

    /// Takes over how the categories are called now, and sees to the mailbox's list.
    async fn adopt_names(&mut self) -> Result<(), Failed> {
        let spelled = category::spelled(&self.shared.policy(&self.mailbox.name)?);
        if self.listed_as == spelled {
            return Ok(());
        }
        let names = spelled.clone();
        self.at_desk(move |desk| Ok(desk.tx.show_categories(desk.mailbox, &names, desk.now)?))
            .await?;
        self.list().await?;
        self.listed_as = spelled;
        Ok(())
    }

    /// Puts what is missing on the mailbox's list of categories, each with a colour. Without the right to, they work
    /// without colours (M111).
    async fn list(&mut self) -> Result<(), Failed> {
        let wanted = category::listed(&self.shared.policy(&self.mailbox.name)?);
        let listed = match self.client.listed().await {
            Ok(listed) => listed,
            Err(error @ Error::Denied { .. }) => {
                self.do_without_colours(&error);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let has = |name: &str| listed.iter().any(|(_, other)| category::same(other, name));
        let missing: Vec<_> = wanted.into_iter().filter(|one| !has(&one.name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let known = self.at_desk(|desk| Ok(desk.tx.outlook(desk.mailbox)?)).await?;
        let mut made = known.unwrap_or_default().made;
        let until = self.shared.clock.now() + UNLISTED_FOR;
        // One that was never there is not missed.
        let lost = missing.iter().filter(|one| made.contains(&one.name));
        self.unlisted.extend(lost.map(|one| (one.name.clone(), until)));
        if self.shared.mode == Mode::Shadow {
            return Ok(());
        }
        for one in missing {
            match self.client.list(&one).await {
                Err(error @ Error::Denied { .. }) => {
                    self.do_without_colours(&error);
                    return Ok(());
                }
                other => other?,
            }
            if !made.contains(&one.name) {
                made.push(one.name);
            }
        }
        Ok(self.at_desk(move |desk| Ok(desk.tx.set_outlook_made(desk.mailbox, &made)?)).await?)
    }

    fn do_without_colours(&mut self, error: &Error) {
        let words = format!("the categories work, without colours of Baton's choice: {error}");
        if self.notice.as_ref() != Some(&words) {
            tracing::warn!(mailbox = self.mailbox.name, "{}: {words}", self.mailbox.name);
        }
        self.notice = Some(words);
    }

    /// Reads what has changed since the last time.
    async fn read(&mut self) -> Result<(), Failed> {
        let read_to = self.at_desk(|desk| Ok(desk.tx.outlook(desk.mailbox)?)).await?;
        let Some(read_to) = read_to.unwrap_or_default().read_to else {
            // What was coloured before Baton came is no gesture.
            let begin = self.client.last_change().await?.unwrap_or(Timestamp(0));
            self.at_desk(move |desk| Ok(desk.tx.set_outlook_read_to(desk.mailbox, begin)?)).await?;
            return self.heard().await;
        };
        let since = (read_to - OVERLAP).max(Timestamp(0));
        let (mut next, mut read) = (None, BTreeSet::new());
        for pages in 1.. {
            let page = self.client.changed(since, next.as_deref()).await?;
            read.extend(page.copies.iter().map(as_read));
            let last = page.copies.iter().filter_map(|copy| copy.changed_at).max();
            next = page.next.clone();
            self.notice_all(page).await?;
            // Whoever marks a big folder as read changes thousands in a second; a round that stopped among them would
            // be followed by the same one again.
            let is_further = last.is_some_and(|last| since + OVERLAP < last);
            if next.is_none() || (PAGES_MAX <= pages && is_further) {
                break;
            }
        }
        self.read = read;
        self.heard().await
    }

    /// Graph has answered.
    async fn heard(&mut self) -> Result<(), Failed> {
        let (now, notice) = (self.shared.clock.now(), self.notice.clone());
        self.read_at = Some(now);
        let heard = move |desk: &Desk<'_>| {
            Ok(desk.tx.set_outlook_seen(desk.mailbox, now, notice.as_deref())?)
        };
        Ok(self.at_desk(heard).await?)
    }

    async fn notice_all(&mut self, page: Changed) -> Result<(), Failed> {
        let is_news = |copy: &Copy| !self.read.contains(&as_read(copy));
        let news: Vec<Copy> = page.copies.into_iter().filter(is_news).collect();
        if news.is_empty() {
            return Ok(());
        }
        let to = news.iter().filter_map(|copy| copy.changed_at).max();
        let copies = news.into_iter().filter(|copy| !self.folders.leaves_alone(&copy.folder));
        let copies: Vec<Categorised> = copies.map(|copy| self.categorised(copy)).collect();
        if !copies.is_empty() && self.notice.is_none() {
            // Whether a category was deleted has to be known before what it left behind is read.
            self.list().await?;
        }
        let glance = self.glance();
        self.at_desk(move |desk| {
            for copy in &copies {
                outlook::notice(desk, &glance, copy)?;
            }
            let before = desk.tx.outlook(desk.mailbox)?.and_then(|known| known.read_to);
            match to.filter(|to| Some(*to) > before) {
                Some(to) => Ok(desk.tx.set_outlook_read_to(desk.mailbox, to)?),
                None => Ok(()),
            }
        })
        .await?;
        self.shared.bell(&self.mailbox.name).notify_one();
        Ok(())
    }

    fn categorised(&self, copy: Copy) -> Categorised {
        Categorised {
            in_inbox: self.folders.is_inbox(&copy.folder),
            id: copy.id,
            message_id: copy.message_id,
            folder: copy.folder,
            categories: copy.categories,
        }
    }

    /// Shows some of what is due. Answers whether there may be more.
    async fn show(&mut self) -> Result<bool, Failed> {
        if self.shared.mode == Mode::Shadow {
            return Ok(false);
        }
        let due = self.at_desk(outlook::due).await?;
        for showing in &due {
            self.show_one(showing).await?;
        }
        if !due.is_empty() {
            self.shared.bell(&self.mailbox.name).notify_one();
        }
        Ok(!due.is_empty())
    }

    async fn show_one(&mut self, showing: &Showing) -> Result<(), Failed> {
        for carrier in &showing.mails {
            match self.carry(carrier).await {
                Ok(()) => {}
                // One mail that Graph will not have must not stop the others.
                Err(Failed(error, _)) if is_about_the_mail(&error) => {
                    let (showing, words) = (showing.clone(), format!("{error:#}"));
                    tracing::warn!(
                        mailbox = self.mailbox.name,
                        "{}: a mail's categories are not shown: {words}",
                        self.mailbox.name
                    );
                    self.at_desk(move |desk| outlook::failed(desk, &showing, &words)).await?;
                    return Ok(());
                }
                Err(failed) => return Err(failed),
            }
        }
        let showing = showing.clone();
        Ok(self.at_desk(move |desk| outlook::shown(desk, &showing)).await?)
    }

    /// Makes each copy of a mail carry what it should.
    async fn carry(&mut self, carrier: &Carrier) -> Result<(), Failed> {
        let mut copies = Vec::new();
        for id in &carrier.copies {
            match self.client.copy(id).await? {
                Some(copy) => copies.push(copy),
                None => self.forget(id).await?,
            }
        }
        if copies.is_empty() {
            copies = self.client.find(&carrier.message_id).await?;
        }
        copies.retain(|copy| !self.folders.leaves_alone(&copy.folder));
        for copy in copies {
            let (message, glance, copy) = (carrier.message, self.glance(), self.categorised(copy));
            let id = copy.id.clone();
            let compare = move |desk: &Desk<'_>| outlook::compare(desk, &glance, message, &copy);
            let Some(list) = self.at_desk(compare).await? else { continue };
            match self.client.categorise(&id, &list).await? {
                Some(now) => {
                    let now = self.categorised(now);
                    self.at_desk(move |desk| outlook::written(desk, message, &now)).await?;
                }
                None => self.forget(&id).await?,
            }
        }
        Ok(())
    }

    async fn forget(&self, id: &str) -> anyhow::Result<()> {
        let id = id.to_owned();
        self.at_desk(move |desk| outlook::gone(desk, &id)).await
    }

    /// Takes everything of Baton's off, from the mails and from the mailbox's list.
    pub(super) async fn leave(&mut self) -> Result<(), Failed> {
        self.at_desk(|desk| Ok(desk.tx.leave_categories(desk.mailbox)?)).await?;
        let policy = self.shared.policy(&self.mailbox.name)?;
        loop {
            let rows =
                self.at_desk(|desk| Ok(desk.tx.outlook_copies(desk.mailbox, LEAVING_MAX)?)).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                match self.take_off(&policy, &row).await {
                    Err(Failed(error, _)) if is_about_the_mail(&error) => tracing::warn!(
                        mailbox = self.mailbox.name,
                        "{}: a mail keeps its categories: {error:#}",
                        self.mailbox.name
                    ),
                    taken => taken?,
                }
                self.forget(&row.id).await?;
            }
        }
        let known = self.at_desk(|desk| Ok(desk.tx.outlook(desk.mailbox)?)).await?;
        self.unlist(&known.unwrap_or_default().made).await?;
        self.at_desk(|desk| Ok(desk.tx.forget_categories(desk.mailbox)?)).await?;
        let name = &self.mailbox.name;
        tracing::info!(mailbox = name, "{name}: Baton's categories are taken off");
        Ok(())
    }

    async fn take_off(&mut self, policy: &Policy, row: &OutlookCopy) -> Result<(), Failed> {
        let Some(copy) = self.client.copy(&row.id).await? else { return Ok(()) };
        let none = BTreeSet::new();
        if let Some(list) = category::to_write(policy, &none, &row.names, &copy.categories) {
            self.client.categorise(&row.id, &list).await?;
        }
        Ok(())
    }

    async fn unlist(&mut self, made: &[String]) -> Result<(), Failed> {
        let listed = match self.client.listed().await {
            Err(Error::Denied { .. }) => return Ok(()),
            listed => listed?,
        };
        for (id, _) in listed.iter().filter(|(_, name)| made.contains(name)) {
            self.client.unlist(id).await?;
        }
        Ok(())
    }
}

fn as_read(copy: &Copy) -> Read {
    (copy.id.clone(), copy.changed_at, copy.categories.clone())
}

fn is_about_the_mail(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Refused { .. } | Error::Absent { .. }))
}
