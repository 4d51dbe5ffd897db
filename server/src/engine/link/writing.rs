//! What the library sends, on its way to the client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use socketioxide_core::Sid;
use tokio::io::AsyncWrite;

use super::{Link, LinkState};
use crate::engine::connects;
use crate::engine::frame;
use crate::live::facts::{GREETING, PING};

impl Link {
    /// Inspects what the library is about to write. `Ok` is the number of bytes that may leave now. `Err` is the
    /// number of bytes to drop: the library's greeting, because clients get ours; its first ping; and the refusal of
    /// a repeated CONNECT.
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
                match (self.state, text) {
                    (LinkState::New, [GREETING, open @ ..]) => {
                        self.opened(open);
                        self.state = LinkState::BeforePing;
                        return Err(end);
                    }
                    (LinkState::BeforePing, [PING]) if self.seen > 0 => return Ok(self.seen),
                    (_, text) if connects::is_of_a_copy(text) => {
                        return if self.seen > 0 { Ok(self.seen) } else { Err(end) };
                    }
                    (LinkState::BeforePing, [PING]) => {
                        self.state = LinkState::Running;
                        frame::append_as_client(&mut self.incoming().ready, frame::TEXT, &[b"3"]);
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

    /// Registers the session under the id that the library assigned.
    fn opened(&mut self, open: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Open {
            sid: Sid,
        }
        match serde_json::from_slice::<Open>(open) {
            Ok(Open { sid }) => {
                self.peer.enter(&self.shared.peers, sid);
                let (shared, sid) = (&self.shared, sid.as_str());
                if let Some(session) = &self.session {
                    shared.sessions.enter(sid.into(), Arc::clone(session));
                    session.opened(sid);
                } else {
                    self.wire().send(&frame::text(&shared.greeting(sid, "")));
                }
            }
            Err(error) => tracing::error!(%error, "the library opens a session without an id"),
        }
    }

    /// Queues whole frames for the next poll.
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
        // Nothing is buffered.
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
