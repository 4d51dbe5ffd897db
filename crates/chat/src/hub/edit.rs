//! `edit`: change the text of a message.

use protocol::policy::Action;
use protocol::{Deed, Edit, Receipt};

use super::send::store_one;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::{Cost, Guard, NewDeed};

impl UseCase for Edit {
    type Answer = Receipt;
    const ACTION: Action = Action::Write;

    async fn run(self, asked: Asked<'_>) -> Result<Receipt, ChatError> {
        let Self {
            room,
            client_id,
            of,
            epoch,
            text,
        } = self;
        asked.hub.check_length(&text)?;
        asked.take(Cost::Stored(text.as_str().len()))?;
        let deed = NewDeed {
            deed: Deed::Edited { client_id, of, text },
            guard: Some(Guard::Mine(of)),
            epoch,
        };
        store_one(asked, &room, deed).await
    }
}
