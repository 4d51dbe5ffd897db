//! `join`: enter a room and receive its events.

use serde::{Deserialize, Serialize};

use super::Ask;
use super::object::object;
use crate::event::{PresenceList, RoomEvent};
use crate::ids::{Epoch, RoomSlug, Seq};
use crate::text::{RoomTitle, kept};

/// Enter a room and receive its events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Join {
    /// The room's address.
    pub room: RoomSlug,
    /// The position that the client already has: live events start right after it. If absent, the answer contains the
    /// latest events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
}

impl Ask for Join {
    const NAME: &'static str = "join";
    type Answer = Joined;
}

/// A point in a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(remote = "Self")]
pub struct Position {
    /// The log's epoch.
    pub epoch: Epoch,
    /// The last event up to this point; 0 if there is none.
    pub seq: Seq,
}

object!(Position);

/// The events that a client needs after joining, and the people in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Joined {
    /// The room's address.
    pub room: RoomSlug,
    /// The room's title.
    #[serde(deserialize_with = "kept")]
    pub title: RoomTitle,
    /// The position of the log's latest event. Later ones arrive in `events` packets.
    pub head: Position,
    /// True if `events` do not continue `from`, because the epoch changed or more than 500 events were missed. Discard
    /// what you have of the room and start from these events.
    pub reset: bool,
    /// The events after `from`, or the latest ones, in order and without holes. They end at `head`, unless too much for
    /// one answer was missed: then they are the first part. Get the rest with `history {after}`.
    pub events: Vec<RoomEvent>,
    /// If `reset` is true or `from` was absent: true if there are events older than `events`. Otherwise: true if there
    /// are events between them and `head`.
    pub more: bool,
    /// The people in the room.
    pub roster: PresenceList,
}
