//! What is said line by line. No sockets here.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::super::imapd::Server;
use super::super::service::Exchange;
use super::Cut;
use super::submission::{HOST, Login, not_authenticated};

/// The largest message, in bytes (M81).
const SIZE: usize = 157_286_400;

/// What the wire does next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    GoOn,
    Data,
    Chunk { bytes: usize, last: bool },
    StartTls,
    Close,
}

/// What the next line is.
enum Expects {
    Command,
    XOAuth2,
    User,
    Password(String),
}

/// One client.
pub(super) struct Dialogue {
    exchange: Arc<Server<Exchange>>,
    number: usize,
    greeted: bool,
    secure: bool,
    expects: Expects,
    login: Option<Login>,
    from: Option<String>,
    to: Vec<String>,
    /// What BDAT has brought so far.
    chunks: Vec<u8>,
}

type Answer = (String, Then);

fn say(line: impl Into<String>) -> Answer {
    (line.into(), Then::GoOn)
}

impl Dialogue {
    pub(super) fn new(exchange: Arc<Server<Exchange>>, number: usize) -> Dialogue {
        Dialogue {
            exchange,
            number,
            greeted: false,
            secure: false,
            expects: Expects::Command,
            login: None,
            from: None,
            to: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// M81.
    pub(super) fn banner(&self) -> String {
        let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
        format!("220 {HOST} Microsoft ESMTP MAIL Service ready at {now}")
    }

    /// The connection has ended.
    pub(super) fn left(&self) {
        self.exchange.with(|exchange| exchange.smtp.leaves(self.number));
    }

    pub(super) fn hears(&mut self, line: &str) -> Answer {
        match std::mem::replace(&mut self.expects, Expects::Command) {
            Expects::Command => self.command(line),
            // M83: cancelled with 535, not 501.
            _ if line == "*" => say(self.exchange.with(|_| not_authenticated())),
            Expects::XOAuth2 => self.xoauth2(line),
            Expects::User => {
                self.expects = Expects::Password(line.to_owned());
                say("334 UGFzc3dvcmQ6")
            }
            Expects::Password(user) => self.password(&user, line),
        }
    }

    fn command(&mut self, line: &str) -> Answer {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => self.hello(),
            "STARTTLS" if self.offers_tls() => {
                self.secure = true;
                self.greeted = false;
                ("220 2.0.0 SMTP server ready".into(), Then::StartTls)
            }
            "AUTH" => self.auth(rest),
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" if !self.to.is_empty() => {
                ("354 Start mail input; end with <CRLF>.<CRLF>".into(), Then::Data)
            }
            "BDAT" if !self.to.is_empty() => chunk(rest),
            "DATA" | "BDAT" => say("503 5.5.2 Need rcpt command"),
            "RSET" => {
                self.reset();
                say("250 2.0.0 Resetting")
            }
            "NOOP" => say("250 2.0.0 OK"),
            "QUIT" => ("221 2.0.0 Service closing transmission channel".into(), Then::Close),
            _ => say("500 5.3.3 Unrecognized command"),
        }
    }

    fn offers_tls(&self) -> bool {
        !self.secure && self.exchange.with(|exchange| exchange.smtp.knobs.starttls)
    }

    /// M81: AUTH takes the place of STARTTLS once there is TLS.
    fn hello(&mut self) -> Answer {
        self.greeted = true;
        self.reset();
        let what = if self.offers_tls() { "STARTTLS" } else { "AUTH LOGIN XOAUTH2" };
        say(format!(
            "250-{HOST} Hello [127.0.0.1]\n250-SIZE {SIZE}\n250-PIPELINING\n250-DSN\n250-ENHANCEDSTATUSCODES\n\
             250-{what}\n250-8BITMIME\n250-BINARYMIME\n250-CHUNKING\n250 SMTPUTF8"
        ))
    }

    fn auth(&mut self, rest: &str) -> Answer {
        if !self.greeted {
            return say("503 5.5.2 Send hello first");
        }
        if self.offers_tls() {
            return say("530 5.7.0 Must issue a STARTTLS command first.");
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        match (mechanism.to_ascii_uppercase().as_str(), initial) {
            ("XOAUTH2", "") => {
                self.expects = Expects::XOAuth2;
                say("334 ")
            }
            ("XOAUTH2", initial) => self.xoauth2(initial),
            ("LOGIN", "") => {
                self.expects = Expects::User;
                say("334 VXNlcm5hbWU6")
            }
            ("LOGIN", user) => {
                self.expects = Expects::Password(user.to_owned());
                say("334 UGFzc3dvcmQ6")
            }
            _ => say("504 5.7.4 Unrecognized authentication type"),
        }
    }

    /// The second answer of AUTH LOGIN; both are in base64.
    fn password(&mut self, user: &str, password: &str) -> Answer {
        let decoded = |text: &str| String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok();
        let (user, password) = (decoded(user), decoded(password));
        let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
        let number = self.number;
        let login = self.exchange.with(|one| one.logs_in_with_password(number, &user, &password));
        self.logged_in(login)
    }

    fn logged_in(&mut self, login: Result<Login, String>) -> Answer {
        match login {
            Ok(login) => {
                self.login = Some(login);
                say("235 2.7.0 Authentication successful")
            }
            Err(refusal) => say(refusal),
        }
    }

    /// X1; a refusal comes at once, without a challenge (M82, X7).
    fn xoauth2(&mut self, blob: &str) -> Answer {
        let text =
            BASE64_STANDARD.decode(blob).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| {
            let (user, token) = text.strip_suffix("\u{1}\u{1}")?.split_once('\u{1}')?;
            Some((user.strip_prefix("user=")?, token.strip_prefix("auth=Bearer ")?))
        });
        let number = self.number;
        let login = self.exchange.with(|exchange| match parts {
            Some((user, token)) => exchange.logs_in_to_send(number, user, token),
            None => Err(not_authenticated()),
        });
        self.logged_in(login)
    }

    fn mail(&mut self, rest: &str) -> Answer {
        // M89.
        if self.login.is_none() {
            return say(format!("530 5.7.57 Client not authenticated to send mail. [{HOST}]"));
        }
        if self.from.is_some() {
            return say("503 5.5.2 Sender already specified");
        }
        let Some(address) = address(rest, "FROM:") else {
            return say("501 5.1.7 Invalid address");
        };
        let size = rest.to_ascii_uppercase().split("SIZE=").nth(1).map(str::to_owned);
        let size = size.and_then(|size| size.split(' ').next()?.parse::<usize>().ok());
        if size.is_some_and(|size| size > SIZE) {
            return say("552 5.3.4 Message size exceeds fixed maximum message size");
        }
        self.from = Some(address);
        say("250 2.1.0 Sender OK")
    }

    fn recipient(&mut self, rest: &str) -> Answer {
        if self.from.is_none() {
            return say("503 5.5.2 Need mail command");
        }
        match address(rest, "TO:").filter(|address| address.contains('@')) {
            Some(address) => {
                self.to.push(address);
                say("250 2.1.5 Recipient OK")
            }
            None => say("501 5.1.3 Invalid address"),
        }
    }

    pub(super) fn hears_chunk(&mut self, chunk: &[u8], last: bool) -> Answer {
        self.chunks.extend_from_slice(chunk);
        if !last {
            return say(format!("250 2.0.0 {} octets received", chunk.len()));
        }
        let message = std::mem::take(&mut self.chunks);
        self.hears_message(&message)
    }

    /// The end of a message: here it is decided.
    pub(super) fn hears_message(&mut self, message: &[u8]) -> Answer {
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        let Some(login) = self.login.clone() else {
            return say("530 5.7.57 Client not authenticated to send mail.");
        };
        let cut = self.exchange.with(|exchange| exchange.smtp.knobs.cut.take());
        if cut == Some(Cut::BeforeTaking) {
            return (String::new(), Then::Close);
        }
        let (answer, delay) =
            self.exchange.with(|exchange| exchange.submits(&login, &from, &to, message));
        if cut == Some(Cut::AfterTaking) {
            return (String::new(), Then::Close);
        }
        // M93: what is too much is not refused but slow.
        if !delay.is_zero() {
            std::thread::park_timeout(delay);
        }
        say(answer)
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
        self.chunks.clear();
    }
}

fn chunk(rest: &str) -> Answer {
    let mut words = rest.split(' ');
    let bytes = words.next().and_then(|count| count.parse().ok()).filter(|count| *count <= SIZE);
    let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
    match bytes {
        Some(bytes) => (String::new(), Then::Chunk { bytes, last }),
        None => say("501 5.5.4 Invalid arguments"),
    }
}

/// The address of `FROM:<a@b> SIZE=1`.
fn address(rest: &str, before: &str) -> Option<String> {
    let start = rest.get(..before.len()).filter(|start| start.eq_ignore_ascii_case(before))?;
    let rest = rest[start.len()..].trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
