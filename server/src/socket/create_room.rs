//! `create_room`: open a room for everybody.

use protocol::{CreateRoom, Refusal, RoomSummary};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// Whoever is signed in may.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<RoomSummary, Refusal> {
    connection.you()?;
    let command: CreateRoom = parse(payload)?;
    connection.state.hub.create_room(command).await.map_err(refuse)
}
