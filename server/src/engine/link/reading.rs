//! What the client sends, on its way to the library: through the gate, at a limited rate, and with deadlines.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until};

use super::{End, Link};
use crate::engine::frame::{self, Fault, Message};
use crate::engine::gate::Out;
use crate::live::MUCH;

/// A message must be complete within this time after its first byte.
const MESSAGE: Duration = Duration::from_secs(10);
/// The library must clean up a namespace and answer a CONNECT within this time.
const CONNECT: Duration = Duration::from_secs(15);
/// How often to check whether the library has cleaned up.
const LOOK: Duration = Duration::from_millis(1);
/// How often to repeat a CONNECT that the library may have dropped.
const AGAIN: Duration = Duration::from_millis(10);
/// The most messages handled in one go.
const BATCH: u32 = 128;
/// Bytes read at once.
const READ: usize = 16 * 1024;

thread_local! {
    /// One buffer per thread, shared by all its connections.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

impl Link {
    /// Gives the library the bytes that are ready. Returns false if there are none.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let Some(incoming) = &mut self.incoming else {
            return false;
        };
        let ready = &incoming.ready[incoming.given..];
        if ready.is_empty() {
            return false;
        }
        let count = ready.len().min(buf.remaining());
        buf.put_slice(&ready[..count]);
        incoming.given += count;
        if incoming.given == incoming.ready.len() {
            (incoming.ready, incoming.given) = (Vec::new(), 0);
        }
        true
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Handles complete messages in `input` until a limit is reached or a namespace must be waited for.
    fn digest(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let limit = self.shared.max_payload;
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
            if matches!(message, Message::Text(_) | Message::Binary(_)) {
                // The next message gets a deadline of its own.
                self.deadline = None;
            }
            match message {
                // Of several pings, only the last needs an answer.
                Message::Ping(payload) => pong = Some(payload),
                message => result = self.gate.message(message, &mut out),
            }
        }
        let wire = self.wire();
        if let Some(pong) = pong
            && wire.account().waiting() < MUCH
        {
            wire.send(&frame::pong(&pong));
        }
        if !self.frames.is_incomplete() {
            // Only a control frame was incomplete. Such frames may come between the fragments of a message.
            self.deadline = None;
        }
        self.take_out(out, count);
        result?;
        let held = self.frames.held();
        self.shared.addresses.hold(&mut self.seat, held)?;
        Ok(())
    }

    fn out(&mut self) -> Out {
        let ready = self
            .incoming
            .as_mut()
            .map(|incoming| std::mem::take(&mut incoming.ready));
        Out {
            library: ready.unwrap_or_default(),
            ..Out::default()
        }
    }

    fn take_out(&mut self, out: Out, count: u32) {
        if !out.library.is_empty() {
            self.incoming().ready = out.library;
        }
        if let Some((namespace, auth)) = out.connect {
            self.peer.connects.ask(namespace, auth);
        }
        for packet in out.client {
            self.wire().send(&frame::text(&packet));
        }
        let now = Instant::now();
        let wait = self.shared.addresses.count(&mut self.seat, count, now);
        if !wait.is_zero() {
            self.pause = Some(Box::pin(sleep_until(now + wait)));
        }
        if self.gate.is_waiting() && (count > 0 || self.deadline.is_none()) {
            self.deadline = Some(Box::pin(sleep(CONNECT)));
        }
    }

    /// While a namespace is being connected, waits for the library.
    fn poll_namespace(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if !self.gate.is_waiting() {
            self.look = None;
            return Poll::Ready(Ok(()));
        }
        loop {
            let held = self.gate.held();
            let every = match held {
                Some(namespace) if !self.is_known(namespace) => {
                    let mut out = self.out();
                    self.gate.release(&mut out);
                    self.take_out(out, 0);
                    return Poll::Ready(Ok(()));
                }
                Some(_) => LOOK,
                None if self.gate.is_uncertain() && self.peer.connects.is_waiting() => AGAIN,
                None => break,
            };
            let look = self.look.get_or_insert_with(|| Box::pin(sleep(every)));
            if look.as_mut().poll(cx).is_pending() {
                break;
            }
            self.look = None;
            if held.is_none() {
                let mut out = self.out();
                self.gate.repeat(&mut out);
                self.take_out(out, 0);
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_deadline(cx, Fault::policy("a namespace could not be connected"))
    }

    /// True if the library has not cleaned up the namespace yet.
    fn is_known(&self, namespace: &str) -> bool {
        let library = &self.shared.library;
        self.peer.sid().is_some_and(|sid| library.knows(namespace, sid))
    }

    /// Fails once the deadline has passed.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, fault: Fault) -> Poll<Result<(), Fault>> {
        if let Some(deadline) = &mut self.deadline {
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(fault));
        }
        Poll::Pending
    }

    /// Handles the next part of what the client sent.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        ready!(self.poll_pause(cx));
        ready!(self.peer.brake.poll_released(cx));
        ready!(self.poll_namespace(cx))?;
        if let Some(incoming) = &mut self.incoming {
            if !incoming.ready.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !incoming.raw.is_empty() {
                let raw = std::mem::take(&mut incoming.raw);
                let mut rest = &raw[..];
                let result = self.digest(&mut rest);
                if !rest.is_empty() {
                    self.incoming().raw = raw.slice(raw.len() - rest.len()..);
                }
                return Poll::Ready(result);
            }
        }
        self.adopt();
        if self.stream.is_some() {
            return match self.poll_stream(cx) {
                Poll::Pending => {
                    if self.frames.is_incomplete() {
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
            if !rest.is_empty() {
                self.incoming().raw = Bytes::copy_from_slice(rest);
            }
            Poll::Ready(result)
        })
    }

    /// Reads and discards input for a short time, so that the client can read our close frame.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let over = self
            .deadline
            .as_mut()
            .is_none_or(|deadline| deadline.as_mut().poll(cx).is_ready());
        if let Some(stream) = self.stream.as_mut().filter(|_| !over) {
            // The limit for a client that floods.
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
