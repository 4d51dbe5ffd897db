//! `create_room`: open a room for everybody.

use protocol::{CreateRoom, Refusal, RoomSummary};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// Whoever is signed in may.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<RoomSummary, Refusal> {
    connection.you()?;
    let command: CreateRoom = parse(payload)?;
    let room = connection.state.create_room(connection.address, command).await;
    room.map_err(refuse)
}
