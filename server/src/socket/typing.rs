//! `typing`: tell a room that one writes.

use protocol::{ErrorCode, Refusal, SetTyping};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;
use super::leave::Done;

/// Only who is in the room is heard.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<Done, Refusal> {
    let you = connection.you()?.clone();
    let typing: SetTyping = parse(payload)?;
    if !connection.is_in(&typing.room) {
        connection.state.hub.room(&typing.room).await.map_err(refuse)?;
        return Err(Refusal::new(ErrorCode::NotInRoom, "join the room first"));
    }
    connection.state.hub.typing(&you, &typing).await.map_err(refuse)?;
    Ok(Done {})
}
