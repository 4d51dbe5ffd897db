//! `list_rooms`: which rooms there are, and how many people are in each.

use protocol::{Refusal, RoomList};

use super::connection::{Connection, refuse};
use super::inbox::Payload;

/// Takes nothing, so whatever comes along is ignored, except what could not be read at all.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<RoomList, Refusal> {
    connection.you()?;
    if let Err(refusal) = payload
        && refusal.code == protocol::ErrorCode::TooLarge
    {
        return Err(refusal);
    }
    connection.state.hub.list_rooms().await.map_err(refuse)
}
