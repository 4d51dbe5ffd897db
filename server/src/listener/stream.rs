//! A TCP stream that knows when its peer has stopped reading.
//!
//! The Socket.IO library waits without end for a write, even after the missing pong has ended the session, and
//! until then keeps everything that the room says. After an error it goes on to copy what waits into a buffer. So
//! a stream whose peer takes nothing lets go by itself, and from then on swallows what is written.

use std::cell::RefCell;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::wire::{STALL, Wire};
use crate::limits::Ticket;
use crate::state::State;

/// What is read at once, at most. What whoever reads has no place for yet waits in the stream.
const READ: usize = 16 * 1024;

thread_local! {
    /// One for all connections of a thread: they need not have one of their own.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

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
    early: Bytes,
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
            early: Bytes::new(),
        }
    }

    /// Gives back what was read and belongs to whoever reads next.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.early = [bytes, &self.early].concat().into();
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
        if self.early.is_empty() {
            let tcp = self.wire.tcp();
            let early = loop {
                ready!(tcp.poll_read_ready(cx))?;
                let read = BUFFER.with_borrow_mut(|all| {
                    let read = drain(tcp, all)?;
                    let (now, later) = all[..read].split_at(read.min(buf.remaining()));
                    buf.put_slice(now);
                    io::Result::Ok(Bytes::copy_from_slice(later))
                });
                match read {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => break read?,
                }
            };
            self.early = early;
            self.read_at = Instant::now();
        } else {
            let length = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early.split_to(length));
            if self.early.is_empty() {
                // The last part would keep all of it in memory.
                self.early = Bytes::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Reads what there is. The runtime is told at once that there is no more: else it would ask the kernel once again for
/// each packet.
fn drain(tcp: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    let drained = tcp.try_io(Interest::READABLE, || {
        read = (&*SockRef::from(tcp)).read(buffer)?;
        if (1..buffer.len()).contains(&read) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    match drained {
        Err(error) if read == 0 => Err(error),
        _ => Ok(read),
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
