//! What strangers can send: mails that were damaged, made up, or made to be slow; and words on the command line.
//!
//! Not one may stop Baton, and none may take long: what they cost is measured by the processor's time of the one thread.
//! `BATON_SEED=7` repeats one, `BATON_LONG=1` runs for `BATON_MINUTES` (10) and with mails of ten megabytes.
//! What was found is a mail in `tests/data/hostile`, or a shape in `shapes.rs`.

mod mutate;
mod shapes;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use baton::desk::label;
use baton::desk::layout::{Dialect, Layout, MarkNames};
use baton::desk::marks::Place;
use baton::desk::policy::{KeepText, Policy, Sending};
use baton::desk::roster::{Agent, AgentId};
use baton::mail::message::{Message, REFERENCES_MAX};
use baton::mail::newtext::{Context, new_text};
use baton::mail::parse::parse;
use baton::mail::{forward, html, subject, thanks};

use crate::laws::dice::Dice;

/// How many mails a normal run damages.
const MAILS: u64 = 400;
/// How long a mail of at most [`mutate::LENGTH_MAX`] bytes may take, also unoptimised on a busy machine.
const SLOW: Duration = Duration::from_secs(4);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn long() -> bool {
    std::env::var("BATON_LONG").is_ok()
}

#[test]
fn no_damaged_mail_stops_or_delays() {
    let seeds = mutate::seeds();
    if let Some(seed) = number("BATON_SEED") {
        let raw = mutate::mail(seed, &seeds);
        let kept = std::env::temp_dir().join(format!("baton-{seed}.eml"));
        fs::write(&kept, &raw).unwrap();
        println!("the mail is {}", kept.display());
        return understand(&raw, seed);
    }
    let first = number("BATON_FIRST_SEED").unwrap_or(1);
    let until = Instant::now() + Duration::from_secs(60 * number("BATON_MINUTES").unwrap_or(10));
    let (mut count, mut slowest) = (0, (Duration::ZERO, 0));
    for seed in first.. {
        if long() && Instant::now() > until || !long() && count == MAILS {
            break;
        }
        let begun = worked();
        understand(&mutate::mail(seed, &seeds), seed);
        slowest = slowest.max((worked() - begun, seed));
        count += 1;
    }
    println!("{count} damaged mails from seed {first}; the slowest took {slowest:?} (time, seed)");
}

/// How long this thread has had a processor: other tests and other programs do not count.
fn worked() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a Linux that counts"))
}

/// Reads the mail in every way there is.
fn understand(raw: &[u8], seed: u64) {
    let begun = worked();
    let message = parse(raw);
    let took = worked() - begun;
    assert!(took < SLOW, "BATON_SEED={seed}: {} bytes took {took:?}", raw.len());
    is_bounded(&message, seed);
    assert_eq!(message, parse(raw), "BATON_SEED={seed}: understood in two ways");
    let text = String::from_utf8_lossy(raw);
    let plain = html::to_text(&text);
    for context in [Context::Fresh, Context::Answer, Context::Forward] {
        new_text(&plain, context);
    }
    forward::find(&text, "Fwd: x");
    thanks::is_bare_thanks(&message.new_text);
    subject::base_subject(&message.subject);
    let took = worked() - begun;
    assert!(took < SLOW * 3, "BATON_SEED={seed}: {} bytes took {took:?}", raw.len());
}

fn is_bounded(message: &Message, seed: u64) {
    assert!(!message.message_id.is_empty(), "BATON_SEED={seed}: no id");
    assert!(message.message_id.len() <= 2_000, "BATON_SEED={seed}: an id without end");
    assert!(message.references.len() <= REFERENCES_MAX, "BATON_SEED={seed}");
    assert_eq!(message.fingerprint.len(), 32, "BATON_SEED={seed}");
}

#[test]
fn no_shape_of_mail_is_slow() {
    // Unoptimised, and beside other tests: what is quadratic shows all the same.
    let (bytes, limit) = if long() { (10 << 20, 1_000) } else { (48 << 10, 1_500) };
    let mut slow = Vec::new();
    for (name, raw) in shapes::all(bytes) {
        let begun = worked();
        let message = parse(&raw);
        let took = worked() - begun;
        drop(message);
        if long() {
            println!("{:6} ms  {name}", took.as_millis());
        }
        if took > Duration::from_millis(limit) {
            slow.push(format!("{name}: {} bytes took {took:?}", raw.len()));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn what_once_stopped_or_delayed_does_so_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        understand(&fs::read(entry.unwrap().path()).unwrap(), 0);
    }
}

const WORDS: [&str; 26] = [
    "baton",
    "threads",
    "show",
    "claim",
    "block",
    "undo",
    "merge",
    "split",
    "assign",
    "--as",
    "--json",
    "--state",
    "--config",
    "-1",
    "0",
    "99999999999999999999",
    "#4812",
    "ana",
    "é\u{202e}",
    "",
    "--",
    "--until=9999-12-31",
    "2h",
    "999999999999d",
    "-0001-01-01",
    "\u{0}",
];

#[test]
fn no_command_line_stops() {
    let first = number("BATON_SEED").unwrap_or(1);
    let count = if long() { 500_000 } else { 3_000 };
    for seed in first..first + count {
        let mut dice = Dice::new(seed);
        let mut words = vec!["baton".to_string()];
        for _ in 0..dice.below(7) {
            let mut word = (*dice.pick(&WORDS).unwrap()).to_string();
            if dice.chance(10) {
                word.push_str(dice.pick(&WORDS).unwrap());
            }
            words.push(word);
        }
        drop(baton::cli::command().try_get_matches_from(words));
    }
}

fn policy(dice: &mut Dice) -> Policy {
    let names = ["ana", "Ana", "é", "Σ", "İ", "ß", "waiting", "Waiting", "a/b", "", "x y", "baton"];
    let name = |dice: &mut Dice| (*dice.pick(&names).unwrap()).to_string();
    let agents = (0..dice.below(5)).map(|_| Agent {
        id: AgentId(name(dice)),
        name: name(dice),
        address: name(dice),
        mark: name(dice),
        mailboxes: Vec::new(),
        cards: true,
    });
    let agents = agents.collect();
    Policy {
        mailbox: "support".into(),
        own_addresses: Vec::new(),
        agents,
        since: baton::clock::Timestamp(0),
        reopen_within: Duration::ZERO,
        join_within: Duration::ZERO,
        burst_moves_per_minute: 3,
        leave_moved: Duration::ZERO,
        flag_escalates: None,
        keep_text: KeepText::None,
        sending: Sending::default(),
        key: Default::default(),
        deadlines: None,
        names: MarkNames {
            root: name(dice),
            waiting: name(dice),
            keyword: name(dice),
            ..MarkNames::default()
        },
    }
}

#[test]
fn no_name_of_a_folder_or_keyword_stops_and_ours_are_read_as_written() {
    let count = if long() { 300_000 } else { 2_000 };
    for seed in 1..=count {
        let mut dice = Dice::new(seed);
        let policy = policy(&mut dice);
        let layout = *dice.pick(&[Layout::Folders, Layout::Keywords, Layout::Labels]).unwrap();
        let delimiter = *dice.pick(&['/', '.', '\\', 'é']).unwrap();
        let prefix = *dice.pick(&["", "INBOX."]).unwrap();
        let dialect = Dialect::new(&policy, layout, prefix, delimiter);
        for label in dialect.folders(&policy).iter().skip(1) {
            let marks = dialect.marks(&policy, &[label::word(label)]);
            assert_eq!(marks.is_empty(), layout != Layout::Labels, "seed {seed}: {label}");
        }
        let folders = dialect.folders(&policy);
        for folder in folders.iter().filter(|_| layout == Layout::Folders) {
            let place = dialect.place_below_root(&policy, folder);
            let written = dialect.folder(&policy, &place);
            let root = format!("{prefix}{}", policy.names.root);
            assert!(
                written.is_some_and(|name| name.to_lowercase() == folder.to_lowercase())
                    || place == Place::Elsewhere && *folder == root,
                "seed {seed}: {folder} is {place:?}"
            );
            dialect.place_below_root(&policy, &format!("{folder}{delimiter}"));
        }
        let flags: Vec<String> = (0..dice.below(6))
            .map(|_| {
                let ends = ["waiting", "ana", "é", "", "-", "IGNORED"];
                format!("{}-{}", policy.names.keyword, dice.pick(&ends).unwrap())
            })
            .collect();
        for mark in dialect.marks(&policy, &flags) {
            let spelled = dialect.keyword(&policy, &mark);
            assert!(dialect.marks(&policy, &[spelled]).contains(&mark), "seed {seed}: {mark:?}");
        }
    }
}
