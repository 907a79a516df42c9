//! One client's conversation, line by line, with whatever trouble the story has for it.

use std::io;
use std::net::TcpStream;
use std::thread::park_timeout;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::trouble::When;
use super::wire::{Wire, over};
use super::{Sent, Shared, Step, Trouble};

/// One client.
pub(super) struct Dialogue<'a> {
    shared: &'a Shared,
    number: usize,
    greeted: bool,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
    envelope: Vec<String>,
}

impl<'a> Dialogue<'a> {
    pub(super) fn new(shared: &'a Shared, number: usize) -> Dialogue<'a> {
        Dialogue {
            shared,
            number,
            greeted: false,
            login: None,
            from: None,
            to: Vec::new(),
            envelope: Vec::new(),
        }
    }

    /// Speaks until one of the two has gone.
    pub(super) fn holds(&mut self, socket: &TcpStream) -> io::Result<()> {
        let mut wire = Wire::new(socket);
        let banner = self.shared.policy.lock().unwrap().banner();
        self.does(&mut wire, Step::Banner, |_| format!("220 {banner}"))?;
        loop {
            let line = String::from_utf8_lossy(&wire.line()?).into_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    let step = if self.greeted { Step::HelloAgain } else { Step::Hello };
                    self.does(&mut wire, step, Dialogue::hello)?;
                }
                "AUTH" => self.logs_in(&mut wire, rest)?,
                "MAIL" => self.does(&mut wire, Step::Mail, |one| one.mail(&line, rest))?,
                "RCPT" => {
                    self.does(&mut wire, Step::Recipient, |one| one.recipient(&line, rest))?
                }
                "DATA" => self.data(&mut wire)?,
                "RSET" => self.does(&mut wire, Step::Reset, |one| {
                    one.forgets();
                    "250 2.0.0 Ok".into()
                })?,
                "NOOP" => self.does(&mut wire, Step::Noop, |_| "250 2.0.0 Ok".into())?,
                "QUIT" => {
                    self.does(&mut wire, Step::Quit, |_| "221 2.0.0 Bye".into())?;
                    return Ok(());
                }
                _ => wire.say("500 5.5.2 Error: command not recognized")?,
            }
        }
    }

    /// Does what was asked and answers, unless there is trouble.
    fn does(
        &mut self,
        wire: &mut Wire<'_>,
        step: Step,
        act: impl FnOnce(&mut Self) -> String,
    ) -> io::Result<()> {
        match self.shared.trouble(self.number, step) {
            Trouble::None => wire.say(&act(self)),
            Trouble::CutUnheard(_) => Err(over()),
            Trouble::CutUnanswered => {
                act(self);
                Err(over())
            }
            Trouble::CutWithinAnswer => {
                wire.say_half(&act(self))?;
                Err(over())
            }
            Trouble::CutAnswered => {
                wire.say(&act(self))?;
                Err(over())
            }
            Trouble::Says(words) => wire.say(&words),
            Trouble::SaysAndCloses(words) => {
                wire.say(&words)?;
                Err(over())
            }
            Trouble::SilentUnheard => Err(wire.waits_for_the_end()),
            Trouble::SilentUnanswered => {
                act(self);
                Err(wire.waits_for_the_end())
            }
            Trouble::Slow(pause) => {
                park_timeout(pause);
                wire.say(&act(self))
            }
            Trouble::Does(when, deed) => {
                if when == When::Unheard {
                    deed.act();
                    return Err(over());
                }
                let answer = act(self);
                if when == When::Unanswered {
                    deed.act();
                    return Err(over());
                }
                let said = wire.say(&answer);
                deed.act();
                said
            }
        }
    }

    fn hello(&mut self) -> String {
        self.greeted = true;
        self.forgets();
        let greeting = self.shared.policy.lock().unwrap().greets();
        let knobs = self.shared.knobs.lock().unwrap();
        let mut lines = vec![greeting];
        lines.extend(knobs.offers.iter().cloned());
        let last = lines.len() - 1;
        let line = |(at, line): (usize, &String)| {
            format!("250{}{line}", if at == last { ' ' } else { '-' })
        };
        lines.iter().enumerate().map(line).collect::<Vec<String>>().join("\n")
    }

    /// PLAIN, LOGIN and XOAUTH2, with and without a first answer.
    fn logs_in(&mut self, wire: &mut Wire<'_>, rest: &str) -> io::Result<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        let mut said = vec![first.to_owned()];
        said.retain(|word| !word.is_empty());
        let wanted = if mechanism == "LOGIN" { 2 } else { 1 };
        while said.len() < wanted {
            self.does(wire, Step::Login, |_| "334 ".into())?;
            said.push(String::from_utf8_lossy(&wire.line()?).into_owned());
        }
        let said: Vec<String> = said.iter().map(|word| decoded(word)).collect();
        let (words, challenge) = self.judges(&mechanism, &said);
        // X5: the reason comes first, and the no when it has been heard.
        if let Some(challenge) = challenge {
            self.does(wire, Step::Login, |_| format!("334 {challenge}"))?;
            wire.line()?;
        }
        self.does(wire, Step::Login, |_| words)
    }

    fn judges(&mut self, mechanism: &str, said: &[String]) -> (String, Option<String>) {
        let mut policy = self.shared.policy.lock().unwrap();
        let (user, outcome) = match (mechanism, said) {
            ("PLAIN", [one]) => {
                let mut parts = one.split('\0').skip(1);
                let user = parts.next().unwrap_or_default().to_owned();
                let outcome = policy.password(&user, parts.next().unwrap_or_default());
                (user, outcome.map_err(|words| (None, words)))
            }
            ("LOGIN", [user, password]) => {
                (user.clone(), policy.password(user, password).map_err(|words| (None, words)))
            }
            ("XOAUTH2", [one]) => {
                let mut parts = one.split('\x01');
                let user = parts.next().and_then(|part| part.strip_prefix("user="));
                let token = parts.next().and_then(|part| part.strip_prefix("auth=Bearer "));
                let user = user.unwrap_or_default().to_owned();
                let outcome = policy.bearer(&user, token.unwrap_or_default());
                (user, outcome)
            }
            _ => return ("504 5.5.4 Unrecognized authentication type".into(), None),
        };
        match outcome {
            Ok(words) => {
                self.login = Some(user);
                (words, None)
            }
            Err((challenge, words)) => (words, challenge),
        }
    }

    fn mail(&mut self, line: &str, rest: &str) -> String {
        if self.login.is_none() {
            return "530 5.7.0 Must issue an AUTH command first".into();
        }
        if self.from.is_some() {
            return "503 5.5.1 Error: nested MAIL command".into();
        }
        let Some(from) = address(rest, "FROM:") else {
            return "501 5.1.7 Bad sender address syntax".into();
        };
        self.from = Some(from);
        self.envelope.push(line.to_owned());
        "250 2.1.0 Ok".into()
    }

    fn recipient(&mut self, line: &str, rest: &str) -> String {
        if self.from.is_none() {
            return "503 5.5.1 Error: need MAIL command".into();
        }
        let Some(to) = address(rest, "TO:").filter(|to| to.contains('@')) else {
            return "501 5.1.3 Bad recipient address syntax".into();
        };
        let answer = self.shared.policy.lock().unwrap().recipient(&to, self.to.len());
        if answer.starts_with('2') {
            self.to.push(to);
            self.envelope.push(line.to_owned());
        }
        answer
    }

    fn data(&mut self, wire: &mut Wire<'_>) -> io::Result<()> {
        if self.to.is_empty() {
            return wire.say("503 5.5.1 Error: need RCPT command");
        }
        let mut begun = false;
        self.does(wire, Step::Data, |_| {
            begun = true;
            "354 End data with <CR><LF>.<CR><LF>".into()
        })?;
        // A refusal of DATA is followed by a command, not by a mail.
        if !begun {
            return Ok(());
        }
        match self.shared.trouble(self.number, Step::Body) {
            Trouble::CutUnheard(bytes) => {
                wire.skips(bytes)?;
                return Err(over());
            }
            Trouble::SilentUnheard => return Err(wire.waits_for_the_end()),
            Trouble::Slow(pause) => park_timeout(pause),
            Trouble::Does(_, deed) => deed.act(),
            _ => {}
        }
        let message = wire.mail()?;
        self.does(wire, Step::Dot, |one| one.takes(message))
    }

    fn takes(&mut self, message: Vec<u8>) -> String {
        let mut sent = Sent {
            login: self.login.clone().unwrap_or_default(),
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            envelope: std::mem::take(&mut self.envelope),
            message,
            connection: self.number,
        };
        let told = self.shared.knobs.lock().unwrap().answers.pop_front();
        if let Some(words) = told {
            return words;
        }
        let answer = self.shared.policy.lock().unwrap().takes(&mut sent);
        if answer.starts_with('2') {
            self.shared.sent.lock().unwrap().push(sent);
        }
        answer
    }

    fn forgets(&mut self) {
        self.from = None;
        self.to.clear();
        self.envelope.clear();
    }
}

fn decoded(word: &str) -> String {
    let bytes = BASE64_STANDARD.decode(word).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address of `FROM:<a@b> SIZE=1`.
fn address(rest: &str, before: &str) -> Option<String> {
    let start = rest.get(..before.len()).filter(|start| start.eq_ignore_ascii_case(before))?;
    let rest = rest[start.len()..].trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
