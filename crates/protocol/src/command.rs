//! What a client asks for on `/chat`, and what it is answered. The command's name on the wire stands at each type.

use serde::{Deserialize, Serialize};

use crate::event::{Person, PresenceList, RoomEvent};
use crate::ids::{ClientId, Epoch, RoomSlug, Seq, SessionToken, Timestamp};
use crate::text::{DisplayName, MessageText, RoomTitle, kept};

/// `sign_in`: become somebody for as long as this connection lives, and longer with the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// What you are called.
    pub name: DisplayName,
}

/// Answer to `sign_in`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who you are now.
    pub you: Person,
    /// Shown as `auth: {token}` in a later handshake, it means the same person. Keep it secret.
    pub token: SessionToken,
}

/// `leave`, `roster`: a command about a room and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomRef {
    /// Which room.
    pub room: RoomSlug,
}

/// One line of the list of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSummary {
    /// The room's address.
    pub room: RoomSlug,
    /// What it is called.
    #[serde(deserialize_with = "kept")]
    pub title: RoomTitle,
    /// People present now.
    pub here: u32,
    /// The latest event's time, if there is one.
    pub last_at: Option<Timestamp>,
}

/// Answer to `list_rooms` (which takes `{}`): the lobby first, then the most recently active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomList {
    /// At most 200. Where not all fit, rooms with people in them come before empty ones.
    pub rooms: Vec<RoomSummary>,
    /// How many rooms there are, listed or not. Servers of protocol 1 did not always say it.
    #[serde(default)]
    pub total: u32,
}

/// `create_room`: the server makes an address of the title. Answered with a [`RoomSummary`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateRoom {
    /// What the room is called.
    pub title: RoomTitle,
}

/// A place in one life of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which life.
    pub epoch: Epoch,
    /// Everything up to here is known.
    pub seq: Seq,
}

/// `join`: be present in a room and receive its events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Join {
    /// Which room.
    pub room: RoomSlug,
    /// What the client has already: live events start right after it. Absent: bring the latest page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
}

/// Answer to `join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Which room.
    pub room: RoomSlug,
    /// What it is called.
    #[serde(deserialize_with = "kept")]
    pub title: RoomTitle,
    /// The log's life and its latest place, `events` included. Later events arrive as `events`.
    pub head: Position,
    /// Whether `events` does not continue `from`: the epoch is another one, or too much was missed. Forget what
    /// you have of the room and start from these.
    pub reset: bool,
    /// What `from` misses, or the latest page; in order, without holes. Ends at `head`, unless what was missed is too
    /// long for one answer: then it is the first page of it.
    pub events: Vec<RoomEvent>,
    /// If `reset` is true or `from` was absent: whether there are older events than `events`. Otherwise: whether there
    /// are some between them and `head`.
    pub more: bool,
    /// Who is here.
    pub roster: PresenceList,
}

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Chosen by the client, different for each message. The same again means the same message.
    pub client_id: ClientId,
    /// What it says.
    pub text: MessageText,
}

/// `send`: store messages, in this order. Nobody needs to `join` in order to `send`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Send {
    /// Where to.
    pub room: RoomSlug,
    /// 1 to 100 of them.
    pub messages: Vec<Outgoing>,
}

/// Proof that one message is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which message.
    pub client_id: ClientId,
    /// The log's life.
    pub epoch: Epoch,
    /// Its place.
    pub seq: Seq,
}

/// Answer to `send`, in the order of the messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipts {
    /// One per message.
    pub receipts: Vec<Receipt>,
}

/// `history`: a stretch of a room's log. With `before`: the page that ends there. With `after`: what follows it,
/// at most 500 events. With neither: the latest page. Both together are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// Which room.
    pub room: RoomSlug,
    /// Events with a smaller `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Events with a larger `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

/// Answer to `history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The log's life that `events` belongs to.
    pub epoch: Epoch,
    /// In order, without holes.
    pub events: Vec<RoomEvent>,
    /// Whether there is more in the direction asked for: older (`before`, or neither), or newer (`after`).
    pub more: bool,
}

/// `typing`: tell the room that you write, or stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetTyping {
    /// Which room; the connection must have joined it.
    pub room: RoomSlug,
    /// Whether you are writing.
    pub typing: bool,
}
