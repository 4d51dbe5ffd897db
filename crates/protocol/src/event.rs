//! What the server tells without being asked.
//!
//! On `/chat`: `welcome` ([`Welcome`]) once per connection, `events` (an array of [`RoomEvent`]), `presence`
//! ([`PresenceUpdate`]), `roster` ([`RosterUpdate`]), `typing` ([`TypingUpdate`]), `reset`
//! ([`Reset`]), `signed_out` ([`SignedOut`]) and `come_back` ([`ComeBack`]).

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ClientId, Epoch, PersonId, RoomSlug, Seq, Timestamp};
use crate::limits::Limits;
use crate::text::{DisplayName, MessageText, kept};

/// Somebody, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Person {
    /// Stays the same for as long as the account lives.
    pub id: PersonId,
    /// What they are called. Not unique.
    #[serde(deserialize_with = "kept")]
    pub name: DisplayName,
}

/// One entry of a room's log: something that changed the room for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// A message was posted.
    Posted {
        /// What its author's client called it.
        client_id: ClientId,
        /// What it says.
        #[serde(deserialize_with = "kept")]
        text: MessageText,
    },
    /// A type that this build does not know. It has its place in the log, and nothing of it is shown.
    #[serde(other)]
    Unknown,
}

/// Bytes of an event's names, punctuation and numbers.
const ENVELOPE: usize = 160;

impl RoomEvent {
    /// About how many bytes it takes as JSON, never less.
    pub fn bytes(&self) -> usize {
        let author = self.author.id.as_str().len() + json_bytes(self.author.name.as_str());
        let body = match &self.body {
            EventBody::Posted { client_id, text } => client_id.as_str().len() + json_bytes(text.as_str()),
            EventBody::Unknown => 0,
        };
        ENVELOPE + self.room.as_str().len() + self.epoch.as_str().len() + author + body
    }
}

/// How long a text is inside a JSON string.
fn json_bytes(text: &str) -> usize {
    let escape = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
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
    #[serde(default)]
    client_id: Text,
    #[serde(default)]
    text: Text,
}

/// A text, or nothing: what events of other types have under this name may be anything.
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

/// Takes whatever comes, and keeps it if it is a text.
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

/// A member that events of this type have is missing, or is not what it should be.
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

/// Who is in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceList {
    /// By name; at most 200.
    pub people: Vec<Person>,
    /// How many there are, also beyond those named.
    pub here: u32,
}

/// What was known of a room's log holds no more, or too much was missed: `join` the room again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Which room.
    pub room: RoomSlug,
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
    /// What this server takes.
    pub limits: Limits,
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

    #[test]
    fn what_a_later_version_adds_is_skipped() {
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
    fn an_event_is_never_longer_than_it_says() {
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
