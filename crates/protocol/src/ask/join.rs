//! `join`: be present in a room and receive what happens there.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::event::{PresenceList, RoomEvent};
use crate::ids::{Epoch, RoomSlug, Seq};
use crate::text::{RoomTitle, kept};

/// Be present in a room and receive its events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Join {
    /// Which room.
    pub room: RoomSlug,
    /// What the client has already: live events start right after it. Absent: bring the latest page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
}

impl Ask for Join {
    const NAME: &'static str = "join";
    type Answer = Joined;
}

/// A place in one life of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Position {
    /// Which life.
    pub epoch: Epoch,
    /// Everything up to here is known.
    pub seq: Seq,
}

/// What a client that has joined misses, and who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
