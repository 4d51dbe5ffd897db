//! Answers to commands. They are written straight to the connection, like a room's events. The library would copy
//! each answer, and keep a buffer as large as the largest one for the connection's life.

use std::sync::Arc;

use protocol::{ErrorCode, Refusal, Reply};
use serde::Serialize;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::SocketRef;
use socketioxide::socket::Socket;

use crate::live::{Wire, frame};
use crate::state::State;

/// Where the answer to one command goes, or nowhere if the client wants none. If a panic drops it, it answers with an
/// internal error, so every command is answered.
pub struct Ack(Option<Box<To>>);

struct To {
    socket: SocketRef,
    wire: Arc<Wire>,
    id: i64,
}

impl Ack {
    /// The acknowledgement of a command that has just arrived with this id.
    pub fn new(socket: &Arc<Socket<LocalAdapter>>, wire: Option<&Arc<Wire>>, id: Option<i64>) -> Self {
        let (Some(wire), Some(id)) = (wire, id) else {
            return Self(None);
        };
        Self(Some(Box::new(To {
            socket: SocketRef::from(Arc::clone(socket)),
            wire: Arc::clone(wire),
            id,
        })))
    }

    pub fn reply<T: Serialize>(mut self, state: &State, result: Result<T, Refusal>) {
        if let Err(refusal) = &result {
            state.metrics.refuse(refusal);
        }
        if let Some(to) = &self.0 {
            to.send(&Reply::from(result));
        }
        self.0 = None;
    }
}

impl To {
    fn send<T: Serialize>(&self, reply: &Reply<T>) {
        // A client that has left the namespace expects no answers.
        if !self.socket.connected() {
            return;
        }
        match frame::ack(self.socket.ns(), self.id, reply) {
            Ok(frame) => self.wire.send(&frame),
            Err(error) => {
                tracing::error!(%error, "an answer could not be encoded");
                self.fail();
            }
        }
    }

    fn fail(&self) {
        let sentence = "internal error; see the server's log";
        self.send(&Reply::<()>::from(Err(Refusal::new(
            ErrorCode::Internal,
            sentence,
        ))));
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let Some(to) = self.0.take().filter(|_| std::thread::panicking()) {
            to.fail();
        }
    }
}
