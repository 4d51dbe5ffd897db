//! The connection that the Socket.IO library gets: to it every session is a WebSocket of its own.
//!
//! What the client sends passes the [`Gate`] first, at a rate and within a time. While a session polls, the library
//! reads what was posted and its frames wait for a poll; after an upgrade it reads and writes the WebSocket itself.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::addresses::Seat;
use super::frame::{self, Fault, Frames, Message};
use super::gate::{Gate, Out};
use super::session::Session;
use crate::listener::{MUCH, Stream, Wire};
use crate::state::State;

/// A message must be complete so long after its first byte.
const MESSAGE: Duration = Duration::from_secs(10);
/// The library must answer a CONNECT within this time, and have let go of a namespace that was left.
const CONNECT: Duration = Duration::from_secs(15);
/// How often to look whether it has let go.
const LOOK: Duration = Duration::from_millis(1);
/// A peer that was told why it is closed has so long to read it.
const FAREWELL: Duration = Duration::from_secs(2);
/// A poll may be overtaken by the goodbye that its client sent after it, on another connection, by so much.
const OVERTAKEN: Duration = Duration::from_millis(250);
/// Messages that are taken in one go.
const BATCH: u32 = 128;
/// What is read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// One for all connections of a thread.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// What the library reads and writes.
pub struct Link {
    state: State,
    seat: Seat,
    gate: Gate,
    frames: Frames,
    stream: Option<Box<Stream>>,
    session: Option<Arc<Session>>,
    sid: Option<Box<str>>,
    /// What came and has not passed the gate.
    raw: Bytes,
    /// What has passed, up to what the library has read.
    ready: Vec<u8>,
    given: usize,
    /// Bytes of what the library writes next that have been looked at already.
    seen: usize,
    stage: Stage,
    end: End,
    /// The library's task that reads.
    reader: Option<Waker>,
    /// Nothing is taken until then.
    pause: Option<Pin<Box<Sleep>>>,
    /// Something must have happened by then.
    deadline: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The library has said nothing.
    New,
    /// Its first ping leaves at once; clients expect it after the interval.
    BeforePing,
    Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    No,
    /// The client was told why; what it still sends is nobody's.
    Farewell,
    Yes,
}

impl Link {
    /// Of a WebSocket.
    pub fn new(state: &State, seat: Seat, stream: Box<Stream>) -> Box<Self> {
        Self::over(state, seat, Some(stream), None)
    }

    /// Of a session that polls.
    pub fn polled(state: &State, seat: Seat, session: Arc<Session>) -> Box<Self> {
        Self::over(state, seat, None, Some(session))
    }

    fn over(
        state: &State,
        seat: Seat,
        stream: Option<Box<Stream>>,
        session: Option<Arc<Session>>,
    ) -> Box<Self> {
        Box::new(Self {
            gate: Gate::new(state.engine().rules),
            state: state.clone(),
            seat,
            frames: Frames::default(),
            stream,
            session,
            sid: None,
            raw: Bytes::new(),
            ready: Vec::new(),
            given: 0,
            seen: 0,
            stage: Stage::New,
            end: End::No,
            reader: None,
            pause: None,
            deadline: None,
        })
    }

    /// Where frames for the client go.
    pub fn wire(&self) -> Option<&Arc<Wire>> {
        let session = self.session.as_ref().map(|session| session.wire());
        session.or_else(|| self.stream.as_ref().map(|stream| stream.wire()))
    }

    /// Takes the WebSocket of an upgrade, if there is one.
    fn adopt(&mut self) {
        if self.stream.is_none()
            && let Some(session) = &self.session
        {
            self.stream = session.take_stream();
        }
    }

    /// Gives the library what is ready.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let ready = &self.ready[self.given..];
        if ready.is_empty() {
            return false;
        }
        let count = ready.len().min(buf.remaining());
        buf.put_slice(&ready[..count]);
        self.given += count;
        if self.given == self.ready.len() {
            // An idle connection has no memory for it.
            (self.ready, self.given) = (Vec::new(), 0);
        }
        true
    }

    fn wait(&mut self, cx: &Context<'_>) {
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

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Takes what may be taken of `input`, until something is ready for the library.
    fn digest(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let limit = self.state.engine().max_payload;
        let mut out = self.out();
        let (mut count, mut pong, mut result) = (0, None, Ok(()));
        while result.is_ok() && !self.gate.is_waiting() && count < BATCH {
            let message = match self.frames.next(input, limit) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(fault) => {
                    result = Err(fault);
                    break;
                }
            };
            count += 1;
            if message != Message::Part {
                self.deadline = None;
            }
            match message {
                // The last of several is enough.
                Message::Ping(payload) => pong = Some(payload),
                message => result = self.gate.message(message, &mut out),
            }
        }
        if let Some(wire) = self.wire()
            && let Some(pong) = pong
            && wire.account().waiting() < MUCH
        {
            wire.send(&frame::pong(&pong));
        }
        self.take_out(out, count);
        result?;
        let engine = self.state.engine();
        engine.addresses.hold(&mut self.seat, self.frames.held())?;
        Ok(())
    }

    fn out(&mut self) -> Out {
        Out {
            library: std::mem::take(&mut self.ready),
            client: Vec::new(),
        }
    }

    fn take_out(&mut self, out: Out, count: u32) {
        self.ready = out.library;
        if let Some(wire) = self.wire() {
            for packet in out.client {
                wire.send(&frame::text(&packet));
            }
        }
        let now = Instant::now();
        let wait = self.state.engine().addresses.count(&mut self.seat, count, now);
        if !wait.is_zero() {
            self.pause = Some(Box::pin(sleep_until(now + wait)));
        }
        if self.gate.is_waiting() {
            self.deadline = Some(Box::pin(sleep(CONNECT)));
        }
    }

    /// A namespace is on its way in: waits for the library.
    fn poll_namespace(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.gate.is_waiting() {
            return Poll::Ready(Ok(()));
        }
        while let Some(namespace) = self.gate.held() {
            let engine = self.state.engine();
            if !engine
                .library
                .knows(namespace, self.sid.as_deref().unwrap_or_default())
            {
                let mut out = self.out();
                self.gate.release(&mut out);
                self.take_out(out, 0);
                return Poll::Ready(Ok(()));
            }
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(LOOK)));
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        self.poll_deadline(cx, Fault::policy("a namespace could not be connected"))
    }

    /// Pending until the deadline has passed.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, fault: Fault) -> Poll<Result<(), Fault>> {
        if let Some(deadline) = &mut self.deadline {
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(fault));
        }
        Poll::Pending
    }

    /// Takes the next of what the client sent.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        ready!(self.poll_pause(cx));
        ready!(self.poll_namespace(cx))?;
        if !self.ready.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if !self.raw.is_empty() {
            let raw = std::mem::take(&mut self.raw);
            let mut rest = &raw[..];
            let result = self.digest(&mut rest);
            if !rest.is_empty() {
                self.raw = raw.slice(raw.len() - rest.len()..);
            }
            return Poll::Ready(result);
        }
        self.adopt();
        if self.stream.is_some() {
            return match self.poll_stream(cx) {
                Poll::Pending => {
                    if self.frames.is_within() {
                        self.deadline.get_or_insert_with(|| Box::pin(sleep(MESSAGE)));
                    }
                    self.poll_deadline(cx, Fault::policy("a message took too long"))
                }
                read => read,
            };
        }
        let Some(session) = &self.session else {
            self.end = End::Yes;
            return Poll::Ready(Ok(()));
        };
        match ready!(session.poll_packet(cx)) {
            Some(packet) => {
                let mut out = self.out();
                let result = self.gate.packet(&packet, &mut out);
                self.take_out(out, 1);
                Poll::Ready(result)
            }
            None => {
                self.end = End::Yes;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = match &mut self.stream {
                Some(stream) => ready!(Pin::new(&mut **stream).poll_read(cx, &mut buffer)),
                None => Ok(()),
            };
            let mut rest = buffer.filled();
            if read.is_err() || rest.is_empty() {
                self.end = End::Yes;
                return Poll::Ready(Ok(()));
            }
            let result = self.digest(&mut rest);
            self.raw = Bytes::copy_from_slice(rest);
            Poll::Ready(result)
        })
    }

    /// Ends the session from our side.
    fn close(&mut self, fault: Fault) {
        tracing::debug!(code = fault.code, why = fault.why, "closing a session");
        self.raw = Bytes::new();
        self.pause = None;
        self.end = End::Yes;
        if let Some(stream) = &self.stream {
            stream.wire().last(&frame::close(fault.code));
            // If the connection ended with something unread, the peer might never see the code.
            self.end = End::Farewell;
            self.deadline = Some(Box::pin(sleep(FAREWELL)));
        } else if let Some(session) = &self.session {
            session.end("1");
        }
    }

    /// Reads on and forgets it, for a short time.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let over = self
            .deadline
            .as_mut()
            .is_none_or(|deadline| deadline.as_mut().poll(cx).is_ready());
        if let Some(stream) = self.stream.as_mut().filter(|_| !over) {
            // So much is read at most: a flood is not worth more.
            for _ in 0..MUCH / READ {
                let more = BUFFER.with_borrow_mut(|buffer| {
                    let mut buffer = ReadBuf::new(buffer);
                    let read = Pin::new(&mut **stream).poll_read(cx, &mut buffer);
                    read.map(|read| read.is_ok() && !buffer.filled().is_empty())
                });
                if !ready!(more) {
                    break;
                }
            }
        }
        self.end = End::Yes;
        Poll::Ready(())
    }

    /// Looks at what the library is about to write. Says how much of it may leave now; or how much is not to leave at
    /// all: its greeting, because the client gets ours, and its first ping.
    fn listen(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        while self.seen < bytes.len() {
            let next = &bytes[self.seen..];
            let Some((first, begin, end)) = frame::first_of_ours(next) else {
                tracing::error!("the library wrote a part of a frame");
                self.seen = bytes.len();
                break;
            };
            if first == frame::TEXT {
                let text = &next[begin..end];
                match (self.stage, text) {
                    (Stage::New, [b'0', open @ ..]) => {
                        self.opened(open);
                        self.stage = Stage::BeforePing;
                        return Err(end);
                    }
                    (Stage::BeforePing, [b'2']) if self.seen > 0 => return Ok(self.seen),
                    (Stage::BeforePing, [b'2']) => {
                        self.stage = Stage::Running;
                        frame::append_as_client(&mut self.ready, frame::TEXT, &[b"3"]);
                        self.wake();
                        return Err(end);
                    }
                    _ => {
                        let waited = self.gate.is_waiting();
                        self.gate.heard(text);
                        if waited && !self.gate.is_waiting() {
                            self.deadline = None;
                            self.wake();
                        }
                    }
                }
            }
            self.seen += end;
        }
        Ok(bytes.len())
    }

    /// The library has said which id the session has.
    fn opened(&mut self, open: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Open<'a> {
            sid: &'a str,
        }
        match serde_json::from_slice::<Open<'_>>(open) {
            Ok(Open { sid }) => {
                self.sid = Some(sid.into());
                let engine = self.state.engine();
                if let Some(session) = &self.session {
                    engine.sessions.enter(sid.into(), Arc::clone(session));
                    session.opened(sid);
                } else if let Some(wire) = self.wire() {
                    wire.send(&frame::text(&engine.greeting(sid, "")));
                }
            }
            Err(error) => tracing::error!(%error, "the library opens a session without an id"),
        }
    }

    /// Has whole frames wait for a poll.
    fn keep(&self, mut frames: &[u8]) {
        let Some(session) = &self.session else { return };
        while let Some((first, begin, end)) = frame::first_of_ours(frames) {
            match (first, &frames[begin..end]) {
                (frame::CLOSE, _) => session.end("1"),
                _ => session.wire().send(&Bytes::copy_from_slice(&frames[..end])),
            }
            frames.advance(end);
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        loop {
            if link.give(buf) {
                return Poll::Ready(Ok(()));
            }
            match link.end {
                End::Yes => return Poll::Ready(Ok(())),
                End::Farewell => {
                    if link.poll_farewell(cx).is_pending() {
                        link.wait(cx);
                        return Poll::Pending;
                    }
                }
                End::No => match link.poll_next(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(fault)) => link.close(fault),
                    Poll::Pending => {
                        link.wait(cx);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        link.adopt();
        let leaving = match link.listen(bytes) {
            Ok(leaving) => leaving,
            Err(swallowed) => return Poll::Ready(Ok(swallowed)),
        };
        let written = match &mut link.stream {
            Some(stream) => ready!(Pin::new(&mut **stream).poll_write(cx, &bytes[..leaving]))?,
            None => {
                link.keep(&bytes[..leaving]);
                leaving
            }
        };
        link.seen -= written.min(link.seen);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        if let Some(stream) = &mut link.stream {
            return Pin::new(&mut **stream).poll_shutdown(cx);
        }
        if let Some(session) = &link.session {
            session.end("1");
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let engine = self.state.engine();
        engine.addresses.leave(&mut self.seat);
        if let Some(session) = &self.session {
            session.end("1");
            let Some(sid) = self.sid.take() else { return };
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) if session.has_farewell() => {
                    let state = self.state.clone();
                    runtime.spawn(async move {
                        sleep(OVERTAKEN).await;
                        state.engine().sessions.leave(&sid);
                    });
                }
                _ => engine.sessions.leave(&sid),
            }
        }
    }
}
