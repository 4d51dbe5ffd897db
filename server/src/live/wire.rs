//! The writing side of a connection. It has two writers: the Socket.IO library, and the fan-out, which writes whole
//! frames and bypasses the library, because a room's packet has the same bytes for every connection.
//!
//! The library writes whole frames as well, but the kernel may take only part of one; then the rest goes first.
//! Frames of the fan-out that the kernel does not take wait here in order. When the library wants to write, its turn
//! comes after the frames that already wait.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::task::AtomicWaker;
use prometheus_client::metrics::counter::Counter;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::budget::{Account, Budget, Debtor, PER_CONNECTION};
use super::pace::Pace;

mod options;
mod out;
mod polled;
#[cfg(test)]
mod tests;

pub use options::set_options;
use out::{OVERHEAD, Out, Put};

/// A peer that takes less than its pace for this long, while the kernel's buffers are full, does not read and is cut
/// off. On a 64 kbit/s line, an honest peer can take nothing for 5 s while a queue in between is full.
pub const STALL: Duration = Duration::from_secs(15);

/// The number of connections opened so far.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A connection that frames are written to.
pub struct Wire {
    /// Connections are numbered in the order in which they are opened.
    number: u64,
    way: Way,
    slow: Counter,
    account: Arc<Account>,
    out: Mutex<Out>,
}

/// The additional state of a polling peer.
#[derive(Default)]
struct Polled {
    upgraded: OnceLock<Arc<Wire>>,
    /// The library's task that reads what the peer posts.
    library: AtomicWaker,
}

/// How frames reach the peer.
enum Way {
    Tcp(TcpStream),
    /// Frames wait until the peer polls (`wire/polled.rs`), or go to its WebSocket after an upgrade.
    Polled(Polled),
}

/// Writes if the runtime believes that the kernel takes more.
pub fn if_ready(tcp: &TcpStream, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
    tcp.try_write_vectored(bytes)
}

/// Writes regardless. The kernel reports that it takes more only when a third of its buffer is free, which takes long
/// on a slow line. Once its buffer has been filled like this, the kernel takes more only after the peer has.
pub fn in_any_case(tcp: &TcpStream, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
    SockRef::from(tcp).send_vectored(bytes)
}

impl Wire {
    /// The wire of an open connection. `slow` counts peers that are cut off.
    pub fn new(tcp: TcpStream, budget: &Budget, slow: Counter) -> Arc<Self> {
        Arc::new_cyclic(|wire: &Weak<Self>| Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            way: Way::Tcp(tcp),
            slow,
            account: budget.open(wire.clone()),
            out: Mutex::default(),
        })
    }

    /// The account of the bytes that wait for the peer.
    pub fn account(&self) -> &Arc<Account> {
        self.upgraded().map_or(&self.account, |wire| &wire.account)
    }

    /// Opens another account of this connection, for bytes that it holds for other reasons.
    pub fn open(self: &Arc<Self>, budget: &Budget) -> Arc<Account> {
        let wire = Arc::downgrade(self);
        budget.open(wire)
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection, to read from. `None` for a polling peer.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.way {
            Way::Tcp(tcp) => Some(tcp),
            Way::Polled(_) => None,
        }
    }

    /// Records that the client has asked for a WebSocket.
    pub fn becomes_socket(&self) {
        self.out().socket = true;
    }

    /// True if the client has asked for a WebSocket.
    pub fn is_socket(&self) -> bool {
        self.out().socket
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a whole frame, or queues it. Frames for an ended connection are dropped. A peer that is too far behind
    /// is cut off.
    pub fn send(self: &Arc<Self>, frame: &Bytes) {
        let tcp = match &self.way {
            Way::Tcp(tcp) => tcp,
            Way::Polled(polled) => return self.keep(polled, frame),
        };
        let mut out = self.out();
        if out.ended {
            return;
        }
        if self.account.waiting() >= PER_CONNECTION {
            self.cut_off(&mut out);
            return;
        }
        let free = out.before_library.is_none() && out.waiting.is_empty();
        let written = if free {
            tcp.try_write(frame).unwrap_or(0)
        } else {
            0
        };
        out.taken += written as u64;
        if written < frame.len() {
            // The next write will see the same error.
            out.begun = if free { written } else { out.begun };
            self.account.charge(frame.len() + OVERHEAD);
            out.waiting.push_back(frame.clone());
            self.attend(&mut out);
        }
    }

    /// Makes sure that a task writes the queue.
    fn attend(self: &Arc<Self>, out: &mut Out) {
        // A waiting library writes the queue itself when its turn is over.
        if out.waiting.is_empty() || out.attended || out.before_library.is_some() {
            return;
        }
        let Some(tcp) = self.tcp() else { return };
        out.flush(tcp, &self.account, in_any_case);
        if out.waiting.is_empty() {
            return;
        }
        out.attended = true;
        let wire = Arc::clone(self);
        let taken = out.taken;
        tokio::spawn(async move {
            let Some(tcp) = wire.tcp() else { return };
            let mut pace = Pace::new(Instant::now(), taken, STALL, STALL);
            loop {
                let put = match timeout_at(pace.due(), tcp.writable()).await {
                    Ok(_) => if_ready,
                    Err(_) => in_any_case,
                };
                let mut out = wire.out();
                out.flush(tcp, &wire.account, put);
                if out.waiting.is_empty() || out.before_library == Some(0) || out.ended {
                    out.attended = false;
                    return;
                }
                if !pace.keeps(Instant::now(), out.taken) {
                    out.attended = false;
                    return wire.cut_off(&mut out);
                }
            }
        });
    }

    /// Writes for the library or the HTTP server, with the contract of `AsyncWrite`.
    pub fn poll_write(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
        put: Put,
    ) -> Poll<io::Result<usize>> {
        let all = bytes.iter().map(|part| part.len()).sum();
        let Some(tcp) = self.tcp() else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            let mut out = self.out();
            if out.ended {
                return Poll::Ready(Ok(all));
            }
            let waiting = out.waiting.len();
            out.before_library.get_or_insert(waiting);
            out.flush(tcp, &self.account, put);
            if out.before_library == Some(0) {
                match put(tcp, bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(written) => {
                        out.taken += written as u64;
                        if written == all {
                            out.before_library = None;
                            out.flush(tcp, &self.account, put);
                            self.attend(&mut out);
                            if let Some(reader) = out.reader.take() {
                                reader.wake();
                            }
                        }
                        return Poll::Ready(Ok(written));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            drop(out);
            // Ready only if something has changed in the meantime.
            match tcp.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Pending while a write of the library waits. Otherwise a reader that answers its input, such as pings with
    /// pongs, would collect unlimited answers for a peer that does not read them.
    pub fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut out = self.out();
        if out.ended || out.before_library.is_none() {
            return Poll::Ready(());
        }
        out.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The number of bytes that the kernel has taken so far.
    pub fn taken(&self) -> u64 {
        self.out().taken
    }

    /// Cuts off a peer that does not read. Its reader is woken, and the kernel drops what it holds.
    pub fn give_up(&self) {
        self.cut_off(&mut self.out());
    }

    fn cut_off(&self, out: &mut Out) {
        if !out.ended {
            self.slow.inc();
            tracing::info!("a peer does not read; closing its connection");
        }
        self.reset(out);
    }

    /// Ends the connection and drops everything that waits for it, here and in the kernel.
    fn reset(&self, out: &mut Out) {
        self.end(out);
        let Some(tcp) = self.tcp() else {
            return self.upgraded().map_or((), |wire| wire.cut());
        };
        let socket = SockRef::from(tcp);
        let ended = socket
            .set_linger(Some(Duration::ZERO))
            .and_then(|()| socket.shutdown(std::net::Shutdown::Both));
        if let Err(error) = ended {
            tracing::debug!(%error, "the connection had ended already");
        }
    }

    fn end(&self, out: &mut Out) {
        out.ended = true;
        out.waiting = VecDeque::new();
        self.account.close();
        if let Some(reader) = out.reader.take() {
            reader.wake();
        }
        if let Way::Polled(polled) = &self.way {
            polled.library.wake();
        }
    }

    /// True if the connection has ended, so that nothing arrives any more.
    pub fn is_ended(&self) -> bool {
        match self.upgraded() {
            Some(wire) => wire.is_ended(),
            None => self.out().ended,
        }
    }

    /// Ends our side: we send nothing more.
    pub fn finish(&self) -> io::Result<()> {
        let mut out = self.out();
        if out.ended {
            return Ok(());
        }
        out.drop_all(&self.account);
        match self.tcp() {
            Some(tcp) => SockRef::from(tcp).shutdown(std::net::Shutdown::Write),
            None => Ok(()),
        }
    }

    /// Sends this frame if it can leave at once, and nothing after it.
    pub fn last(&self, frame: &Bytes) {
        let mut out = self.out();
        let free = out.before_library.is_none() && out.waiting.is_empty();
        if let Some(tcp) = self.tcp().filter(|_| !out.ended) {
            if free {
                drop(tcp.try_write(frame));
            }
            self.end(&mut out);
            if let Err(error) = SockRef::from(tcp).shutdown(std::net::Shutdown::Write) {
                tracing::trace!(%error, "the connection had ended already");
            }
        }
    }

    /// Closes the connection; called when the library drops its stream.
    pub fn close(&self) {
        let mut out = self.out();
        if !out.ended {
            self.end(&mut out);
        }
        // Even if our side has ended, because the peer may still be sending.
        let ended = match self.tcp() {
            Some(tcp) => {
                let socket = SockRef::from(tcp);
                let lingers = options::linger(&socket);
                lingers.and(socket.shutdown(std::net::Shutdown::Both))
            }
            None => {
                if let Some(wire) = self.upgraded() {
                    wire.close();
                }
                Ok(())
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "the connection had ended already");
        }
    }
}

impl Debtor for Wire {
    fn cut(&self) {
        self.reset(&mut self.out());
    }
}
