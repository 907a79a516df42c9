//! Two to eight people answer the same thread at once, in random order, on every way, some past Baton. Whatever the order:
//! under hold and refuse no mail of the customer's gets two first answers from Baton, people are told once, and the log says
//! what the tables say. `BATON_LONG=1` runs ten thousand schedules, `BATON_SEED=7` repeats one.

use std::collections::{BTreeMap, BTreeSet};

use baton::desk::answer::Enforce;
use baton::desk::retry::Retry;
use baton::desk::sending::Refusal;
use baton::engine::{Errand, SendOutcome, Taken};

use super::room::{Letter, NAMES, Room};
use crate::laws::dice::Dice;

const SCHEDULES: u64 = 100;
const STEPS: usize = 30;
const ROUTES: [&str; 3] = ["submission", "send-folder", "card"];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn whatever_the_order_a_customer_gets_one_first_answer() {
    if let Some(seed) = number("BATON_SEED") {
        println!("{:?}", run(seed).unwrap());
        return;
    }
    let long = std::env::var("BATON_LONG").is_ok();
    let count = number("BATON_SCHEDULES").unwrap_or(if long { 10_000 } else { SCHEDULES });
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let totals: Vec<Result<Totals, String>> = std::thread::scope(|scope| {
        let work = |worker: u64| {
            let mut totals = Totals::default();
            for seed in (1..=count).filter(|seed| seed % workers == worker) {
                totals.add(&run(seed).map_err(|why| format!("BATON_SEED={seed}: {why}"))?);
            }
            Ok(totals)
        };
        let running: Vec<_> = (0..workers).map(|one| scope.spawn(move || work(one))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut all = Totals::default();
    totals.into_iter().for_each(|one| all.add(&one.unwrap()));
    println!("{count} schedules: {all:?}");
    assert!(all.objected > 0 && all.sent > 0 && all.released > 0, "{all:?}");
}

/// What happened in a schedule, to know that something did.
#[derive(Debug, Default)]
struct Totals {
    handed_in: u32,
    sent: u32,
    objected: u32,
    released: u32,
    past_baton: u32,
    alarms: u32,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.handed_in += other.handed_in;
        self.sent += other.sent;
        self.objected += other.objected;
        self.released += other.released;
        self.past_baton += other.past_baton;
        self.alarms += other.alarms;
    }
}

/// One schedule.
struct Rush {
    room: Room,
    dice: Dice,
    enforce: Enforce,
    people: usize,
    /// How many letters each has seen.
    seen: BTreeMap<usize, usize>,
    /// What was sent past Baton, and by whom where the client says so.
    natives: BTreeMap<String, Option<&'static str>>,
    /// What a person let go: they are asked to look first, so two answers are their decision.
    released: BTreeSet<i64>,
    totals: Totals,
}

fn run(seed: u64) -> Result<Totals, String> {
    let mut dice = Dice::new(seed);
    let people = 2 + dice.below(NAMES.len() - 1);
    let enforce = *dice
        .pick(&[Enforce::Hold, Enforce::Refuse, Enforce::Hold, Enforce::Refuse, Enforce::Record])
        .unwrap();
    let hold = *dice.pick(&[0, 5, 60]).unwrap();
    let mut room = Room::open(people, enforce, hold);
    room.customer_writes();
    let mut rush = Rush {
        room,
        dice,
        enforce,
        people,
        seen: BTreeMap::new(),
        natives: BTreeMap::new(),
        released: BTreeSet::new(),
        totals: Totals::default(),
    };
    for _ in 0..STEPS {
        rush.act();
        rush.holds()?;
    }
    rush.room.later(3600);
    rush.room.sends(|| SendOutcome::Accepted { words: String::new() });
    rush.holds()?;
    rush.room.agrees();
    rush.told_once()?;
    rush.totals.sent = u32::try_from(rush.room.delivered.len()).unwrap();
    let alarms = rush.room.kinds().iter().filter(|kind| **kind == "answered-twice").count();
    rush.totals.alarms = u32::try_from(alarms).unwrap();
    Ok(rush.totals)
}

impl Rush {
    fn act(&mut self) {
        let seconds = *self.dice.pick(&[0, 0, 1, 1, 3, 30, 70]).unwrap();
        self.room.later(seconds);
        match self.dice.weighted(&[40, 25, 8, 12, 8, 5, 4]) {
            0 => self.somebody_answers(),
            1 => self.somebody_looks(),
            2 => {
                self.room.customer_writes();
            }
            3 => self.sends(),
            4 => self.past_baton(),
            5 => self.somebody_releases(),
            _ => self.somebody_drops(),
        }
    }

    /// What a person answers: mostly the customer's newest mail that they have seen, else the newest of all.
    fn tip(&mut self, who: usize) -> Letter {
        let all = &self.room.letters;
        let seen = *self.seen.entry(who).or_insert(all.len());
        let seen = &all[..seen.clamp(1, all.len())];
        let customers = seen.iter().rev().find(|letter| letter.customers).unwrap();
        let newest = seen.last().unwrap();
        (if self.dice.chance(80) { customers } else { newest }).clone()
    }

    fn somebody_looks(&mut self) {
        let who = self.dice.below(self.people);
        self.seen.insert(who, self.room.letters.len());
    }

    fn somebody_answers(&mut self) {
        let who = self.dice.below(self.people);
        let tip = self.tip(who);
        let route = *self.dice.pick(&ROUTES).unwrap();
        let first = *self.dice.pick(&["", "", "", "#claim\r\n\r\n", "#resolve\r\n\r\n"]).unwrap();
        self.totals.handed_in += 1;
        match self.room.answers(NAMES[who], route, &tip, first) {
            Taken::Held(_) | Taken::Refused(_) => self.totals.objected += 1,
            Taken::Leaves(_) | Taken::Done(_) => {}
        }
    }

    fn past_baton(&mut self) {
        let who = self.dice.below(self.people);
        let tip = self.tip(who);
        let says = self.dice.chance(50).then(|| NAMES[who]);
        let mail = self.room.answers_natively(says, &tip);
        self.natives.insert(mail.id, says);
        self.totals.past_baton += 1;
    }

    fn sends(&mut self) {
        let dice = &mut self.dice;
        let now = self.room.now;
        self.room.sends(|| match dice.weighted(&[70, 10, 10, 10]) {
            0 => SendOutcome::Accepted { words: String::new() },
            1 => SendOutcome::Later { retry: Retry::Later, words: format!("at {now}") },
            2 => SendOutcome::Lost { words: "the line broke".into() },
            _ => SendOutcome::Refused { why: Refusal::Limit, words: "too many".into() },
        });
    }

    fn somebody_releases(&mut self) {
        let open: Vec<i64> = self.waiting();
        if let Some(id) = self.dice.pick(&open).copied()
            && self.room.decides(Errand::Release { sending: id }).done
        {
            self.released.insert(id);
            self.totals.released += 1;
        }
    }

    fn somebody_drops(&mut self) {
        let open = self.waiting();
        if let Some(id) = self.dice.pick(&open).copied() {
            self.room.decides(Errand::Drop { sending: id });
        }
    }

    fn waiting(&self) -> Vec<i64> {
        let is_asked = |one: &baton::store::SendingRow| one.state.due_at().is_none();
        self.room.outbox().into_iter().filter(is_asked).map(|one| one.id).collect()
    }

    /// Under hold and refuse, of two answers to one mail of the customer's by two people one was on top of the other, or a
    /// person let it go.
    fn holds(&self) -> Result<(), String> {
        if self.enforce == Enforce::Record {
            return Ok(());
        }
        let by: BTreeMap<i64, String> =
            self.room.outbox().into_iter().filter_map(|one| Some((one.id, one.agent?.0))).collect();
        for (at, (id, mail)) in self.room.delivered.iter().enumerate() {
            for (earlier_id, earlier) in &self.room.delivered[..at] {
                let same_question = self.question(mail) == self.question(earlier);
                let is_second = same_question
                    && by[id] != by[earlier_id]
                    && !self.had_before_them(mail, &earlier.id);
                if is_second && !self.released.contains(id) && !self.released.contains(earlier_id) {
                    return Err(format!(
                        "{} and {} both answered {:?}: {:?}",
                        by[earlier_id],
                        by[id],
                        self.question(mail),
                        self.room.kinds()
                    ));
                }
            }
        }
        self.none_follows_what_was_sent_past_baton(&by)
    }

    /// What Baton saw in Sent counts as well, unless the same person wrote it.
    fn none_follows_what_was_sent_past_baton(
        &self,
        by: &BTreeMap<i64, String>,
    ) -> Result<(), String> {
        let place = |id: &str| self.room.letters.iter().position(|one| one.id == id).unwrap();
        for (id, mail) in self.room.delivered.iter().filter(|(id, _)| !self.released.contains(id)) {
            for (native, who) in &self.natives {
                let earlier = &self.room.letters[place(native)];
                let is_second = place(native) < place(&mail.id)
                    && *who != Some(by[id].as_str())
                    && self.question(earlier) == self.question(mail)
                    && !self.had_before_them(mail, native);
                if is_second {
                    return Err(format!("{} answered after {who:?} had", by[id]));
                }
            }
        }
        Ok(())
    }

    /// Whether the writer of a mail had this one before them: they answer it, or one that came later.
    fn had_before_them(&self, mail: &Letter, id: &str) -> bool {
        let place = |id: &str| self.room.letters.iter().position(|one| one.id == id);
        mail.references.iter().any(|named| place(named) >= place(id))
    }

    /// The customer's mail that is answered.
    fn question(&self, answer: &Letter) -> Option<String> {
        let is_customers =
            |id: &&String| self.room.letters.iter().any(|one| one.customers && one.id == **id);
        answer.references.iter().rev().find(is_customers).cloned()
    }

    fn told_once(&self) -> Result<(), String> {
        let told = self.room.notices();
        let once: BTreeSet<&String> = told.iter().collect();
        match once.len() == told.len() {
            true => Ok(()),
            false => Err(format!("told twice: {told:?}")),
        }
    }
}
