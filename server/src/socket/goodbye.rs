//! Tells clients at shutdown to reconnect, each at a different time.

use std::time::Duration;

use protocol::ComeBack;

use crate::deadline::Deadline;
use crate::live::frame::CHAT;
use crate::state::State;

/// The first client reconnects after this time, the last after this and [`SPREAD`].
const FIRST_MS: u64 = 200;
/// The time over which clients are spread.
const SPREAD: u64 = 2_000;
/// Time for the goodbye to be sent.
const FLUSH: Duration = Duration::from_millis(200);
/// The part of the stop deadline that closing connections leaves. Connections still open then end with the process.
const LATER: Duration = Duration::from_millis(5_500);

/// Tells every client to reconnect, and closes its connection.
pub async fn say_goodbye(state: &State, deadline: Deadline) {
    let sockets = state.io().of(CHAT).map(|chat| chat.sockets()).unwrap_or_default();
    let count = sockets.len().max(1) as u64;
    for (n, socket) in sockets.iter().enumerate() {
        let after_ms = FIRST_MS + SPREAD * n as u64 / count;
        // A client that cannot be told notices by itself.
        if let Err(error) = socket.emit("come_back", &ComeBack { after_ms }) {
            tracing::debug!(%error, "cannot tell a client to reconnect");
        }
    }
    if !sockets.is_empty() {
        tokio::time::sleep(FLUSH).await;
    }
    if deadline.leaving(LATER, state.io().close()).await.is_none() {
        tracing::info!("some connections did not close in time");
    }
}
