//! What must hold at every instant, and what must hold once nobody acts any more.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use baton::desk::event::{Actor, Event, What};
use baton::desk::layout::Layout;
use baton::desk::marks::{Mark, Place, should_carry, should_move, wanted_marks, wanted_place};
use baton::desk::thread::{MessageKey, Position, State, Thread, ThreadId};
use baton::engine::{self, Action, Answer, Request, Verb, Write};
use baton::store::{Effect, Located};

use super::dice::Dice;
use super::office::{MAILBOX, Office};
use super::post::Sort;

/// How often one looks and writes until everything agrees.
const ROUNDS_MAX: u32 = 12;
/// How many plans are written after one look.
const PLANS_MAX: usize = 20;

/// What Baton must never write, whatever is wanted.
pub(super) fn may_be_written(office: &Office, write: &Write) -> anyhow::Result<()> {
    let role = office.server.folder(&write.folder).map_or("", |folder| folder.role);
    ensure!(!write.uids.is_empty(), "writes nothing: {write:?}");
    match &write.action {
        Action::Flags { add, remove } => {
            ensure!(!add.is_empty() || !remove.is_empty(), "writes no flags: {write:?}");
            for flag in add.iter().chain(remove) {
                let ours = flag.starts_with("baton-") || flag == "\\Flagged";
                ensure!(ours, "writes {flag}, which is not Baton's");
            }
            ensure!(!["drafts", "junk", "trash"].contains(&role), "marks in {role}: {write:?}");
        }
        Action::MoveTo(_) => {
            ensure!(office.layout == Layout::Folders, "moves where marks are keywords: {write:?}");
            let kept = ["sent", "drafts", "junk", "trash"];
            ensure!(!kept.contains(&role), "moves out of {role}: {write:?}");
        }
    }
    Ok(())
}

/// Where things stood before a command.
pub(super) struct Before {
    threads: BTreeMap<ThreadId, Position>,
    /// For an undo of a thread's latest event: that event, and where the thread stood before it.
    latest: Option<(Event, Position)>,
}

impl Before {
    pub(super) fn of(office: &Office, verb: &Verb, threads: &[Thread]) -> anyhow::Result<Before> {
        let positions = threads.iter().map(|one| (one.id, one.now.clone())).collect();
        let mut latest = None;
        if let Verb::Undo { event } = verb {
            let event = office.read(|tx| Ok(tx.event(*event)?))?.unwrap();
            let events = office.read(|tx| Ok(tx.events_of(event.thread)?))?;
            if events.last().is_some_and(|last| last.seq == event.seq) {
                let mut folded = Thread::unborn(event.thread, "", event.at);
                events.iter().filter(|one| one.seq < event.seq).for_each(|one| folded.apply(one));
                latest = Some((event, folded.now));
            }
        }
        Ok(Before { threads: positions, latest })
    }

    pub(super) fn check(
        self,
        office: &Office,
        request: &Request,
        answer: &Answer,
    ) -> anyhow::Result<()> {
        let now: BTreeMap<ThreadId, Position> =
            office.threads()?.into_iter().map(|one| (one.id, one.now)).collect();
        if !answer.done {
            ensure!(self.threads == now, "refused, and yet something changed: {}", answer.words);
        }
        if let Verb::Claim { thread } = &request.verb {
            let before = &self.threads[thread];
            let taken = before.owner.as_ref().filter(|owner| **owner != request.actor);
            if before.state.is_open() && taken.is_some() && before.merged_into.is_none() {
                ensure!(!answer.done, "a second claim was granted: {}", answer.words);
            }
            if answer.done {
                ensure!(
                    now[thread].owner.as_ref() == Some(&request.actor),
                    "a claim without effect"
                );
            }
        }
        if let Some((event, before)) = self.latest
            && is_act(&event.what)
            && event.other.is_none()
        {
            ensure!(answer.done, "the latest act cannot be undone: {}", answer.words);
            let after = &now[&event.thread];
            ensure!(*after == before, "undo left {after:?}, it was {before:?}");
        }
        Ok(())
    }
}

fn is_act(what: &What) -> bool {
    !matches!(
        what,
        What::Opened { .. }
            | What::CustomerWrote { .. }
            | What::InternalWrote { .. }
            | What::MachineWrote { .. }
            | What::OwnWrote { .. }
            | What::Replied { .. }
            | What::ClaimLost { .. }
            | What::Restored { .. }
            | What::CopyCameBack { .. }
            | What::Acknowledged { .. }
            | What::FellSilent { .. }
            | What::AnsweredTwice { .. }
            | What::NotShown { .. }
    )
}

impl Office {
    /// What holds at every instant: the log says what the threads say.
    pub(super) fn holds_always(&self) -> anyhow::Result<()> {
        let (differences, _, _) = self.read(engine::rebuild)?;
        ensure!(differences.is_empty(), "rebuild differs: {differences:?}");
        for thread in self.threads()? {
            makes_sense(thread.id, &thread.now)?;
        }
        Ok(())
    }

    /// Every event in its turn: first come, first served, nothing twice, and nothing written down that says nothing.
    pub(super) fn log_is_lawful(&self) -> anyhow::Result<()> {
        let mut mails = BTreeSet::new();
        let mut twice = Vec::new();
        self.read(|tx| {
            Ok(tx.each_event(|event| {
                if let Some(message) = mail_of(&event.what)
                    && !mails.insert((event.what.kind(), message))
                {
                    twice.push(format!("{event:?}"));
                }
            })?)
        })?;
        ensure!(twice.is_empty(), "told twice: {twice:?}");
        for thread in self.threads()? {
            let events = self.read(|tx| Ok(tx.events_of(thread.id)?))?;
            let mut folded = Thread::unborn(thread.id, MAILBOX, thread.created_at);
            for event in events {
                let before = folded.now.clone();
                folded.apply(&event);
                if event.thread == thread.id {
                    lawful(&event, &before, &folded.now)?;
                }
            }
        }
        Ok(())
    }

    /// Nobody acts; looks and writes until there is nothing to do. Answers the rounds and the writes.
    pub(super) async fn settle(&mut self) -> anyhow::Result<(u32, usize)> {
        let trouble = std::mem::replace(&mut self.trouble, 0);
        let mut dice = Dice::new(0);
        self.now = self.latest;
        let mut total = 0;
        for round in 1..=ROUNDS_MAX {
            self.advance(61);
            self.tick().await?;
            self.trace.push(format!("settling, round {round}"));
            let again = self.pass(&mut dice).await?;
            let mut wrote = 0;
            for _ in 0..PLANS_MAX {
                match self.write(&mut dice).await? {
                    0 => break,
                    some => wrote += some,
                }
            }
            total += wrote;
            let waiting = self.read(|tx| {
                let mailbox = tx.mailbox_id(MAILBOX)?.unwrap();
                Ok(tx.next_wish_at(mailbox, Effect::ShowMarks)?)
            })?;
            if !again && wrote == 0 && waiting.is_none() {
                self.trouble = trouble;
                return Ok((round, total));
            }
        }
        bail!("not settled after {ROUNDS_MAX} rounds")
    }

    /// What holds when everything has been looked at and written.
    pub(super) fn holds_when_settled(&self) -> anyhow::Result<()> {
        self.holds_always()?;
        self.log_is_lawful()?;
        self.every_message_is_accounted_for()?;
        for thread in self.threads()? {
            self.is_shown(&thread)?;
        }
        self.customers_are_heard()
    }

    fn every_message_is_accounted_for(&self) -> anyhow::Result<()> {
        for folder in self.server.folders.iter().filter(|folder| folder.role != "other") {
            let uids: Vec<u32> = folder.copies.keys().copied().collect();
            let account = self.read(|tx| {
                let mailbox = tx.mailbox_id(MAILBOX)?.unwrap();
                engine::account(tx, mailbox, &folder.name, folder.uidvalidity, &uids)
            })?;
            ensure!(account.unknown.is_empty(), "{}: unknown {:?}", folder.name, account.unknown);
            ensure!(account.surplus.is_empty(), "{}: surplus {:?}", folder.name, account.surplus);
        }
        Ok(())
    }

    /// The mailbox shows what the database says of the thread.
    fn is_shown(&self, thread: &Thread) -> anyhow::Result<()> {
        let mails = self.read(|tx| Ok(tx.count_messages(thread.id)?))?;
        let merged = thread.now.merged_into;
        ensure!(merged.is_none() || mails == 0, "{} has mails in a merged thread", thread.id);
        ensure!(merged.is_some() || mails > 0, "{} has no mail: {:?}", thread.id, thread.now);
        // A copy that a mail program put back stays there as it is: who touched it would get another.
        let events = self.read(|tx| Ok(tx.events_of(thread.id)?))?;
        let was_put_back = |copy: &Located| {
            let here = |event: &Event| matches!(&event.what, What::CopyCameBack { folder } if *folder == copy.folder);
            events.iter().any(here)
        };
        let copies = self.read(|tx| Ok(tx.locations_of_thread(thread.id)?))?;
        let dialect = self.dialect();
        let wanted: BTreeSet<Mark> = wanted_marks(&thread.now, dialect.flags)
            .into_iter()
            .filter(|mark| self.layout != Layout::Folders || *mark == Mark::Escalated)
            .collect();
        for copy in copies.iter().filter(|copy| !was_put_back(copy)) {
            let there = self.server.copy(&copy.folder, copy.uid).unwrap();
            let flags: Vec<String> = there.flags.iter().cloned().collect();
            let known: BTreeSet<String> = copy.flags.iter().cloned().collect();
            ensure!(known == there.flags, "{copy:?} carries {flags:?} on the server");
            let shown = dialect.marks(self.policy(), &flags);
            ensure!(
                shown == wanted || !should_carry(&copy.place),
                "{} is {:?} and should show {wanted:?}; mail {} in {} {} shows {shown:?}",
                thread.id,
                thread.now,
                there.mail,
                copy.folder,
                copy.uid
            );
        }
        match self.layout {
            Layout::Folders => lies_right(thread, &copies, was_put_back),
            Layout::Keywords | Layout::Labels => Ok(()),
        }
    }

    /// A customer's mail that lies where the team looks belongs to a thread, and to an open one if nobody acted on it.
    fn customers_are_heard(&self) -> anyhow::Result<()> {
        let inbox = self.server.folder("INBOX").unwrap();
        let since = self.policy().since;
        for (uid, copy) in inbox.copies.iter().filter(|(_, copy)| copy.arrived_at >= since) {
            if !matches!(self.mails[copy.mail].sort, Sort::Customer) {
                continue;
            }
            let Some((_, thread)) = self.key_of(copy.mail)? else {
                bail!("mail {} in INBOX {uid} is not known", copy.mail)
            };
            // A mail that came twice, once before the cut-over, stays history.
            let history = self.server.copies_of(copy.mail) > 1;
            ensure!(
                thread.is_some() || history || self.touches.contains_key(&copy.mail),
                "mail {} in INBOX {uid} has no thread",
                copy.mail
            );
        }
        Ok(())
    }
}

/// The mail that an event tells of.
fn mail_of(what: &What) -> Option<MessageKey> {
    match what {
        What::Opened { message, .. }
        | What::CustomerWrote { message, .. }
        | What::InternalWrote { message, .. }
        | What::MachineWrote { message, .. }
        | What::OwnWrote { message, .. }
        | What::Replied { message, .. } => Some(*message),
        _ => None,
    }
}

/// No position contradicts itself.
fn makes_sense(id: ThreadId, now: &Position) -> anyhow::Result<()> {
    ensure!(now.state != State::New || now.owner.is_none(), "{id} is new and owned: {now:?}");
    ensure!(now.state != State::Assigned || now.owner.is_some(), "{id} is nobody's: {now:?}");
    ensure!(
        now.state != State::Blocked || now.block.is_some(),
        "{id} is blocked by nothing: {now:?}"
    );
    ensure!(
        now.merged_into.is_none() || now.state == State::Ignored,
        "{id} was merged and is not at rest: {now:?}"
    );
    Ok(())
}

fn lawful(event: &Event, before: &Position, after: &Position) -> anyhow::Result<()> {
    let words = || format!("event {} {:?} on {before:?}", event.seq, event.what);
    match &event.what {
        What::Claimed { agent } => {
            let free = before.owner.is_none() || !before.state.is_open();
            ensure!(free, "a second claim won: {}", words());
            ensure!(after.owner.as_ref() == Some(agent), "a claim gave nothing: {}", words());
        }
        What::ClaimLost { agent, owner } => {
            ensure!(before.owner.as_ref() == Some(owner) && agent != owner, "{}", words());
            ensure!(before.state.is_open(), "{}", words());
        }
        _ => (),
    }
    if let (Some(old), Some(new)) = (&before.owner, &after.owner)
        && old != new
    {
        let may = matches!(
            event.what,
            What::Assigned { .. } | What::Undone { .. } | What::Automated { .. }
        ) || (matches!(event.what, What::Claimed { .. }) && !before.state.is_open());
        ensure!(may, "changed hands: {}", words());
    }
    let marker = event.other.is_some()
        || matches!(
            event.what,
            What::CustomerWrote { .. }
                | What::InternalWrote { .. }
                | What::MachineWrote { .. }
                | What::OwnWrote { .. }
                | What::Replied { .. }
                | What::ClaimLost { .. }
                | What::Automated { .. }
                | What::Restored { .. }
                | What::CopyCameBack { .. }
                | What::NotShown { .. }
                | What::CameBack { .. }
                | What::FellSilent { .. }
                | What::AnsweredTwice { .. }
                | What::Acknowledged { .. }
                | What::Undone { .. }
        );
    ensure!(marker || before != after, "nothing happened: {}", words());
    ensure!(event.actor != Actor::Rule(String::new()), "{}", words());
    Ok(())
}

/// Each mail lies where its thread should, or a copy of it does.
fn lies_right(
    thread: &Thread,
    copies: &[Located],
    stays: impl Fn(&Located) -> bool,
) -> anyhow::Result<()> {
    let target = wanted_place(&thread.now);
    let moves = |copy: &&Located| should_move(&thread.now, &copy.place) && !stays(copy);
    for copy in copies.iter().filter(moves) {
        let other = |one: &&Located| one.message == copy.message && one.place == target;
        ensure!(
            copies.iter().any(|one| other(&one)),
            "{} should lie in {target:?}; a mail of it lies in {} {}: {:?}",
            thread.id,
            copy.folder,
            copy.uid,
            thread.now
        );
    }
    ensure!(
        copies.iter().all(|copy| copy.place != Place::Gone),
        "a folder that is nowhere holds a mail of {}",
        thread.id
    );
    Ok(())
}
