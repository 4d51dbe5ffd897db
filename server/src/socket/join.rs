//! `join`: be present in a room and receive what happens there, from exactly the place one has.

use std::time::{Duration, Instant};

use protocol::{ErrorCode, Join, Joined, Refusal};

use super::caller::wire;
use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// Each room that does not exist costs a look into the storage, so whoever guesses waits before they may guess again.
const GUESS: Duration = Duration::from_millis(100);

/// First the room is followed, then the socket is in it, then the log is read: nothing falls between.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<Joined, Refusal> {
    let you = connection.you()?.clone();
    let join: Join = parse(payload)?;
    connection.may_read()?;
    let room = join.room.clone();
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
        let found = connection.state.hub.room(&room).await;
        if let Err(error) = found {
            if connection.state.gate.limits().rates {
                tokio::time::sleep(GUESS).await;
            }
            return Err(refuse(error));
        }
    }
    if let Err(wait) =
        connection
            .state
            .gate
            .join(connection.address, &mut connection.turns, &room, Instant::now())
    {
        connection.state.metrics.deferred.inc();
        return Err(too_early(wait));
    }
    if !known {
        let mut hold = connection.state.fanout.hold(&room).await?;
        if let Some(wire) = wire(&connection.socket) {
            hold.hear(wire);
        }
        // Most connections are in one room, and there are many connections.
        connection.rooms.reserve_exact(1);
        connection.rooms.push(hold);
    }
    let joined = connection.state.hub.join(&you, &connection.id, join).await;
    if joined.is_err() && !known {
        connection.exit(&room).await;
        connection.take(&room);
    }
    let joined = joined.map_err(refuse)?;
    connection.has_read(&joined.events);
    Ok(joined)
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
