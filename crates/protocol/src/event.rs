//! What the server tells without being asked.
//!
//! On `/chat`: `welcome` ([`Welcome`]) once per connection, `events` (an array of [`RoomEvent`]), `presence`
//! ([`PresenceUpdate`]), `roster` ([`RosterUpdate`]), `typing` ([`TypingUpdate`]), `reset` ([`crate::RoomRef`]: the
//! room's log has another epoch; `join` it again), `signed_out` ([`SignedOut`]) and `come_back` ([`ComeBack`]).

use serde::{Deserialize, Serialize};

use crate::command::PresenceList;
use crate::ids::{ClientId, Epoch, PersonId, RoomSlug, Seq, Timestamp};
use crate::text::{DisplayName, MessageText};

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Stays the same for as long as the account lives.
    pub id: PersonId,
    /// What they are called. Not unique.
    pub name: DisplayName,
}

/// One entry of a room's log: something that changed the room for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Flat")]
pub struct RoomEvent {
    /// Whose log.
    pub room: RoomSlug,
    /// Which life of it.
    pub epoch: Epoch,
    /// Where in it.
    pub seq: Seq,
    /// When, by the clock of the replica that stored it.
    pub at: Timestamp,
    /// Whose doing it is.
    pub author: Person,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened. Clients skip the types that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A message was posted.
    Posted {
        /// What its author's client called it.
        client_id: ClientId,
        /// What it says.
        text: MessageText,
    },
}

/// A [`RoomEvent`] as it travels, to be read without keeping its members aside until its type is known: that
/// machinery would be a good part of the page's weight.
#[derive(Deserialize)]
struct Flat {
    room: RoomSlug,
    epoch: Epoch,
    seq: Seq,
    at: Timestamp,
    author: Person,
    r#type: Type,
    client_id: Option<ClientId>,
    text: Option<MessageText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Posted,
}

/// A member is missing that events of its type have.
#[derive(Debug, thiserror::Error)]
#[error("an event of this type has `{0}`")]
struct Missing(&'static str);

impl TryFrom<Flat> for RoomEvent {
    type Error = Missing;

    fn try_from(flat: Flat) -> Result<Self, Missing> {
        let body = match flat.r#type {
            Type::Posted => EventBody::Posted {
                client_id: flat.client_id.ok_or(Missing("client_id"))?,
                text: flat.text.ok_or(Missing("text"))?,
            },
        };
        Ok(Self {
            room: flat.room,
            epoch: flat.epoch,
            seq: flat.seq,
            at: flat.at,
            author: flat.author,
            body,
        })
    }
}

/// Who came and who went. Not part of the log: it is only true for a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceUpdate {
    /// Where.
    pub room: RoomSlug,
    /// People who are here now and were not.
    pub entered: Vec<Person>,
    /// People who were here and are not any more.
    pub left: Vec<Person>,
    /// How many people are here, all tabs and devices of one person counted once.
    pub here: u32,
}

/// Everybody who is here: the server may have missed changes and starts over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterUpdate {
    /// Where.
    pub room: RoomSlug,
    /// Who.
    pub roster: PresenceList,
}

/// Somebody writes, or stopped. A client forgets it by itself after six seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingUpdate {
    /// Where.
    pub room: RoomSlug,
    /// Who.
    pub person: Person,
    /// Whether they are writing.
    pub typing: bool,
}

/// The first event of every connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// What the server speaks: [`crate::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// Who the connection belongs to, if its handshake showed a session.
    pub you: Option<Person>,
}

/// The session that the connection belonged to has ended: it is nobody's now, and in no room. `sign_in` is possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {}

/// The server is about to close the connection, for instance to restart. Nothing is lost by coming back later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComeBack {
    /// Milliseconds to wait before connecting again; a different number for each client.
    pub after_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_event_is_one_flat_object() {
        let json = r#"{"room":"lobby","epoch":"e1","seq":7,"at":1,"author":{"id":"p1","name":"Ada"},"type":"posted","client_id":"c1","text":"hi"}"#;
        let event: RoomEvent = serde_json::from_str(json).unwrap();
        assert_eq!(event.seq.get(), 7);
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }
}
