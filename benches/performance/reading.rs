//! (e) Understanding mail on one core: parse, kind and threading, next to mail-parser alone on the same bytes.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use baton::config;
use baton::desk::joining::{Candidate, Writer, by_reference};
use baton::desk::policy::Policy;
use baton::desk::thread::ThreadId;
use baton::mail::parse::parse;

use super::letters::letter;
use super::world::daemon::{Daemon, Shared, days_ago};
use super::world::{median, row};

const TURNS: usize = 7;

pub(crate) fn run(_: &[usize]) {
    let shared = Shared { name: "support".into(), port: 1, since: days_ago(9), settings: "" };
    let daemon = Daemon::new(&[shared]);
    let policy = config::load(&daemon.config()).unwrap().mailboxes[0].policy.clone();
    let mut files: Vec<_> = fs::read_dir("tests/data/eml").unwrap().flatten().collect();
    files.sort_by_key(fs::DirEntry::path);
    files.retain(|file| file.path().extension().is_some_and(|ending| ending == "eml"));
    let fixtures: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file.path()).unwrap()).collect();
    measure("the fixtures of tests/data/eml", &fixtures, &policy);
    let letters: Vec<Vec<u8>> = (0..400).map(letter).collect();
    measure("letters as in the catch-up", &letters, &policy);
}

fn measure(what: &str, mails: &[Vec<u8>], policy: &Policy) {
    let (mut baton, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        baton.push(rate(mails, by_baton(policy)));
        floor.push(rate(mails, |raw| {
            black_box(mail_parser::MessageParser::default().parse(raw));
        }));
    }
    let (baton, floor) = (median(&mut baton), median(&mut floor));
    let bytes: usize = mails.iter().map(Vec::len).sum();
    row(
        &format!("understanding {what}, {} of {} B on average", mails.len(), bytes / mails.len()),
        &format!("{baton:.0}/s"),
        &format!("{floor:.0}/s"),
        &format!("{:.2}", baton / floor),
        "≥ 0.5",
    );
}

/// Messages per second, over at least half a second.
fn rate(mails: &[Vec<u8>], mut each: impl FnMut(&[u8])) -> f64 {
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_millis(500) {
        for mail in mails {
            each(mail);
        }
        count += mails.len();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}

fn by_baton(policy: &Policy) -> impl FnMut(&[u8]) {
    let mut known: HashMap<String, i64> = HashMap::new();
    move |raw| {
        let message = parse(raw);
        let from = message.from.first().map(|from| from.address.to_lowercase());
        let from = from.unwrap_or_default();
        let ids = message.in_reply_to.iter().chain(message.references.iter().rev());
        let candidates: Vec<Candidate> = ids
            .filter_map(|id| {
                let thread = ThreadId(*known.get(id)?);
                let participants = BTreeSet::from([from.clone()]);
                Some(Candidate { thread, evidence: format!("names {id}"), participants })
            })
            .collect();
        let writer = Writer { from, ..Writer::default() };
        black_box(by_reference(policy, &writer, &candidates));
        if known.len() < 100_000 {
            let number = known.len() as i64;
            known.insert(message.message_id, number);
        }
    }
}
