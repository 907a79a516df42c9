//! Client submission, `smtp.office365.com:587`: the same tenant, seen by SMTP (M81 to M101).
//!
//! `tenant.smtp.port` speaks without TLS, as Baton does on the loopback; with [`Knobs::starttls`] it offers and demands
//! STARTTLS (M1), with the certificate in `tests/data/tls`. What is said is in [`dialogue`], what becomes of a message in
//! [`submission`]. `tenant.sent()` tells what has left.

mod dialogue;
mod submission;

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use self::dialogue::{Dialogue, Then};
pub(crate) use self::submission::{Desk, Sent};
use super::super::imapd::Server;
use super::super::tokens::jwt::der;
use super::service::Exchange;

/// The longest line that is read.
const LINE_BYTES: usize = 12_288;

/// What becomes of the Message-ID (M100).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MessageIds {
    Kept,
    /// A new one, told in the 250; the old one is kept in a header.
    Replaced,
}

/// Whom SMTP AUTH is switched off for (M87).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disabled {
    Nobody,
    Tenant,
    Mailbox,
}

/// When the connection is lost at the end of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// The message was not taken.
    BeforeTaking,
    /// It was, and nobody heard so.
    AfterTaking,
}

/// What the tenant's SMTP does on one day and not on another; turn them with [`super::Tenant::set_smtp`].
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) starttls: bool,
    pub(crate) disabled: Disabled,
    /// An app's login to a mailbox without licence ends in 430 (M86).
    pub(crate) unlicensed: bool,
    /// How many connections may send for a mailbox at once (M92).
    pub(crate) concurrent: usize,
    /// How many messages a minute are taken at once, and for how long the others wait (M93).
    pub(crate) per_minute: usize,
    pub(crate) delay: Duration,
    /// How many recipients a day (M93).
    pub(crate) recipients_a_day: usize,
    pub(crate) mailbox_full: bool,
    pub(crate) message_ids: MessageIds,
    /// The same Message-ID twice is refused (M94).
    pub(crate) refuses_duplicates: bool,
    /// The mailbox gets a copy of what it sends (M95).
    pub(crate) keeps_copy: bool,
    /// How long the copy takes.
    pub(crate) copy_seconds: i64,
    /// After so many refusals to send as another the mailbox is locked (M91).
    pub(crate) denials: u32,
    /// The next message ends so.
    pub(crate) cut: Option<Cut>,
    /// The next message is answered so, and not taken.
    pub(crate) answers: Option<String>,
}

impl Default for Knobs {
    fn default() -> Knobs {
        Knobs {
            starttls: false,
            disabled: Disabled::Nobody,
            unlicensed: false,
            concurrent: 3,
            per_minute: 30,
            delay: Duration::from_millis(100),
            recipients_a_day: 10_000,
            mailbox_full: false,
            message_ids: MessageIds::Kept,
            refuses_duplicates: false,
            keeps_copy: true,
            copy_seconds: 0,
            denials: 3,
            cut: None,
            answers: None,
        }
    }
}

/// The listening server; it and its connections end when it is dropped.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    closing: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Smtp {
    pub(super) fn start(exchange: Arc<Server<Exchange>>) -> Smtp {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let (closing, sockets) =
            (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let smtp = Smtp { port, closing: Arc::clone(&closing), sockets: Arc::clone(&sockets) };
        let number = AtomicUsize::new(0);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                sockets.lock().unwrap().extend(socket.try_clone());
                let dialogue =
                    Dialogue::new(Arc::clone(&exchange), number.fetch_add(1, Ordering::SeqCst));
                thread::spawn(move || Connection::new(socket).serve(dialogue));
            }
        });
        smtp
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        for socket in self.sockets.lock().unwrap().iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// The wire to one client, with what was read and not used.
struct Connection {
    wire: Box<dyn Wire>,
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn new(socket: TcpStream) -> Connection {
        let _ = socket.set_nodelay(true);
        let wire = socket.try_clone().expect("a socket");
        Connection { wire: Box::new(wire), socket, buffer: Vec::new() }
    }

    fn serve(mut self, mut dialogue: Dialogue) {
        let _ = self.talk(&mut dialogue);
        dialogue.left();
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn talk(&mut self, dialogue: &mut Dialogue) -> io::Result<()> {
        let banner = dialogue.banner();
        self.say(&banner)?;
        loop {
            let line = self.line()?;
            let (answer, then) = dialogue.hears(&String::from_utf8_lossy(&line));
            self.say(&answer)?;
            let (answer, then) = match then {
                Then::Data => {
                    let message = self.message()?;
                    dialogue.hears_message(&message)
                }
                Then::Chunk { bytes, last } => {
                    let chunk = self.take(bytes)?;
                    dialogue.hears_chunk(&chunk, last)
                }
                other => (String::new(), other),
            };
            self.say(&answer)?;
            match then {
                Then::Close => return Ok(()),
                Then::StartTls => self.start_tls()?,
                _ => {}
            }
        }
    }

    fn say(&mut self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.wire.write_all(format!("{}\r\n", lines.replace('\n', "\r\n")).as_bytes())?;
        self.wire.flush()
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8192];
        let count = self.wire.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(())
    }

    /// The next line without its CRLF; a bare LF ends none.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer[..at].to_vec();
                self.buffer.drain(..at + 2);
                return Ok(line);
            }
            if self.buffer.len() > LINE_BYTES {
                return Err(io::Error::other("a line without end"));
            }
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < count {
            self.fill()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// The message up to the lonely dot, dots unstuffed (RFC 5321, section 4.5.2).
    fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let line = self.line()?;
            if line == b"." {
                return Ok(message);
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            message.extend_from_slice(b"\r\n");
        }
    }

    /// What was sent before the handshake is thrown away, so that nobody can slip a command in.
    fn start_tls(&mut self) -> io::Result<()> {
        self.buffer.clear();
        let tls = ServerConnection::new(tls_config()).map_err(io::Error::other)?;
        self.wire = Box::new(StreamOwned::new(tls, self.socket.try_clone()?));
        Ok(())
    }
}

fn tls_config() -> Arc<ServerConfig> {
    let certificate = der(include_str!("../../../../data/tls/server.crt"));
    let key = der(include_str!("../../../../data/tls/server.pem"));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![CertificateDer::from(certificate)], key)
        });
    Arc::new(config.expect("a certificate that fits its key"))
}
