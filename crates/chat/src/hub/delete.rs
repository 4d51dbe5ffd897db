//! `delete`: delete a message.

use protocol::policy::Action;
use protocol::{Deed, Delete, Receipt};

use super::send::store_one;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::{Cost, Guard, NewDeed};

impl UseCase for Delete {
    type Answer = Receipt;
    const ACTION: Action = Action::Write;

    async fn run(self, asked: Asked<'_>) -> Result<Receipt, ChatError> {
        let Self {
            room,
            client_id,
            of,
            epoch,
        } = self;
        asked.take(Cost::Stored(0))?;
        let deed = NewDeed {
            deed: Deed::Deleted { client_id, of },
            guard: Some(Guard::Mine(of)),
            epoch,
        };
        store_one(asked, &room, deed).await
    }
}
