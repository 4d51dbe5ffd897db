//! `typing`: tell a room that the person is typing.

use chat::FindRoom;
use protocol::{Done, ErrorCode, Refusal, Typing};

use super::connection::Connection;
use crate::commands::Command;

impl Command for Typing {
    /// Only a connection in the room may do so.
    async fn on(self, connection: &mut Connection) -> Result<Done, Refusal> {
        connection.you()?;
        if connection.is_in(&self.room) {
            return connection.ask(self).await;
        }
        connection.ask(FindRoom { room: self.room }).await?;
        Err(Refusal::new(ErrorCode::NotInRoom, "join the room first"))
    }
}
