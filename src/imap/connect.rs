//! From settings to a logged-in session: TCP, TLS, greeting, login, capabilities.
//!
//! What is said before the login is in `before_login.rs`; what a logged-in connection can do, in `session.rs`. Where to
//! start: [`Settings`].

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_imap::imap_proto::{Capability, Response};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::BufWriter;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::answer;
use super::before_login::BeforeLogin;
use super::error::Error;
pub use super::session::Access;
use super::session::{Session, Stream, Who, Wire};
use super::tolerant::Tolerant;
use crate::clock::Timestamp;

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

/// Who logs in, and with what. Its `Debug` prints no password.
#[derive(Clone)]
pub struct Login {
    /// The user, as the server wants it.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
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
}

impl Settings {
    fn who(&self) -> Who {
        let host = format!("{}:{}", self.host, self.port);
        Who { host, account: self.login.user.clone() }
    }
}

/// Connects and logs in.
pub(super) async fn connect(settings: &Settings) -> Result<Session, Error> {
    let who = settings.who();
    let tcp = dial(settings, &who).await?;
    let mut wire: Box<dyn Wire> = Box::new(tcp);
    if settings.tls == Tls::Implicit {
        wire = Box::new(encrypt(settings, &who, wire).await?);
    }
    let mut before = BeforeLogin::new(wire, &who, settings.patience);
    before.greeting().await?;
    let mut offered = before.capabilities().await?;
    if settings.tls == Tls::Starttls {
        before.starttls(&offered).await?;
        let encrypted = encrypt(settings, &who, before.into_wire()).await?;
        before = BeforeLogin::new(Box::new(encrypted), &who, settings.patience);
        // RFC 3501, section 6.2.1: what was offered in the clear is forgotten.
        offered = before.capabilities().await?;
    }
    log_in(&settings.login, before.into_wire(), &offered, who, settings.patience).await
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
    // The provider is named, so that nothing depends on whether a default was installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|error| refused(error.to_string()))?
        .with_no_client_auth();
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| refused(format!("`{}` cannot stand in a certificate", settings.host)))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, wire);
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

/// PLAIN carries every character (RFC 4616); LOGIN is for servers that do not have it.
struct Plain<'a>(&'a Login);

impl async_imap::Authenticator for Plain<'_> {
    type Response = String;
    fn process(&mut self, _challenge: &[u8]) -> String {
        format!("\0{}\0{}", self.0.user, self.0.password)
    }
}

/// Logs in over a connection whose greeting has been read.
async fn log_in(
    login: &Login,
    wire: Box<dyn Wire>,
    offered: &[String],
    who: Who,
    patience: Duration,
) -> Result<Session, Error> {
    let offers = |name: &str| offered.iter().any(|word| word == name);
    let stream: Stream = BufWriter::new(Box::new(Tolerant::new(wire)));
    let mut client = async_imap::Client::new(stream);
    let mut answer = Err(async_imap::error::Error::No("no way to log in is offered".to_owned()));
    let attempts = async {
        if offers("AUTH=PLAIN") {
            match client.authenticate("PLAIN", Plain(login)).await {
                Ok(session) => return Ok(session),
                // BAD: it does not know the mechanism after all.
                Err((async_imap::error::Error::Bad(said), unused)) => {
                    client = unused;
                    answer = Err(async_imap::error::Error::Bad(said));
                }
                Err((error, _)) => return Err(error),
            }
        }
        if offers("LOGINDISABLED") {
            return answer;
        }
        client.login(&login.user, &login.password).await.map_err(|(error, _)| error)
    };
    let inner = match timeout(patience, attempts).await {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return Err(login_failure(&who, error)),
        Err(_) => return Err(who.lost("no answer to the login")),
    };
    let mut session = Session::new(inner, who, patience);
    introduce(&mut session).await?;
    Ok(session)
}

/// What a refused login says when the password was not even looked at: codes of RFC 5530, section 3, and Gmail's words.
const NOT_NOW: [&str; 8] = [
    "[unavailable]",
    "[inuse]",
    "[limit]",
    "[serverbug]",
    "[throttled]",
    "too many simultaneous connections",
    "exceeded command or bandwidth limits",
    "server unavailable",
];

/// Wrong password, or something that passes?
fn login_failure(who: &Who, error: async_imap::error::Error) -> Error {
    use async_imap::error::Error as Imap;
    let said = match error {
        Imap::No(said) | Imap::Bad(said) => said,
        Imap::Validate(_) => "user or password contain a line break".to_owned(),
        Imap::ConnectionLost => return who.lost("the server closed it during the login"),
        Imap::Io(error) => return who.lost(answer::read_failure(&error)),
        other => return who.lost(other.to_string()),
    };
    let answer = server_words(&said);
    let lower = answer.to_ascii_lowercase();
    if let Some(wait) = answer::backoff(&lower) {
        let Who { host, account } = who.clone();
        return Error::Throttled { host, account, wait };
    }
    if NOT_NOW.iter().any(|words| lower.contains(words)) {
        return who.lost(format!("no login just now: {answer}"));
    }
    Error::LoginRefused { host: who.host.clone(), account: who.account.clone(), answer }
}

/// async-imap says `code: None, info: Some("…")`.
fn server_words(said: &str) -> String {
    let words = said.split_once("info: Some(\"").and_then(|(_, rest)| rest.strip_suffix("\")"));
    words.unwrap_or(said).replace("\\\"", "\"")
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

    async fn start(wire: tokio::io::DuplexStream, password: &str) -> Result<Session, Error> {
        let who = Who { host: "h:143".to_owned(), account: "ann".to_owned() };
        let login = Login { user: "ann".to_owned(), password: password.to_owned() };
        let mut before = BeforeLogin::new(Box::new(wire), &who, PATIENCE);
        before.greeting().await?;
        let offered = before.capabilities().await?;
        log_in(&login, before.into_wire(), &offered, who.clone(), PATIENCE).await
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_from_a_server_that_is_busy() {
        for (said, never) in [
            ("[AUTHENTICATIONFAILED] Authentication failed.", true),
            ("LOGIN failed.", true),
            ("[UNAVAILABLE] Temporary authentication failure.", false),
            ("Too many simultaneous connections. (Failure)", false),
            ("Server Unavailable. 15", false),
        ] {
            let (wire, _script) = script::play(format!(
                "S: * OK ready\nC: B1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: B1 OK\n\
                 C: A0001 LOGIN \"ann\" \"wrong\"\nS: A0001 NO {said}"
            ));
            let error = start(wire, "wrong").await.unwrap_err();
            assert_eq!(matches!(error, Error::LoginRefused { .. }), never, "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(!error.to_string().contains("wrong\""), "{error}");
        }
    }

    #[tokio::test]
    async fn a_password_of_any_characters_goes_by_plain() {
        let (wire, script) = script::play(
            "S: * OK ready\nC: B1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: B1 OK\n\
             C: A0001 AUTHENTICATE PLAIN\nS: +\n\
             C: AGFubgBwIlxcw7w=\nS: A0001 OK in\n\
             C: A0002 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: A0002 OK"
                .to_owned(),
        );
        start(wire, "p\"\\\\ü").await.unwrap();
        script.played().await;
    }

    #[test]
    fn no_password_is_printed() {
        let login = Login { user: "ann".to_owned(), password: "secret".to_owned() };
        assert_eq!(format!("{login:?}"), "Login { user: \"ann\", .. }");
    }
}
