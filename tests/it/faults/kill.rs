//! `kill -9` of the real daemon at random points of a busy replay.
//!
//! It is killed after a random time, while a command is being typed, or when the server has done what was asked and
//! the daemon has not heard of it. In the long form 150 times in each layout.

use std::thread;
use std::time::Duration;

use super::replay::Replay;
use super::{Seed, times};
use crate::world::{Fault, Layout, Setup, World, in_both_layouts, poll, signal};

/// How often a command is typed again when the daemon died under it.
const TRIES: usize = 5;

/// When the daemon is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Some time after the act.
    Later,
    /// The server has done something, and the daemon has not heard of it.
    Unheard,
    /// While a command is typed, if one is.
    DuringCommand,
}

fn is_killed_again_and_again(setup: Setup, name: &str) {
    let mut seed = Seed::printed(name);
    let kills = times(6, 150);
    setup.with("burst_moves_per_minute = 10000").tell(|world| {
        let mut replay = Replay::new();
        for _ in 0..kills {
            let moment = *seed.one_of(&[Moment::Later, Moment::Unheard, Moment::DuringCommand]);
            if matches!(moment, Moment::Unheard) {
                let fault = match seed.below(3) {
                    0 => Fault::SilentAt("UID STORE"),
                    1 => Fault::SilentAt("UID MOVE"),
                    _ => Fault::SilentAfter(seed.below(40)),
                };
                world.mailbox().proxy.set_fault(fault);
            }
            for _ in 0..=seed.below(3) {
                act(world, &mut replay, &mut seed, moment);
            }
            let longest = *seed.one_of(&[100, 700]);
            let pause = seed.below(longest);
            thread::sleep(Duration::from_millis(pause as u64));
            world.baton.kill();
            world.mailbox().proxy.set_fault(Fault::None);
            if seed.percent(30) {
                act(world, &mut replay, &mut seed, Moment::Later);
            }
            world.start_unattended();
        }
        replay.agrees(world);
        eprintln!("{name}: {kills} kills, {} acts", replay.acts);
    });
}

fn act(world: &mut World, replay: &mut Replay, seed: &mut Seed, moment: Moment) {
    replay.goes_on(world, seed, &mut |world: &mut World, seed: &mut Seed, words: &[&str]| {
        if matches!(moment, Moment::DuringCommand)
            && let Some(process) = world.baton.process()
        {
            let pause = Duration::from_millis(seed.below(60) as u64);
            let killer = thread::spawn(move || {
                thread::sleep(pause);
                signal(&process.to_string(), "KILL");
            });
            let answer = world.baton.says(words);
            killer.join().unwrap();
            if answer.code == 0 {
                return;
            }
        }
        types_until_done(world, words);
    });
}

/// What a person does whose command found nobody: types it again.
#[track_caller]
fn types_until_done(world: &mut World, words: &[&str]) {
    let mut last = None;
    for _ in 0..TRIES {
        let running = world.baton.is_running();
        let answer = world.baton.says(words);
        if answer.code == 0 {
            return;
        }
        last = Some(answer);
        if !running {
            world.baton.kill();
            world.start_unattended();
        }
        // A daemon that has just been started does not listen yet.
        let _ = poll(Duration::from_secs(2), || (!world.baton.status().is_empty()).then_some(()));
    }
    panic!("`baton {}` is never done: {last:?}\n{}", words.join(" "), world.picture());
}

#[test]
fn with_keywords_killed_again_and_again() {
    is_killed_again_and_again(Setup::keywords(), "kill keywords");
}

#[test]
fn with_folders_killed_again_and_again() {
    is_killed_again_and_again(Setup::folders(), "kill folders");
}

/// The server shows Ana as the owner, and nobody heard that it does; then Ben gets the thread. What the mailbox shows
/// then is Baton's own doing, and no gesture of Ana's.
fn what_was_done_unheard_is_no_gesture(world: &mut World, dies: bool) {
    world.customer_writes(SUBJECT);
    let id = world.opens(SUBJECT).to_string();
    let written = match world.layout() {
        Layout::Keywords | Layout::Labels => "UID STORE",
        Layout::Folders => "UID MOVE",
    };
    world.mailbox().proxy.set_fault(Fault::SilentAt(written));
    world.baton.says(&["claim", &id, "--as", "ana"]).done();
    world.eventually("the server has done it", |world| {
        world.mailbox().proxy.fault() == Fault::Silent
    });
    if dies {
        world.baton.kill();
        world.mailbox().proxy.set_fault(Fault::None);
    }
    world.baton.says(&["assign", &id, "ben", "--as", "ana"]).done();
    if dies {
        world.start_unattended();
    } else {
        world.mailbox().proxy.set_fault(Fault::CutAfter(0));
    }
    world.becomes(SUBJECT, "assigned, ben");
    world.remains(SUBJECT, "assigned, ben");
    let thread = world.thread(SUBJECT);
    let kinds: Vec<&str> = thread.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "claimed", "assigned"]);
}

const SUBJECT: &str = "Broken kettle";

fn what_was_done_unheard_before_a_crash_is_no_gesture(world: &mut World) {
    what_was_done_unheard_is_no_gesture(world, true);
}

fn what_was_done_unheard_on_a_lost_line_is_no_gesture(world: &mut World) {
    what_was_done_unheard_is_no_gesture(world, false);
}

in_both_layouts!(
    what_was_done_unheard_before_a_crash_is_no_gesture,
    what_was_done_unheard_on_a_lost_line_is_no_gesture,
);

/// Ana claims by moving, and Baton dies when it has met the mail in her folder and not yet missed it in INBOX; then her
/// folder is renamed.
#[test]
fn a_folder_renamed_after_half_a_move_was_seen_gets_its_mail_back() {
    Setup::folders().tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        world.mailbox().proxy.set_fault(Fault::Slow(Duration::from_millis(80)));
        world.agent("ana").claims(SUBJECT);
        world.decides(SUBJECT, "assigned, ana");
        world.baton.kill();
        world.mailbox().proxy.set_fault(Fault::None);
        world.eyes().renames_folder("Baton/Ana", "Baton/Anna");
        world.start();
        world.becomes(SUBJECT, "assigned, ana");
    });
}

/// Baton moves a mail, and a person moves it on before Baton has looked into the folder.
#[test]
fn what_is_moved_on_before_it_was_looked_at_is_accounted_for() {
    Setup::folders().tell(|world| {
        world.customer_writes(SUBJECT);
        let id = world.opens(SUBJECT).to_string();
        world.mailbox().proxy.set_fault(Fault::SilentSince("UID MOVE"));
        world.baton.says(&["claim", &id, "--as", "ana"]).done();
        world.eventually("Baton has moved it and has heard so", |world| {
            world.mailbox().proxy.fault() == Fault::Silent
                && world.status().is_some_and(|status| status.is_idle())
        });
        world.baton.kill();
        world.agent("ana").resolves(SUBJECT);
        world.mailbox().proxy.set_fault(Fault::None);
        world.start();
        world.becomes(SUBJECT, "resolved, ana");
    });
}
