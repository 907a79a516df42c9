//! The first start on a mailbox that has been in use for long: everything is older than the cut-over, and opens nothing.
//! Killed in the middle, the daemon goes on where it was. Memory stays under 200 MB.

use std::time::Instant;

use super::letters::short;
use super::world::daemon::{Daemon, Shared, days_ago};
use super::world::dovecot::{Dovecot, Server};
use super::world::{maildir, row};

const USER: &str = "support@example.test";
const MAILS: usize = 1_000_000;

pub(crate) fn run(numbers: &[usize]) {
    for &count in if numbers.is_empty() { &[MAILS] } else { numbers } {
        measure(count);
    }
}

fn measure(count: usize) {
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.restart_after(|mail| maildir::fill(mail, USER, 60, (0..count as u64).map(short)));
    let shared = Shared {
        name: "support".to_owned(),
        port: dovecot.port,
        since: days_ago(30),
        settings: "layout = \"keywords\"",
    };
    let mut daemon = Daemon::new(&[shared]);
    let begun = Instant::now();
    daemon.start();
    let half = daemon.until_read("support", count / 2);
    tell(
        &format!("{count} messages of before the cut-over, the first half"),
        &daemon,
        half.as_secs_f64(),
    );
    daemon.kill();
    daemon.start();
    let rest = daemon.until_read("support", count);
    tell("the second half, after a kill", &daemon, rest.as_secs_f64());
    let all = begun.elapsed().as_secs_f64();
    row("all of it", &format!("{all:.0} s, {:.0}/s", count as f64 / all), "–", "–", "–");
    daemon.kill();
    daemon.start();
    let again = daemon.until_connected();
    tell("a further start, until it is connected", &daemon, again.as_secs_f64());
}

fn tell(what: &str, daemon: &Daemon, seconds: f64) {
    let peak = daemon.usage().peak_kb / 1024;
    row(what, &format!("{seconds:.1} s, peak {peak} MB"), "–", "–", "< 200 MB");
}
