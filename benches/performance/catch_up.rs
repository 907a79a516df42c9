//! (a) How fast a mailbox is read that is full already: as history (headers) and as new mail (bodies), with the server's
//! caches cold and warm, next to a client that sends the same commands and throws the answers away.

use std::time::Instant;

use super::letters::letter;
use super::world::bare::Bare;
use super::world::daemon::{Daemon, Shared, Usage, days_ago};
use super::world::dovecot::{Dovecot, Server};
use super::world::proxy::{Proxy, Side};
use super::world::{maildir, median, row};

const USER: &str = "support@example.test";
const DAYS: i64 = 100;

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Header,
    Body,
}

impl Depth {
    fn since(self) -> String {
        match self {
            Depth::Header => days_ago(DAYS - 10),
            Depth::Body => days_ago(DAYS + 10),
        }
    }
}

/// One figure: seconds of Baton and of the floor, by turns.
#[derive(Default)]
struct Turns {
    baton: Vec<f64>,
    floor: Vec<f64>,
    /// Seconds on a processor, which the machine's other work does not change.
    busy: Vec<f64>,
    peak_kb: u64,
}

pub(crate) fn run(numbers: &[usize]) {
    let numbers = if numbers.is_empty() { &[10_000, 100_000] } else { numbers };
    for &count in numbers {
        let begun = Instant::now();
        let mut dovecot = Dovecot::start(Server::default());
        dovecot.restart_after(|mail| {
            maildir::fill(mail, USER, DAYS, (0..count as u64).map(letter));
        });
        println!("({count} messages written in {:?})", begun.elapsed());
        for depth in [Depth::Header, Depth::Body] {
            measure(&mut dovecot, count, depth);
        }
    }
}

fn measure(dovecot: &mut Dovecot, count: usize, depth: Depth) {
    let turns = if count <= 20_000 { 3 } else { 1 };
    let commands = recorded(dovecot, count, depth);
    for cold in [true, false] {
        let mut figure = Turns::default();
        for _ in 0..turns {
            for baton in [false, true] {
                if cold {
                    dovecot.restart_after(|mail| maildir::forget(mail, USER));
                }
                if baton {
                    let (seconds, usage) = by_baton(dovecot.port, count, depth);
                    figure.baton.push(seconds);
                    figure.busy.push(usage.cpu.as_secs_f64());
                    figure.peak_kb = figure.peak_kb.max(usage.peak_kb);
                } else {
                    figure.floor.push(by_floor(dovecot.port, &commands));
                }
            }
        }
        tell(&mut figure, count, depth, cold);
    }
}

fn tell(figure: &mut Turns, count: usize, depth: Depth, cold: bool) {
    let (baton, floor) = (median(&mut figure.baton), median(&mut figure.floor));
    let per_second = |seconds: f64| format!("{:.0}/s", count as f64 / seconds);
    let what = if depth == Depth::Header { "history" } else { "new mail" };
    let caches = if cold { "cold" } else { "warm" };
    row(
        &format!("catch-up, {count} as {what}, {caches}"),
        &format!(
            "{}, {:.0} µs of processor each, peak {} MB",
            per_second(baton),
            median(&mut figure.busy) / count as f64 * 1e6,
            figure.peak_kb / 1024
        ),
        &per_second(floor),
        &format!("{:.2}", floor / baton),
        if cold { "≥ 0.9" } else { "≥ 0.4" },
    );
}

fn daemon(port: u16, depth: Depth) -> Daemon {
    let shared = Shared { name: "support".into(), port, since: depth.since(), settings: "" };
    Daemon::new(&[shared])
}

fn by_baton(port: u16, count: usize, depth: Depth) -> (f64, Usage) {
    let mut daemon = daemon(port, depth);
    daemon.start();
    let took = daemon.until_read("support", count);
    (took.as_secs_f64(), daemon.usage())
}

fn by_floor(port: u16, commands: &[String]) -> f64 {
    let begun = Instant::now();
    let mut bare = Bare::login(port, USER);
    for command in commands {
        bare.run(command);
    }
    begun.elapsed().as_secs_f64()
}

/// What Baton says to read INBOX, in a run that is not measured.
fn recorded(dovecot: &Dovecot, count: usize, depth: Depth) -> Vec<String> {
    let proxy = Proxy::start(dovecot.port);
    let mut daemon = daemon(proxy.port, depth);
    daemon.start();
    daemon.until_read("support", count);
    let mut commands = vec!["SELECT INBOX (CONDSTORE)".to_owned()];
    for line in proxy.recording() {
        if line.side == Side::Client && line.folder.as_deref() == Some("INBOX") {
            let command = line.text.split_once(' ').map_or("", |(_, command)| command);
            if command.starts_with("UID FETCH") && !command.contains("CHANGEDSINCE") {
                commands.push(command.to_owned());
            }
        }
    }
    assert!(1 < commands.len(), "nothing was recorded");
    commands
}
