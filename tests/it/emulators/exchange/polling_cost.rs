//! What it costs to watch a quiet mailbox at a server that tells nothing but counters (M6), and how soon changes are seen
//! all the same.
//!
//! The server counts commands and bytes, from one poll's LIST to another's. The short form counts with a poll every second;
//! `BATON_LONG=1 cargo test --test it polling_cost -- --nocapture` watches a mailbox of 50,000 messages with the polls of
//! the preset, a minute apart, for as many as it takes until every folder has had its turn, and prints what makes an hour.

use std::collections::BTreeMap;
use std::time::Duration;

use super::mail;
use crate::world::exchange::{SHARED, Tenant};
use crate::world::imapd::Heard;
use crate::world::{Baton, PATIENCE, poll};

/// With three folders for each, five more of Baton's, six that every mailbox has and one below the archive, thirty are
/// watched.
const AGENTS: [&str; 6] = ["ana", "ben", "cem", "dia", "eva", "fay"];
/// Mail of before Baton's time, by folder; in the long form as it is, in the short form a hundredth of it.
const HISTORY: [(&str, u32); 6] = [
    ("INBOX", 30_000),
    ("Archive", 5_000),
    ("Archive/2019", 3_000),
    ("Sent Items", 8_000),
    ("Baton/Resolved", 3_500),
    ("Deleted Items", 440),
];
/// Mail that opens a thread.
const NEW: u32 = 60;

/// A team of six with Baton on the shared mailbox.
struct Office {
    // Dropped before the servers that it talks to.
    baton: Baton,
    tenant: Tenant,
    _dir: tempfile::TempDir,
}

impl Office {
    fn start(share: u32, poll_seconds: u32) -> Office {
        let tenant = Tenant::start();
        tenant.set(|knobs| knobs.basic_password = Some("secret"));
        fill(&tenant, share);
        let dir = tempfile::Builder::new().prefix("baton-polling-").tempdir().unwrap();
        std::fs::write(dir.path().join("password"), "secret").unwrap();
        let mut baton = Baton::new(dir.path(), "");
        let text = configuration(&dir.path().display().to_string(), tenant.imap.port, poll_seconds);
        baton.configure(&text);
        baton.start(&[], None);
        Office { baton, tenant, _dir: dir }
    }

    /// How many polls have begun, the look after the login included: each asks once for the folders.
    fn polls(&self) -> usize {
        self.tenant.imap.heard().iter().filter(|heard| verb(heard) == "LIST").count()
    }

    /// Waits until all mail has been read, and the first poll after that begins.
    fn settles(&self) {
        let idles = || self.tenant.imap.heard().iter().any(|heard| verb(heard) == "IDLE");
        assert!(poll(PATIENCE * 30, || idles().then_some(())).is_some(), "{}", self.tail());
        self.waits_for(1, PATIENCE * 30);
    }

    /// Waits until so many more polls have begun.
    #[track_caller]
    fn waits_for(&self, polls: usize, patience: Duration) {
        let until = self.polls() + polls;
        let held = poll(patience, || (until <= self.polls()).then_some(()));
        assert!(held.is_some(), "{}", self.tail());
    }

    fn tail(&self) -> String {
        self.baton.log_tail(30)
    }

    /// What the last polls cost, each to the beginning of the next.
    fn last(&self, polls: usize) -> Vec<Heard> {
        let heard = self.tenant.imap.heard();
        let begins = |(nth, heard): (usize, &Heard)| (verb(heard) == "LIST").then_some(nth);
        let begins: Vec<usize> = heard.iter().enumerate().filter_map(begins).collect();
        let (first, end) = (begins[begins.len() - 1 - polls], begins[begins.len() - 1]);
        heard[first..end].to_vec()
    }

    #[track_caller]
    fn escalates(&self, number: u32) {
        let id = format!("<{number}@example.test>");
        let patience = PATIENCE * 3;
        let subject = format!("Kettle {number}");
        self.tenant.outlook(|outlook| outlook.flags(&id, true));
        let escalated = || {
            let threads = self.baton.threads();
            threads.iter().any(|thread| thread.subject == subject && thread.escalated)
        };
        assert!(poll(patience, || escalated().then_some(())).is_some(), "{}", self.tail());
    }
}

fn fill(tenant: &Tenant, share: u32) {
    let long_ago = "2019-11-24T09:00:00Z".parse::<jiff::Timestamp>().unwrap();
    tenant.imap.with(|exchange| {
        let mailbox = exchange.mailbox(SHARED);
        mailbox.add_folder("Archive/2019");
        mailbox.add_folder("Baton/Resolved");
        let mut number = 100_000;
        for (folder, count) in HISTORY {
            let folder = mailbox.folder(folder).id;
            for _ in 0..count / share {
                number += 1;
                let bytes = mail(number).into_bytes();
                let seen = ["\\Seen".to_owned()].into_iter().collect();
                let mail = mailbox.store.add_mail(bytes, long_ago, seen);
                mailbox.store.place(mail, folder);
            }
        }
        (1..=NEW).for_each(|number| exchange.delivers(SHARED, &mail(number)));
    });
}

fn capital(agent: &str) -> String {
    format!("{}{}", agent[..1].to_uppercase(), &agent[1..])
}

fn configuration(dir: &str, port: u16, poll_seconds: u32) -> String {
    let mut text = format!(
        "state_dir = \"{dir}/state\"\n\n[[mailbox]]\nname = \"shared\"\naddress = \"{SHARED}\"\nsince = \"2020-01-01\"\n\
         layout = \"folders\"\nflag_escalates = true\npoll_seconds = {poll_seconds}\n\n[mailbox.imap]\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nuser = \"{SHARED}\"\npassword = {{ file = \"{dir}/password\" }}\n"
    );
    for agent in AGENTS {
        let name = capital(agent);
        text.push_str(&format!(
            "\n[[agent]]\nid = \"{agent}\"\nname = \"{name}\"\naddress = \"{agent}@contoso.com\"\n"
        ));
    }
    text
}

/// `UID FETCH`, without tag and arguments; `DONE` for the end of an IDLE.
fn verb(heard: &Heard) -> String {
    let words: Vec<&str> = heard.line.split(' ').collect();
    match words.as_slice() {
        [_, "UID", verb, ..] => format!("UID {verb}"),
        [_, verb, ..] => (*verb).to_owned(),
        _ => heard.line.clone(),
    }
}

/// How often each command was given, and the bytes of it and its answer.
fn by_verb(heard: &[Heard]) -> BTreeMap<String, (usize, usize)> {
    let mut sums: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for one in heard {
        let sum = sums.entry(verb(one)).or_default();
        *sum = (sum.0 + 1, sum.1 + one.bytes + one.answer_bytes);
    }
    sums
}

fn bytes(heard: &[Heard]) -> usize {
    heard.iter().map(|one| one.bytes + one.answer_bytes).sum()
}

/// In the short form: not one poll lists what it knows, and what changed is found all the same.
#[test]
fn a_quiet_mailbox_costs_its_counters_and_a_stretch_of_flags() {
    let office = Office::start(100, 1);
    office.settles();
    office.waits_for(6, PATIENCE * 3);
    let polls = 5;
    let heard = office.last(polls);
    let counts = by_verb(&heard);
    let count = |verb: &str| counts.get(verb).map_or(0, |(count, _)| *count);
    assert_eq!(count("LIST"), polls);
    assert_eq!(count("STATUS"), 29 * polls, "every watched folder but INBOX: {counts:#?}");
    assert_eq!(count("IDLE"), polls);
    assert!(count("SELECT") <= 6 * polls, "{counts:#?}");
    assert!(count("UID FETCH") <= 8 * polls, "{counts:#?}");
    assert!(count("FETCH") == 0 && count("UID SEARCH") == 0, "{counts:#?}");
    let rows = heard.iter().filter(|one| verb(one) == "UID FETCH");
    let rows: usize = rows.map(|one| one.answer_bytes / 40).sum();
    assert!(rows <= 350 * polls, "about {rows} messages were listed");

    // A gesture on mail that nobody compares often is a number that fell: where, is found with few questions.
    office.tenant.set(|knobs| knobs.deaf = true);
    let before = office.tenant.imap.heard().len();
    office.tenant.outlook(|outlook| outlook.deletes_for_good("<100009@example.test>"));
    let found = || office.tenant.imap.heard()[before..].iter().any(|one| verb(one) == "FETCH");
    assert!(poll(PATIENCE, || found().then_some(())).is_some(), "{}", office.tail());
    office.waits_for(3, PATIENCE);
    let heard = &office.tenant.imap.heard()[before..];
    let searches = heard.iter().filter(|one| verb(one) == "FETCH").count();
    assert!(searches <= 2, "what was gone was looked for once: {searches}");

    // Flags are found in the end, whatever the server tells.
    office.escalates(3);
    office.tenant.set(|knobs| knobs.deaf = false);
    office.escalates(4);
}

/// In the long form, the figures of docs/performance.md.
#[test]
fn what_an_hour_costs() {
    if std::env::var("BATON_LONG").is_err() {
        return;
    }
    /// In so many polls every folder has been asked for its open threads.
    const POLLS: usize = 5;
    const PER_HOUR: usize = 60;
    let office = Office::start(1, 60);
    office.settles();
    office.waits_for(POLLS, Duration::from_secs(61 * POLLS as u64 + 60));
    let heard = office.last(POLLS);
    let hour = |number: usize| number * PER_HOUR / POLLS;
    for (verb, (count, bytes)) in by_verb(&heard) {
        println!("{verb}: {} commands, {} kB an hour", hour(count), hour(bytes) / 1000);
    }
    let commands = heard.iter().filter(|one| verb(one) != "DONE").count();
    println!("together: {} commands, {} kB an hour", hour(commands), hour(bytes(&heard)) / 1000);

    let before = office.tenant.imap.heard().len();
    office.tenant.outlook(|outlook| outlook.moves("<105009@example.test>", "Baton/Ana"));
    let idles = || {
        let heard = office.tenant.imap.heard();
        let of = |word: &str| heard[before..].iter().any(|one| verb(one) == word);
        of("FETCH") && verb(&heard[heard.len() - 1]) == "IDLE"
    };
    assert!(poll(PATIENCE * 6, || idles().then_some(())).is_some(), "{}", office.tail());
    let heard = office.tenant.imap.heard()[before..].to_vec();
    let commands = heard.iter().filter(|one| verb(one) != "DONE").count();
    println!("an old mail moved: {commands} commands, {} kB", bytes(&heard) / 1000);
    for (verb, (count, bytes)) in by_verb(&heard) {
        println!("  {verb}: {count} commands, {bytes} B");
    }
}
