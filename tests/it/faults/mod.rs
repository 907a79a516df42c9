//! What breaks while a team works: the process (`kill`, `crash`), the line to the server (`network`), the disk (`disk`).
//!
//! Each test is seeded and short; the seed is printed, and `BATON_SEED=n` tells the same story again. `BATON_LONG=1`
//! tells the long form: `BATON_LONG=1 cargo test --test it faults -- --nocapture`.

mod crash;
mod crash_everywhere;
mod disk;
mod garbled;
mod kill;
mod network;
mod replay;

use std::time::{Duration, Instant};

/// A small generator (SplitMix64), so that a story can be told again from its seed.
pub(crate) struct Seed(u64);

impl Seed {
    /// From a number that another one gave.
    pub(crate) fn of(number: u64) -> Seed {
        Seed(number)
    }

    /// From `BATON_SEED`, or from the clock; printed either way.
    pub(crate) fn printed(test: &str) -> Seed {
        let given = std::env::var("BATON_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
        let seed = given.unwrap_or_else(|| u64::try_from(now % 1_000_000_007).unwrap());
        eprintln!("{test}: BATON_SEED={seed}");
        Seed(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// True so often of a hundred times.
    pub(crate) fn percent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// As many of these as are wanted, each once, in any order.
    pub(crate) fn some_of<T: Clone>(&mut self, all: &[T], wanted: usize) -> Vec<T> {
        let mut left = all.to_vec();
        let mut taken = Vec::new();
        while taken.len() < wanted && !left.is_empty() {
            taken.push(left.swap_remove(self.below(left.len())));
        }
        taken
    }
}

/// How often something is done: a few times, or in the long form `long` times (`BATON_LONG=n` with n above 1 says how
/// often itself).
pub(crate) fn times(short: usize, long: usize) -> usize {
    match std::env::var("BATON_LONG").ok().and_then(|times| times.parse().ok()) {
        None | Some(0) => short,
        Some(1) => long,
        Some(times) => times,
    }
}

/// Until when a long form goes on: `BATON_MINUTES`, or so many.
pub(crate) fn end_of_minutes(usual: u64) -> Instant {
    let minutes = std::env::var("BATON_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    Instant::now() + Duration::from_secs(60 * minutes.unwrap_or(usual))
}

/// Whether the long form is told.
pub(crate) fn is_long() -> bool {
    times(0, 1) > 0
}
