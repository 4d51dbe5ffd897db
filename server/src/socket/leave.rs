//! `leave`: be present no more.

use protocol::{Refusal, RoomRef};

use super::connection::{Connection, parse};
use super::inbox::Payload;

/// Leaving a room that one is not in changes nothing and is fine.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<Done, Refusal> {
    connection.you()?;
    let RoomRef { room } = parse(payload)?;
    connection
        .state
        .hub
        .room(&room)
        .await
        .map_err(super::connection::refuse)?;
    if let Some(_hold) = connection.take(&room) {
        connection.exit(&room).await;
    }
    Ok(Done {})
}

/// Nothing to say: `{}`.
#[derive(serde::Serialize)]
pub struct Done {}
