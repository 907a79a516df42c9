//! A server whose every answer may be damaged: bytes flipped, lost, doubled, put in.
//!
//! What such a server says may be a plausible lie, so nothing is asked of what Baton makes of it. But it must not stop, not
//! hang, not grow, and not say what it must never say; and with a new memory, on a line that is well again, everything is
//! there. `BATON_LONG=1` goes on for `BATON_MINUTES` (10); `BATON_SEED` repeats the damage as far as the server does.

use std::fs;
use std::time::{Duration, Instant};

use super::{Seed, end_of_minutes, is_long};
use crate::world::{Fault, Garbler, Setup, World, poll};

/// How often the line is bad in the short form.
const SHORT: usize = 4;
/// Damage done until the line is well again.
const DAMAGE: usize = 40;
/// How long a bad line lasts at most.
const BAD: Duration = Duration::from_secs(5);
/// The most memory that the daemon may ever need, kilobytes.
const PEAK_KB_MAX: u64 = 200 * 1024;

fn goes_on_for(round: usize, until: Instant) -> bool {
    if is_long() { Instant::now() < until } else { round < SHORT }
}

/// The line is bad for a while; customers write and an agent works meanwhile. Answers how much damage was done.
fn bad_line(world: &mut World, seed: &mut Seed, round: usize) -> usize {
    let garbler = Garbler::new(seed.next(), *seed.one_of(&[30, 150, 600, 2500]));
    // A new connection, so that the login is damaged as well.
    world.mailbox().proxy.set_fault(Fault::CutAfter(0));
    let cut = || (world.mailbox().proxy.fault() == Fault::None).then_some(());
    let _ = poll(BAD, cut);
    world.mailbox().proxy.set_fault(Fault::Garbles(garbler));
    let subject = format!("Order {round}");
    world.customer_writes(&subject);
    world.agent("ana").tags(&subject, "baton-ana");
    let mut done = 0;
    let _ = poll(BAD, || {
        if let Fault::Garbles(garbler) = world.mailbox().proxy.fault() {
            done = garbler.done;
        }
        (DAMAGE <= done).then_some(())
    });
    assert!(world.baton.is_running(), "round {round}:\n{}", world.baton.log_tail(40));
    world.mailbox().proxy.set_fault(Fault::CutAfter(0));
    world.eventually("the line is well again, and Baton knows", |world| {
        let status = world.status();
        world.mailbox().proxy.fault() == Fault::None
            && status.is_some_and(|one| one.connected_since.is_some() && one.last_error.is_none())
    });
    done
}

/// The most memory that the daemon has needed.
fn peak_kb(world: &World) -> u64 {
    let process = world.baton.process().unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The parser of the server's lines may panic, which ends a connection; nothing of Baton's own may.
#[track_caller]
fn nothing_of_ours_panicked(log: &str) {
    let ours = |line: &&str| line.contains("panicked at src/");
    let panicked: Vec<&str> = log.lines().filter(ours).collect();
    assert!(panicked.is_empty(), "{panicked:?}");
}

fn lives_with_damage(setup: Setup, name: &str) {
    let mut seed = Seed::printed(name);
    setup.with("patience_seconds = 2").tell(|world| {
        let until = end_of_minutes(10);
        let (mut rounds, mut damage) = (0, 0);
        while goes_on_for(rounds, until) {
            damage += bad_line(world, &mut seed, rounds);
            rounds += 1;
            let peak = peak_kb(world);
            assert!(peak < PEAK_KB_MAX, "round {rounds}: {peak} kB");
        }
        let log = world.baton.log();
        nothing_of_ours_panicked(&log);
        let foreign = log.matches("panicked at").count();
        assert!(0 < damage, "nothing was damaged");
        eprintln!("{name}: {rounds} rounds, {damage} damages, {foreign} times the parser died");
        world.promises_kept();
        // What a liar said is forgotten; the mailbox is what it was.
        world.stop();
        world.forgets_log();
        fs::remove_dir_all(world.state_dir()).unwrap();
        world.start();
        world.eventually("every mail is a thread", |world| world.baton.threads().len() == rounds);
        for (id, places) in world.eyes().look().unwrap() {
            assert_eq!(places.len(), 1, "<{id}>: {places:?}");
        }
    });
}

#[test]
fn with_keywords_damaged_answers_are_lived_through() {
    lives_with_damage(Setup::keywords(), "garbled keywords");
}

#[test]
fn with_folders_damaged_answers_are_lived_through() {
    lives_with_damage(Setup::folders(), "garbled folders");
}
