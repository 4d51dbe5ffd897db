//! What the server sends without being asked.
//!
//! On `/chat`: `welcome` ([`Welcome`]) once per connection, `events` (an array of [`RoomEvent`]), `presence`
//! ([`PresenceUpdate`]), `roster` ([`RosterUpdate`]), `typing` ([`TypingUpdate`]), `reset`
//! ([`Reset`]), `signed_out` ([`SignedOut`]) and `come_back` ([`ComeBack`]).

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ClientId, Epoch, PersonId, RoomSlug, Seq, Timestamp};
use crate::limits::Limits;
use crate::text::{DisplayName, MessageText, kept};

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Person {
    /// The person's permanent id.
    pub id: PersonId,
    /// The person's name. Not unique.
    #[serde(deserialize_with = "kept")]
    pub name: DisplayName,
}

/// An entry of a room's log: something that changed the room for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(try_from = "Flat")]
pub struct RoomEvent {
    /// The room's address.
    pub room: RoomSlug,
    /// The epoch of the room's log.
    pub epoch: Epoch,
    /// The event's number in the log.
    pub seq: Seq,
    /// When it was stored, by the server's clock. For display only: it does not order events.
    pub at: Timestamp,
    /// The person who caused it.
    pub author: Person,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A message was posted.
    Posted {
        /// The id that the author's client chose.
        client_id: ClientId,
        /// The message's text.
        #[serde(deserialize_with = "kept")]
        text: MessageText,
    },
    /// A type that this build does not know. It counts in the log, but nothing of it is shown.
    #[serde(other)]
    Unknown,
}

/// Most bytes of an event's field names, punctuation and numbers.
const ENVELOPE: usize = 160;

impl RoomEvent {
    /// An upper bound of its size as JSON, in bytes. Less than 100 bytes too high.
    pub fn bytes(&self) -> usize {
        let author = self.author.id.as_str().len() + json_bytes(self.author.name.as_str());
        let body = match &self.body {
            EventBody::Posted { client_id, text } => client_id.as_str().len() + json_bytes(text.as_str()),
            EventBody::Unknown => 0,
        };
        ENVELOPE + self.room.as_str().len() + self.epoch.as_str().len() + author + body
    }
}

/// Bytes of a text inside a JSON string.
fn json_bytes(text: &str) -> usize {
    let escape = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
}

/// A [`RoomEvent`] as it travels. Serde's `flatten` and `tag` would buffer the fields until the type is known, and that
/// code would be a large part of the WebAssembly.
#[derive(Deserialize)]
struct Flat {
    room: RoomSlug,
    epoch: Epoch,
    seq: Seq,
    at: Timestamp,
    author: Person,
    r#type: Type,
    #[serde(default)]
    client_id: Text,
    #[serde(default)]
    text: Text,
}

/// A string, if the field holds one. In events of unknown types it may hold anything.
#[derive(Default)]
struct Text(Option<String>);

impl Text {
    fn parse<T: TryFrom<String>>(self, name: &'static str) -> Result<T, Unfit> {
        T::try_from(self.0.ok_or(Unfit(name))?).map_err(|_| Unfit(name))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

/// Accepts any JSON value and keeps it if it is a string.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Text;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Text, E> {
        Ok(Text(Some(text)))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Posted,
    #[serde(other)]
    Unknown,
}

/// A field that events of this type need is missing or not valid.
#[derive(Debug, thiserror::Error)]
#[error("an event of this type has a valid `{0}`")]
struct Unfit(&'static str);

impl TryFrom<Flat> for RoomEvent {
    type Error = Unfit;

    fn try_from(flat: Flat) -> Result<Self, Unfit> {
        let body = match flat.r#type {
            Type::Posted => EventBody::Posted {
                client_id: flat.client_id.parse("client_id")?,
                text: flat
                    .text
                    .0
                    .filter(|text| !text.is_empty())
                    .map(MessageText::kept)
                    .ok_or(Unfit("text"))?,
            },
            Type::Unknown => EventBody::Unknown,
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

/// The people in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceList {
    /// At most 200 people, sorted by name.
    pub people: Vec<Person>,
    /// The number of all people in the room, listed or not.
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

    #[test]
    fn additions_of_later_versions_are_skipped() {
        let event = |rest: &str| {
            let json = format!(
                r#"{{"room":"lobby","epoch":"e1","seq":7,"at":1,"author":{{"id":"p1","name":"Ada","bot":true}},{rest}}}"#
            );
            serde_json::from_str::<RoomEvent>(&json)
        };
        for unknown in [
            r#""type":"reacted","to":3,"emoji":"👍""#,
            r#""type":"edited","text":"""#,
            r#""text":{"bold":["hi"]},"client_id":[1,null,2.5],"type":"styled""#,
        ] {
            assert_eq!(event(unknown).unwrap().body, EventBody::Unknown, "{unknown}");
            let body: EventBody = serde_json::from_str(&format!("{{{unknown}}}")).unwrap();
            assert_eq!(body, EventBody::Unknown, "as stored: {unknown}");
        }
        let more = event(r#""type":"posted","client_id":"c1","text":"hi","reply_to":{"seq":[3]}"#).unwrap();
        assert!(matches!(more.body, EventBody::Posted { text, .. } if text.as_str() == "hi"));
        assert!(event(r#""type":"posted","client_id":"c1","text":"""#).is_err());
        assert!(event(r#""type":"posted","client_id":"c1""#).is_err());
    }

    #[test]
    fn the_size_of_an_event_is_never_underestimated() {
        for (name, text) in [("Ada", "hi"), ("\"A\\", "\"\\\n\t"), ("Ö𝔛", "𝔛é<&>\u{7}")] {
            let text = text.replace('\u{7}', " ");
            let event = RoomEvent {
                room: RoomSlug::lobby(),
                epoch: Epoch::from_random(u128::MAX),
                seq: Seq::try_from((1 << 53) - 1).unwrap(),
                at: Timestamp(u64::MAX),
                author: Person {
                    id: PersonId::from_random(u128::MAX),
                    name: DisplayName::try_from(name.to_owned()).unwrap(),
                },
                body: EventBody::Posted {
                    client_id: ClientId::try_from("x".repeat(64)).unwrap(),
                    text: MessageText::try_from(text.repeat(100)).unwrap(),
                },
            };
            let json = serde_json::to_string(&event).unwrap();
            assert!((json.len()..json.len() + 100).contains(&event.bytes()));
        }
    }
}
