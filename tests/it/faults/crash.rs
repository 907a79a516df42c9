//! The daemon dies right after a commit, before anybody is answered: after each one in turn.
//!
//! The same day is told with and without crashes, and must end the same, event for event. Needs a daemon with debug
//! assertions, as tests have; a released one has no such fuse.

use super::{Seed, is_long, times};
use crate::world::{Crashes, Moment, Setup, World};

const FIRST: &str = "Broken kettle";
const SECOND: &str = "Late parcel";

/// Types a command until it is done: its daemon may die before it answers.
#[track_caller]
fn insists(world: &mut World, words: &[&str], subject: &str, becomes: &str) {
    let id = world.thread(subject).id.to_string();
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "ID" { &id } else { *word }).collect();
    let what = format!("`{}` is done", words.join(" "));
    world.eventually(&what, |world| world.baton.says(&words).code == 0);
    world.becomes(subject, becomes);
}

/// What a team does with two customers; answers what is there in the end.
fn a_day(world: &mut World) -> Vec<String> {
    world.customer_writes(FIRST);
    world.becomes(FIRST, "new");
    world.agent("ana").claims(FIRST);
    world.customer_writes(SECOND);
    world.becomes(FIRST, "assigned, ana");
    world.becomes(SECOND, "new");
    world.agent("ana").replies(FIRST);
    world.becomes(FIRST, "waiting, ana");
    insists(world, &["claim", "ID", "--as", "ben"], SECOND, "assigned, ben");
    world.customer_answers(FIRST, "I did as you said. Which part should I send back?");
    world.becomes(FIRST, "in-progress, ana");
    insists(world, &["assign", "ID", "cleo", "--as", "ana"], FIRST, "assigned|in-progress, cleo");
    world.agent("ben").blocks(SECOND);
    world.becomes(SECOND, "blocked, ben");
    world.customer_answers(SECOND, "It has come, but it is the wrong one. What now?");
    world.becomes(SECOND, "assigned|in-progress, ben");
    world.agent("cleo").resolves(FIRST);
    world.becomes(FIRST, "resolved, cleo");
    insists(world, &["resolve", "ID", "--as", "ben"], SECOND, "resolved, ben");
    world.ends_crashes();
    let mut told = Vec::new();
    for subject in [FIRST, SECOND] {
        let thread = world.thread(subject);
        let kinds: Vec<&str> = thread.events.iter().map(|event| event.kind.as_str()).collect();
        let (owner, mails) = (thread.owner.clone(), thread.messages().len());
        told.push(format!(
            "{subject}: {} {owner:?}, {mails} mails, {}",
            thread.state,
            kinds.join(" ")
        ));
    }
    told
}

/// Tells the day in a world of its own; answers its end and how often the daemon died.
fn told(setup: &Setup, crashes: Crashes) -> (Vec<String>, usize) {
    let mut end = (Vec::new(), 0);
    let mut setup = Some(setup.clone());
    setup.take().unwrap().tell_before_baton(|world| {
        world.crashes = crashes;
        world.start_unattended();
        end.0 = a_day(world);
        end.1 = world.crashes.died;
    });
    end
}

fn ends_the_same(setup: Setup, name: &str) {
    if !cfg!(debug_assertions) {
        eprintln!("{name}: skipped, a released daemon has no fuse");
        return;
    }
    let (without, _) = told(&setup, Crashes::default());
    // A daemon that dies after one commit, then after two, then after three, through the whole day.
    let ladder = Crashes::again_and_again(Moment::AfterCommit);
    let (end, died) = told(&setup, ladder);
    assert_eq!(end, without, "after {died} crashes");
    eprintln!("{name}: ended the same with {died} crashes in one day");
    let mut seed = Seed::printed(name);
    let first = if is_long() { 1 } else { 3 + seed.below(30) };
    let mut days = 0;
    for after in first..first + times(1, 500) {
        let once = Crashes::once(Moment::AfterCommit, after);
        let (end, died) = told(&setup, once);
        assert_eq!(end, without, "after a crash after commit {after}");
        if died == 0 {
            break;
        }
        days += 1;
    }
    eprintln!("{name}: ended the same with one crash, {days} times");
}

#[test]
fn with_keywords_a_crash_after_every_commit() {
    ends_the_same(Setup::keywords(), "crash keywords");
}

#[test]
fn with_folders_a_crash_after_every_commit() {
    ends_the_same(Setup::folders(), "crash folders");
}
