//! `delete`: delete a message.

use serde::{Deserialize, Serialize};

use super::{Ask, Receipt};
use crate::ids::{ClientId, Epoch, RoomSlug, Seq};

/// Delete one of your messages. Its place in the room remains, without text and reactions. If you get no answer, send
/// the same again: it is stored once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delete {
    /// The room's address.
    pub room: RoomSlug,
    /// An id that the client chooses, different for everything that it stores in the room.
    pub client_id: ClientId,
    /// The `seq` of the message.
    pub of: Seq,
    /// The epoch in which the client saw that message. If the room's log has another one by now, the command is refused,
    /// because another message may have that `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

impl Ask for Delete {
    const NAME: &'static str = "delete";
    type Answer = Receipt;
}
