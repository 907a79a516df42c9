//! A server that sends, for mailboxes that are not at Microsoft: one thread for each client, no TLS.
//!
//! It says what Gmail says (G90 to G93), and what happens to a mail is the test's affair.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The reason that Gmail gives before it says no (G91).
const REASON: &str = "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

type Takes = Arc<dyn Fn(&str) -> String + Send + Sync>;
type Knows = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How it behaves.
#[derive(Clone)]
pub(super) struct Manners {
    /// The ways to log in that it offers.
    pub(super) logins: &'static str,
    /// Whether a password or token is the right one.
    pub(super) knows: Knows,
    /// Whom it refuses at MAIL FROM, and how.
    pub(super) refuses_sender: Option<&'static str>,
    /// What becomes of a mail, and what is answered.
    pub(super) takes: Takes,
}

impl Manners {
    /// It knows this password or token, and takes every mail.
    pub(super) fn knowing(proof: &str) -> Manners {
        let proof = proof.to_owned();
        Manners {
            logins: "LOGIN PLAIN XOAUTH2",
            knows: Arc::new(move |shown| shown == proof),
            refuses_sender: None,
            takes: Arc::new(|_| "250 2.0.0 OK  1790000000 k2if6111336rvb - gsmtp".to_owned()),
        }
    }
}

/// The listening server. Its threads end with the tests.
pub(super) struct Submission {
    pub(super) port: u16,
}

impl Submission {
    pub(super) fn start(manners: Manners) -> Submission {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manners = manners.clone();
                thread::spawn(move || Client { manners, stream, proven: false }.serve());
            }
        });
        Submission { port }
    }
}

struct Client {
    manners: Manners,
    stream: TcpStream,
    proven: bool,
}

impl Client {
    fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).ok()
    }

    fn serve(mut self) -> Option<()> {
        let mut lines = BufReader::new(self.stream.try_clone().ok()?).lines();
        self.say("220 smtp.example.test ESMTP")?;
        while let Some(Ok(line)) = lines.next() {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb {
                "EHLO" => {
                    let logins = self.manners.logins;
                    self.say(&format!("250-smtp.example.test at your service\r\n250-SIZE 35651584\r\n250-8BITMIME\r\n250 AUTH {logins}"))?;
                }
                "AUTH" => self.auth(rest, &mut lines)?,
                "MAIL" if !self.proven => self.say("530 5.7.0 Authentication Required")?,
                "MAIL" => {
                    let refusal = self.manners.refuses_sender.map(str::to_owned);
                    self.say(refusal.as_deref().unwrap_or("250 2.1.0 OK"))?;
                }
                "RCPT" => self.say("250 2.1.5 OK")?,
                "RSET" => self.say("250 2.0.0 flushed")?,
                "DATA" => {
                    self.say("354 Go ahead")?;
                    let mut mail = String::new();
                    for line in lines.by_ref() {
                        match line.ok()?.as_str() {
                            "." => break,
                            line => mail.push_str(&format!(
                                "{}\r\n",
                                line.strip_prefix('.').unwrap_or(line)
                            )),
                        }
                    }
                    let answer = (self.manners.takes)(&mail);
                    self.say(&answer)?;
                }
                "QUIT" => {
                    self.say("221 2.0.0 closing connection")?;
                    return None;
                }
                _ => self.say("502 5.5.1 Unrecognized command")?,
            }
        }
        None
    }

    fn auth(
        &mut self,
        rest: &str,
        lines: &mut impl Iterator<Item = std::io::Result<String>>,
    ) -> Option<()> {
        let decoded = |text: &str| {
            String::from_utf8(BASE64_STANDARD.decode(text).unwrap_or_default()).unwrap_or_default()
        };
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut shown = initial.to_owned();
        if initial.is_empty() {
            self.say("334 ")?;
            shown = lines.next()?.ok()?;
        }
        let shown = decoded(&shown);
        let proof = match mechanism {
            "PLAIN" => shown.rsplit('\0').next().unwrap_or_default().to_owned(),
            _ => {
                let token = shown.split("Bearer ").nth(1).unwrap_or_default();
                token.trim_end_matches('\x01').to_owned()
            }
        };
        self.proven = (self.manners.knows)(&proof);
        if self.proven {
            return self.say("235 2.7.0 Accepted");
        }
        if mechanism == "XOAUTH2" {
            self.say(&format!("334 {REASON}"))?;
            lines.next()?.ok()?;
        }
        self.say("535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8 https://support.google.com/mail/?p=BadCredentials - gsmtp")
    }
}
