//! Large things: one message, one thread, one header, many folders, a mailbox that does not answer. Memory stays under 200 MB.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use super::letters::{id, letter, letter_answering};
use super::world::client::Imap;
use super::world::daemon::{Daemon, Shared, days_ago};
use super::world::deliver;
use super::world::dovecot::{Dovecot, Server};
use super::world::fault::Fault;
use super::world::proxy::Proxy;
use super::world::{PASSWORD, maildir, median, row};

const USER: &str = "support@example.test";

pub(crate) fn run(_: &[usize]) {
    one("a message of 60 MB", vec![huge(60 * 1024 * 1024)]);
    one("a References header of 10,000 ids", vec![many_references(10_000)]);
}

/// Many threads of one message, and one thread of as many.
pub(crate) fn long_thread(_: &[usize]) {
    one("5,000 threads of one message", (0..5_000).map(|n| letter_answering(n, None)).collect());
    let thread = (0..5_000).map(|n| letter_answering(n, (0 < n).then_some(0))).collect();
    one("one thread of 5,000 messages", thread);
}

/// Few folders and many.
pub(crate) fn folders(numbers: &[usize]) {
    for &count in if numbers.is_empty() { &[10, 1_000] } else { numbers } {
        beside_folders(count);
    }
}

/// A neighbour in trouble.
pub(crate) fn neighbours(_: &[usize]) {
    for fault in [Fault::Silent, Fault::SilentAfter(12), Fault::Slow(Duration::from_secs(1))] {
        neighbour(fault);
    }
}

fn huge(bytes: usize) -> Vec<u8> {
    let mut text = String::from_utf8(letter(19)).unwrap();
    let end = text.rfind("--b2--").unwrap();
    text.truncate(end);
    while text.len() < bytes {
        text.push_str(
            "R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADsAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        );
    }
    text.push_str("--b2--\r\n");
    text.into_bytes()
}

fn many_references(count: u64) -> Vec<u8> {
    let text = String::from_utf8(letter(0)).unwrap();
    let mut references = String::from("References:");
    for number in 0..count {
        let _ = write!(references, "\r\n <{}>", id(number + 10));
    }
    text.replacen("MIME-Version:", &format!("{references}\r\nMIME-Version:"), 1).into_bytes()
}

fn daemon(port: u16) -> Daemon {
    let (name, since) = ("support".to_owned(), days_ago(30));
    Daemon::new(&[Shared { name, port, since, settings: "layout = \"keywords\"" }])
}

/// How long the daemon takes for a mailbox of these messages, and how much memory.
fn one(what: &str, letters: Vec<Vec<u8>>) {
    let count = letters.len();
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.restart_after(|mail| maildir::fill(mail, USER, 1, letters.into_iter()));
    let mut daemon = daemon(dovecot.port);
    daemon.start();
    let took = daemon.until_read("support", count);
    tell(what, took, &daemon);
    if count > 1 {
        // The same thread, or the first of many, gets an owner; then every mail of it carries a mark.
        let begun = Instant::now();
        daemon.command(&["assign", "1", "ana", "--as", "ana"]);
        daemon.until(Duration::from_secs(60), |tx| {
            Ok(tx.status()?.iter().all(|status| status.queue == 0))
        });
        tell(&format!("{what}: the first thread gets an owner"), begun.elapsed(), &daemon);
    }
}

fn tell(what: &str, took: Duration, daemon: &Daemon) {
    let peak = format!("{:.2} s, peak {} MB", took.as_secs_f64(), daemon.usage().peak_kb / 1024);
    row(what, &peak, "–", "–", "< 200 MB");
}

fn make_folders(mail: &Path, count: usize) {
    let owner = fs::metadata(mail).unwrap();
    for number in 0..count {
        let folder = mail.join(USER).join(format!(".Customer {number}"));
        for below in ["", "cur", "new", "tmp"] {
            let path = folder.join(below);
            fs::create_dir_all(&path).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
    }
}

/// 2,000 messages in INBOX, beside which other folders lie; and what the polls cost.
fn beside_folders(count: usize) {
    const MAILS: u64 = 2_000;
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.restart_after(|mail| {
        maildir::fill(mail, USER, 1, (0..MAILS).map(letter));
        make_folders(mail, count);
    });
    let (name, since, port) = ("support".to_owned(), days_ago(30), dovecot.port);
    let mut daemon = Daemon::new(&[Shared { name, port, since, settings: "poll_seconds = 1" }]);
    daemon.start();
    let took = daemon.until_read("support", MAILS as usize);
    tell(&format!("{MAILS} messages beside {count} other folders"), took, &daemon);
    std::thread::sleep(Duration::from_secs(3));
    let before = daemon.usage().cpu;
    std::thread::sleep(Duration::from_secs(10));
    let each = daemon.usage().cpu.saturating_sub(before).as_secs_f64() * 1e3 / 10.0;
    row(
        &format!("one poll with {count} other folders"),
        &format!("{each:.1} ms of processor"),
        "–",
        "–",
        "–",
    );
    one_by_one(&dovecot, &daemon, count, MAILS);
}

/// Messages that come one at a time: from the delivery until each is kept, and the daemon's own work.
fn one_by_one(dovecot: &Dovecot, daemon: &Daemon, folders: usize, first: u64) {
    const MAILS: u64 = 30;
    let mut eyes = Imap::login(dovecot.port, USER, PASSWORD).unwrap();
    let (before, begun) = (daemon.usage().cpu, Instant::now());
    let mut times = Vec::new();
    for number in first..first + MAILS {
        let sent = Instant::now();
        deliver(&mut eyes, &letter(number * 4));
        daemon.until_read("support", number as usize + 1);
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    let polls = begun.elapsed().as_secs_f64();
    let work = daemon.usage().cpu.saturating_sub(before).as_secs_f64() * 1e3;
    let peak = daemon.usage().peak_kb / 1024;
    row(
        &format!("a message beside {folders} other folders, until it is kept, p50 of {MAILS}"),
        &format!(
            "{:.0} ms; {:.1} ms of processor with the polls of {polls:.0} s; peak {peak} MB",
            median(&mut times),
            work / MAILS as f64
        ),
        "–",
        "–",
        "< 200 MB",
    );
}

/// Two mailboxes, of which one's server says nothing, or nothing more after the login, or a line in a second.
fn neighbour(fault: Fault) {
    const MAILS: u64 = 2_000;
    const ROUNDS: usize = 5;
    let mut times = [Vec::new(), Vec::new()];
    // Taking turns.
    for round in 0..2 * ROUNDS {
        let fault = if round % 2 == 0 { Fault::None } else { fault.clone() };
        let mut dovecot = Dovecot::start(Server::default());
        dovecot.restart_after(|mail| maildir::fill(mail, USER, 1, (0..MAILS).map(letter)));
        let proxy = Proxy::start(dovecot.port);
        proxy.set_fault(fault);
        let shared = |name: &str, port| Shared {
            name: name.to_owned(),
            port,
            since: days_ago(30),
            settings: "",
        };
        let mut daemon =
            Daemon::new(&[shared("silent", proxy.port), shared("support", dovecot.port)]);
        daemon.start();
        times[round % 2].push(daemon.until_read("support", MAILS as usize).as_secs_f64());
    }
    let times = times.map(|mut times| median(&mut times));
    row(
        &format!("{MAILS} messages beside a mailbox with {fault:?}"),
        &format!("{:.2} s", times[1]),
        &format!("{:.2} s", times[0]),
        &format!("{:.2}", times[1] / times[0]),
        "1",
    );
}
