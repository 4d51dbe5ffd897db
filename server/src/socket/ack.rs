//! How a command is answered: straight to the connection, as what its rooms say. The library would copy the answer, and
//! keep a buffer of the size of the largest one for the connection's life.

use std::sync::Arc;

use protocol::{ErrorCode, Refusal, Reply};
use serde::Serialize;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::SocketRef;
use socketioxide::socket::Socket;

use crate::live::{Wire, frame};
use crate::state::State;

/// Where the answer to one command goes; nowhere if the client does not want one. Dropped by a panic, it says so: every
/// command is answered.
pub struct Ack(Option<Box<To>>);

struct To {
    socket: SocketRef,
    wire: Arc<Wire>,
    id: i64,
}

impl Ack {
    /// Of a command that has just arrived, with this acknowledgement id.
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

    /// Answers.
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
        // Whoever has left the namespace does not wait for answers.
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
