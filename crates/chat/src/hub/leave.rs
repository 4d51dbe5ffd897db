//! `leave`: on request, or because the connection ended.

use protocol::policy::Action;
use protocol::{Done, Leave};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

impl UseCase for Leave {
    type Answer = Done;
    const ACTION: Action = Action::BePresent;

    /// The connection is in the room no longer. One that was not there leaves without effect.
    async fn run(self, asked: Asked<'_>) -> Result<Done, ChatError> {
        let connection = asked.connection()?;
        let person = asked.caller.you()?;
        asked
            .hub
            .presence
            .leave(&self.room, &person.id, connection)
            .await?;
        Ok(Done {})
    }
}
