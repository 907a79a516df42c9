//! Counts what comes from the server, before anything is left out or mended: inside TLS, as a provider counts. After
//! STARTTLS it is outside, which is a little more.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::session::Wire;

/// How many bytes have come. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// What has come since this was last asked.
    pub(super) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }

    /// The wire, counted.
    pub(super) fn count(&self, inner: Box<dyn Wire>) -> Box<dyn Wire> {
        Box::new(Metered { inner, meter: self.clone() })
    }
}

#[derive(Debug)]
struct Metered {
    inner: Box<dyn Wire>,
    meter: Meter,
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let came = buf.filled().len().saturating_sub(before);
        self.meter.0.fetch_add(came as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn every_byte_that_comes_is_counted_once() {
        let (near, mut far) = tokio::io::duplex(100);
        let meter = Meter::default();
        let mut wire = meter.count(Box::new(near));
        far.write_all(b"* OK hello\r\n").await.unwrap();
        wire.write_all(b"what is sent is not counted").await.unwrap();
        let mut some = [0; 5];
        wire.read_exact(&mut some).await.unwrap();
        drop(far);
        let mut rest = Vec::new();
        wire.read_to_end(&mut rest).await.unwrap();
        assert_eq!((meter.take(), meter.take()), (12, 0));
    }
}
