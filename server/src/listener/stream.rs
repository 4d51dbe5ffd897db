//! A TCP stream that knows when its peer has stopped reading.
//!
//! The Socket.IO library waits without end for a write, even after the missing pong has ended the session, and
//! until then keeps everything that the room says. After an error it goes on to copy what waits into a buffer. So
//! a stream whose peer takes nothing lets go by itself, and from then on swallows what is written.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Ticket;
use crate::state::State;

/// A peer that takes nothing for so long, while the kernel's buffers are full, does not read. It resumes when it
/// comes back. Only for WebSockets: a page on a bad line may take its time.
const STALL: Duration = Duration::from_secs(5);

/// One open connection: a place of its address and a unit of the gauge, also after an upgrade.
struct Open {
    state: State,
    _ticket: Option<Ticket>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.state.metrics.tcp.dec();
    }
}

/// A connection's stream; it carries its place along wherever it goes.
pub struct Stream {
    tcp: TcpStream,
    open: Open,
    socket: Arc<AtomicBool>,
    read_at: Instant,
    stall: Option<Pin<Box<Sleep>>>,
    given_up: bool,
    /// What was read too early. Most often nothing.
    early: Box<[u8]>,
}

impl Stream {
    /// A stream of an accepted connection. `socket` becomes true when it is asked to become a WebSocket.
    pub fn new(tcp: TcpStream, state: &State, ticket: Option<Ticket>, socket: Arc<AtomicBool>) -> Self {
        state.metrics.tcp.inc();
        Self {
            tcp,
            open: Open {
                state: state.clone(),
                _ticket: ticket,
            },
            socket,
            read_at: Instant::now(),
            stall: None,
            given_up: false,
            early: Box::default(),
        }
    }

    /// Gives back what was read and belongs to whoever reads next.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.early = [bytes, &self.early].concat().into_boxed_slice();
    }

    /// What becomes of a write of `all` bytes.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
        all: usize,
    ) -> Poll<io::Result<usize>> {
        if matches!(wrote, Poll::Ready(Ok(_))) {
            self.stall = None;
            return wrote;
        }
        if !self.socket.load(Ordering::Relaxed) {
            return wrote;
        }
        if wrote.is_pending() {
            // Whoever has missed the ping as well gets no more time: the session has ended already.
            let (interval, timeout) = self.open.state.gate.limits().ping;
            let (read_at, now) = (self.read_at, Instant::now());
            let stall = self.stall.get_or_insert_with(|| {
                Box::pin(sleep_until((read_at + interval + timeout).min(now + STALL)))
            });
            if stall.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.open.state.metrics.slow.inc();
            tracing::info!("a peer does not read; its connection is closed");
        }
        self.give_up();
        Poll::Ready(Ok(all))
    }

    /// Ends the connection. Whoever reads it hears of it; what the kernel holds for the peer goes at once.
    fn give_up(&mut self) {
        self.given_up = true;
        self.stall = None;
        let socket = socket2::SockRef::from(&self.tcp);
        let ended = socket
            .set_linger(Some(Duration::ZERO))
            .and_then(|()| socket.shutdown(std::net::Shutdown::Both));
        if let Err(error) = ended {
            tracing::debug!(%error, "the connection had ended already");
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.given_up {
            return Poll::Ready(Ok(()));
        }
        if !self.early.is_empty() {
            let (now, later) = self.early.split_at(self.early.len().min(buf.remaining()));
            buf.put_slice(now);
            self.early = later.into();
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if read.is_ready() {
            self.read_at = Instant::now();
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.given_up {
            return Poll::Ready(Ok(buf.len()));
        }
        let wrote = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.written(cx, wrote, buf.len())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.given_up {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = bufs.iter().map(|buf| buf.len()).sum();
        if self.given_up {
            return Poll::Ready(Ok(all));
        }
        let wrote = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.written(cx, wrote, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}
