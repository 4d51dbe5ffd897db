//! A TCP stream that knows when its peer has stopped reading.
//!
//! The Socket.IO library waits without end for a write, even after the missing pong has ended the session, and
//! until then keeps everything that the room says. After an error it goes on to copy what waits into a buffer. So
//! a stream whose peer takes nothing lets go by itself, and from then on swallows what is written.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::wire::{STALL, Wire};
use crate::limits::Ticket;
use crate::state::State;

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
    wire: Arc<Wire>,
    open: Open,
    socket: Arc<AtomicBool>,
    read_at: Instant,
    /// Only for WebSockets: a page on a bad line may take its time.
    stall: Option<Pin<Box<Sleep>>>,
    /// What was read too early. Most often nothing.
    early: Box<[u8]>,
}

impl Stream {
    /// A stream of an accepted connection. `socket` becomes true when it is asked to become a WebSocket.
    pub fn new(tcp: TcpStream, state: &State, ticket: Option<Ticket>, socket: Arc<AtomicBool>) -> Self {
        state.metrics.tcp.inc();
        Self {
            wire: Wire::new(tcp, state.metrics.slow.clone()),
            open: Open {
                state: state.clone(),
                _ticket: ticket,
            },
            socket,
            read_at: Instant::now(),
            stall: None,
            early: Box::default(),
        }
    }

    /// Gives back what was read and belongs to whoever reads next.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.early = [bytes, &self.early].concat().into_boxed_slice();
    }

    /// What is written to.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
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
            let wire = &self.wire;
            let stall = self.stall.get_or_insert_with(|| {
                // What was taken before does not count.
                wire.has_moved();
                Box::pin(sleep_until((read_at + interval + timeout).min(now + STALL)))
            });
            while stall.as_mut().poll(cx).is_ready() {
                if !self.wire.has_moved() {
                    self.wire.give_up();
                    self.stall = None;
                    return Poll::Ready(Ok(all));
                }
                // Slow, but it reads: others were before us.
                stall.as_mut().reset(Instant::now() + STALL);
            }
            return Poll::Pending;
        }
        self.wire.close();
        Poll::Ready(Ok(all))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.wire.close();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let (now, later) = self.early.split_at(self.early.len().min(buf.remaining()));
            buf.put_slice(now);
            self.early = later.into();
            return Poll::Ready(Ok(()));
        }
        let tcp = self.wire.tcp();
        let read = loop {
            ready!(tcp.poll_read_ready(cx))?;
            match tcp.try_read(buf.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => break read?,
            }
        };
        buf.advance(read);
        self.read_at = Instant::now();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = self.wire.poll_write(cx, buf);
        self.written(cx, wrote, buf.len())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.wire.finish())
    }
}
