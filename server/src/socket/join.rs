//! `join`: enter a room and receive its events, exactly from the client's position on.

use std::time::{Duration, Instant};

use protocol::{ErrorCode, Join, Joined, Refusal};

use super::connection::Connection;
use crate::commands::Command;
use crate::refusals::refuse;

/// The delay after joining a room that does not exist. Each such attempt asks the storage and the bus, so guessing is
/// slowed down.
const GUESS: Duration = Duration::from_millis(100);

impl Command for Join {
    /// Follows the room first, then adds the connection to it, then reads the log, so that no event is missed.
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
            let mut hold = match connection.state.fanout.hold(&room).await {
                Err(refusal) if refusal.code == ErrorCode::RoomNotFound => {
                    if connection.state.gate.limits().rates {
                        tokio::time::sleep(GUESS).await;
                    }
                    return Err(refusal);
                }
                held => held?,
            };
            hold.hear(&connection.peer.wire);
            // Most of the many connections are in one room, so allocate for one.
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

/// Rounded up, so that a client that waits is not early.
fn too_early(wait: Duration) -> Refusal {
    let ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    Refusal::new(
        ErrorCode::Busy,
        "many clients are joining at once; wait for your turn",
    )
    .retry_after_ms(ms)
}
