//! The conversation before the login: greeting, capabilities, STARTTLS.
//!
//! Read byte by byte, by us: so nothing that came before STARTTLS can be taken for what came after it, and async-imap
//! never sees a connection whose greeting has not been read (it would wait for ever).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::error::Error;
use super::limit::limit_of_greeting;
use super::session::{Who, Wire};

/// The longest line before the login.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// The most lines in one answer.
const LINES_MAX: usize = 100;

/// The conversation before the login.
pub(super) struct BeforeLogin<'a> {
    wire: Box<dyn Wire>,
    who: &'a Who,
    /// How long a silent server is waited for.
    patience: Duration,
}

impl<'a> BeforeLogin<'a> {
    pub(super) fn new(wire: Box<dyn Wire>, who: &'a Who, patience: Duration) -> BeforeLogin<'a> {
        BeforeLogin { wire, who, patience }
    }

    /// The connection, with nothing of it read in advance.
    pub(super) fn into_wire(self) -> Box<dyn Wire> {
        self.wire
    }

    /// Reads the greeting.
    pub(super) async fn greeting(&mut self) -> Result<(), Error> {
        let line = self.line().await?;
        if line.to_ascii_uppercase().starts_with("* OK") {
            return Ok(());
        }
        if let Some(limit) = limit_of_greeting(&line) {
            return Err(self.who.limited(limit, &line));
        }
        Err(self.who.lost(format!("the server greets with: {line}")))
    }

    /// What the server offers, in upper case.
    pub(super) async fn capabilities(&mut self) -> Result<Vec<String>, Error> {
        let (answer, lines) = self.ask("B1", "CAPABILITY").await?;
        if !answer.starts_with("OK") {
            return Err(self.who.lost(format!("the server refused CAPABILITY: {answer}")));
        }
        let listed = lines.iter().filter_map(|line| {
            let line = line.to_ascii_uppercase();
            line.strip_prefix("* CAPABILITY ").map(str::to_owned)
        });
        Ok(listed.flat_map(words).collect())
    }

    /// Asks to be encrypted from here on; a server that does not offer it is refused.
    pub(super) async fn starttls(&mut self, offered: &[String]) -> Result<(), Error> {
        let host = self.who.host.clone();
        if !offered.iter().any(|word| word == "STARTTLS") {
            let why = "the server does not offer STARTTLS".to_owned();
            return Err(Error::Tls { host, why });
        }
        let (answer, _) = self.ask("B2", "STARTTLS").await?;
        if !answer.starts_with("OK") {
            return Err(Error::Tls { host, why: format!("STARTTLS was refused: {answer}") });
        }
        Ok(())
    }

    /// Sends a command; answers what follows the tag, status in upper case, and the lines before it.
    async fn ask(&mut self, tag: &str, command: &str) -> Result<(String, Vec<String>), Error> {
        let sent = async {
            self.wire.write_all(format!("{tag} {command}\r\n").as_bytes()).await?;
            self.wire.flush().await
        };
        sent.await.map_err(|error| self.who.lost(error.to_string()))?;
        let mut lines = Vec::new();
        while lines.len() < LINES_MAX {
            let line = self.line().await?;
            match line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                Some(answer) => return Ok((answer.to_ascii_uppercase(), lines)),
                None => lines.push(line),
            }
        }
        Err(self.who.lost(format!("no end of lines after {command}")))
    }

    /// Reads one line and not a byte more.
    async fn line(&mut self) -> Result<String, Error> {
        let mut line = Vec::new();
        loop {
            let byte = match timeout(self.patience, self.wire.read_u8()).await {
                Ok(Ok(byte)) => byte,
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(self.who.lost("the server closed it before the login"));
                }
                Ok(Err(error)) => return Err(self.who.lost(error.to_string())),
                Err(_) => return Err(self.who.lost("the server is silent before the login")),
            };
            match byte {
                b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
                _ if line.len() < LINE_BYTES_MAX => line.push(byte),
                _ => return Err(self.who.lost("a line without end before the login")),
            }
        }
    }
}

fn words(line: String) -> Vec<String> {
    line.split_ascii_whitespace().map(str::to_owned).collect()
}
