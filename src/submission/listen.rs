//! The sockets under the conversations: they read, write and shake hands as [`Session`] says, and ask the [`Clerk`].
//!
//! Every wait has an end: that of the session for what a client should say, [`WRITE_WAIT`] for what it should read. A
//! conversation that fails ends alone.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tracing::Instrument;

use super::certificate::Certificate;
use super::clerk::Clerk;
use super::room::{Full, Place, Room};
use super::session::{Action, Limits, Session, Wire};
use crate::config::Submission;

/// How long a client may take for the handshake.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(30);
/// How long it may take to read what it is told.
const WRITE_WAIT: Duration = Duration::from_secs(60);
/// How long, and how much, is read of what a client still sends to a conversation that has ended. Without that it would not
/// hear why.
const LINGER_WAIT: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;
/// How long a client may take to log in.
const LOGIN_WAIT: Duration = Duration::from_secs(120);
/// How many commands may pass without a login, a recipient or a message, and how many may be wrong.
const IDLE_COMMANDS: u32 = 100;
const ERRORS: u32 = 10;
/// How much of a message may be here before its whole size counts, bytes.
const SMALL_BYTES: u64 = 128 * 1024;
/// How many bytes of larger messages are here at once, unless a single one needs more; the others wait until there is room.
const LARGE_BYTES: usize = 32 * 1024 * 1024;
/// The pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What runs under a connection.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How a listener begins with a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Begins {
    WithTls,
    WithStarttls,
}

/// What all conversations share.
#[derive(Debug)]
struct Door<C> {
    settings: Submission,
    certificate: Option<Certificate>,
    room: Arc<Room>,
    /// A permit for each KiB of [`LARGE_BYTES`].
    memory: Arc<Semaphore>,
    clerk: Arc<C>,
}

/// The open sockets, on which nobody is served yet.
#[derive(Debug)]
pub struct Listeners<C> {
    door: Arc<Door<C>>,
    sockets: Vec<(TcpListener, Begins)>,
}

impl<C: Clerk> Listeners<C> {
    /// Opens the sockets and reads the certificate.
    ///
    /// # Errors
    /// When an address is taken or a file is of no use; with what to do.
    pub async fn open(settings: &Submission, clerk: Arc<C>) -> anyhow::Result<Listeners<C>> {
        let certificate = settings.tls.as_ref().map(Certificate::load).transpose()?;
        let wanted =
            [(settings.implicit_tls, Begins::WithTls), (settings.starttls, Begins::WithStarttls)];
        let mut sockets = Vec::new();
        for (address, begins) in wanted {
            let Some(address) = address else { continue };
            let socket = TcpListener::bind(address).await.map_err(|error| {
                anyhow::anyhow!(
                    "cannot listen for mail clients at {address}: {error}; see [submission]"
                )
            })?;
            sockets.push((socket, begins));
        }
        let room = Room::new(settings.connections, settings.connections_per_address);
        let memory = Arc::new(Semaphore::new(LARGE_BYTES.max(settings.message_bytes) / 1024 + 1));
        let door = Door { settings: settings.clone(), certificate, room, memory, clerk };
        Ok(Listeners { door: Arc::new(door), sockets })
    }

    /// The addresses listened at.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|(socket, _)| socket.local_addr().ok()).collect()
    }

    /// Serves until told to stop; then every conversation may finish the message that is being kept.
    pub async fn serve(self, stopped: watch::Receiver<bool>) {
        let mut accepting = JoinSet::new();
        for (socket, begins) in self.sockets {
            accepting.spawn(accept(Arc::clone(&self.door), socket, begins, stopped.clone()));
        }
        while accepting.join_next().await.is_some() {}
    }
}

async fn accept<C: Clerk>(
    door: Arc<Door<C>>,
    socket: TcpListener,
    begins: Begins,
    mut stopped: watch::Receiver<bool>,
) {
    let mut conversations = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = conversations.join_next(), if !conversations.is_empty() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let span = tracing::info_span!("submission", peer = %peer.ip());
                let talk = begin(Arc::clone(&door), tcp, peer.ip(), begins, stopped.clone());
                conversations.spawn(talk.instrument(span));
            }
            Err(error) => {
                tracing::warn!("Cannot accept a mail client: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(socket);
    while conversations.join_next().await.is_some() {}
}

async fn begin<C: Clerk>(
    door: Arc<Door<C>>,
    mut tcp: TcpStream,
    peer: IpAddr,
    begins: Begins,
    stopped: watch::Receiver<bool>,
) {
    let place = match door.room.enter(peer) {
        Ok(place) => place,
        Err(full) => {
            let words = match full {
                Full::Everywhere => "421 4.3.2 Too many connections. Try again in a minute.\r\n",
                Full::Address => "421 4.7.0 Too many connections from your address.\r\n",
            };
            tracing::warn!("There is no room for {peer}: {full:?}");
            if begins == Begins::WithStarttls {
                let _gone = timeout(HANDSHAKE_WAIT, tcp.write_all(words.as_bytes())).await;
            }
            return;
        }
    };
    // Small answers, each waited for.
    let _unimportant = tcp.set_nodelay(true);
    let ended = match begins {
        Begins::WithTls => match encrypt(&door, Box::new(tcp)).await {
            Ok(stream) => Talk::new(door, peer, Wire::Tls, stream, place).run(stopped).await,
            Err(error) => Err(error),
        },
        Begins::WithStarttls => {
            let near = peer.to_canonical().is_loopback();
            let wire = match (near && door.settings.login_without_tls, &door.certificate) {
                (true, None) => Wire::Plain,
                (true, Some(_)) => Wire::PlainOrTls,
                (false, _) => Wire::BeforeTls,
            };
            Talk::new(door, peer, wire, Box::new(tcp), place).run(stopped).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("A mail client is gone: {error}");
    }
}

async fn encrypt<C>(door: &Door<C>, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
    let Some(certificate) = &door.certificate else {
        return Err(io::Error::other("no certificate is configured"));
    };
    let handshake = TlsAcceptor::from(certificate.current()).accept(stream);
    Ok(Box::new(timeout(HANDSHAKE_WAIT, handshake).await??))
}

/// One conversation and its socket.
struct Talk<C> {
    door: Arc<Door<C>>,
    peer: IpAddr,
    session: Session,
    stream: Box<dyn Stream>,
    place: Place,
    /// Memory for the rest of a large message, until that is kept.
    memory: Option<OwnedSemaphorePermit>,
    began: Instant,
    /// Said, and not written yet: answers to pipelined commands leave together.
    unsaid: Vec<u8>,
}

impl<C: Clerk> Talk<C> {
    fn new(
        door: Arc<Door<C>>,
        peer: IpAddr,
        wire: Wire,
        stream: Box<dyn Stream>,
        place: Place,
    ) -> Talk<C> {
        let settings = &door.settings;
        let limits = Limits {
            message_bytes: settings.message_bytes,
            recipients: settings.recipients,
            idle_commands: IDLE_COMMANDS,
            errors: ERRORS,
            login: LOGIN_WAIT.min(settings.session),
            command: settings.command,
            chunk: settings.chunk,
            session: settings.session,
        };
        let session = Session::new(&settings.hostname, limits, wire);
        let began = Instant::now();
        Talk { door, peer, session, stream, place, memory: None, began, unsaid: Vec::new() }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn run(mut self, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match self.session.next(self.now()) {
                Action::Say(bytes) => {
                    self.unsaid.extend_from_slice(&bytes);
                    continue;
                }
                Action::Read => {
                    self.flush().await?;
                    self.make_room(&mut stopped).await;
                    if !self.read(&mut buffer, &mut stopped).await? {
                        return Ok(());
                    }
                }
                Action::StartTls => {
                    self.flush().await?;
                    self = self.start_tls().await?;
                }
                Action::Close => {
                    self.flush().await?;
                    return self.linger(&mut buffer).await;
                }
                question => self.ask(question).await,
            }
        }
    }

    /// Waits until there is memory for the rest of a large message; the client notices no more than a slow line.
    async fn make_room(&mut self, stopped: &mut watch::Receiver<bool>) {
        if self.session.message_bytes() <= SMALL_BYTES {
            self.memory = None;
        } else if self.memory.is_none() {
            let kib = u32::try_from(self.session.message_bytes_most() / 1024).unwrap_or(u32::MAX);
            let memory = Arc::clone(&self.door.memory);
            tokio::select! {
                permit = memory.acquire_many_owned(kib) => self.memory = permit.ok(),
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            self.session.waited(self.now());
        }
    }

    /// Reads what the client says; answers whether it is still there.
    async fn read(
        &mut self,
        buffer: &mut [u8],
        stopped: &mut watch::Receiver<bool>,
    ) -> io::Result<bool> {
        let ends = self.began + self.session.patience_ends();
        tokio::select! {
            read = timeout_at(ends, self.stream.read(buffer)) => match read {
                Ok(read) => {
                    let read = read?;
                    self.session.input(buffer.get(..read).unwrap_or_default());
                    return Ok(read > 0);
                }
                Err(_) => self.session.late(),
            },
            _ = stopped.wait_for(|stopped| *stopped) => self.session.stop(),
        }
        Ok(true)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.unsaid.is_empty() {
            let unsaid = std::mem::take(&mut self.unsaid);
            timeout(WRITE_WAIT, self.stream.write_all(&unsaid)).await??;
            timeout(WRITE_WAIT, self.stream.flush()).await??;
        }
        Ok(())
    }

    async fn start_tls(mut self) -> io::Result<Talk<C>> {
        self.stream = encrypt(&self.door, self.stream).await?;
        self.session.encrypted(self.began.elapsed());
        Ok(self)
    }

    async fn ask(&mut self, question: Action) {
        let clerk = Arc::clone(&self.door.clerk);
        match question {
            Action::Check { user, password } => {
                let checked = clerk.check(user, password, self.peer).await;
                self.session.checked(checked, self.now());
                if self.session.agent().is_some() {
                    self.place.is_known();
                }
            }
            Action::JudgeSender { agent, address } => {
                let judged = clerk.may_send_as(agent, address).await;
                self.session.judged(&judged, self.now());
            }
            Action::JudgeRecipient { agent, address } => {
                let judged = clerk.may_send_to(agent, address).await;
                self.session.judged(&judged, self.now());
            }
            Action::Keep { agent, envelope, raw } => {
                let answer = clerk.keep(agent, envelope, raw).await;
                self.session.kept(&answer, self.now());
                self.memory = None;
            }
            Action::Read | Action::Say(_) | Action::StartTls | Action::Close => {}
        }
    }

    /// Closes our half, and reads on for a moment: a socket that is closed over unread bytes takes back what was said last.
    async fn linger(mut self, buffer: &mut [u8]) -> io::Result<()> {
        let ends = Instant::now() + LINGER_WAIT;
        let shut = timeout_at(ends, self.stream.shutdown()).await;
        let mut read = 0;
        while matches!(shut, Ok(Ok(()))) && read < LINGER_BYTES {
            match timeout_at(ends, self.stream.read(buffer)).await {
                Ok(Ok(more)) if more > 0 => read += more,
                _ => break,
            }
        }
        Ok(())
    }
}
