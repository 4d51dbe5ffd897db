//! `send`: store messages and return receipts.

use serde::{Deserialize, Serialize};

use super::Ask;
use super::object::object;
use crate::ids::{ClientId, Epoch, RoomSlug, Seq};
use crate::text::MessageText;

/// Store messages in a room, in this order: either all of them or none. You need not `join` the room first. If you get
/// no answer, send the same messages again: each is stored once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Send {
    /// The room's address.
    pub room: RoomSlug,
    /// 1 to 100 messages.
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 100))]
    pub messages: Vec<Outgoing>,
}

impl Ask for Send {
    const NAME: &'static str = "send";
    type Answer = Receipts;
}

/// A message to store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(remote = "Self")]
pub struct Outgoing {
    /// An id that the client chooses, different for everything that it stores in the room. The server stores a message
    /// with the same `client_id`, room and author only once, whatever its text.
    pub client_id: ClientId,
    /// The message's text.
    pub text: MessageText,
    /// The `seq` of the message that it replies to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The epoch in which the client saw that message. If the room's log has another one by now, the command is refused,
    /// because another message may have that `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

object!(Outgoing);

/// Proof that the messages are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipts {
    /// One receipt per message, in the order of the messages.
    pub receipts: Vec<Receipt>,
}

/// Proof that a message, or another change of the room, is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The `client_id` of the command or message.
    pub client_id: ClientId,
    /// The epoch of the room's log.
    pub epoch: Epoch,
    /// The `seq` of its event in the room's log.
    pub seq: Seq,
}
