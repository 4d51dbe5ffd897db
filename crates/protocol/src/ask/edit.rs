//! `edit`: change the text of a message.

use serde::{Deserialize, Serialize};

use super::{Ask, Receipt};
use crate::ids::{ClientId, RoomSlug, Seq};
use crate::text::MessageText;

/// Change the text of one of your messages. If you get no answer, send the same again: it is stored once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Edit {
    /// The room's address.
    pub room: RoomSlug,
    /// An id that the client chooses, different for everything that it stores in the room.
    pub client_id: ClientId,
    /// The `seq` of the message.
    pub of: Seq,
    /// The new text.
    pub text: MessageText,
}

impl Ask for Edit {
    const NAME: &'static str = "edit";
    type Answer = Receipt;
}
