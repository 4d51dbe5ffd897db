//! `set_title`: give a room another title.

use protocol::policy::Action;
use protocol::{Deed, Receipt, SetTitle};

use super::create_room::exists;
use super::send::store_one;
use crate::address;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::{Cost, NewDeed};

impl UseCase for SetTitle {
    type Answer = Receipt;
    const ACTION: Action = Action::SetTitle;

    /// The list of rooms shows titles, so the title must not be that of the room at the address that it suggests.
    async fn run(self, asked: Asked<'_>) -> Result<Receipt, ChatError> {
        let Self {
            room,
            client_id,
            title,
        } = self;
        asked.take(Cost::Stored(title.as_str().len()))?;
        if let Some(suggested) = address::suggested(&title).filter(|suggested| *suggested != room)
            && let Some(other) = asked.hub.directory.room(&suggested).await?
            && address::same(&other.title, &title)
        {
            return Err(exists(other.slug).into());
        }
        let deed = NewDeed {
            deed: Deed::Titled { client_id, title },
            guard: None,
        };
        store_one(asked, &room, deed).await
    }
}
