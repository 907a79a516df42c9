//! From settings to a connection that has been greeted: TCP, TLS, EHLO.
//!
//! lettre expects a greeting where it begins. Under STARTTLS the greeting came in the clear, before, so [`Opened`] says one
//! again in its place; nothing else that was heard in the clear is ever handed on (RFC 3207, section 6).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::connection::{Connection, failure};
use super::error::Error;
use super::{Settings, Tls};
use crate::tls;

/// How long one address of the server may take to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(20);
/// What STARTTLS has heard already.
const GREETING: &[u8] = b"220 \r\n";

/// Connects, encrypts, and says hello.
///
/// # Errors
/// Where the server is not reached, not safe, or does not answer as one that sends.
pub async fn connect(settings: &Settings) -> Result<Connection, Error> {
    let host = format!("{}:{}", settings.host, settings.port);
    let wait = CONNECT_WAIT.min(settings.patience);
    let mut tcp = dial(settings, &host, wait).await?;
    let peer = tcp.peer_addr().map_err(|source| unreachable(&host, source))?;
    let wire: Box<dyn Wire> = match settings.tls {
        Tls::None => Box::new(tcp),
        Tls::Implicit => Box::new(encrypt(settings, &host, tcp, wait).await?),
        Tls::Starttls => {
            let asked = timeout(settings.patience, tls::starttls(&mut tcp, tls::Language::Smtp));
            let why = match asked.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("it is silent".to_owned()),
            };
            if let Some(why) = why {
                return Err(Error::Tls { host, why });
            }
            Box::new(encrypt(settings, &host, tcp, wait).await?)
        }
    };
    let again: &'static [u8] = if settings.tls == Tls::Starttls { GREETING } else { &[] };
    let opened: Box<dyn AsyncTokioStream> = Box::new(Opened { wire, peer, again });
    // No name of this machine would tell the server more: it is behind a translator, or has none.
    let hello = ClientId::default();
    let begun = AsyncSmtpConnection::connect_with_transport(opened, &hello);
    let inner = match timeout(settings.patience, begun).await {
        Ok(Ok(inner)) => inner,
        Ok(Err(error)) => return Err(failure(&host, "EHLO", &error)),
        Err(_) => return Err(Error::Lost { host, how: "no answer to the hello".to_owned() }),
    };
    Connection::begin(inner, host, settings).await
}

fn unreachable(host: &str, source: io::Error) -> Error {
    Error::Unreachable { host: host.to_owned(), source }
}

async fn dial(settings: &Settings, host: &str, wait: Duration) -> Result<TcpStream, Error> {
    let addresses = tokio::net::lookup_host((settings.host.as_str(), settings.port));
    let addresses = timeout(wait, addresses).await;
    let addresses = addresses
        .unwrap_or(Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| unreachable(host, source))?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match timeout(wait, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => {
                // Small commands, each waiting for its answer.
                tcp.set_nodelay(true).map_err(|source| unreachable(host, source))?;
                return Ok(tcp);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(unreachable(host, last))
}

async fn encrypt(
    settings: &Settings,
    host: &str,
    tcp: TcpStream,
    wait: Duration,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Error> {
    let refused = |why: String| Error::Tls { host: host.to_owned(), why };
    let config = tls::client_config().map_err(refused)?;
    let name = ServerName::try_from(settings.host.clone())
        .map_err(|_| refused(format!("`{}` cannot stand in a certificate", settings.host)))?;
    match timeout(wait, TlsConnector::from(config).connect(name, tcp)).await {
        Ok(Ok(encrypted)) => Ok(encrypted),
        // rustls speaks through an io::Error; anything else is the network's.
        Ok(Err(error)) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Err(refused(error.to_string()))
        }
        Ok(Err(source)) => Err(unreachable(host, source)),
        Err(_) => Err(unreachable(host, io::ErrorKind::TimedOut.into())),
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Wire for T {}

/// The wire as lettre wants it, with a greeting that was heard before.
#[derive(Debug)]
struct Opened {
    wire: Box<dyn Wire>,
    peer: SocketAddr,
    /// What is still to be said again.
    again: &'static [u8],
}

impl AsyncTokioStream for Opened {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.again.is_empty() {
            return Pin::new(&mut self.wire).poll_read(context, buffer);
        }
        let count = self.again.len().min(buffer.remaining());
        let (now, later) = self.again.split_at(count);
        buffer.put_slice(now);
        self.again = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Opened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}
