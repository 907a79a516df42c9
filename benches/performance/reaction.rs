//! (b) From the byte that announces EXISTS to the tagged OK of the STORE that puts the owner's mark on it, stamped by a
//! proxy, next to a client that does only DONE, FETCH, STORE. Both mailboxes get a mail in every round.

use std::time::{Duration, Instant};

use super::letters::{letter, letter_answering};
use super::world::bare::Bare;
use super::world::client::Imap;
use super::world::daemon::{Daemon, Shared, days_ago};
use super::world::deliver;
use super::world::dovecot::{Dovecot, Server};
use super::world::proxy::{Line, Proxy, Side};
use super::world::{PASSWORD, percentile, poll, row};

const ROUNDS: usize = 200;
/// Dovecot announces half a second after the delivery; so the two never work at the same time.
const PAUSE: Duration = Duration::from_millis(450);
const FLOOR: &str = "floor@example.test";

/// Milliseconds: from the announcement, and from the end of the delivery.
struct Times {
    announced: Vec<f64>,
    delivered: Vec<f64>,
}

pub(crate) fn run(numbers: &[usize]) {
    let rounds = numbers.first().copied().unwrap_or(ROUNDS);
    let dovecot = Dovecot::start(Server::default());
    let (ours, theirs) = (Proxy::start(dovecot.port), Proxy::start(dovecot.port));
    let daemon = owned_thread(&dovecot, &ours);
    let port = theirs.port;
    let mut customer = Imap::login(dovecot.port, FLOOR, PASSWORD).unwrap();
    deliver(&mut customer, &letter(0));
    let minimal = std::thread::spawn(move || minimal_client(port, rounds));
    std::thread::sleep(Duration::from_secs(2));
    let mut mailbox = Imap::login(dovecot.port, "support@example.test", PASSWORD).unwrap();
    let (mut at_ours, mut at_theirs) = (Vec::new(), Vec::new());
    for round in 1..=rounds as u64 {
        let answer = letter_answering(20 * round, Some(0));
        deliver(&mut mailbox, &answer);
        at_ours.push(Instant::now());
        std::thread::sleep(PAUSE);
        deliver(&mut customer, &answer);
        at_theirs.push(Instant::now());
        std::thread::sleep(PAUSE);
    }
    std::thread::sleep(PAUSE * 2);
    minimal.join().unwrap();
    let mut baton = times(&ours.recording(), &at_ours);
    let mut floor = times(&theirs.recording(), &at_theirs);
    print(&mut baton, &mut floor);
    if std::env::var_os("BATON_BENCH_LINES").is_some() {
        print_last(&ours.recording(), at_ours[at_ours.len() - 2]);
    }
    drop(daemon);
}

fn print(baton: &mut Times, floor: &mut Times) {
    let count = baton.announced.len();
    assert!(0 < count, "no mail was marked");
    let figures =
        [("reaction from EXISTS, p50", 50, "≤ 3"), ("reaction from EXISTS, p99", 99, "≤ 4")];
    for (what, percent, aim) in figures {
        let (ours, theirs) =
            (percentile(&mut baton.announced, percent), percentile(&mut floor.announced, percent));
        let (told, floor) = (format!("{ours:.1} ms"), format!("{theirs:.1} ms"));
        row(&format!("{what} of {count}"), &told, &floor, &format!("{:.2}", ours / theirs), aim);
    }
    for percent in [50, 99] {
        let (ours, theirs) =
            (percentile(&mut baton.delivered, percent), percentile(&mut floor.delivered, percent));
        let (told, floor) = (format!("{ours:.0} ms"), format!("{theirs:.0} ms"));
        let what = format!("the whole way from the delivery, p{percent}");
        row(&what, &told, &floor, &format!("{:.2}", ours / theirs), "–");
    }
}

/// A daemon on the proxy, whose mailbox has one thread, which Ana owns.
fn owned_thread(dovecot: &Dovecot, proxy: &Proxy) -> Daemon {
    let (name, since) = ("support".to_owned(), days_ago(30));
    let settings = "layout = \"keywords\"";
    let mut daemon = Daemon::new(&[Shared { name, port: proxy.port, since, settings }]);
    let mut mailbox = Imap::login(dovecot.port, "support@example.test", PASSWORD).unwrap();
    deliver(&mut mailbox, &letter(0));
    daemon.start();
    daemon.until_read("support", 1);
    daemon.command(&["assign", "1", "ana", "--as", "ana"]);
    let stored = || proxy.recording().iter().any(|line| line.text.contains("UID STORE"));
    assert!(poll(Duration::from_secs(20), || stored().then_some(())).is_some());
    std::thread::sleep(Duration::from_secs(2));
    daemon
}

fn minimal_client(port: u16, rounds: usize) {
    let mut bare = Bare::login(port, FLOOR);
    bare.run("SELECT INBOX");
    for next in 2..rounds + 2 {
        let tag = bare.send("IDLE");
        bare.until(|line| line.ends_with(b" EXISTS\r\n"));
        bare.write("DONE\r\n");
        bare.until(|line| line.starts_with(tag.as_bytes()));
        bare.run(&format!("UID FETCH {next} (UID FLAGS BODY.PEEK[])"));
        bare.run(&format!("UID STORE {next} +FLAGS.SILENT (baton-ana)"));
    }
}

/// For each delivery: the first announcement after it, and the OK of the first STORE after that.
fn times(lines: &[Line], deliveries: &[Instant]) -> Times {
    let mut times = Times { announced: Vec::new(), delivered: Vec::new() };
    for (index, delivered) in deliveries.iter().enumerate() {
        let end = deliveries.get(index + 1).copied();
        // The announcement of one mail never waits for the next.
        let within = |line: &&Line| line.at > *delivered && end.is_none_or(|end| line.at < end);
        let mut lines = lines.iter().filter(within);
        let announces = |line: &&Line| line.side == Side::Server && line.text.ends_with(" EXISTS");
        let Some(announced) = lines.find(announces) else { continue };
        let stores = |line: &&Line| line.side == Side::Client && line.text.contains("UID STORE");
        let Some(store) = lines.find(stores) else { continue };
        let tag = store.text.split(' ').next().unwrap_or_default();
        let done = |line: &&Line| line.side == Side::Server && line.text.starts_with(tag);
        let Some(done) = lines.find(done) else { continue };
        times.announced.push((done.at - announced.at).as_secs_f64() * 1e3);
        times.delivered.push((done.at - *delivered).as_secs_f64() * 1e3);
    }
    if times.announced.len() < deliveries.len() {
        println!("({} of {} were marked in time)", times.announced.len(), deliveries.len());
    }
    times
}

/// The conversation of one round, to see where the time goes.
fn print_last(lines: &[Line], from: Instant) {
    for line in lines.iter().filter(|line| line.at > from) {
        let side = if line.side == Side::Client { "C" } else { "S" };
        println!("{:8.2} {side}: {}", (line.at - from).as_secs_f64() * 1e3, line.text);
    }
}
