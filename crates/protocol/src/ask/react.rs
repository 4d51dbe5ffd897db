//! `react`: react to a message with an emoji, or take a reaction back.

use serde::{Deserialize, Serialize};

use super::{Ask, Receipt};
use crate::ids::{ClientId, Epoch, RoomSlug, Seq};
use crate::text::Emoji;

/// React to a message with an emoji, or take the reaction back. A message has at most 20 different emoji and 500
/// reactions. If you get no answer, send the same again: it is stored once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct React {
    /// The room's address.
    pub room: RoomSlug,
    /// An id that the client chooses, different for everything that it stores in the room.
    pub client_id: ClientId,
    /// The `seq` of the message.
    pub to: Seq,
    /// The epoch in which the client saw that message. If the room's log has another one by now, the command is refused,
    /// because another message may have that `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The emoji.
    pub emoji: Emoji,
    /// True to react, false to take the reaction back.
    pub on: bool,
}

impl Ask for React {
    const NAME: &'static str = "react";
    type Answer = Receipt;
}
