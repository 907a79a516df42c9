//! Who acts: customers write, the team answers, tags, moves and deletes in the mailbox, and gives commands.

use std::sync::Arc;

use baton::clock::Timestamp;
use baton::desk::layout::Layout;
use baton::desk::roster::AgentId;
use baton::desk::thread::{MessageKey, Position, Thread, ThreadId};
use baton::engine::{self, Request, Verb};
use baton::store::ThreadFilter;

use super::dice::Dice;
use super::office::Office;
use super::post::{self, CUSTOMERS, Letter, SHARED, Sort};
use super::proofs;

/// How far back the mails go that somebody still acts on: so that people meet.
const RECENT: usize = 12;

impl Office {
    /// One act of somebody.
    pub(super) async fn somebody_acts(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        match dice.weighted(&[30, 40, 30]) {
            0 => self.mail(dice),
            1 => self.gesture(dice),
            _ => return self.command(dice).await,
        }
        Ok(())
    }

    /// A mail comes, leaves, or is begun.
    pub(super) fn mail(&mut self, dice: &mut Dice) {
        let earlier = self.mails.len();
        let kinds =
            if earlier == 0 { [1, 0, 0, 0, 0, 0, 0, 0] } else { [30, 25, 6, 6, 22, 5, 9, 4] };
        let kind = dice.weighted(&kinds);
        if kind == 7 {
            return self.delivered_twice(dice);
        }
        let answered = earlier.saturating_sub(1 + dice.below(RECENT)).min(earlier.max(1) - 1);
        let letter = match kind {
            0 => self.letter(dice, Sort::Customer, None),
            1 => self.letter(dice, Sort::Customer, Some(answered)),
            2 => self.letter(dice, Sort::Thanks, Some(answered)),
            3 => self.letter(dice, Sort::Robot, Some(answered)),
            4 => self.letter(dice, Sort::Reply, Some(answered)),
            5 => self.letter(dice, Sort::Internal, Some(answered)),
            _ => self.letter(dice, Sort::Draft, Some(answered)),
        };
        let folder = match letter.sort {
            Sort::Reply => "Sent",
            Sort::Draft => "Drafts",
            _ => *dice
                .pick(&["INBOX", "INBOX", "INBOX", "INBOX", "INBOX", "Junk", "Archive"])
                .unwrap(),
        };
        // Some mails come late, some from before the cut-over: a client may carry them in from elsewhere.
        let late = if dice.chance(10) { dice.below(200_000) as i64 } else { 0 };
        let arrived_at = Timestamp(self.now.0 - late);
        let number = self.mails.len();
        let mail = post::write(number, &letter, &self.mails);
        self.trace.push(format!(
            "mail {number} {:?} in {folder}, {} late {late}: {} {:?}",
            letter.sort, letter.from, letter.subject, letter.answers
        ));
        self.mails.push(mail);
        self.server.deliver(folder, number, arrived_at);
        if letter.sort == Sort::Reply && dice.chance(15) {
            // The team's own copy comes back into INBOX.
            self.server.deliver("INBOX", number, arrived_at);
        }
    }

    fn letter(&self, dice: &mut Dice, sort: Sort, answered: Option<usize>) -> Letter {
        let agents = &self.policy().agents;
        let agent = dice.pick(agents).unwrap().address.clone();
        let customer = (*dice.pick(&CUSTOMERS).unwrap()).to_string();
        let answers = answered.map(|number| (number, dice.chance(85)));
        let partner = answered.map(|number| self.mails[number].from.clone());
        let partner = partner.filter(|from| from != SHARED && dice.chance(80)).unwrap_or(customer);
        let subject = match answered {
            Some(number) => {
                format!("Re: {}", self.mails[number].subject.trim_start_matches("Re: "))
            }
            None => post::subject(dice.below(100)),
        };
        let sender = dice.chance(50).then(|| agent.clone());
        let (from, to, sender) = match sort {
            Sort::Customer | Sort::Thanks | Sort::Robot => (partner, SHARED.to_string(), None),
            Sort::Reply | Sort::Draft => (SHARED.to_string(), partner, sender),
            Sort::Internal => (agent, SHARED.to_string(), None),
        };
        Letter { sort, from, to, sender, subject, answers }
    }

    fn delivered_twice(&mut self, dice: &mut Dice) {
        let number = dice.below(self.mails.len());
        if self.mails[number].sort != Sort::Draft {
            self.trace.push(format!("mail {number} once more in INBOX"));
            self.touched(number);
            self.server.deliver("INBOX", number, self.now);
        }
    }

    fn touched(&mut self, mail: usize) {
        *self.touches.entry(mail).or_default() += 1;
    }

    /// Somebody does something in the mailbox.
    pub(super) fn gesture(&mut self, dice: &mut Dice) {
        let all = self.server.everything();
        let Some((folder, uid)) = dice.pick(&all).cloned() else { return };
        let mail = self.server.copy(&folder, uid).unwrap().mail;
        self.touched(mail);
        let weights = match self.layout {
            Layout::Folders => [6, 2, 2, 4, 50, 6, 8, 6, 3],
            Layout::Keywords | Layout::Labels => [25, 15, 10, 20, 20, 5, 8, 6, 3],
        };
        match dice.weighted(&weights) {
            0 => self.put_on(dice, &folder, uid),
            1 => self.take_off(dice, &folder, uid),
            2 => self.swap_owner(dice, &folder, uid),
            3 => self.flag(dice, &folder, uid),
            4 => self.move_somewhere(dice, &folder, uid),
            5 => self.copy_somewhere(dice, &folder, uid),
            6 => self.delete(dice, &folder, uid),
            7 => self.undelete(dice),
            _ => self.clear_out(dice, &folder),
        }
    }

    fn owner_tag(&self, dice: &mut Dice) -> String {
        format!("baton-{}", dice.pick(&self.policy().agents).unwrap().id)
    }

    fn put_on(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let states = ["baton-waiting", "baton-blocked", "baton-resolved", "baton-ignored"];
        let tag = if dice.chance(60) {
            self.owner_tag(dice)
        } else {
            (*dice.pick(&states).unwrap()).to_string()
        };
        self.trace.push(format!("tag {folder} {uid} +{tag}"));
        self.server.store(folder, uid, &[tag], &[]);
    }

    fn take_off(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let flags: Vec<String> =
            self.server.copy(folder, uid).unwrap().flags.iter().cloned().collect();
        let Some(tag) = dice.pick(&flags).cloned() else { return };
        self.trace.push(format!("tag {folder} {uid} -{tag}"));
        self.server.store(folder, uid, &[], &[tag]);
    }

    fn swap_owner(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let copy = self.server.copy(folder, uid).unwrap();
        let owners: Vec<String> = self
            .policy()
            .agents
            .iter()
            .map(|agent| format!("baton-{}", agent.id))
            .filter(|tag| copy.flags.contains(tag))
            .collect();
        let tag = self.owner_tag(dice);
        self.trace.push(format!("tag {folder} {uid} -{owners:?} +{tag}"));
        self.server.store(folder, uid, &[tag], &owners);
    }

    fn flag(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let flag =
            (*dice.pick(&["\\Seen", "\\Flagged", "\\Flagged", "\\Answered"]).unwrap()).to_string();
        let on = self.server.copy(folder, uid).unwrap().flags.contains(&flag);
        self.trace.push(format!("flag {folder} {uid} {flag} {}", !on));
        let (add, remove) = if on { (vec![], vec![flag]) } else { (vec![flag], vec![]) };
        self.server.store(folder, uid, &add, &remove);
    }

    fn somewhere(&self, dice: &mut Dice) -> String {
        dice.pick(&self.server.folders).unwrap().name.clone()
    }

    fn move_somewhere(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let to = self.somewhere(dice);
        self.trace.push(format!("move {folder} {uid} to {to}"));
        self.server.shift(folder, uid, &to);
    }

    fn copy_somewhere(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        let to = self.somewhere(dice);
        if to != folder && to != "Drafts" && folder != "Drafts" {
            self.trace.push(format!("copy {folder} {uid} to {to}"));
            self.server.duplicate(folder, uid, &to);
        }
    }

    fn delete(&mut self, dice: &mut Dice, folder: &str, uid: u32) {
        if dice.chance(50) {
            self.trace.push(format!("expunge {folder} {uid}"));
            self.server.expunge(folder, uid);
        } else {
            self.trace.push(format!("move {folder} {uid} to Trash"));
            self.server.shift(folder, uid, "Trash");
        }
    }

    fn undelete(&mut self, dice: &mut Dice) {
        let from = *dice.pick(&["Trash", "Junk", "Recipes", "Archive"]).unwrap();
        let uids: Vec<u32> = self.server.folder(from).unwrap().copies.keys().copied().collect();
        let Some(uid) = dice.pick(&uids) else { return };
        let mail = self.server.copy(from, *uid).unwrap().mail;
        self.touched(mail);
        self.trace.push(format!("move {from} {uid} to INBOX"));
        self.server.shift(from, *uid, "INBOX");
    }

    /// Everything in a folder goes somewhere at once.
    fn clear_out(&mut self, dice: &mut Dice, folder: &str) {
        let to = *dice.pick(&["Archive", "Trash", "INBOX"]).unwrap();
        let uids: Vec<u32> = self.server.folder(folder).unwrap().copies.keys().copied().collect();
        self.trace.push(format!("move {folder} {uids:?} to {to}"));
        for uid in uids {
            let mail = self.server.copy(folder, uid).unwrap().mail;
            self.touched(mail);
            self.server.shift(folder, uid, to);
        }
    }

    fn verb(&self, dice: &mut Dice, threads: &[Thread]) -> anyhow::Result<Option<Verb>> {
        let recent: Vec<ThreadId> = threads.iter().rev().take(6).map(|one| one.id).collect();
        let Some(thread) = dice.pick(&recent).copied() else { return Ok(None) };
        let agent = dice.pick(&self.policy().agents).unwrap().id.clone();
        let until = dice
            .chance(50)
            .then(|| Timestamp(self.now.0 + *dice.pick(&[-5, 30, 4000, 90_000]).unwrap()));
        Ok(Some(match dice.weighted(&[20, 8, 8, 6, 6, 8, 5, 8, 5, 4, 4, 14, 5, 6]) {
            0 => Verb::Claim { thread },
            1 => Verb::Assign { thread, agent },
            2 => Verb::Release { thread },
            3 => Verb::Start { thread },
            4 => Verb::Wait { thread },
            5 => Verb::Block { thread, reason: "parts".into(), until },
            6 => Verb::Unblock { thread },
            7 => Verb::Resolve { thread },
            8 => Verb::Reopen { thread },
            9 => Verb::Ignore { thread, reason: "spam".into() },
            10 => Verb::Escalate { thread, reason: "angry".into() },
            11 => {
                let events = self.read(|tx| Ok(tx.events_of(thread)?))?;
                let back = if dice.chance(60) { 1 } else { 1 + dice.below(6) };
                match events.iter().rev().nth(back - 1) {
                    Some(event) => Verb::Undo { event: event.seq },
                    None => return Ok(None),
                }
            }
            12 => Verb::Merge { into: thread, from: *dice.pick(&recent).unwrap() },
            _ => {
                let number = dice.below(self.mails.len().max(1));
                let Some(mail) = self.mails.get(number) else { return Ok(None) };
                Verb::Split { message_id: mail.id.clone() }
            }
        }))
    }

    /// Somebody says it in words.
    pub(super) async fn command(&mut self, dice: &mut Dice) -> anyhow::Result<()> {
        let threads = self.threads()?;
        let Some(verb) = self.verb(dice, &threads)? else { return Ok(()) };
        let actor: AgentId = dice.pick(&self.policy().agents).unwrap().id.clone();
        let before = proofs::Before::of(self, &verb, &threads)?;
        let request = Request { verb, actor };
        let (policies, now, asked) = (Arc::clone(&self.policies), self.now, request.clone());
        let answer = self.store.write(move |tx| engine::answer(tx, &policies, &asked, now)).await?;
        self.trace.push(format!("{} says {:?} -> {}", request.actor, request.verb, answer.words));
        before.check(self, &request, &answer)
    }

    /// Every thread, by number.
    pub(super) fn threads(&self) -> anyhow::Result<Vec<Thread>> {
        let states = baton::desk::thread::State::ALL.to_vec();
        let filter = ThreadFilter { states, ..ThreadFilter::default() };
        self.read(|tx| Ok(tx.threads(&filter)?.into_iter().map(|row| row.thread).collect()))
    }

    /// Every event, as text.
    pub(super) fn log(&self) -> anyhow::Result<Vec<String>> {
        let mut log = Vec::new();
        self.read(|tx| {
            Ok(tx.each_event(|event| {
                let change = serde_json::to_string(&(&event.change, &event.other_change));
                log.push(format!(
                    "{} {} {:?} at {} by {}: {:?} {}",
                    event.seq,
                    event.thread,
                    event.other,
                    event.at,
                    event.actor,
                    event.what,
                    change.unwrap_or_default()
                ));
            })?)
        })?;
        Ok(log)
    }

    /// Where every thread stands.
    pub(super) fn positions(&self) -> anyhow::Result<Vec<(ThreadId, Position)>> {
        Ok(self.threads()?.into_iter().map(|one| (one.id, one.now)).collect())
    }

    /// The mail that a message of the store is.
    pub(super) fn key_of(
        &self,
        mail: usize,
    ) -> anyhow::Result<Option<(MessageKey, Option<ThreadId>)>> {
        let id = self.mails[mail].id.clone();
        let rows = self.read(|tx| Ok(tx.messages_by_message_id(&id)?))?;
        Ok(rows.into_iter().next().map(|row| (row.key, row.thread)))
    }
}
