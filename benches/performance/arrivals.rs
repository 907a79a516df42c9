//! (d) What one more message costs, by how many threads there are: in batches, as a catch-up hands them over, and one
//! by one with a durable commit each. Half of the messages answer a thread anywhere in the database.

use std::sync::Arc;
use std::time::Instant;

use baton::desk::policy::Policy;
use baton::engine::{self, Seen};
use baton::store::Store;

use super::letters::{Dice, letter_answering};
use super::world::desk::{at_desk, block_on, seen, with_threads};
use super::world::row;

const BATCH: usize = 200;
const BATCHES: usize = 15;
const SINGLES: usize = 300;

pub(crate) fn run(numbers: &[usize]) {
    let numbers = if numbers.is_empty() { &[1_000, 100_000, 1_000_000] } else { numbers };
    let mut first = None;
    for &threads in numbers {
        let (daemon, policy) = with_threads(threads as u64, 10_000.min(threads as u64));
        let store = Store::open(&daemon.state_dir()).unwrap();
        let (batched, single) = block_on(costs(&store, &policy, threads as u64));
        let (batched_first, single_first) = *first.get_or_insert((batched, single));
        let told = |cost: f64| format!("{cost:.0} µs");
        let ratio = |cost: f64, first: f64| format!("{:.2}", cost / first);
        row(
            &format!("a message of a batch of {BATCH}, {threads} threads"),
            &told(batched),
            &told(batched_first),
            &ratio(batched, batched_first),
            "≤ 1.5",
        );
        row(
            &format!("a message by itself, durably, {threads} threads"),
            &told(single),
            &told(single_first),
            &ratio(single, single_first),
            "≤ 1.5",
        );
    }
}

async fn costs(store: &Store, policy: &Arc<Policy>, threads: u64) -> (f64, f64) {
    let mut dice = Dice::new(5);
    let mut number = 2_000_000_u64;
    let mut letters = |count: usize| -> Vec<Seen> {
        let one = |_| {
            number += 1;
            let answered = 1 + dice.below(threads);
            let answers = number.is_multiple_of(2).then_some(answered);
            seen(u32::try_from(number).unwrap(), &letter_answering(number, answers))
        };
        (0..count).map(one).collect()
    };
    // Not measured: the statements are prepared, the upper pages are read.
    hand_over(store, policy, letters(BATCH)).await;
    let (mut batched, mut single) = (0.0, 0.0);
    for _ in 0..BATCHES {
        batched += hand_over(store, policy, letters(BATCH)).await;
    }
    for _ in 0..SINGLES {
        single += hand_over(store, policy, letters(1)).await;
    }
    (batched / (BATCHES * BATCH) as f64 * 1e6, single / SINGLES as f64 * 1e6)
}

async fn hand_over(store: &Store, policy: &Arc<Policy>, letters: Vec<Seen>) -> f64 {
    let begun = Instant::now();
    at_desk(store, Arc::clone(policy), move |desk| {
        let folder = desk.tx.folder(desk.mailbox, "INBOX")?.unwrap();
        let next = letters.last().map_or(1, |seen| seen.uid + 1);
        engine::arrivals(desk, &folder, &letters, next)
    })
    .await;
    begun.elapsed().as_secs_f64()
}
