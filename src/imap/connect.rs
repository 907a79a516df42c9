//! From settings to a logged-in session: TCP, TLS, greeting, login, capabilities.
//!
//! What is said before the login is in `before_login.rs`, the login in `log_in.rs`; what a logged-in connection can do, in
//! `session.rs`. Where to start: [`Settings`].

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_imap::imap_proto::{Capability, Response};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::before_login::BeforeLogin;
pub use super::credential::{Asked, Credential, Login, NoProof, Proof};
use super::error::Error;
use super::log_in::{self, Server};
use super::meter::Meter;
pub use super::session::Access;
use super::session::{Session, Who, Wire};
use crate::clock::Timestamp;
use crate::tls;

/// How long one address of the server may take to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(20);

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tls {
    /// From the first byte; port 993.
    Implicit,
    /// Asked for after the greeting, and insisted on (RFC 3501, section 6.2.1); port 143.
    Starttls,
    /// Not at all; for a server on the same machine.
    None,
}

/// Folders named by the configuration; each overrules what the server says of that role.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FolderNames {
    /// Sent mail.
    pub sent: Option<String>,
    /// Drafts.
    pub drafts: Option<String>,
    /// Spam.
    pub junk: Option<String>,
    /// The archive.
    pub archive: Option<String>,
    /// Deleted mail.
    pub trash: Option<String>,
}

/// One mailbox: where it is, and how it is watched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's name.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// The account.
    pub login: Login,
    /// Whether anything may be written.
    pub access: Access,
    /// Mail that arrived before this is history: only its headers are read.
    pub since: Timestamp,
    /// How often every watched folder is looked at, whatever the server tells by itself.
    pub poll: Duration,
    /// How long a server that owes an answer may be silent before the connection is given up.
    pub patience: Duration,
    /// Folders named by the configuration.
    pub folders: FolderNames,
    /// Baton's own folder.
    pub root: String,
    /// The file that is locked while a command visits the mailbox: [`super::probe`].
    pub turn: Option<PathBuf>,
}

impl Settings {
    pub(super) fn who(&self) -> Who {
        let host = format!("{}:{}", self.host, self.port);
        Who { host, account: self.login.user.clone() }
    }
}

/// Connects and logs in.
pub(super) async fn connect(settings: &Settings) -> Result<Session, Error> {
    let who = settings.who();
    let proof = log_in::proof(&settings.login).await?;
    let tcp = dial(settings, &who).await?;
    let mut wire: Box<dyn Wire> = Box::new(tcp);
    if settings.tls == Tls::Implicit {
        wire = Box::new(encrypt(settings, &who, wire).await?);
    }
    let meter = Meter::default();
    let mut before = BeforeLogin::new(meter.count(wire), &who, settings.patience);
    before.greeting().await?;
    let mut offered = before.capabilities().await?;
    if settings.tls == Tls::Starttls {
        before.starttls(&offered).await?;
        let encrypted = encrypt(settings, &who, before.into_wire()).await?;
        before = BeforeLogin::new(Box::new(encrypted), &who, settings.patience);
        // RFC 3501, section 6.2.1: what was offered in the clear is forgotten.
        offered = before.capabilities().await?;
    }
    let name = (settings.host.as_str(), settings.port);
    let server = Server { name, offered: &offered, patience: settings.patience };
    let mut session =
        log_in::log_in(&settings.login, &proof, before.into_wire(), server, who).await?;
    session.meter = meter;
    introduce(&mut session).await?;
    Ok(session)
}

async fn dial(settings: &Settings, who: &Who) -> Result<TcpStream, Error> {
    let unreachable = |source| Error::Unreachable { host: who.host.clone(), source };
    let addresses = tokio::net::lookup_host((settings.host.as_str(), settings.port));
    let addresses = timeout(CONNECT_WAIT.min(settings.patience), addresses).await;
    let addresses =
        addresses.unwrap_or(Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match timeout(CONNECT_WAIT.min(settings.patience), TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // Small commands, each waiting for its answer.
                tcp.set_nodelay(true).map_err(unreachable)?;
                return Ok(tcp);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(unreachable(failure))
}

async fn encrypt(
    settings: &Settings,
    who: &Who,
    wire: Box<dyn Wire>,
) -> Result<tokio_rustls::client::TlsStream<Box<dyn Wire>>, Error> {
    let refused = |why: String| Error::Tls { host: who.host.clone(), why };
    let config = tls::client_config().map_err(&refused)?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| refused(format!("`{}` cannot stand in a certificate", settings.host)))?;
    let handshake = TlsConnector::from(config).connect(name, wire);
    match timeout(CONNECT_WAIT.min(settings.patience), handshake).await {
        Ok(Ok(tls)) => Ok(tls),
        // rustls speaks through an io::Error; anything else is the network's.
        Ok(Err(error)) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Err(refused(error.to_string()))
        }
        Ok(Err(source)) => Err(Error::Unreachable { host: who.host.clone(), source }),
        Err(_) => {
            let source = io::ErrorKind::TimedOut.into();
            Err(Error::Unreachable { host: who.host.clone(), source })
        }
    }
}

/// Asks what the server can do now, and switches on what has to be switched on.
async fn introduce(session: &mut Session) -> Result<(), Error> {
    let mut capabilities = Vec::new();
    // Asked again: Exchange Online shows MOVE only after the login.
    let keep = |response: &Response<'_>| {
        if let Response::Capabilities(words) = response {
            capabilities.extend(words.iter().map(|word| match word {
                Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
                Capability::Atom(name) => name.to_ascii_uppercase(),
            }));
        }
    };
    session.exec("CAPABILITY", keep).await?;
    session.capabilities = capabilities;
    if session.can("QRESYNC") && session.can("ENABLE") {
        // RFC 7162, section 3.2.3. A server that refuses is treated as one that has only CONDSTORE.
        match session.run("ENABLE QRESYNC").await {
            Ok(_) => session.qresync = true,
            Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::imap::script::{self, Script};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A session with a server that plays a script after the login.
    pub(crate) async fn session(capabilities: &str, lines: &'static str) -> (Session, Script) {
        let (wire, script) = script::play(format!(
            "S: * OK ready\nC: B1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: B1 OK\n\
             C: A0001 LOGIN \"ann\" \"secret\"\nS: A0001 OK in\n\
             C: A0002 CAPABILITY\nS: * CAPABILITY IMAP4rev1 {capabilities}\nS: A0002 OK\n{lines}"
        ));
        (start(wire, "secret").await.unwrap(), script)
    }

    pub(crate) async fn start(
        wire: tokio::io::DuplexStream,
        password: &str,
    ) -> Result<Session, Error> {
        start_with(wire, Proof::Password(password.to_owned())).await
    }

    pub(crate) async fn start_with(
        wire: tokio::io::DuplexStream,
        proof: Proof,
    ) -> Result<Session, Error> {
        let who = Who { host: "h:143".to_owned(), account: "ann".to_owned() };
        let login = Login::with("ann", proof.clone());
        let mut before = BeforeLogin::new(Box::new(wire), &who, PATIENCE);
        before.greeting().await?;
        let offered = before.capabilities().await?;
        let server = Server { name: ("h", 143), offered: &offered, patience: PATIENCE };
        let wire = before.into_wire();
        let mut session = log_in::log_in(&login, &proof, wire, server, who.clone()).await?;
        introduce(&mut session).await?;
        Ok(session)
    }
}
