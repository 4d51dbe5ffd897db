//! How a command is answered: straight to the connection, as what its rooms say. The library would copy the answer, and
//! keep a buffer of the size of the largest one for the connection's life.

use std::sync::Arc;

use protocol::{ErrorCode, Refusal, Reply};
use serde::Serialize;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::SocketRef;
use socketioxide::socket::Socket;

use super::caller::wire;
use super::frame;
use crate::listener::Wire;
use crate::state::State;

/// Where the answer to one command goes; nowhere if the client does not want one.
pub struct Ack(Option<(Arc<Wire>, i64)>);

impl Ack {
    /// Of a command that has just arrived, with this acknowledgement id.
    pub fn new(socket: &Arc<Socket<LocalAdapter>>, id: Option<i64>) -> Self {
        let socket = SocketRef::from(Arc::clone(socket));
        Self(wire(&socket).cloned().zip(id))
    }

    /// Answers.
    pub fn reply<T: Serialize>(self, state: &State, socket: &SocketRef, result: Result<T, Refusal>) {
        if let Err(refusal) = &result {
            state.metrics.refuse(refusal);
        }
        // Whoever has left the namespace does not wait for answers.
        let Some((wire, id)) = self.0.filter(|_| socket.connected()) else {
            return;
        };
        match frame::ack(socket.ns(), id, &Reply::from(result)) {
            Ok(frame) => wire.send(&frame),
            Err(error) => {
                tracing::error!(%error, "an answer could not be encoded");
                let sentence = "the server made a mistake; it is in its log";
                let refusal = Refusal::new(ErrorCode::Internal, sentence);
                Self(Some((wire, id))).reply::<()>(state, socket, Err(refusal));
            }
        }
    }
}
