//! Sessions that began with polling: what the client posts and the library has not read, and where the client stands
//! on its way to a WebSocket. What the library says waits in the session's [`Wire`].

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
    /// Whoever waits for the library to read what it posted, or for the session's id.
    waiter: Option<Waker>,
    posting: bool,
    polling: bool,
    upgrading: bool,
    /// The WebSocket's probe has been answered: polls end at once.
    probed: bool,
    /// The packet that a poll which waits gets before the session ends.
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
    /// The session has ended, or ends because of this request.
    Ended,
    /// It has a WebSocket by now.
    Upgraded,
}

/// What a poll gets.
pub enum Polled {
    /// Frames, as the library or the fan-out wrote them.
    Frames(VecDeque<bytes::Bytes>),
    /// One packet.
    Packet(&'static str),
    /// The session has ended.
    Nothing,
}

impl Session {
    /// A new session.
    pub fn new(wire: Arc<Wire>) -> Arc<Self> {
        Arc::new(Self {
            wire,
            inner: Mutex::default(),
        })
    }

    /// Where its frames wait.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The library has said which id it has.
    pub fn opened(&self, sid: &str) {
        let mut inner = self.inner();
        inner.sid = Some(sid.into());
        inner.wake();
    }

    /// Its id, once the library has said it; nothing if the session has ended before.
    pub fn poll_sid(&self, cx: &mut Context<'_>) -> Poll<Option<Box<str>>> {
        let mut inner = self.inner();
        if inner.sid.is_some() || inner.phase == Phase::Ended {
            return Poll::Ready(inner.sid.clone());
        }
        inner.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Begins a poll. A second one at the same time ends the session. Says whether an upgrade has been probed already.
    ///
    /// # Errors
    /// There is nothing to poll.
    pub fn begin_poll(&self) -> Result<bool, Wrong> {
        let mut inner = self.inner();
        // A poll that was overtaken by the client's own goodbye is answered like one that waited.
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

    /// Whether it has a last word that nobody has heard.
    pub fn has_farewell(&self) -> bool {
        self.inner().farewell.is_some()
    }

    /// What a poll gets, once there is something.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<Polled> {
        // In this order: whoever ends the session wakes the poll afterwards.
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

    /// Takes packets for the library. Another post at the same time ends the session.
    ///
    /// # Errors
    /// There is nothing to post to.
    pub fn begin_post(&self, packets: Vec<String>) -> Result<(), Wrong> {
        let mut inner = self.inner();
        inner.check()?;
        if std::mem::replace(&mut inner.posting, true) {
            drop(inner);
            self.end("1");
            return Err(Wrong::Ended);
        }
        if packets.iter().any(|packet| packet == "1") {
            // As Node.js ends the poll of a client that goes.
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

    /// Ready when the library has read what was posted. Says whether the session goes on.
    pub fn poll_posted(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut inner = self.inner();
        if inner.posted.is_empty() || inner.phase == Phase::Ended {
            inner.posting = false;
            return Poll::Ready(inner.phase != Phase::Ended);
        }
        inner.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The next packet for the library; nothing if there is no other because the session has ended.
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

    /// Begins an upgrade, unless there is one.
    ///
    /// # Errors
    /// There is nothing to upgrade, or another upgrade goes on.
    pub fn begin_upgrade(self: &Arc<Self>) -> Result<Upgrade, Wrong> {
        let mut inner = self.inner();
        inner.check()?;
        if std::mem::replace(&mut inner.upgrading, true) {
            return Err(Wrong::Upgraded);
        }
        Ok(Upgrade(Arc::clone(self)))
    }

    /// The WebSocket that has taken the place of polling, once, when everything posted has been read.
    pub fn take_stream(&self) -> Option<Box<Stream>> {
        let mut inner = self.inner();
        if inner.posted.is_empty() {
            inner.stream.take()
        } else {
            None
        }
    }

    /// Whether it has a WebSocket.
    pub fn is_upgraded(&self) -> bool {
        self.inner().phase == Phase::Upgraded
    }

    /// A request or its answer broke off.
    pub fn broken(&self) {
        if !self.is_upgraded() {
            self.end("1");
        }
    }

    /// Ends it. A poll that waits gets what there is, or this packet.
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

/// An upgrade that goes on. Dropped, it has failed, and polling goes on as if nothing had been.
pub struct Upgrade(Arc<Session>);

impl Upgrade {
    /// The WebSocket's probe is answered: a poll that waits ends, and so do those that come.
    pub fn probed(&self) {
        self.0.inner().probed = true;
        self.0.wire.wake();
    }

    /// From now on this is the connection. What waits is sent there first.
    pub fn complete(self, stream: Box<Stream>) {
        let mut inner = self.0.inner();
        if inner.phase != Phase::Polling {
            return;
        }
        inner.phase = Phase::Upgraded;
        // Before the library has the stream: what it writes there comes after what waits.
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

/// All sessions that began with polling, by their ids.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<Box<str>, Arc<Session>>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of this id.
    pub fn get(&self, sid: &str) -> Option<Arc<Session>> {
        self.all().get(sid).cloned()
    }

    /// Makes a session known.
    pub fn enter(&self, sid: Box<str>, session: Arc<Session>) {
        self.all().insert(sid, session);
    }

    /// Forgets it.
    pub fn leave(&self, sid: &str) {
        let mut all = self.all();
        all.remove(sid);
        if all.len() < all.capacity() / 4 {
            all.shrink_to_fit();
        }
    }
}
