//! A TCP stream that knows when its peer has stopped reading.
//!
//! The Socket.IO library waits without end for a write, even after the missing pong has ended the session, and
//! until then keeps everything that the room says. After an error it goes on to copy what waits into a buffer. So
//! a stream whose peer takes nothing lets go by itself, and from then on swallows what is written.

use std::cell::RefCell;
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::places::Ticket;
use crate::live::{Pace, STALL, Wire, if_ready, in_any_case};

/// What is read at once, at most. What whoever reads has no place for yet waits in the stream.
const READ: usize = 16 * 1024;

thread_local! {
    /// One for all connections of a thread: they need not have one of their own.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// What all streams of the process share.
pub struct Common {
    /// A WebSocket's peer says something within this time, or has ended.
    pub silence: Duration,
    /// The number of open connections.
    pub shown: Gauge,
}

/// One open connection: a place of its address and a unit of the gauge, also after an upgrade.
struct Open {
    common: Arc<Common>,
    _ticket: Ticket,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.common.shown.dec();
    }
}

/// A peer that does not take all at once what is written, and when to look at it again.
struct Slow {
    pace: Pace,
    sleep: Pin<Box<Sleep>>,
}

/// A connection's stream; it carries its place along wherever it goes.
pub struct Stream {
    wire: Arc<Wire>,
    open: Open,
    read_at: Instant,
    /// While the peer does not take what is written.
    slow: Option<Box<Slow>>,
    /// What was read too early. Most often nothing.
    early: Option<Box<Bytes>>,
}

impl Stream {
    /// A stream of an accepted connection.
    pub fn new(wire: Arc<Wire>, ticket: Ticket, common: Arc<Common>) -> Self {
        common.shown.inc();
        Self {
            wire,
            open: Open {
                common,
                _ticket: ticket,
            },
            read_at: Instant::now(),
            slow: None,
            early: None,
        }
    }

    /// Gives back what was read and belongs to whoever reads next.
    pub fn unread(&mut self, bytes: &[u8]) {
        let early = self.early.take().unwrap_or_default();
        self.keep([bytes, &early].concat().into());
    }

    fn keep(&mut self, early: Bytes) {
        self.early = (!early.is_empty()).then(|| Box::new(early));
    }

    /// What is written to.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let all = bytes.iter().map(|part| part.len()).sum();
        let mut wrote = self.wire.poll_write(cx, bytes, if_ready);
        if wrote.is_pending() && self.slow.is_none() {
            wrote = self.wire.poll_write(cx, bytes, in_any_case);
        }
        while wrote.is_pending() {
            let now = Instant::now();
            let (first, stall) = self.patience(now);
            let taken = self.wire.taken();
            let slow = self.slow.get_or_insert_with(|| {
                let pace = Pace::new(now, taken, first, stall);
                let sleep = Box::pin(sleep_until(pace.due()));
                Box::new(Slow { pace, sleep })
            });
            if slow.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            wrote = self.wire.poll_write(cx, bytes, in_any_case);
            if !slow.pace.keeps(now, self.wire.taken()) {
                self.wire.give_up();
                self.slow = None;
                return Poll::Ready(Ok(all));
            }
            slow.sleep.as_mut().reset(slow.pace.due());
        }
        match wrote {
            Poll::Ready(Ok(written)) if written == all => self.slow = None,
            // The library would copy what waits into a buffer.
            Poll::Ready(Err(_)) if self.wire.is_socket() => {
                self.wire.close();
                return Poll::Ready(Ok(all));
            }
            _ => {}
        }
        wrote
    }

    /// How soon the peer must take something when it begins to be slow, and how often from then on.
    fn patience(&self, now: Instant) -> (Duration, Duration) {
        if !self.wire.is_socket() {
            return (STALL, STALL);
        }
        // Whoever has missed the ping as well gets no more time: the session has ended already.
        let missed = (self.read_at + self.open.common.silence).saturating_duration_since(now);
        (missed.min(STALL), STALL)
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
        ready!(self.wire.poll_answered(cx));
        if let Some(early) = &mut self.early {
            let length = early.len().min(buf.remaining());
            buf.put_slice(&early.split_to(length));
            if early.is_empty() {
                self.early = None;
            }
        } else {
            let Some(tcp) = self.wire.tcp() else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
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
            self.keep(early);
            self.read_at = Instant::now();
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
        self.write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, bufs)
    }

    /// The HTTP server then keeps an answer as it is instead of copying it.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.wire.finish())
    }
}
