//! What the server sends without being asked.
//!
//! On `/chat`: `welcome` ([`Welcome`]) once per connection, `events` ([`Events`]), `presence`
//! ([`PresenceUpdate`]), `roster` ([`RosterUpdate`]), `typing` ([`TypingUpdate`]), `reset`
//! ([`Reset`]), `signed_out` ([`SignedOut`]) and `come_back` ([`ComeBack`]).

use serde::{Deserialize, Serialize};

use crate::ids::RoomSlug;
use crate::limits::Limits;
use crate::log::LogEvent;
use crate::people::{Person, PresenceList};

/// The next events of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The events in order, all of one room, without holes.
    pub events: Vec<LogEvent>,
    /// The people who caused them, each once.
    pub people: Vec<Person>,
}

/// Who entered and who left. Not part of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceUpdate {
    /// The room's address.
    pub room: RoomSlug,
    /// People who are present now and were not before.
    pub entered: Vec<Person>,
    /// People who were present and no longer are.
    pub left: Vec<Person>,
    /// The number of people present. A person with several connections counts once.
    pub here: u32,
}

/// The log has another epoch, or too much of it was missed: `join` the room again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The room's address.
    pub room: RoomSlug,
}

/// The whole roster. Sent when the server may have missed a change, or when many people came or went at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterUpdate {
    /// The room's address.
    pub room: RoomSlug,
    /// The people in the room.
    pub roster: PresenceList,
}

/// A person is typing, or has stopped. Clients forget it after six seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingUpdate {
    /// The room's address.
    pub room: RoomSlug,
    /// The person.
    pub person: Person,
    /// True if the person is typing.
    pub typing: bool,
}

/// The first event of every connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The server's [`crate::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// The person that the connection belongs to, if its handshake contained a session.
    pub you: Option<Person>,
    /// This server's limits.
    pub limits: Limits,
}

/// The connection's session has ended. The connection has no person now and is in no room; it can `sign_in` again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {}

/// The server is about to close the connection, for instance to restart. The client loses nothing by reconnecting
/// later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComeBack {
    /// Milliseconds to wait before connecting again. The number differs from client to client.
    pub after_ms: u64,
}
