//! One connection that has been greeted: logs in, asks, sends.
//!
//! Every step is one command with its answer, waited for with patience. After any error drop it: what the server still
//! means to say would be taken for the answer to something else. Nothing here is safe to cancel, except by dropping the
//! connection with it.

use std::error::Error as _;
use std::fmt::Display;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::Error as Smtp;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Noop, Quit};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use super::error::Error;
use super::{Offer, Proof, Recipient, Settings};

/// How many times longer than other answers that to a whole mail is waited for: RFC 5321, section 4.5.3.2.6, has ten minutes
/// where most have two.
const TAKEN_WAIT: u32 = 5;
/// A server that is slow to say goodbye is not waited for.
const QUIT_WAIT: Duration = Duration::from_secs(2);
/// How much of a server's words is repeated.
const TEXT_LETTERS_MAX: usize = 500;

/// A connection to a server that sends.
pub struct Connection {
    inner: AsyncSmtpConnection,
    host: String,
    user: String,
    patience: Duration,
    offer: Offer,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Connection({}, {:?})", self.host, self.offer)
    }
}

impl Connection {
    /// Says hello once more, since lettre keeps only part of the answer.
    pub(super) async fn begin(
        inner: AsyncSmtpConnection,
        host: String,
        settings: &Settings,
    ) -> Result<Connection, Error> {
        let (user, patience) = (settings.user.clone(), settings.patience);
        let mut connection = Connection { inner, host, user, patience, offer: Offer::default() };
        let answer = connection.ask("EHLO", "EHLO [127.0.0.1]\r\n").await?;
        connection.offer = Offer::read(answer.message());
        Ok(connection)
    }

    /// What the server offers.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Logs in.
    ///
    /// # Errors
    /// When the server does not take the proof, or offers no way to show it.
    pub async fn log_in(&mut self, proof: &Proof) -> Result<(), Error> {
        let offers = |name: &str| self.offer.logins.iter().any(|way| way == name);
        match proof {
            Proof::Bearer(token) if offers("XOAUTH2") => {
                // X1. X3: a token may be longer than the line of a command, so it has a line of its own.
                let shown = format!("user={}\x01auth=Bearer {token}\x01\x01", self.user);
                self.prove(&["XOAUTH2", &STANDARD.encode(shown)]).await
            }
            Proof::Password(password) if offers("PLAIN") => {
                let shown = format!("\0{}\0{password}", self.user);
                self.prove(&["PLAIN", &STANDARD.encode(shown)]).await
            }
            Proof::Password(password) if offers("LOGIN") => {
                let (user, password) = (STANDARD.encode(&self.user), STANDARD.encode(password));
                self.prove(&["LOGIN", &user, &password]).await
            }
            Proof::Bearer(_) => Err(self.no_way("a token")),
            Proof::Password(_) => Err(self.no_way("a password")),
        }
    }

    /// The mechanism, and what is said to each `334`.
    async fn prove(&mut self, said: &[&str]) -> Result<(), Error> {
        let mut command = "AUTH ";
        for words in said {
            let answer = self.ask("AUTH", &format!("{command}{words}\r\n")).await;
            let answer = answer.map_err(|error| self.of_login(error))?;
            if answer.has_code(235) {
                return Ok(());
            }
            command = "";
        }
        // X5: Gmail gives its reason in a further `334`, and says no when that has been heard.
        match self.ask("AUTH", "\r\n").await {
            Ok(answer) if answer.has_code(235) => Ok(()),
            Ok(answer) => Err(self.lost(format!("it answered the login with {}", answer.code()))),
            Err(error) => Err(self.of_login(error)),
        }
    }

    fn of_login(&self, error: Error) -> Error {
        match error {
            Error::Refused { host, code, text, .. } => {
                Error::LoginRefused { host, account: self.user.clone(), code, text }
            }
            other => other,
        }
    }

    fn no_way(&self, proof: &'static str) -> Error {
        Error::NoWay { host: self.host.clone(), proof, offered: self.offer.logins.join(", ") }
    }

    /// Asks whether a mail from `from` may go to `to`, and sends none.
    ///
    /// # Errors
    /// When the server says no.
    pub async fn may_send(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let asked = self.envelope(from, &[Recipient::at(to)], Vec::new()).await;
        // A server that has said no already forgets it as well.
        let forgotten = self.ask("RSET", "RSET\r\n").await;
        asked.and(forgotten.map(drop))
    }

    /// Whether the server is still there, and expects a mail.
    pub async fn is_well(&mut self) -> bool {
        self.ask("NOOP", Noop).await.is_ok()
    }

    /// Sends one mail, with CRLF at the ends of its lines, to all recipients or to none. Answers what the server said, where
    /// Microsoft tells the Message-ID that it gave the mail (M101).
    ///
    /// # Errors
    /// When the server does not take it, or it is not known whether it did. The connection is of no use then.
    pub async fn send(
        &mut self,
        from: &str,
        to: &[Recipient<'_>],
        mail: &[u8],
    ) -> Result<String, Error> {
        let parameters = self.parameters(from, to, mail)?;
        self.begin_mail(from, to, parameters).await?;
        // lettre ends the last line itself, and would add an empty one.
        let mail = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        match timeout(TAKEN_WAIT * self.patience, self.inner.message(mail)).await {
            Ok(Ok(answer)) => Ok(text(answer.message())),
            Ok(Err(error)) => Err(match failure(&self.host, "the mail", &error) {
                Error::Lost { host, how } => Error::Uncertain { host, how },
                refused => refused,
            }),
            Err(_) => {
                Err(Error::Uncertain { host: self.host.clone(), how: "no answer".to_owned() })
            }
        }
    }

    async fn begin_mail(
        &mut self,
        from: &str,
        to: &[Recipient<'_>],
        parameters: Vec<MailParameter>,
    ) -> Result<(), Error> {
        self.envelope(from, to, parameters).await?;
        self.ask("DATA", Data).await?;
        Ok(())
    }

    async fn envelope(
        &mut self,
        from: &str,
        to: &[Recipient<'_>],
        parameters: Vec<MailParameter>,
    ) -> Result<(), Error> {
        // RFC 5321, section 4.5.5: what must not be answered has no return path.
        let from = (!from.is_empty()).then(|| self.address(from)).transpose()?;
        self.ask("MAIL FROM", Mail::new(from, parameters)).await?;
        for recipient in to {
            let command = self.rcpt(recipient)?;
            self.ask("RCPT TO", command).await?;
        }
        Ok(())
    }

    /// The command for one recipient. lettre would write ORCPT anew, which the client has written as it has to be.
    fn rcpt(&self, to: &Recipient<'_>) -> Result<String, Error> {
        let mut command = format!("RCPT TO:<{}>", self.address(to.address)?);
        let said = [("NOTIFY", to.notify), ("ORCPT", to.orcpt)];
        for (name, value) in said.into_iter().filter(|_| self.offer.reports) {
            let word = |value: &&str| value.chars().all(|c| !c.is_control() && !c.is_whitespace());
            if let Some(value) = value.filter(word) {
                command.push_str(&format!(" {name}={value}"));
            }
        }
        command.push_str("\r\n");
        Ok(command)
    }

    /// What the server has to know of the mail before it comes; a refusal where it could not take it.
    fn parameters(
        &self,
        from: &str,
        to: &[Recipient<'_>],
        mail: &[u8],
    ) -> Result<Vec<MailParameter>, Error> {
        if has_bare_line_end(mail) {
            // What ends a line at one server and not at the next could end the mail there, and begin another.
            let text = "5.6.0 a CR or an LF stands alone in the mail";
            return Err(self.refused("the mail", 554, text.to_owned()));
        }
        let mut parameters = Vec::new();
        if let Some(most) = self.offer.size {
            if most < mail.len() as u64 {
                let text = format!("5.3.4 the mail has {} bytes, and it takes {most}", mail.len());
                return Err(self.refused("the mail", 552, text));
            }
            parameters.push(MailParameter::Size(mail.len()));
        }
        let ends = mail.windows(4).position(|window| window == b"\r\n\r\n");
        let (header, body) =
            mail.split_at_checked(ends.unwrap_or(mail.len())).unwrap_or((mail, &[]));
        let names = || std::iter::once(from).chain(to.iter().map(|to| to.address));
        if !header.is_ascii() || names().any(|name| !name.is_ascii()) {
            if !self.offer.utf8 {
                let text =
                    "5.6.7 it takes no letters beyond ASCII in headers and addresses (SMTPUTF8)";
                return Err(self.refused("the mail", 553, text.to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !body.is_ascii() {
            if !self.offer.eight_bit {
                let text = "5.6.3 it takes no bytes beyond ASCII (8BITMIME); send the text as quoted-printable";
                return Err(self.refused("the mail", 554, text.to_owned()));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    fn refused(&self, step: &'static str, code: u16, text: String) -> Error {
        Error::Refused { host: self.host.clone(), step, code, text }
    }

    /// lettre refuses addresses that exist (`a..b@docomo.ne.jp`); what could end a command is refused here.
    fn address(&self, text: &str) -> Result<Address, Error> {
        let parts = text.rsplit_once('@').filter(|(user, domain)| {
            let inside = |c: char| !c.is_control() && !c.is_whitespace() && !"<>".contains(c);
            !user.is_empty() && !domain.is_empty() && text.chars().all(inside)
        });
        let no_address = || self.refused("the address", 553, format!("`{text}` is no address"));
        let (user, domain) = parts.ok_or_else(no_address)?;
        Ok(Address::new_dangerous(user, domain))
    }

    /// Says goodbye.
    pub async fn quit(mut self) {
        let _ = timeout(QUIT_WAIT, self.inner.command(Quit)).await;
    }

    async fn ask(&mut self, step: &'static str, command: impl Display) -> Result<Response, Error> {
        match timeout(self.patience, self.inner.command(command)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failure(&self.host, step, &error)),
            Err(_) => Err(self.lost(format!("no answer to {step}"))),
        }
    }

    fn lost(&self, how: String) -> Error {
        Error::Lost { host: self.host.clone(), how }
    }
}

/// Whether lines end anywhere with less than CR and LF.
fn has_bare_line_end(mail: &[u8]) -> bool {
    let mut last = b'\n';
    for byte in mail {
        // A CR is followed by an LF, and an LF follows a CR.
        if (last == b'\r') != (*byte == b'\n') {
            return true;
        }
        last = *byte;
    }
    last == b'\r'
}

fn text<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let text = lines.collect::<Vec<_>>().join(" ");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_LETTERS_MAX).collect()
}

/// A refusal, or a connection that is of no use any more.
pub(super) fn failure(host: &str, step: &'static str, error: &Smtp) -> Error {
    let host = host.to_owned();
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.status() {
        Some(code) => Error::Refused { host, step, code: code.into(), text: text(said.lines()) },
        None => Error::Lost { host, how: said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_that_stands_alone_is_found() {
        for well in ["", "a", "a\r\n", "\r\n\r\n.\r\n..\r\n", "a\r\nb"] {
            assert!(!has_bare_line_end(well.as_bytes()), "{well:?}");
        }
        for bare in
            ["\n", "\r", "a\nb", "a\rb", "a\r\r\n", "a\r\n\n", "a\n\r", "a\r\n.\n", "a\r\n.\r"]
        {
            assert!(has_bare_line_end(bare.as_bytes()), "{bare:?}");
        }
    }
}
