//! A TCP stream that detects a peer that stopped reading.
//!
//! The Socket.IO library waits for a write without limit, even after a missed pong ended the session, and meanwhile
//! keeps everything that the room sends. After a write error it goes on copying what waits into a buffer. So a stream
//! whose peer takes nothing closes itself and discards later writes.

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

/// Bytes read at once, at most. What the reader has no room for waits in the stream.
const READ: usize = 16 * 1024;

thread_local! {
    /// One buffer per thread, shared by all its connections.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Shared by all streams of the process.
pub struct Common {
    /// A WebSocket peer that is silent for longer than this is gone.
    pub silence: Duration,
    /// The gauge of open connections.
    pub shown: Gauge,
}

/// One open connection: holds its place and a unit of the gauge, also after an upgrade.
struct Open {
    common: Arc<Common>,
    _ticket: Ticket,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.common.shown.dec();
    }
}

/// A slow peer: its pace, and when to check it again.
struct Slow {
    pace: Pace,
    sleep: Pin<Box<Sleep>>,
}

/// A connection's stream. It holds the connection's place, also after an upgrade.
pub struct Stream {
    wire: Arc<Wire>,
    open: Open,
    read_at: Instant,
    /// Present while the peer does not take what is written.
    slow: Option<Box<Slow>>,
    /// Bytes that were read too early. Usually none.
    early: Option<Box<Bytes>>,
}

impl Stream {
    /// The stream of an accepted connection.
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

    /// Pushes over-read bytes back so that the next reader gets them first.
    pub fn unread(&mut self, bytes: &[u8]) {
        let early = self.early.take().unwrap_or_default();
        self.keep([bytes, &early].concat().into());
    }

    fn keep(&mut self, early: Bytes) {
        self.early = (!early.is_empty()).then(|| Box::new(early));
    }

    /// The writing side.
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
            // After an error, the library would copy what waits into a buffer.
            Poll::Ready(Err(_)) if self.wire.is_socket() => {
                self.wire.close();
                return Poll::Ready(Ok(all));
            }
            _ => {}
        }
        wrote
    }

    /// How long a peer that becomes slow may take nothing: at first, and from then on.
    fn patience(&self, now: Instant) -> (Duration, Duration) {
        if !self.wire.is_socket() {
            return (STALL, STALL);
        }
        // A peer that also missed the ping gets no extra time: its session is over.
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

/// Reads what is available. Tells the runtime at once when nothing is left, which saves one system call per packet.
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

    /// Lets the HTTP server pass an answer on without copying it.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is buffered.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.wire.finish())
    }
}
