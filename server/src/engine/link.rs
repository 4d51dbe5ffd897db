//! The connection that the Socket.IO library gets: to the library, every session is a WebSocket of its own.
//!
//! What the client sends passes the [`Gate`] first, at a limited rate and with deadlines. While a session polls, the
//! library reads what was posted, and its frames wait for a poll. After an upgrade, it reads and writes the WebSocket
//! itself.

mod reading;
mod writing;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::addresses::Seat;
use super::caller::Caller;
use super::frame::{self, Fault, Frames};
use super::gate::Gate;
use super::peer::Peer;
use super::session::Session;
use super::shared::Shared;
use crate::listener::stream::Stream;
use crate::live::Wire;

/// How long a peer may take to read why it was closed.
const FAREWELL: Duration = Duration::from_secs(2);
/// How much later than its client's goodbye, sent on another connection, a poll may still arrive.
const OVERTAKEN: Duration = Duration::from_millis(250);

/// The stream that the library reads and writes.
pub struct Link {
    shared: Arc<Shared>,
    seat: Seat,
    gate: Gate,
    peer: Arc<Peer>,
    frames: Frames,
    stream: Option<Box<Stream>>,
    session: Option<Arc<Session>>,
    /// Input that the library has not read. Boxed, because usually there is none.
    incoming: Option<Box<Incoming>>,
    /// Bytes of the library's next write that were already inspected.
    seen: usize,
    state: LinkState,
    end: End,
    /// The library's reading task.
    reader: Option<Waker>,
    /// Nothing is read until this ends.
    pause: Option<Pin<Box<Sleep>>>,
    /// When to check next whether the library has cleaned up a namespace.
    look: Option<Pin<Box<Sleep>>>,
    /// When the current wait fails.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Input on its way to the library.
#[derive(Default)]
struct Incoming {
    /// Input that has not passed the gate yet.
    raw: Bytes,
    /// Input that has passed. The library has read the first `given` bytes.
    ready: Vec<u8>,
    given: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// The library has written nothing.
    New,
    /// The library's first ping comes at once, but clients expect it after the interval.
    BeforePing,
    Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    No,
    /// The client was told why. Later input is discarded.
    Farewell,
    Yes,
}

impl Link {
    /// The link of a WebSocket.
    pub fn new(shared: &Arc<Shared>, seat: Seat, stream: Box<Stream>, caller: Caller) -> Box<Self> {
        let peer = Peer::new(caller, Arc::clone(stream.wire()));
        Self::over(shared, seat, peer, Some(stream), None)
    }

    /// The link of a polling session.
    pub fn polled(shared: &Arc<Shared>, seat: Seat, session: Arc<Session>, caller: Caller) -> Box<Self> {
        let peer = Peer::new(caller, Arc::clone(session.wire()));
        Self::over(shared, seat, peer, None, Some(session))
    }

    fn over(
        shared: &Arc<Shared>,
        seat: Seat,
        peer: Arc<Peer>,
        stream: Option<Box<Stream>>,
        session: Option<Arc<Session>>,
    ) -> Box<Self> {
        Box::new(Self {
            gate: Gate::new(shared.rules),
            peer,
            shared: Arc::clone(shared),
            seat,
            frames: Frames::default(),
            stream,
            session,
            incoming: None,
            seen: 0,
            state: LinkState::New,
            end: End::No,
            reader: None,
            pause: None,
            look: None,
            deadline: None,
        })
    }

    /// Where frames for the client go.
    fn wire(&self) -> &Arc<Wire> {
        &self.peer.wire
    }

    /// Takes over the WebSocket of an upgrade, if there is one.
    fn adopt(&mut self) {
        if self.stream.is_none()
            && let Some(session) = &self.session
        {
            self.stream = session.take_stream();
        }
    }

    fn incoming(&mut self) -> &mut Incoming {
        self.incoming.get_or_insert_default()
    }

    fn wait(&mut self, cx: &Context<'_>) {
        self.incoming
            .take_if(|incoming| incoming.raw.is_empty() && incoming.ready.is_empty());
        if !self
            .reader
            .as_ref()
            .is_some_and(|reader| reader.will_wake(cx.waker()))
        {
            self.reader = Some(cx.waker().clone());
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Ends the session from our side.
    fn close(&mut self, fault: Fault) {
        tracing::debug!(code = fault.code, why = fault.why, "closing a session");
        if let Some(incoming) = &mut self.incoming {
            incoming.raw = Bytes::new();
        }
        self.pause = None;
        self.end = End::Yes;
        if let Some(stream) = &self.stream {
            stream.wire().last(&frame::close(fault.code));
            // If the connection closed with unread input, the peer might never see the code.
            self.end = End::Farewell;
            self.deadline = Some(Box::pin(sleep(FAREWELL)));
        } else if let Some(session) = &self.session {
            session.end("1");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.addresses.leave(&mut self.seat);
        if let Some(session) = &self.session {
            session.end("1");
            let Some(sid) = self.peer.sid() else { return };
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) if session.has_farewell() => {
                    let shared = Arc::clone(shared);
                    runtime.spawn(async move {
                        sleep(OVERTAKEN).await;
                        shared.sessions.leave(sid.as_str());
                    });
                }
                _ => shared.sessions.leave(sid.as_str()),
            }
        }
    }
}
