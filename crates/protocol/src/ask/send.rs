//! `send`: store messages, and prove it.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::{ClientId, Epoch, RoomSlug, Seq};
use crate::text::MessageText;

/// Store messages, in this order. Nobody needs to `join` in order to `send`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Send {
    /// Where to.
    pub room: RoomSlug,
    /// 1 to 100 of them.
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 100))]
    pub messages: Vec<Outgoing>,
}

impl Ask for Send {
    const NAME: &'static str = "send";
    type Answer = Receipts;
}

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Outgoing {
    /// Chosen by the client, different for each message. The same again means the same message.
    pub client_id: ClientId,
    /// What it says.
    pub text: MessageText,
}

/// Proof that the messages are stored, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipts {
    /// One per message.
    pub receipts: Vec<Receipt>,
}

/// Proof that one message is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Which message.
    pub client_id: ClientId,
    /// The log's life.
    pub epoch: Epoch,
    /// Its place.
    pub seq: Seq,
}
