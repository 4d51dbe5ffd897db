//! How a command is answered. Over a WebSocket of its own the answer goes straight to the connection, as what its rooms
//! say does: the library would copy it, and keep a buffer of the size of the largest answer for the connection's life.

use std::sync::Arc;

use protocol::{ErrorCode, Refusal, Reply};
use serde::Serialize;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::handler::FromMessageParts;
use socketioxide::socket::Socket;
use socketioxide_core::Value;

use super::connection::NAMESPACE;
use super::{frame, slow};
use crate::listener::Wire;
use crate::state::State;

/// Where the answer to one command goes.
pub struct Ack(To);

enum To {
    /// The client does not want one.
    Nobody,
    Wire(Arc<Wire>, i64),
    Library(Box<AckSender>),
}

impl Ack {
    /// Of a command that has just arrived, with this acknowledgement id.
    pub fn new(socket: &Arc<Socket<LocalAdapter>>, value: &mut Value, id: Option<i64>) -> Self {
        let Some(id) = id else {
            return Self(To::Nobody);
        };
        if socket.ns() == NAMESPACE
            && let Some(wire) = socket.req_parts().extensions.get::<Arc<Wire>>()
        {
            return Self(To::Wire(Arc::clone(wire), id));
        }
        let Ok(ack) = AckSender::from_message_parts(socket, value, &Some(id));
        Self(To::Library(Box::new(ack)))
    }

    /// Answers.
    pub fn reply<T: Serialize>(self, state: &State, socket: &SocketRef, result: Result<T, Refusal>) {
        if let Err(refusal) = &result {
            state.metrics.refuse(refusal);
        }
        let reply = Reply::from(result);
        match self.0 {
            To::Nobody => {}
            To::Library(ack) => slow::check(state, socket, ack.send(&reply)),
            // Whoever has left the namespace does not wait for answers.
            To::Wire(wire, id) if socket.connected() => match frame::ack(id, &reply) {
                Ok(frame) => wire.send(&frame),
                Err(error) => {
                    tracing::error!(%error, "an answer could not be encoded");
                    let sentence = "the server made a mistake; it is in its log";
                    let refusal = Refusal::new(ErrorCode::Internal, sentence);
                    Self(To::Wire(wire, id)).reply::<()>(state, socket, Err(refusal));
                }
            },
            To::Wire(..) => {}
        }
    }
}
