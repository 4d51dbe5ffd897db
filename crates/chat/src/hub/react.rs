//! `react`: react to a message, or take a reaction back.

use protocol::policy::Action;
use protocol::{Deed, React, Receipt};

use super::send::store_one;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::{Cost, Guard, NewDeed};

impl UseCase for React {
    type Answer = Receipt;
    const ACTION: Action = Action::React;

    async fn run(self, asked: Asked<'_>) -> Result<Receipt, ChatError> {
        let Self {
            room,
            client_id,
            to,
            epoch,
            emoji,
            on,
        } = self;
        asked.take(Cost::Stored(emoji.as_str().len()))?;
        let deed = NewDeed {
            deed: Deed::Reacted {
                client_id,
                to,
                emoji,
                on,
            },
            guard: Some(Guard::Stands(to)),
            epoch,
        };
        store_one(asked, &room, deed).await
    }
}
