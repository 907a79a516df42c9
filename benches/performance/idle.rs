//! (c) What a daemon needs while nothing happens: memory and processor time with 1, 100 and 500 mailboxes that wait in IDLE.

use std::time::{Duration, Instant};

use super::letters::letter;
use super::world::daemon::{Daemon, Shared, Usage, days_ago};
use super::world::dovecot::{Dovecot, Server};
use super::world::{maildir, row};

/// Over how long processor time is counted: one poll of each mailbox is in it.
const WATCHED: Duration = Duration::from_secs(70);
/// Until all have settled.
const SETTLE: Duration = Duration::from_secs(10);
const MAILS: u64 = 10;

pub(crate) fn run(numbers: &[usize]) {
    let numbers = if numbers.is_empty() { &[1, 100, 500] } else { numbers };
    let mut first: Option<(usize, Usage)> = None;
    for &count in numbers {
        let (usage, busy) = measure(count);
        let (of, least) = *first.get_or_insert((count, usage));
        let more =
            (usage.resident_kb as f64 - least.resident_kb as f64) / (count - of).max(1) as f64;
        let further = if count == of { "–".to_owned() } else { format!("{more:.0} kB") };
        row(
            &format!("{count} idle mailboxes, resident; each further one"),
            &format!("{:.1} MB", usage.resident_kb as f64 / 1024.0),
            "–",
            &further,
            "< 100 kB",
        );
        row(
            &format!("{count} idle mailboxes, processor"),
            &format!("{:.2} %", busy * 100.0),
            "–",
            &format!("{:.3} % each", busy * 100.0 / count as f64),
            "not measurable",
        );
    }
}

fn measure(count: usize) -> (Usage, f64) {
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.restart_after(|mail| {
        for number in 0..count {
            let user = format!("m{number}@example.test");
            maildir::fill(mail, &user, 1, (0..MAILS).map(letter));
        }
    });
    let (port, since) = (dovecot.port, days_ago(30));
    let shared = |number: usize| {
        let name = format!("m{number}");
        Shared { name, port, since: since.clone(), settings: "" }
    };
    let mailboxes: Vec<Shared> = (0..count).map(shared).collect();
    let mut daemon = Daemon::new(&mailboxes);
    daemon.start();
    daemon.until(Duration::from_secs(300), |tx| {
        let status = tx.status()?;
        let connected = status.iter().filter(|one| one.connected_since.is_some()).count();
        let mut read = 0;
        for one in &status {
            let Some(id) = tx.mailbox_id(&one.name)? else { continue };
            let inbox = tx.folder(id, "INBOX")?;
            read += usize::from(inbox.is_some_and(|inbox| u64::from(inbox.next_uid) > MAILS));
        }
        Ok(connected == count && read == count)
    });
    std::thread::sleep(SETTLE);
    let (before, begun) = (daemon.usage(), Instant::now());
    std::thread::sleep(WATCHED);
    let after = daemon.usage();
    let busy = after.cpu.saturating_sub(before.cpu).as_secs_f64() / begun.elapsed().as_secs_f64();
    (after, busy)
}
