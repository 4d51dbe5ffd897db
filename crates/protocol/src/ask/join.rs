//! `join`: enter a room and receive its events.

use serde::{Deserialize, Serialize};

use super::Ask;
use super::object::object;
use crate::ids::{Epoch, RoomSlug, Seq};
use crate::log::LogEvent;
use crate::page::MessagePage;
use crate::people::{Person, PresenceList};
use crate::text::{RoomTitle, kept};

/// Enter a room and receive its events.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Join {
    /// The room's address.
    pub room: RoomSlug,
    /// The position that the client already has: live events start right after it. If absent, the answer contains a
    /// page of the latest messages.
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

/// What a client needs after joining: a page of the latest messages, or the events that it missed.
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
    /// The latest messages, read at `head`. Present if `from` was absent, or cannot be continued because the epoch
    /// changed or more than 500 events were missed: discard what you have of the room and start from this page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<MessagePage>,
    /// Without `page`: the events after `from`, in order and without holes. They end at `head` unless `more` is true.
    pub events: Vec<LogEvent>,
    /// The people who caused `events`, each once.
    pub people: Vec<Person>,
    /// True if too much for one answer was missed: there are more events between `events` and `head`. Get them with
    /// `history {after}`.
    pub more: bool,
    /// The people in the room.
    pub roster: PresenceList,
}
