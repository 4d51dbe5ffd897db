//! `roster`: who is in a room.

use protocol::{PresenceList, Refusal, RoomRef};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// Whoever is signed in may ask.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<PresenceList, Refusal> {
    connection.you()?;
    let RoomRef { room } = parse(payload)?;
    connection.state.hub.room(&room).await.map_err(refuse)?;
    connection.state.hub.roster(&room).await.map_err(refuse)
}
