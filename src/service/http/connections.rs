//! Accepted sockets → at most so many at a time and of one address, and none whose other side says nothing or stops
//! reading.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_io_timeout::TimeoutStream;

use super::peer::network;
use super::shares::{Share, Shares};

/// How often who waits to be let in looks whether there is a place.
const LOOK: Duration = Duration::from_millis(50);

/// Lets connections in, each address within its share; as many again wait, and more are closed.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    open: Arc<Shares<IpAddr>>,
    waiting: Arc<Shares<IpAddr>>,
    /// They stand for many callers.
    proxies: Arc<[IpAddr]>,
    stalled: Duration,
}

impl Connections {
    /// At most `most` at a time, each given up when it takes nothing that is written to it for `stalled`; `proxies` may
    /// have them all.
    pub(crate) fn new(most: usize, proxies: &[IpAddr], stalled: Duration) -> Self {
        Self { open: Shares::new(most), waiting: Shares::new(most), proxies: proxies.into(), stalled }
    }

    /// A place for the other side of a connection, when there is one.
    async fn place(&self, address: IpAddr) -> io::Result<Share<IpAddr>> {
        let (is_proxy, caller) = (self.proxies.contains(&address.to_canonical()), network(address));
        let take =
            |shares: &Arc<Shares<IpAddr>>| if is_proxy { shares.take_any(&caller) } else { shares.take(&caller) };
        if let Ok(place) = take(&self.open) {
            return Ok(place);
        }
        let _waiting = take(&self.waiting).map_err(|_| io::Error::other("too many connections wait"))?;
        loop {
            tokio::time::sleep(LOOK).await;
            if let Ok(place) = take(&self.open) {
                return Ok(place);
            }
        }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Connections {
    type Stream = Watched<TimeoutStream<TcpStream>, Share<IpAddr>>;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let connections = self.clone();
        Box::pin(async move {
            let place = connections.place(stream.peer_addr()?.ip()).await?;
            // A verdict is one small piece: nothing is gained by waiting for more to send with it.
            stream.set_nodelay(true)?;
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(connections.stalled));
            Ok((Watched { stream: Box::pin(stream), watch: place }, service))
        })
    }
}

/// Who looks on while a connection is read.
pub(crate) trait Watch {
    /// Sees what was read just now.
    fn see(&mut self, _read: &[u8]) {}

    /// Ready when nothing is waited for any more.
    fn poll_over(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// A place is only held.
impl Watch for Share<IpAddr> {}

/// A connection and who looks on.
#[derive(Debug)]
pub(crate) struct Watched<T, W> {
    stream: Pin<Box<T>>,
    watch: W,
}

impl<T: AsyncRead, W: Watch + Unpin> AsyncRead for Watched<T, W> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.stream.as_mut().poll_read(cx, buf);
        if polled.is_ready() {
            self.watch.see(&buf.filled()[before..]);
            return polled;
        }
        self.watch.poll_over(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncWrite, W: Unpin> AsyncWrite for Watched<T, W> {
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

/// What an HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Ends connections that do not soon say which HTTP they speak. The server's own time for headers begins only after
/// that: it waits without end for the rest of what may become HTTP/2.
#[derive(Debug, Clone)]
pub(crate) struct Prompt<A> {
    inner: A,
    within: Duration,
}

impl<A> Prompt<A> {
    /// Connections of `inner` that begin to speak within so long.
    pub(crate) fn new(inner: A, within: Duration) -> Self {
        Self { inner, within }
    }
}

impl<A, I, S> Accept<I, S> for Prompt<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
{
    type Stream = Watched<A::Stream, Beginning>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, within) = (self.inner.accept(stream, service), self.within);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let watch = Beginning { patience: Some(Box::pin(tokio::time::sleep(within))), read: 0 };
            Ok((Watched { stream: Box::pin(stream), watch }, service))
        })
    }
}

/// Waits for a connection to say which HTTP it speaks.
#[derive(Debug)]
pub(crate) struct Beginning {
    patience: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl Watch for Beginning {
    fn see(&mut self, read: &[u8]) {
        if self.patience.is_none() {
            return;
        }
        let expected = &PREFACE[self.read..];
        let compared = read.len().min(expected.len());
        self.read += compared;
        if self.read == PREFACE.len() || !expected.starts_with(&read[..compared]) {
            self.patience = None;
        }
    }

    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.patience.as_mut().map_or(Poll::Pending, |patience| patience.as_mut().poll(cx))
    }
}
