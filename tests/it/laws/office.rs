//! The office: the real engine and the real store on one side, the server in memory on the other, and between them the
//! door's walk, step by step as in `imap/watch.rs`, with something happening meanwhile or a crash wherever one may come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baton::clock::Timestamp;
use baton::desk::layout::{Dialect, Layout, MarkNames};
use baton::desk::policy::{KeepText, Policy, Sending};
use baton::desk::roster::{Agent, AgentId};
use baton::engine::{self, Desk, Flags, ListedFolder, Outcome, Policies, Seen};
use baton::store::{Reader, Store, Tx};

use super::dice::Dice;
use super::post::{Mail, SHARED};
use super::server::{Server, Telling};

pub(super) const MAILBOX: &str = "support";
/// When a schedule begins; the cut-over is a day before.
pub(super) const BEGIN: Timestamp = Timestamp(1_800_000_000);
const DAY: i64 = 86_400;

/// The counters of a folder when it was looked at.
type Counters = (u32, u32, usize, u64);

pub(super) struct Office {
    pub(super) store: Store,
    pub(super) reader: Reader,
    pub(super) policies: Arc<Policies>,
    pub(super) layout: Layout,
    pub(super) server: Server,
    pub(super) mails: Vec<Mail>,
    pub(super) now: Timestamp,
    /// The latest time that was ever shown, for the clock may be set back.
    pub(super) latest: Timestamp,
    /// How much goes wrong and happens meanwhile; 0 when it is calm.
    pub(super) trouble: usize,
    /// How often outcomes of writes were lost, or UIDs.
    pub(super) losses: u32,
    /// What people did to each mail.
    pub(super) touches: BTreeMap<usize, u32>,
    pub(super) trace: Vec<String>,
    tells_percent: usize,
    looked: BTreeMap<String, Counters>,
    survey_first: bool,
    _dir: tempfile::TempDir,
}

fn agents(count: usize) -> Vec<Agent> {
    let names = ["ana", "ben", "cyd", "dan", "eli", "fay", "gus", "hal", "ida", "jon"];
    let agent = |id: &&str| Agent {
        id: AgentId((*id).into()),
        name: format!("{} Agent", id.to_uppercase()),
        address: format!("{id}@example.test"),
        mark: id.to_uppercase(),
        mailboxes: Vec::new(),
        cards: true,
    };
    names.iter().take(count).map(agent).collect()
}

fn policy(dice: &mut Dice) -> Policy {
    let people = 2 + dice.below(9);
    Policy {
        mailbox: MAILBOX.into(),
        own_addresses: vec![SHARED.into()],
        agents: agents(people),
        since: BEGIN - Duration::from_secs(DAY as u64),
        reopen_within: Duration::from_secs(10 * DAY as u64),
        join_within: Duration::from_secs(10 * DAY as u64),
        burst_moves_per_minute: *dice.pick(&[2, 5, 30, 30]).unwrap(),
        leave_moved: Duration::from_secs(*dice.pick(&[0, 0, 30]).unwrap()),
        flag_escalates: *dice.pick(&[None, Some(true), Some(false)]).unwrap(),
        keep_text: KeepText::Excerpt,
        names: MarkNames::default(),
        sending: Sending::default(),
        key: Default::default(),
        deadlines: None,
    }
}

fn tempdir() -> anyhow::Result<tempfile::TempDir> {
    // In memory where there is such a place: what is tested is the order of things, not the disk.
    let memory = std::path::Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

impl Office {
    pub(super) async fn open(seed: u64) -> anyhow::Result<Office> {
        let mut dice = Dice::new(seed);
        let layout = *dice.pick(&[Layout::Keywords, Layout::Folders]).unwrap();
        let telling = *dice.pick(&[Telling::All, Telling::Flags, Telling::Nothing]).unwrap();
        let policy = policy(&mut dice);
        let mut server = Server::new(telling);
        let dialect = Dialect::new(&policy, layout, "", '/');
        for folder in dialect.folders(&policy) {
            server.create(&folder, "baton");
        }
        let dir = tempdir()?;
        let store = Store::open(dir.path())?;
        let reader = Reader::open(dir.path())?;
        let mut office = Office {
            store,
            reader,
            policies: Arc::new(BTreeMap::from([(MAILBOX.to_string(), policy)])),
            layout,
            server,
            mails: Vec::new(),
            now: BEGIN,
            latest: BEGIN,
            trouble: 12,
            losses: 0,
            touches: BTreeMap::new(),
            trace: Vec::new(),
            tells_percent: *dice.pick(&[0, 50, 100]).unwrap(),
            looked: BTreeMap::new(),
            survey_first: true,
            _dir: dir,
        };
        office.list().await?;
        Ok(office)
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policies[MAILBOX]
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect::new(self.policy(), self.layout, "", '/')
    }

    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&Tx<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.reader.read(look)
    }

    pub(super) fn advance(&mut self, seconds: i64) {
        self.now = Timestamp(self.now.0 + seconds);
        self.latest = self.latest.max(self.now);
    }

    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (policies, now) = (Arc::clone(&self.policies), self.now);
        let write = move |tx: &Tx<'_>| {
            let policy = &policies[MAILBOX];
            let (mailbox, dialect) = engine::dialect(tx, policy)?;
            work(&Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO })
        };
        self.store.write(write).await
    }

    pub(super) async fn list(&mut self) -> anyhow::Result<()> {
        let listed: Vec<ListedFolder> = self
            .server
            .folders
            .iter()
            .map(|folder| ListedFolder {
                name: folder.name.clone(),
                role: folder.role.to_string(),
                selectable: true,
            })
            .collect();
        let (policies, dialect) = (Arc::clone(&self.policies), self.dialect());
        let work = move |tx: &Tx<'_>| {
            let mailbox = tx.mailbox(MAILBOX)?;
            tx.set_dialect(mailbox, dialect.layout, &dialect.prefix, dialect.delimiter)?;
            engine::list(tx, &policies[MAILBOX], &dialect, mailbox, &listed)
        };
        self.store.write(work).await?;
        Ok(())
    }

    pub(super) async fn tick(&mut self) -> anyhow::Result<()> {
        let (policies, now) = (Arc::clone(&self.policies), self.now);
        self.store.write(move |tx| engine::tick(tx, &policies, now)).await?;
        Ok(())
    }

    /// What may happen while the door is at work.
    async fn meanwhile(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        if dice.chance(self.trouble) {
            self.trace.push("  meanwhile:".into());
            self.somebody_acts(dice).await?;
        }
        Ok(())
    }

    /// The connection is lost, or Baton is killed: what was not kept is forgotten.
    fn cut(&mut self) {
        self.trace.push("  cut".into());
        self.looked.clear();
        self.survey_first = true;
    }

    fn seen(&self, folder: &str, uid: u32) -> Option<Seen> {
        let copy = self.server.copy(folder, uid)?;
        Some(Seen {
            uid,
            flags: copy.flags.iter().cloned().collect(),
            arrived_at: copy.arrived_at,
            size: 1000,
            gmail: None,
            message: Some(self.mails[copy.mail].message.clone()),
            raw: None,
        })
    }

    /// Looks at one folder, as `imap/catch_up.rs`. Answers whether it came to the end.
    pub(super) async fn look(&mut self, name: &str, dice: &mut Dice) -> anyhow::Result<bool> {
        let folder = self.server.folder(name).unwrap();
        let (uidvalidity, uidnext, highest) = (folder.uidvalidity, folder.uidnext, folder.highest);
        let exists = folder.copies.len();
        let of = name.to_string();
        let cursor = self.at_desk(move |desk| Ok(desk.tx.folder(desk.mailbox, &of)?)).await?;
        let cursor = cursor.ok_or_else(|| anyhow::anyhow!("{name} was never listed"))?;
        let anew = cursor.uidvalidity != uidvalidity;
        if anew && cursor.uidvalidity != 0 {
            self.trace.push(format!("  {name} was numbered anew"));
            let folder = cursor.clone();
            self.at_desk(move |desk| engine::lose_uids(desk, &folder, uidvalidity)).await?;
        }
        let from = if anew { 1 } else { cursor.next_uid };
        if !self.arrivals(name, uidvalidity, from..uidnext, dice).await? {
            return Ok(false);
        }
        if anew {
            let id = cursor.id;
            self.at_desk(move |desk| Ok(desk.tx.set_modseq(id, highest)?)).await?;
        } else {
            let known = self.at_desk(move |desk| Ok(desk.tx.flags_in(cursor.id)?)).await?;
            let changes = self.changes(name, &cursor, known, exists);
            self.meanwhile(dice).await?;
            if !changes.flags.is_empty() || !changes.vanished.is_empty() {
                self.trace.push(format!("  {name} changed: {changes:?}"));
            }
            self.at_desk(move |desk| {
                let folder = desk.tx.folder(desk.mailbox, &cursor.name)?.unwrap();
                engine::change(desk, &folder, &changes)?;
                Ok(desk.tx.set_modseq(folder.id, highest)?)
            })
            .await?;
        }
        self.looked.insert(name.to_string(), (uidvalidity, uidnext, exists, highest));
        Ok(true)
    }

    async fn arrivals(
        &mut self,
        name: &str,
        uidvalidity: u32,
        new: std::ops::Range<u32>,
        dice: &mut Dice,
    ) -> anyhow::Result<bool> {
        let uids: Vec<u32> = self
            .server
            .folder(name)
            .unwrap()
            .copies
            .range(new.clone())
            .map(|(uid, _)| *uid)
            .collect();
        let batch = 1 + dice.below(5);
        let mut chunks: Vec<(Vec<u32>, u32)> = uids
            .chunks(batch)
            .map(|chunk| (chunk.to_vec(), chunk.last().map_or(1, |uid| uid + 1)))
            .collect();
        chunks.push((Vec::new(), new.end));
        for (uids, next_uid) in chunks {
            let all: Vec<Seen> = uids.iter().filter_map(|uid| self.seen(name, *uid)).collect();
            self.meanwhile(dice).await?;
            if dice.chance(self.trouble / 4) {
                self.cut();
                return Ok(false);
            }
            for seen in &all {
                self.trace.push(format!("  sees {name} {} {:?}", seen.uid, seen.flags));
            }
            let of = name.to_string();
            self.at_desk(move |desk| {
                let mut folder = desk.tx.folder(desk.mailbox, &of)?.unwrap();
                folder.uidvalidity = uidvalidity;
                engine::arrivals(desk, &folder, &all, next_uid)
            })
            .await?;
        }
        Ok(true)
    }

    fn changes(
        &self,
        name: &str,
        cursor: &baton::store::Folder,
        known: Vec<(u32, Vec<String>)>,
        exists: usize,
    ) -> Flags {
        let folder = self.server.folder(name).unwrap();
        let below = cursor.next_uid;
        let flags_of = |uid: &u32| {
            let copy = folder.copies.get(uid)?;
            Some((*uid, copy.flags.iter().cloned().collect::<Vec<_>>()))
        };
        let by_modseq = match self.server.telling {
            Telling::All => true,
            Telling::Flags => known.len() == exists,
            Telling::Nothing => false,
        };
        let mut changes = Flags::default();
        if by_modseq {
            let newer = folder.copies.iter().filter(|(_, copy)| copy.modseq > cursor.modseq);
            changes.flags = newer
                .filter(|(uid, _)| **uid < below)
                .filter_map(|(uid, _)| flags_of(uid))
                .collect();
            if self.server.telling == Telling::All {
                let gone = folder.expunged.iter().filter(|(_, at)| *at > cursor.modseq);
                changes.vanished =
                    gone.filter(|(uid, _)| *uid < below).map(|(uid, _)| *uid).collect();
            }
            return changes;
        }
        for (uid, then) in known.into_iter().filter(|(uid, _)| *uid < below) {
            match flags_of(&uid) {
                None => changes.vanished.push(uid),
                Some((_, now)) => {
                    let same = now.len() == then.len() && then.iter().all(|one| now.contains(one));
                    if !same {
                        changes.flags.push((uid, now));
                    }
                }
            }
        }
        changes
    }

    /// Looks wherever there is news, or only here and there, and judges. Answers whether another look is wanted.
    pub(super) async fn pass(&mut self, dice: &mut Dice) -> anyhow::Result<bool> {
        self.list().await?;
        let mut due: Vec<String> = Vec::new();
        for folder in self.server.folders.iter().filter(|folder| folder.role != "other") {
            let now = (folder.uidvalidity, folder.uidnext, folder.copies.len(), folder.highest);
            let blind = self.server.telling == Telling::Nothing;
            if blind || self.looked.get(&folder.name) != Some(&now) {
                due.push(folder.name.clone());
            }
        }
        dice.shuffle(&mut due);
        if !self.survey_first && self.trouble > 0 && dice.chance(30) {
            let some = dice.below(due.len() + 1);
            due.truncate(some);
        }
        self.trace.push(format!("pass over {due:?}"));
        for name in due {
            if !self.look(&name, dice).await? {
                return Ok(true);
            }
            self.meanwhile(dice).await?;
        }
        let again = self.at_desk(engine::judge).await?;
        self.survey_first = again;
        Ok(again)
    }

    /// Writes what is wanted, once. Answers how many writes there were.
    pub(super) async fn write(&mut self, dice: &mut Dice) -> anyhow::Result<usize> {
        let planned = self.at_desk(engine::plan).await?;
        let writes = planned.writes.clone();
        if writes.is_empty() {
            return Ok(0);
        }
        let mut outcomes = Vec::new();
        for write in &writes {
            self.meanwhile(dice).await?;
            if dice.chance(self.trouble / 4) {
                self.losses += 1;
                self.cut();
                return Ok(writes.len());
            }
            super::proofs::may_be_written(self, write)?;
            let outcome = if dice.chance(self.trouble / 4) {
                Outcome::Refused("[INUSE] try again".into())
            } else {
                let tells = dice.chance(self.tells_percent);
                self.server.carry_out(write, tells)
            };
            self.trace.push(format!("  writes {write:?} -> {outcome:?}"));
            outcomes.push(outcome);
        }
        self.meanwhile(dice).await?;
        if dice.chance(self.trouble / 2) {
            self.losses += 1;
            self.cut();
            return Ok(writes.len());
        }
        self.at_desk(move |desk| engine::settle(desk, &planned, &outcomes)).await?;
        Ok(writes.len())
    }
}
