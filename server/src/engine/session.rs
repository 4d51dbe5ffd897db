//! Sessions that began with polling: the packets that the client posted and the library has not read, and how far an
//! upgrade to a WebSocket has come. Frames from the library wait in the session's [`Wire`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::listener::stream::Stream;
use crate::live::Wire;

/// A session that began with polling.
pub struct Session {
    wire: Arc<Wire>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    phase: Phase,
    sid: Option<Box<str>>,
    posted: VecDeque<String>,
    /// The request that waits for the library: for its posted packets to be read, or for the session's id.
    waiter: Option<Waker>,
    posting: bool,
    polling: bool,
    upgrading: bool,
    /// The WebSocket's probe was answered, so polls end at once.
    probed: bool,
    /// The packet that ends a waiting poll when the session ends.
    farewell: Option<&'static str>,
    stream: Option<Box<Stream>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Polling,
    Upgraded,
    Ended,
}

/// Why a request cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The session has ended, or this request ends it.
    Ended,
    /// The session has been upgraded to a WebSocket.
    Upgraded,
}

/// What a poll returns.
pub enum Polled {
    /// Frames, as the library or the fan-out wrote them.
    Frames(VecDeque<bytes::Bytes>),
    Packet(&'static str),
    /// The session has ended.
    Nothing,
}

impl Session {
    pub fn new(wire: Arc<Wire>) -> Arc<Self> {
        Arc::new(Self {
            wire,
            inner: Mutex::default(),
        })
    }

    /// The wire in which frames wait.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the session's id, which the library has assigned.
    pub fn opened(&self, sid: &str) {
        let mut inner = self.inner();
        inner.sid = Some(sid.into());
        inner.wake();
    }

    /// The session's id, once the library has assigned it. `None` if the session ended before.
    pub fn poll_sid(&self, cx: &mut Context<'_>) -> Poll<Option<Box<str>>> {
        let mut inner = self.inner();
        if inner.sid.is_some() || inner.phase == Phase::Ended {
            return Poll::Ready(inner.sid.clone());
        }
        inner.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Starts a poll. A second poll at the same time ends the session. Returns whether an upgrade has been probed.
    ///
    /// # Errors
    /// If the session has ended or has been upgraded.
    pub fn begin_poll(&self) -> Result<bool, Wrong> {
        let mut inner = self.inner();
        // If the client's own goodbye overtook this poll, the poll is answered as if it had been waiting.
        if inner.phase != Phase::Ended || inner.farewell.is_none() {
            inner.check()?;
        }
        if std::mem::replace(&mut inner.polling, true) {
            drop(inner);
            self.end("1");
            return Err(Wrong::Ended);
        }
        Ok(inner.probed)
    }

    /// True if there is a final packet that no poll has received.
    pub fn has_farewell(&self) -> bool {
        self.inner().farewell.is_some()
    }

    /// The result of a poll, once there is one.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<Polled> {
        // The order matters: the session is marked as ended first, and the poll is woken afterwards.
        let taken = self.wire.poll_take(cx);
        let mut inner = self.inner();
        let polled = match taken {
            Poll::Ready(Some(frames)) => Polled::Frames(frames),
            _ if inner.farewell.is_some() => Polled::Packet(inner.farewell.take().unwrap_or_default()),
            _ if inner.phase == Phase::Upgraded || inner.probed => Polled::Packet("6"),
            Poll::Ready(None) => Polled::Nothing,
            Poll::Pending => return Poll::Pending,
        };
        inner.polling = false;
        Poll::Ready(polled)
    }

    /// Takes packets for the library. A second POST at the same time ends the session.
    ///
    /// # Errors
    /// If the session has ended or has been upgraded.
    pub fn begin_post(&self, packets: Vec<String>) -> Result<(), Wrong> {
        let mut inner = self.inner();
        inner.check()?;
        if std::mem::replace(&mut inner.posting, true) {
            drop(inner);
            self.end("1");
            return Err(Wrong::Ended);
        }
        if packets.iter().any(|packet| packet == "1") {
            // Node.js ends the poll of a leaving client in the same way.
            inner.farewell = Some("6");
        }
        inner.posted.extend(packets);
        let leaves = inner.farewell.is_some();
        drop(inner);
        if leaves {
            self.wire.wake();
        }
        self.wire.wake_library();
        Ok(())
    }

    /// Ready when the library has read what was posted. Returns whether the session is still open.
    pub fn poll_posted(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut inner = self.inner();
        if inner.posted.is_empty() || inner.phase == Phase::Ended {
            inner.posting = false;
            return Poll::Ready(inner.phase != Phase::Ended);
        }
        inner.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The next packet for the library. `None` once the session has ended.
    pub fn poll_packet(&self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        self.wire.register_library(cx.waker());
        let mut inner = self.inner();
        if let Some(packet) = inner.posted.pop_front() {
            if inner.posted.is_empty() {
                inner.posted = VecDeque::new();
                inner.wake();
            }
            return Poll::Ready(Some(packet));
        }
        let gone = inner.phase == Phase::Ended || (inner.phase == Phase::Polling && self.wire.is_ended());
        if gone { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Starts an upgrade.
    ///
    /// # Errors
    /// If the session has ended, or an upgrade is under way or complete.
    pub fn begin_upgrade(self: &Arc<Self>) -> Result<Upgrade, Wrong> {
        let mut inner = self.inner();
        inner.check()?;
        if std::mem::replace(&mut inner.upgrading, true) {
            return Err(Wrong::Upgraded);
        }
        Ok(Upgrade(Arc::clone(self)))
    }

    /// The WebSocket of a complete upgrade, once, after the library has read everything that was posted.
    pub fn take_stream(&self) -> Option<Box<Stream>> {
        let mut inner = self.inner();
        if inner.posted.is_empty() {
            inner.stream.take()
        } else {
            None
        }
    }

    /// True if the session has been upgraded to a WebSocket.
    pub fn is_upgraded(&self) -> bool {
        self.inner().phase == Phase::Upgraded
    }

    /// Ends the session because a request or its answer broke off. Has no effect after an upgrade.
    pub fn broken(&self) {
        if !self.is_upgraded() {
            self.end("1");
        }
    }

    /// Ends the session. A waiting poll receives what is queued, or else this packet.
    pub fn end(&self, farewell: &'static str) {
        let mut inner = self.inner();
        if inner.phase != Phase::Ended {
            inner.phase = Phase::Ended;
            inner.posted = VecDeque::new();
            inner.stream = None;
            if inner.polling {
                inner.farewell.get_or_insert(farewell);
            }
        }
        inner.wake();
        drop(inner);
        self.wire.end_of_polls();
        self.wire.wake_library();
    }
}

impl Inner {
    fn check(&self) -> Result<(), Wrong> {
        match self.phase {
            Phase::Polling => Ok(()),
            Phase::Upgraded => Err(Wrong::Upgraded),
            Phase::Ended => Err(Wrong::Ended),
        }
    }

    fn wake(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }
}

/// An upgrade under way. If dropped, the upgrade has failed and polling continues.
pub struct Upgrade(Arc<Session>);

impl Upgrade {
    /// Notes that the probe was answered: the waiting poll and later ones end at once.
    pub fn probed(&self) {
        self.0.inner().probed = true;
        self.0.wire.wake();
    }

    /// Makes the WebSocket the session's connection. Queued frames are sent there first.
    pub fn complete(self, stream: Box<Stream>) {
        let mut inner = self.0.inner();
        if inner.phase != Phase::Polling {
            return;
        }
        inner.phase = Phase::Upgraded;
        // Before the library gets the stream, so that its frames come after the queued ones.
        self.0.wire.hand_over_to(Arc::clone(stream.wire()));
        inner.stream = Some(stream);
        drop(inner);
        self.0.wire.wake_library();
    }
}

impl Drop for Upgrade {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.upgrading = false;
        inner.probed = false;
    }
}

/// All sessions that began with polling, by id.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<Box<str>, Arc<Session>>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, sid: &str) -> Option<Arc<Session>> {
        self.all().get(sid).cloned()
    }

    pub fn enter(&self, sid: Box<str>, session: Arc<Session>) {
        self.all().insert(sid, session);
    }

    pub fn leave(&self, sid: &str) {
        let mut all = self.all();
        all.remove(sid);
        if all.len() < all.capacity() / 4 {
            all.shrink_to_fit();
        }
    }
}
