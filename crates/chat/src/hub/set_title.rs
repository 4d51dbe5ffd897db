//! `set_title`: give a room another title.

use protocol::policy::Action;
use protocol::{Deed, Receipt, SetTitle};

use super::create_room::exists;
use super::send::store_one;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::{Cost, NewDeed};

impl UseCase for SetTitle {
    type Answer = Receipt;
    const ACTION: Action = Action::SetTitle;

    /// The list of rooms shows titles, so the title must not be that of another room.
    async fn run(self, asked: Asked<'_>) -> Result<Receipt, ChatError> {
        let Self {
            room,
            client_id,
            title,
        } = self;
        asked.take(Cost::Stored(title.as_str().len()))?;
        let deed = NewDeed {
            deed: Deed::Titled { client_id, title },
            guard: None,
            epoch: None,
        };
        match store_one(asked, &room, deed).await {
            Err(ChatError::Store(StoreError::RoomExists(other))) => Err(exists(other).into()),
            result => result,
        }
    }
}
