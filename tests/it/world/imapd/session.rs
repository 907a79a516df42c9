//! One connection: greeting, logging in, commands one after the other, idling.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::dialect::{Before, Credentials, Dialect, Moment, Session, Verdict};
use super::parse::{self, Command};
use super::server::{Line, Shared};
use super::turn::Turn;
use super::view::{May, Selected};
use super::wire::{Excess, Input};

/// How often a provider is asked whether the session's time is over.
const TICK: Duration = Duration::from_millis(500);

/// What the next line of the client is.
enum Expects {
    Command,
    /// The client's answer to AUTHENTICATE.
    Sasl {
        tag: String,
        mechanism: String,
    },
    /// Whatever the client answers to the challenge that says that its credentials are no good.
    SaslFailure {
        tag: String,
        tagged: String,
    },
    /// DONE.
    Done {
        tag: String,
    },
}

/// What comes after a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    GoOn,
    Close,
}

/// The server's side of one connection.
pub(super) struct Connection<D> {
    pub(super) shared: Arc<Shared<D>>,
    pub(super) line: Arc<Line>,
    pub(super) inputs: Receiver<Input>,
    pub(super) session: Session,
    selected: Option<Selected>,
    expects: Expects,
}

impl<D: Dialect> Connection<D> {
    pub(super) fn new(
        shared: Arc<Shared<D>>,
        line: Arc<Line>,
        inputs: Receiver<Input>,
        number: usize,
    ) -> Self {
        let session = Session { number, ..Session::default() };
        Connection { shared, line, inputs, session, selected: None, expects: Expects::Command }
    }

    /// Serves the client until either is tired of the other.
    pub(super) fn serve(mut self) {
        let greeting = self.shared.dialect().greeting(&self.session);
        let (greeting, mut next) = match greeting {
            Ok(greeting) => (greeting, Next::GoOn),
            Err(refusal) => (refusal, Next::Close),
        };
        self.line.send(format!("{greeting}\r\n").as_bytes());
        while next == Next::GoOn {
            next = match self.inputs.recv_timeout(TICK) {
                Ok(Input::Line(bytes)) => self.heard(&bytes),
                Ok(Input::Excess(bytes, excess)) => self.heard_too_much(&bytes, excess),
                Ok(Input::Wake) | Err(RecvTimeoutError::Timeout) => self.woken(),
                Ok(Input::Closed) | Err(RecvTimeoutError::Disconnected) => Next::Close,
            };
        }
        self.shared.dialect().left(&self.session);
        self.line.close();
    }

    /// Something has changed somewhere.
    fn woken(&mut self) -> Next {
        let mut dialect = self.shared.dialect();
        if let Some(lines) = dialect.interrupts(&self.session) {
            drop(dialect);
            self.line.send(
                lines.iter().map(|line| format!("{line}\r\n")).collect::<String>().as_bytes(),
            );
            return Next::Close;
        }
        if !matches!(self.expects, Expects::Done { .. }) || !dialect.pushes(&self.session) {
            return Next::GoOn;
        }
        let Some(selected) = &mut self.selected else { return Next::GoOn };
        let news = selected.news(&*dialect, &self.session, May::Expunge);
        drop(dialect);
        self.line
            .send(news.iter().map(|line| format!("{line}\r\n")).collect::<String>().as_bytes());
        Next::GoOn
    }

    fn heard(&mut self, bytes: &[u8]) -> Next {
        let record = self.shared.record(&self.session, bytes);
        let mut out = Vec::new();
        let expects = std::mem::replace(&mut self.expects, Expects::Command);
        let next = match expects {
            Expects::Command => self.command(bytes, &mut out),
            Expects::Sasl { tag, mechanism } => {
                self.sasl(&tag, &mechanism, &String::from_utf8_lossy(bytes), &mut out);
                Next::GoOn
            }
            Expects::SaslFailure { tag, tagged } => {
                self.answer(&tag, tagged, &mut out);
                Next::GoOn
            }
            Expects::Done { tag } => {
                self.done_idling(&tag, bytes, &mut out);
                Next::GoOn
            }
        };
        self.shared.answered(record, out.len());
        self.line.send(&out);
        // What this command changed may be news to others, and what others changed meanwhile to an idling client.
        self.shared.wake(self.session.number);
        if next == Next::GoOn { self.woken() } else { next }
    }

    fn heard_too_much(&mut self, bytes: &[u8], excess: Excess) -> Next {
        let record = self.shared.record(&self.session, bytes);
        let moment = match excess {
            Excess::NotAsked => Moment::LiteralNotAsked,
            Excess::Literal => Moment::LiteralTooLong,
            Excess::Line => Moment::LineTooLong,
        };
        let words = self.shared.dialect().words(&self.session, moment);
        let mut out = Vec::new();
        let tag = tag_of(bytes).map_or_else(|| "*".to_owned(), |(tag, _)| tag);
        self.answer(&tag, words, &mut out);
        self.shared.answered(record, out.len());
        self.line.send(&out);
        Next::GoOn
    }

    fn command(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Next {
        let Some((tag, rest)) = tag_of(bytes) else {
            let words = self.shared.dialect().words(&self.session, Moment::BadTag);
            out.extend_from_slice(format!("* {words}\r\n").as_bytes());
            return Next::GoOn;
        };
        let mut grammar = self.shared.dialect().grammar();
        grammar.utf8 = self.session.utf8;
        let (verb, parsed) = parse::command(rest, &grammar);
        let Ok(command) = parsed else {
            let words =
                self.shared.dialect().words(&self.session, Moment::Unparsable { verb: &verb });
            self.answer(&tag, words, out);
            return Next::GoOn;
        };
        let before = self.shared.dialect().before(&self.session, &verb, bytes.len());
        let refused = match before {
            Before::Go => self.shared.dialect().refuses(&self.session, &command),
            _ => None,
        };
        if let Some(refused) = refused {
            self.answer(&tag, refused, out);
            return Next::GoOn;
        }
        let (lines, next) = match before {
            Before::Go => return self.carry_out(&tag, &verb, command, out),
            Before::Slow(pause) => {
                self.shared.pause(pause);
                return self.carry_out(&tag, &verb, command, out);
            }
            Before::Answer(lines) => (lines, Next::GoOn),
            Before::Close(lines) => (lines, Next::Close),
        };
        for line in lines {
            out.extend_from_slice(format!("{}\r\n", line.replace("{tag}", &tag)).as_bytes());
        }
        next
    }

    fn carry_out(&mut self, tag: &str, verb: &str, command: Command, out: &mut Vec<u8>) -> Next {
        match command {
            Command::Logout => {
                let farewell = self.shared.dialect().farewell();
                out.extend_from_slice(format!("{farewell}\r\n").as_bytes());
                let words = self.shared.dialect().words(&self.session, Moment::Done(verb));
                self.answer(tag, words, out);
                return Next::Close;
            }
            Command::Idle if self.session.account.is_some() => self.begin_idling(tag, out),
            Command::Authenticate { mechanism, initial } if self.session.account.is_none() => {
                self.authenticate(tag, mechanism, initial, out);
            }
            Command::Idle | Command::Authenticate { .. } => {
                let words = self.shared.dialect().words(&self.session, Moment::WrongState(verb));
                self.answer(tag, words, out);
            }
            Command::Compress if self.session.account.is_some() => self.compress(tag, out),
            command => {
                let shared = Arc::clone(&self.shared);
                let mut dialect = shared.dialect();
                let (session, selected) = (&mut self.session, &mut self.selected);
                let mut turn = Turn { dialect: &mut *dialect, session, selected, tag, verb, out };
                let words = turn.carry_out(command);
                drop(dialect);
                self.answer(tag, words, out);
            }
        }
        Next::GoOn
    }

    /// Says the tagged line.
    fn answer(&self, tag: &str, words: String, out: &mut Vec<u8>) {
        let words = self.shared.dialect().after(&self.session, words, out.len());
        out.extend_from_slice(format!("{tag} {words}\r\n").as_bytes());
    }

    /// The OK is the last that is not deflated.
    fn compress(&self, tag: &str, out: &mut Vec<u8>) {
        let words = self.shared.dialect().words(&self.session, Moment::Done("COMPRESS"));
        self.answer(tag, words, out);
        self.line.inflates();
        self.line.send(out);
        self.line.deflates();
        out.clear();
    }

    fn begin_idling(&mut self, tag: &str, out: &mut Vec<u8>) {
        self.session.idling = true;
        let dialect = self.shared.dialect();
        if let Some(selected) = self.selected.as_mut().filter(|_| dialect.tells_before_idling()) {
            let news = selected.news(&*dialect, &self.session, May::Expunge);
            out.extend(news.into_iter().flat_map(|line| format!("{line}\r\n").into_bytes()));
        }
        out.extend_from_slice(format!("{}\r\n", dialect.idling()).as_bytes());
        self.expects = Expects::Done { tag: tag.to_owned() };
    }

    fn done_idling(&mut self, tag: &str, bytes: &[u8], out: &mut Vec<u8>) {
        self.session.idling = false;
        let moment = match bytes.eq_ignore_ascii_case(b"DONE") {
            true => Moment::Done("IDLE"),
            false => Moment::Unparsable { verb: "IDLE" },
        };
        let words = self.shared.dialect().words(&self.session, moment);
        self.answer(tag, words, out);
    }

    fn authenticate(
        &mut self,
        tag: &str,
        mechanism: String,
        initial: Option<String>,
        out: &mut Vec<u8>,
    ) {
        let known = self.shared.dialect().mechanisms().contains(&mechanism.as_str());
        match initial {
            _ if !known => {
                let words =
                    self.shared.dialect().words(&self.session, Moment::Unsupported(&mechanism));
                self.answer(tag, words, out);
            }
            // RFC 4959: `=` is an empty one.
            Some(initial) => self.sasl(tag, &mechanism, initial.trim_matches('='), out),
            None => {
                out.extend_from_slice(b"+ \r\n");
                self.expects = Expects::Sasl { tag: tag.to_owned(), mechanism };
            }
        }
    }

    fn sasl(&mut self, tag: &str, mechanism: &str, answer: &str, out: &mut Vec<u8>) {
        let credentials = credentials(mechanism, answer).unwrap_or(Credentials::Nonsense);
        let verdict = self.shared.dialect().login(&self.session, &credentials);
        let (untagged, tagged) = match verdict {
            Verdict::Welcome { account, untagged, tagged } => {
                self.session.account = Some(account);
                (untagged, tagged)
            }
            Verdict::Refused { challenge: Some(challenge), untagged, tagged } => {
                let lines = untagged.into_iter().chain([format!("+ {challenge}")]);
                out.extend(lines.flat_map(|line| format!("{line}\r\n").into_bytes()));
                self.expects = Expects::SaslFailure { tag: tag.to_owned(), tagged };
                return;
            }
            Verdict::Refused { challenge: None, untagged, tagged } => (untagged, tagged),
        };
        out.extend(untagged.into_iter().flat_map(|line| format!("{line}\r\n").into_bytes()));
        self.answer(tag, tagged, out);
    }
}

/// The tag, and what follows it and its space.
fn tag_of(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut cursor = parse::Cursor::new(bytes);
    let tag = cursor.word(|byte| parse::is_atom_char(byte) && byte != b'+').ok()?;
    cursor.space().ok()?;
    Some((tag, cursor.rest()))
}

/// What a SASL answer says. PLAIN: RFC 4616; XOAUTH2: X1; OAUTHBEARER: RFC 7628.
fn credentials(mechanism: &str, answer: &str) -> Option<Credentials> {
    // The padding is optional here, because an initial response may have lost it on the way in.
    let padded = format!("{answer}{}", "=".repeat((4 - answer.len() % 4) % 4));
    let text = String::from_utf8(BASE64_STANDARD.decode(padded).ok()?).ok()?;
    if mechanism == "PLAIN" {
        let mut words = text.split('\0').skip(1).map(str::to_owned);
        return Some(Credentials::Password { user: words.next()?, password: words.next()? });
    }
    let mut fields = text.strip_suffix("\u{1}\u{1}")?.split('\u{1}');
    let first = fields.next()?;
    let user = match mechanism {
        "XOAUTH2" => first.strip_prefix("user=")?,
        _ => first.strip_prefix("n,a=")?.strip_suffix(',')?,
    };
    let token = fields.find_map(|field| field.strip_prefix("auth=Bearer "))?;
    Some(Credentials::Bearer { user: user.to_owned(), token: token.to_owned() })
}
