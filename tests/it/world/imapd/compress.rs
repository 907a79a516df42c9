//! COMPRESS=DEFLATE (RFC 4978): from a moment on, both sides of a connection are deflated.

use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};

/// What comes from a client, inflated from the moment on when `deflated` is set.
pub(super) struct Incoming {
    socket: TcpStream,
    deflated: Arc<AtomicBool>,
    inflating: DeflateDecoder<Vec<u8>>,
}

impl Incoming {
    pub(super) fn new(socket: TcpStream, deflated: Arc<AtomicBool>) -> Incoming {
        Incoming { socket, deflated, inflating: DeflateDecoder::new(Vec::new()) }
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.inflating.get_ref().is_empty() {
            let count = self.socket.read(into)?;
            // A client deflates after it has read the OK, and that comes after the moment.
            if count == 0 || !self.deflated.load(Ordering::SeqCst) {
                return Ok(count);
            }
            self.inflating.write_all(&into[..count])?;
            self.inflating.flush()?;
        }
        let ready = self.inflating.get_mut();
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        ready.drain(..count);
        Ok(count)
    }
}

/// What goes to a client.
#[derive(Default)]
pub(super) struct Outgoing {
    deflating: Option<DeflateEncoder<Vec<u8>>>,
}

impl Outgoing {
    /// What is sent from now on is deflated.
    pub(super) fn deflates(&mut self) {
        self.deflating = Some(DeflateEncoder::new(Vec::new(), Compression::fast()));
    }

    /// Sends everything.
    pub(super) fn send(&mut self, bytes: &[u8], mut socket: &TcpStream) -> io::Result<()> {
        let Some(deflating) = &mut self.deflating else { return socket.write_all(bytes) };
        deflating.write_all(bytes)?;
        deflating.flush()?;
        socket.write_all(&std::mem::take(deflating.get_mut()))
    }
}
