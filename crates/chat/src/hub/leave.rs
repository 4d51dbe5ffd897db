//! `leave`: leave a room, on request or because the connection ended.

use protocol::policy::Action;
use protocol::{Done, Leave};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

impl UseCase for Leave {
    type Answer = Done;
    const ACTION: Action = Action::BePresent;

    /// Takes the connection out of the room. Does nothing if it is not in the room.
    async fn run(self, asked: Asked<'_>) -> Result<Done, ChatError> {
        let connection = asked.connection()?;
        let person = asked.caller.signed_in()?;
        asked
            .hub
            .presence
            .leave(&self.room, &person.id, connection)
            .await?;
        Ok(Done {})
    }
}
