//! Every scenario again, with the daemon dying at a commit: at any commit of any scenario, on either side of it.
//!
//! The scenarios are not changed for it: this program is run again for one of them, and `BATON_WORLD_CRASH` tells its
//! world what to do. The long form first tells each with a daemon that dies again and again from its beginning to its
//! end, on one side of the commits and then on the other. After that a pair of scenario and single crash is chosen by the
//! seed, one of each scenario at a time, until all are told or `BATON_MINUTES` (40) are over.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use super::{Seed, end_of_minutes, is_long};
use crate::world::Moment;
use crate::world::crashes::{VARIABLE, deaths};

/// Scenarios that are not told with crashes, and why.
const NOT_CRASHED: [(&str, &str); 12] = [
    ("scenarios::itself::", "there is no daemon in them"),
    ("a_good_reload_is_taken_and_a_bad_one_is_not", "it proves that no connection was dropped"),
    (
        "a_damaged_database_is_named",
        "it damages the file of a daemon that ended well; else its log heals it",
    ),
    ("a_database_of_a_newer_version", "the same"),
    ("is_left_alone", "it counts connections, and a daemon that begins anew tries at once"),
    ("a_lock_in_the_middle_of_history", "the same"),
    ("a_sixteenth_connection", "the same"),
    ("never_has_more_than_two_connections", "it counts connections"),
    ("gmail_day", "it measures"),
    ("near_the_days_budget", "each start costs some of the budget"),
    ("a_day_that_is_spent", "a crash forgets to count one batch, which is the whole budget here"),
    ("claims_that_race_have_one_winner", "three people type at once, and none of them twice"),
];

const BOTH: [Moment; 2] = [Moment::AfterCommit, Moment::BeforeCommit];

/// More commits than any scenario makes before somebody knows better.
const COMMITS_MAX: usize = 96;
/// How many are told in the short form.
const SHORT: usize = 4;
/// How many worlds there are at once; they mostly wait.
const AT_ONCE: usize = 3;

/// On which side of the commits the daemon dies, and at which one; at more and more of them where there is none.
type Crash = (Moment, Option<usize>);

/// One scenario and what was told of it.
struct Told {
    scenario: String,
    /// No daemon of it comes to this commit.
    end: usize,
    done: BTreeSet<(Moment, usize)>,
}

/// What is known while the crashes go on.
struct Round {
    seed: Seed,
    all: Vec<Told>,
    next: usize,
    /// What is told before anything is chosen.
    first: Vec<(usize, Crash)>,
    crashes: usize,
    failures: Vec<String>,
}

impl Round {
    fn begin(seed: Seed) -> Round {
        let all = scenarios().into_iter().map(|scenario| Told {
            scenario,
            end: COMMITS_MAX,
            done: BTreeSet::new(),
        });
        let all: Vec<Told> = all.collect();
        let each = 0..if is_long() { all.len() } else { 0 };
        let first = each.flat_map(|told| BOTH.map(|moment| (told, (moment, None)))).collect();
        Round { seed, all, next: 0, first, crashes: 0, failures: Vec::new() }
    }

    /// The next scenario, and a crash that it has not lived through yet; none when there is none any more.
    fn choose(&mut self) -> Option<(usize, Crash)> {
        if let Some(first) = self.first.pop() {
            return Some(first);
        }
        for _ in 0..self.all.len() {
            let chosen = self.next % self.all.len();
            self.next += 1;
            let told = &mut self.all[chosen];
            let pairs =
                BOTH.into_iter().flat_map(|moment| (1..told.end).map(move |at| (moment, at)));
            let left: Vec<_> = pairs.filter(|pair| !told.done.contains(pair)).collect();
            if !left.is_empty() {
                let pair = *self.seed.one_of(&left);
                told.done.insert(pair);
                return Some((chosen, (pair.0, Some(pair.1))));
            }
        }
        None
    }

    /// How many pairs there are, as far as is known.
    fn pairs(&self) -> usize {
        self.all.iter().map(|told| 2 * (told.end - 1)).sum()
    }
}

/// The scenarios of this program that can be told with crashes.
fn scenarios() -> Vec<String> {
    let me = std::env::current_exe().unwrap();
    let out =
        Command::new(me).args(["--list", "--format", "terse", "scenarios::"]).output().unwrap();
    let listed = String::from_utf8(out.stdout).unwrap();
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let is_told = |name: &&str| !NOT_CRASHED.iter().any(|(part, _)| name.contains(part));
    names.filter(is_told).map(str::to_owned).collect()
}

/// How a scenario ended with a crash.
enum End {
    /// The daemon died so often, and all was well.
    Well(usize),
    /// No daemon came so far.
    NeverDied,
    /// Something was wrong: all that was said about it.
    Failed(String),
}

fn tell(scenario: &str, (moment, at): Crash) -> End {
    let side = if moment == Moment::AfterCommit { "after" } else { "before" };
    let at = at.map_or("more".to_owned(), |at| at.to_string());
    let words = format!("{side} {at}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", scenario, "--nocapture", "--test-threads=1"]).env(VARIABLE, &words);
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    match out.status.success() {
        true => match deaths(&said) {
            0 => End::NeverDied,
            times => End::Well(times),
        },
        false => End::Failed(format!(
            "{VARIABLE}=\"{words}\" cargo test --test it -- --exact {scenario} --nocapture\n{said}"
        )),
    }
}

/// Tells pairs until there are `wanted` crashes, or none is left, or the time is over.
fn go_on(round: &Mutex<Round>, wanted: usize, until: Instant) {
    while Instant::now() < until && round.lock().unwrap().crashes < wanted {
        let Some((chosen, crash)) = round.lock().unwrap().choose() else { return };
        let scenario = round.lock().unwrap().all[chosen].scenario.clone();
        let end = tell(&scenario, crash);
        let mut round = round.lock().unwrap();
        match end {
            End::Well(times) => round.crashes += times,
            End::NeverDied => {
                let told = &mut round.all[chosen];
                told.end = told.end.min(crash.1.unwrap_or(1));
            }
            End::Failed(words) => {
                eprintln!("{words}");
                round.crashes += 1;
                round.failures.push(words.lines().next().unwrap_or_default().to_owned());
            }
        }
    }
}

#[test]
fn every_scenario_with_a_crash_at_any_commit() {
    const NAME: &str = "crash everywhere";
    if !cfg!(debug_assertions) {
        eprintln!("{NAME}: skipped, a released daemon has no fuse");
        return;
    }
    let mut round = Round::begin(Seed::printed(NAME));
    assert!(!round.all.is_empty(), "no scenario is found");
    round.next = round.seed.below(round.all.len());
    let until = end_of_minutes(40);
    let wanted = if is_long() { usize::MAX } else { SHORT };
    let round = Mutex::new(round);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| go_on(&round, wanted, until));
        }
    });
    let round = round.into_inner().unwrap();
    eprintln!(
        "{NAME}: {} crashes in {} scenarios, of about {} pairs",
        round.crashes,
        round.all.len(),
        round.pairs()
    );
    let failures = round.failures.join("\n");
    assert!(round.failures.is_empty(), "{} failed:\n{failures}", round.failures.len());
}
