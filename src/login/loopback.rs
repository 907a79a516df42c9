//! Waits on the loopback for the browser to come back (RFC 8252, section 7.3).
//!
//! It understands one line of HTTP and answers one page. Whoever else knocks is told nothing and does no harm: only an
//! answer with our `state` ends the wait.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::consent::{Authorization, CameBack};
use super::error::Error;
use crate::config::{Provider, Secret};

/// How long a person may take.
const PERSON_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long a browser may take for its line.
const LINE_WAIT: Duration = Duration::from_secs(10);
const LINE_BYTES_MAX: usize = 16 * 1024;

const DONE: &str = "Baton is logged in. You can close this window.";
const REFUSED: &str = "There is no login: the provider said no. The terminal says more.";

/// A port that waits for the browser.
#[derive(Debug)]
pub struct Loopback {
    four: TcpListener,
    /// A browser may take `localhost` for this one.
    six: Option<TcpListener>,
    port: u16,
}

/// The address to which the browser is sent back. Microsoft wants the name (any port fits it), Google the number.
pub fn redirect(provider: Provider, port: u16) -> String {
    let host = if provider == Provider::Microsoft365 { "localhost" } else { "127.0.0.1" };
    format!("http://{host}:{port}/")
}

impl Loopback {
    /// Listens on `port`, or on any that is free.
    pub async fn listen(port: Option<u16>) -> io::Result<Loopback> {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
        let port = four.local_addr()?.port();
        let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Loopback { four, six, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser.
    pub async fn wait(&self, asked: &Authorization) -> Result<Secret, Error> {
        let waiting = async {
            loop {
                let Ok(mut stream) = self.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let line = tokio::time::timeout(LINE_WAIT, target(&mut stream)).await;
                let Ok(Some(target)) = line else { continue };
                match asked.came_back(&target) {
                    CameBack::Code(code) => {
                        answer(&mut stream, "200 OK", DONE).await;
                        return Ok(code);
                    }
                    CameBack::Refused(words) => {
                        answer(&mut stream, "200 OK", REFUSED).await;
                        return Err(Error::NoConsent(format!("the provider says {words}")));
                    }
                    CameBack::Stranger => answer(&mut stream, "404 Not Found", "").await,
                }
            }
        };
        let late = || Error::NoConsent("the browser did not come back in time".to_owned());
        tokio::time::timeout(PERSON_WAIT, waiting).await.unwrap_or_else(|_| Err(late()))
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let Some(six) = &self.six else { return Ok(self.four.accept().await?.0) };
        let (stream, _) = tokio::select! {
            accepted = self.four.accept() => accepted?,
            accepted = six.accept() => accepted?,
        };
        Ok(stream)
    }
}

/// Path and query of a GET; the header is read to its end, so that the browser hears the answer.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut piece).await.ok()?;
        if count == 0 || bytes.len() > LINE_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(piece.get(..count)?);
    }
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix("GET ")?.split(' ').next().map(str::to_owned)
}

async fn answer(stream: &mut TcpStream, status: &str, words: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{words}",
        words.len()
    );
    // Whoever is gone needs no answer.
    drop(stream.write_all(page.as_bytes()).await);
    drop(stream.shutdown().await);
}
