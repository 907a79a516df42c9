//! (f) How long a person waits for the list and for one thread, process start included, with many threads of which few
//! are open. The floor is the same answer from a database that holds nothing else.

use super::world::daemon::Daemon;
use super::world::desk::with_threads;
use super::world::{median, row};

const OPEN: u64 = 10_000;
const TURNS: usize = 15;

pub(crate) fn run(numbers: &[usize]) {
    let threads = numbers.first().map_or(1_000_000, |number| *number as u64);
    let (full, _) = with_threads(threads, OPEN);
    let (spare, _) = with_threads(OPEN, OPEN);
    let of = |daemon: &Daemon, arguments: &[&str]| {
        let (out, took) = daemon.command(arguments);
        (out.len(), took.as_secs_f64() * 1e3)
    };
    let one = threads.to_string();
    let other = OPEN.to_string();
    let questions: [(&str, Vec<&str>, Vec<&str>); 2] = [
        ("`threads --json`", vec!["threads", "--json"], vec!["threads", "--json"]),
        ("`show`", vec!["show", &one, "--json"], vec!["show", &other, "--json"]),
    ];
    for (what, arguments, of_spare) in questions {
        let (mut baton, mut floor, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..TURNS {
            let (size, took) = of(&full, &arguments);
            baton.push(took);
            bytes = size;
            floor.push(of(&spare, &of_spare).1);
        }
        let (baton, floor) = (median(&mut baton), median(&mut floor));
        row(
            &format!("{what}, {threads} threads, {OPEN} open ({} kB)", bytes / 1024),
            &format!("{baton:.0} ms"),
            &format!("{floor:.0} ms"),
            &format!("{:.2}", baton / floor),
            "< 100 ms",
        );
    }
}
