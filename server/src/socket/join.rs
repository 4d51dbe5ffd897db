//! `join`: be present in a room and receive what happens there, from exactly the place one has.

use std::time::{Duration, Instant};

use chat::FindRoom;
use protocol::{ErrorCode, Join, Joined, Refusal};

use super::connection::Connection;
use crate::commands::Command;
use crate::refusals::refuse;

/// Each room that does not exist costs a look into the storage, so whoever guesses waits before they may guess again.
const GUESS: Duration = Duration::from_millis(100);

impl Command for Join {
    /// First the room is followed, then the socket is in it, then the log is read: nothing falls between.
    async fn on(self, connection: &mut Connection) -> Result<Joined, Refusal> {
        let may = connection.state.hub.may_join(&connection.caller());
        may.map_err(refuse)?;
        let room = self.room.clone();
        let known = connection.is_in(&room);
        let max = connection.state.gate.limits().rooms_per_connection;
        if !known && connection.rooms.len() + connection.turns.others(&room) >= max {
            return Err(Refusal::new(
                ErrorCode::TooManyRooms,
                format!("a connection can be in {max} rooms; leave one first"),
            ));
        }
        // A room that does not exist takes nobody's turn. One that is followed here exists.
        if !known && !connection.state.fanout.follows(&room) {
            let find = FindRoom { room: room.clone() };
            if let Err(refusal) = connection.ask(find).await {
                if connection.state.gate.limits().rates {
                    tokio::time::sleep(GUESS).await;
                }
                return Err(refusal);
            }
        }
        let address = connection.peer.caller.address;
        if let Err(wait) = connection
            .state
            .gate
            .join(address, &mut connection.turns, &room, Instant::now())
        {
            connection.state.metrics.deferred.inc();
            return Err(too_early(wait));
        }
        if !known {
            let mut hold = connection.state.fanout.hold(&room).await?;
            hold.hear(&connection.peer.wire);
            // Most connections are in one room, and there are many connections.
            connection.rooms.reserve_exact(1);
            connection.rooms.push(hold);
        }
        let joined = connection.ask(self).await;
        if joined.is_err() && !known {
            connection.exit(&room).await;
            connection.take(&room);
        }
        joined
    }
}

/// The time is rounded up: a client that keeps to it is not early.
fn too_early(wait: Duration) -> Refusal {
    let ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    Refusal::new(
        ErrorCode::Busy,
        "many clients are joining at once; wait for your turn",
    )
    .retry_after_ms(ms)
}
