//! What a day at Gmail costs, held against the 2,500 MB that an account may receive (G70): a thousand mails of fifty
//! kilobytes on average, each read by itself, the polls of the day, and the people's labels.
//!
//! `BATON_LONG=1 cargo test --test it gmail_day -- --nocapture` prints the figures; without it, a short form checks that
//! they stay in bounds. Arrivals are compressed in time; what a poll costs is measured and multiplied.

use rusqlite::{Connection, OpenFlags};

use crate::world::{Host, Setup, World};

const ADDRESS: &str = "support@example.test";
/// As `provider = "gmail"` polls without being told.
const POLLS_A_DAY: u64 = 86_400 / 60;
const LIMIT: u64 = 2_500_000_000;

/// Sizes of bodies, in kilobytes, and how many of a hundred mails have each: 50 on average, and one that is larger than
/// what Baton reads of a mail.
const SIZES: [(usize, usize); 5] = [(8, 60), (30, 25), (120, 10), (400, 4), (1000, 1)];

/// The kilobytes of the mail with this number; large ones lie scattered among the small.
fn kilobytes(number: usize) -> usize {
    let mut place = number * 37 % 100;
    for (size, share) in SIZES {
        if place < share {
            return size;
        }
        place -= share;
    }
    0
}

fn letter(number: usize) -> String {
    let line = "All work and no play makes Jack a dull boy, says the letter, and goes on.\r\n";
    let body = line.repeat(kilobytes(number) * 1000 / line.len());
    // As many header bytes as a mail has that was signed and forwarded on its way.
    let signed = format!(" {}\r\n", "b".repeat(74)).repeat(50);
    format!(
        "Message-ID: <day{number}@customer.test>\r\nFrom: Customer <c{number}@customer.test>\r\n\
         To: {ADDRESS}\r\nSubject: Letter {number}\r\nDKIM-Signature: v=1;\r\n{signed}\r\n{body}"
    )
}

/// What came from the server so far, as Baton counts; told when it stops.
fn received(world: &mut World) -> u64 {
    world.status().map_or(0, |status| status.received_today_bytes)
}

/// Polls every so many seconds from the next start on.
fn polls_every(world: &World, seconds: u32) {
    let text =
        world.configuration().replace("poll_seconds = 1", &format!("poll_seconds = {seconds}"));
    world.baton.configure(&text);
}

/// Waits until the database answers with this number.
#[track_caller]
fn counts(world: &mut World, sql: &str, number: usize) {
    let database = Connection::open_with_flags(world.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let database = database.unwrap();
    let count = || database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    world.eventually(&format!("{number} from {sql}"), |_| number as i64 <= count());
}

/// The bytes of one poll: what was answered from one IDLE to the next, while nothing happened.
fn bytes_of_a_poll(world: &mut World, polls: usize) -> u64 {
    let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
    let gmail = std::sync::Arc::clone(gmail);
    let before = gmail.heard().len();
    let since = || {
        let mut heard = gmail.heard().split_off(before);
        let first = heard.iter().position(|heard| heard.line.ends_with(" IDLE"));
        heard.drain(..first.unwrap_or(heard.len()));
        heard
    };
    let begun = |heard: &[crate::world::imapd::Heard]| {
        heard.iter().filter(|heard| heard.line.ends_with(" IDLE")).count()
    };
    world.eventually("some polls", |_| polls < begun(&since()));
    let heard = since();
    let bytes: usize = heard.iter().map(|heard| heard.answer_bytes).sum();
    (bytes / (begun(&heard) - 1).max(1)) as u64
}

#[test]
fn a_day_at_gmail_is_far_below_the_limit() {
    let long = std::env::var("BATON_LONG").is_ok();
    let (mails, labels, polls) = if long { (1_000, 40, 10) } else { (100, 5, 3) };
    Setup::labels().with("provider = \"gmail\"").tell_before_baton(|world| {
        polls_every(world, 3600);
        world.start();
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        let gmail = std::sync::Arc::clone(gmail);
        let mut sent = 0;
        for number in 0..mails {
            let letter = letter(number);
            sent += letter.len() as u64;
            gmail.person(ADDRESS, |account| account.deliver(&letter));
            counts(world, "SELECT count(*) FROM message", number + 1);
        }
        world.stop();
        let arrivals = received(world);
        polls_every(world, 1);
        world.start();
        let poll = bytes_of_a_poll(world, polls);
        world.stop();
        let before = received(world);
        world.start();
        for number in 0..labels {
            gmail.person(ADDRESS, |account| {
                let mail = account.find(&format!("day{number}@customer.test")).unwrap();
                account.label(&[mail], "Baton/Ana");
            });
            counts(world, "SELECT count(*) FROM thread WHERE owner = 'ana'", number + 1);
        }
        world.stop();
        // Each with a poll that found it, and all of them with one connection begun anew: a little too much.
        let label = (received(world) - before) / labels as u64;
        let day = arrivals + POLLS_A_DAY * poll + mails as u64 * label;
        eprintln!(
            "{mails} mails of {} kB: {:.1} MB received for {:.1} MB sent; a poll: {poll} B, {POLLS_A_DAY} of them \
             {:.1} MB; a label with its poll: {label} B, one for each mail {:.1} MB; the day: {:.1} MB of {} MB",
            sent / mails as u64 / 1000,
            arrivals as f64 / 1e6,
            sent as f64 / 1e6,
            (POLLS_A_DAY * poll) as f64 / 1e6,
            (mails as u64 * label) as f64 / 1e6,
            day as f64 / 1e6,
            LIMIT / 1_000_000,
        );
        assert!(arrivals < sent + sent / 10, "mail is read more than once");
        assert!(day < LIMIT / 10, "a day takes {day} bytes");
        world.start();
    });
}
