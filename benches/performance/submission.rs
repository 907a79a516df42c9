//! (g) From an agent's client through Baton to the provider, next to Postfix relaying the same mail to the same server.
//!
//! Both have said 250 only when the mail was on the disk. The provider is a server in this program that throws away what
//! it takes and remembers when. The clients have logged in and stay; each hands in the next mail when it has heard of the last.
//! Nobody waits for the hold time (`hold_seconds = 0`), and copies in Sent have an hour to come.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::world::daemon::{Daemon, Shared, days_ago};
use super::world::dovecot::{Dovecot, Server};
use super::world::postfix::Postfix;
use super::world::{maildir, percentile, poll, row};

/// A round: sessions, bytes of a mail, and how many mails there are.
const ROUNDS: [(usize, usize, usize); 6] = [
    (1, 10_000, 200),
    (10, 10_000, 600),
    (50, 10_000, 1500),
    (1, 5_000_000, 20),
    (10, 5_000_000, 40),
    (50, 5_000_000, 100),
];
const PATIENCE: Duration = Duration::from_secs(300);

/// When each mail was taken, by its number.
type Taken = Arc<Mutex<Vec<Option<Instant>>>>;

pub(crate) fn run(numbers: &[usize]) {
    let rounds: Vec<_> = ROUNDS
        .into_iter()
        .filter(|(sessions, ..)| numbers.is_empty() || numbers.contains(sessions))
        .collect();
    let total: usize = rounds.iter().map(|(_, _, mails)| mails + WARM).sum();
    let taken: Taken = Arc::new(Mutex::new(vec![None; total]));
    let sink = sink(Arc::clone(&taken));
    let (_dovecot, daemon, port, auth) = daemon(total, sink);
    let postfix = Postfix::relaying_to(sink);
    let mut first = 0;
    for (sessions, bytes, mails) in rounds {
        let before = daemon.usage();
        let numbers = first..first + mails + WARM;
        first = numbers.end;
        let mut baton = hand_in(port, Some(&auth), sessions, bytes, numbers.clone(), &taken);
        let after = daemon.usage();
        let mut floor = hand_in(postfix.port, None, sessions, bytes, numbers, &taken);
        let what = format!("{sessions} sessions, {mails} mails of {}", size(bytes));
        let (ours, theirs) = (mails as f64 / baton.took, mails as f64 / floor.took);
        let (told, their) = (format!("{ours:.0}/s"), format!("{theirs:.0}/s"));
        row(&format!("rate, {what}"), &told, &their, &format!("{:.2}", ours / theirs), "≥ 1");
        for (percent, aim) in [(50, "≤ 0.5"), (99, "–")] {
            let ours = percentile(&mut baton.latencies, percent);
            let theirs = percentile(&mut floor.latencies, percent);
            let (told, their) = (format!("{ours:.1} ms"), format!("{theirs:.1} ms"));
            let ratio = format!("{:.2}", ours / theirs);
            row(&format!("until accepted, p{percent}, {what}"), &told, &their, &ratio, aim);
        }
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e3 / (mails + WARM) as f64;
        let peak =
            format!("{:.0} MB peak, {cpu:.1} ms of processor each", after.peak_kb as f64 / 1024.0);
        row(&format!("memory, {what}"), &peak, "–", "–", "flat");
    }
    drop(daemon);
}

/// How many mails go before those that are counted.
const WARM: usize = 10;

fn size(bytes: usize) -> String {
    if bytes < 1_000_000 {
        format!("{} kB", bytes / 1000)
    } else {
        format!("{} MB", bytes / 1_000_000)
    }
}

/// A daemon whose customers have written so many mails, and where to hand in answers: its port, and Ana's login.
fn daemon(mails: usize, sink: u16) -> (Dovecot, Daemon, u16, String) {
    let mut dovecot = Dovecot::start(Server::default());
    dovecot.restart_after(|mail| {
        let letters = (0..mails).map(|number| {
            format!(
                "Message-ID: <{number}@customer.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n\
                 From: carla{number}@customer.test\r\nTo: support@example.test\r\nSubject: Case {number}\r\n\r\nHelp.\r\n"
            )
            .into_bytes()
        });
        maildir::fill(mail, "support@example.test", 1, letters);
    });
    let shared = Shared {
        name: "support".into(),
        port: dovecot.port,
        since: days_ago(30),
        settings: "layout = \"keywords\"\nsending = { hold_seconds = 0, copy_seconds = 3600 }",
    };
    let mut daemon = Daemon::new(&[shared]);
    let config = daemon.config();
    let text = fs::read_to_string(&config).unwrap();
    let at = config.parent().unwrap().display();
    let text = text.replacen(
        "[[agent]]",
        &format!(
            "[mailbox.smtp]\nhost = \"127.0.0.1\"\nport = {sink}\ntls = \"none\"\nuser = \"x\"\n\
             password = {{ file = \"{at}/password\" }}\n\n[[agent]]"
        ),
        1,
    );
    fs::write(&config, text).unwrap();
    let submission = "[submission]\nhostname = \"localhost\"\nstarttls = \"127.0.0.1:0\"\nlogin_without_tls = true\n";
    let mut file = OpenOptions::new().append(true).open(&config).unwrap();
    // Before the agents, since a section ends where the next one begins; the order of sections is free.
    writeln!(file, "\n{submission}").unwrap();
    daemon.start();
    daemon.until_read("support", mails);
    let (said, _) = daemon.command(&["password", "ana"]);
    let password = said.lines().find_map(|line| line.strip_prefix("password")).unwrap().trim();
    let word = format!("\0ana\0{password}");
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(word);
    let log = fs::read_to_string(config.with_file_name("log")).unwrap();
    let (_, rest) = log.split_once("listened to at 127.0.0.1:").expect("nobody is listened to");
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (dovecot, daemon, port.parse().unwrap(), auth)
}

struct Round {
    /// Milliseconds from MAIL FROM to the provider's 250.
    latencies: Vec<f64>,
    /// Seconds until the provider had all.
    took: f64,
}

/// Hands the mails of these numbers in, over so many sessions, and waits until the provider has them.
fn hand_in(
    port: u16,
    auth: Option<&str>,
    sessions: usize,
    bytes: usize,
    numbers: std::ops::Range<usize>,
    taken: &Taken,
) -> Round {
    taken.lock().unwrap().iter_mut().for_each(|taken| *taken = None);
    let start = numbers.start + WARM;
    let body = "A line of text, as people write them, seventy bytes with its end.....\r\n"
        .repeat(bytes / 71);
    let mut clients: Vec<Client> = (0..sessions).map(|_| Client::connect(port, auth)).collect();
    for number in numbers.start..start {
        clients[0].hands_in(number, &body);
    }
    until_taken(taken, numbers.start..start);
    let next = AtomicUsize::new(start);
    let begun: Mutex<Vec<Option<Instant>>> = Mutex::new(vec![None; numbers.end]);
    let started = Instant::now();
    thread::scope(|scope| {
        for mut client in clients {
            let (next, begun, body, end) = (&next, &begun, &body, numbers.end);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if end <= number {
                        return;
                    }
                    begun.lock().unwrap()[number] = Some(Instant::now());
                    client.hands_in(number, body);
                }
            });
        }
    });
    until_taken(taken, start..numbers.end);
    let (taken, begun) = (taken.lock().unwrap(), begun.lock().unwrap());
    let times =
        || (start..numbers.end).map(|number| (begun[number].unwrap(), taken[number].unwrap()));
    let last = times().map(|(_, taken)| taken).max().unwrap();
    Round {
        latencies: times().map(|(begun, taken)| (taken - begun).as_secs_f64() * 1e3).collect(),
        took: (last - started).as_secs_f64(),
    }
}

fn until_taken(taken: &Taken, numbers: std::ops::Range<usize>) {
    let all = || taken.lock().unwrap()[numbers.clone()].iter().all(Option::is_some).then_some(());
    assert!(poll(PATIENCE, all).is_some(), "some mails never came: {numbers:?}");
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(port: u16, auth: Option<&str>) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Client(BufReader::new(stream));
        client.hears();
        client.asks("EHLO client\r\n");
        if let Some(auth) = auth {
            client.asks(&format!("AUTH PLAIN {auth}\r\n"));
        }
        client
    }

    fn hears(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(0 < self.0.read_line(&mut line).unwrap(), "the server has gone");
            if line.as_bytes().get(3) != Some(&b'-') {
                assert!(line.starts_with(['2', '3']), "{line}");
                return;
            }
        }
    }

    fn asks(&mut self, said: &str) {
        self.0.get_mut().write_all(said.as_bytes()).unwrap();
        self.hears();
    }

    fn hands_in(&mut self, number: usize, body: &str) {
        self.asks("MAIL FROM:<support@example.test>\r\n");
        self.asks(&format!("RCPT TO:<carla{number}@customer.test>\r\n"));
        self.asks("DATA\r\n");
        let head = format!(
            "From: support@example.test\r\nTo: carla{number}@customer.test\r\nSubject: Re: Case {number}\r\n\
             Message-ID: <answer{number}@client.test>\r\nIn-Reply-To: <{number}@customer.test>\r\n\r\n"
        );
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
        self.0.get_mut().write_all(body.as_bytes()).unwrap();
        self.asks(".\r\n");
    }
}

/// The provider: takes everything, and remembers when.
fn sink(taken: Taken) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let taken = Arc::clone(&taken);
            thread::spawn(move || drop(serve(&stream, &taken)));
        }
    });
    port
}

fn serve(stream: &TcpStream, taken: &Taken) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes());
    say("220 sink ESMTP")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"EHLO" => say(
                "250-sink\r\n250-SIZE 100000000\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            )?,
            b"AUTH" => say("235 2.7.0 Well")?,
            b"DATA" => {
                say("354 Go on")?;
                let number = reads(&mut reader)?;
                let at = Instant::now();
                say("250 2.0.0 Ok")?;
                if let Some(slot) = taken.lock().unwrap().get_mut(number.unwrap_or(usize::MAX)) {
                    *slot = Some(at);
                }
            }
            b"QUIT" => return say("221 2.0.0 Bye"),
            _ => say("250 2.0.0 Ok")?,
        }
    }
}

/// Reads to the lonely dot; answers the number in the subject.
fn reads(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<usize>> {
    let (mut line, mut number) = (Vec::new(), None);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(number);
        }
        if number.is_none()
            && let Some(rest) = line.strip_prefix(b"Subject: Re: Case ")
        {
            number = std::str::from_utf8(rest).ok().and_then(|text| text.trim().parse().ok());
        }
    }
}
