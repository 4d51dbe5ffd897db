//! `leave`: leave a room.

use chat::FindRoom;
use protocol::{Done, Leave, Refusal};

use super::connection::Connection;
use crate::commands::Command;

impl Command for Leave {
    /// Leaving a room that the connection is not in succeeds without effect.
    async fn on(self, connection: &mut Connection) -> Result<Done, Refusal> {
        connection.you()?;
        let Self { room } = self;
        if let Some(_hold) = connection.take(&room) {
            connection.exit(&room).await;
        } else {
            connection.ask(FindRoom { room }).await?;
        }
        Ok(Done {})
    }
}
