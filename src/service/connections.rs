//! Accepted sockets → at most so many at a time, and none whose other side stops reading.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

/// Lets connections in, one for each permit; the others wait.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    permits: Arc<Semaphore>,
    stalled: Duration,
}

impl Connections {
    /// At most `most` at a time, each given up when it takes nothing that is written to it for `stalled`.
    pub(super) fn new(most: usize, stalled: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(most)), stalled }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Connections {
    type Stream = Guarded;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Guarded, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (permits, stalled) = (Arc::clone(&self.permits), self.stalled);
        Box::pin(async move {
            // Never closed.
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            // A verdict is one small piece: nothing is gained by waiting for more to send with it.
            stream.set_nodelay(true)?;
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(stalled));
            Ok((Guarded { stream: Box::pin(stream), _permit: permit }, service))
        })
    }
}

/// A connection and its permit.
#[derive(Debug)]
pub(super) struct Guarded {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, bufs)
    }
}
