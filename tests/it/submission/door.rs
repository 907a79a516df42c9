//! A world whose Baton listens to mail clients.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::world::{Setup, World};

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) implicit: u16,
    pub(super) starttls: u16,
    /// Ana's password.
    pub(super) password: String,
    /// The authority that signed the certificate.
    pub(super) authority: PathBuf,
    /// A folder for what clients need.
    pub(super) dir: PathBuf,
}

fn tls(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// Tells a story in which Ana has a password; `settings` are further lines of `[submission]`.
pub(super) fn tell(setup: Setup, settings: &str, story: impl FnOnce(&mut World, &Door)) {
    setup.tell_before_baton(|world| {
        for (from, to) in [("server.crt", "mail.crt"), ("server.pem", "mail.key")] {
            world.writes_file(to, &fs::read_to_string(tls(from)).unwrap());
        }
        let section = format!(
            "[submission]\nhostname = \"localhost\"\nimplicit_tls = \"127.0.0.1:0\"\nstarttls = \"127.0.0.1:0\"\n\
             certificate = \"mail.crt\"\nkey = \"mail.key\"\n{settings}\n"
        );
        world.baton.configure(&format!("{}\n{section}", world.configuration()));
        world.start();
        let said = world.baton.says(&["password", "ana"]).done();
        let password = said.lines().find_map(|line| line.strip_prefix("password")).unwrap();
        let ports = ports(world);
        let door = Door {
            implicit: ports[0],
            starttls: ports[1],
            password: password.trim().to_owned(),
            authority: tls("ca.crt"),
            dir: world.state_dir().parent().unwrap().to_owned(),
        };
        story(world, &door);
        // The world's own checks know nothing of secrets that were made in the story.
        let log = world.baton.log();
        assert!(!log.contains(&door.password), "the password is in the log");
    });
}

/// The ports of the newest start.
pub(super) fn ports(world: &World) -> Vec<u16> {
    let log = world.baton.log();
    let mut ports: Vec<u16> = log
        .lines()
        .filter_map(|line| line.split_once("listened to at 127.0.0.1:"))
        .filter_map(|(_, rest)| {
            rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
        })
        .collect();
    ports.split_off(ports.len() - 2)
}

impl Door {
    /// Says these lines in the clear, all at once, and answers what comes until the server closes or is silent.
    pub(super) fn tells(&self, said: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.starttls)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(said).unwrap();
        let mut answers = String::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            answers.push_str(&line);
            answers.push('\n');
        }
        answers
    }

    /// `AUTH PLAIN` as Ana.
    pub(super) fn auth(&self) -> String {
        use base64::Engine as _;
        let word = format!("\0ana\0{}", self.password);
        format!("AUTH PLAIN {}\r\n", base64::engine::general_purpose::STANDARD.encode(word))
    }

    /// Hands in a mail of Ana's in the clear, and answers what is said behind the dot, or instead of it.
    pub(super) fn hands_in(&self, text: &str) -> String {
        self.hands_in_as(&self.auth(), "support@example.test", text)
    }

    /// Hands in a mail of Ana's as these bytes, for these people.
    pub(super) fn hands_in_bytes(&self, to: &[&str], raw: &[u8]) -> String {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.starttls)).unwrap());
        let mut asks = |said: &[u8]| {
            stream.get_mut().write_all(said).unwrap();
            let mut line = String::new();
            while line.is_empty() || line.as_bytes().get(3) == Some(&b'-') {
                line.clear();
                stream.read_line(&mut line).unwrap();
            }
            line.trim_end().to_owned()
        };
        asks(b"");
        asks(b"EHLO test\r\n");
        asks(self.auth().as_bytes());
        asks(b"MAIL FROM:<support@example.test> BODY=8BITMIME\r\n");
        for to in to {
            let said = asks(format!("RCPT TO:<{to}>\r\n").as_bytes());
            assert!(said.starts_with("250"), "{to}: {said}");
        }
        asks(b"DATA\r\n");
        let mut stuffed = Vec::with_capacity(raw.len() + 64);
        for line in raw.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        stuffed.extend_from_slice(b".\r\n");
        asks(&stuffed)
    }

    /// As [`Door::hands_in`], as somebody else.
    pub(super) fn hands_in_as(&self, auth: &str, from: &str, text: &str) -> String {
        // Nobody listens while a daemon that has died is started again.
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.starttls)) else {
            return String::new();
        };
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        let mut answer = |said: &str| {
            // Whoever is not let in is told so, and may be gone before it has said anything.
            let _gone = stream.write_all(said.as_bytes());
            let mut line = String::new();
            loop {
                line.clear();
                let read = reader.read_line(&mut line).unwrap_or_default();
                if read == 0 || line.as_bytes().get(3) != Some(&b'-') {
                    return line.trim_end().to_owned();
                }
            }
        };
        answer("");
        let text = text.replace('\n', "\r\n");
        let steps = [
            "EHLO test\r\n".to_owned(),
            auth.to_owned(),
            format!("MAIL FROM:<{from}>\r\n"),
            "RCPT TO:<carla@customer.test>\r\n".to_owned(),
            "DATA\r\n".to_owned(),
            format!("{text}\r\n.\r\n"),
        ];
        let mut last = String::new();
        for step in steps {
            last = answer(&step);
            if !last.starts_with(['2', '3']) {
                break;
            }
        }
        last
    }
}

/// What `baton outbox --all --json` tells, the oldest first.
pub(super) fn outbox(world: &World) -> Vec<Value> {
    sendings(world, |route| route != "notice")
}

/// What Baton tells the team, oldest first.
pub(super) fn notices(world: &World) -> Vec<Value> {
    sendings(world, |route| route == "notice")
}

pub(super) fn sendings(world: &World, of: impl Fn(&str) -> bool) -> Vec<Value> {
    let mut all: Vec<Value> = world.baton.json(&["outbox", "--all"]).unwrap();
    all.retain(|one| of(one["route"].as_str().unwrap()));
    all.reverse();
    all
}

/// A reply as a mail client writes it.
pub(super) fn reply(parent: &str, text: &str) -> String {
    format!(
        "From: Ana Ruiz <ana@example.test>\nTo: carla@customer.test\nSubject: Re: Broken kettle\n\
         Message-ID: <own.{}@client.test>\nIn-Reply-To: <{parent}>\nReferences: <{parent}>\n\
         User-Agent: A Client\nBcc: boss@example.test\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}",
        text.len()
    )
}
