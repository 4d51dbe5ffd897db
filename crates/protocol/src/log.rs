//! The log of a room: events with `seq` 1, 2, 3 …, and the deeds in them.

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ClientId, Epoch, PersonId, RoomSlug, Seq, Timestamp};
use crate::read::{Json, Read, member};
use crate::text::{Emoji, MessageText, RoomTitle};

/// An entry of a room's log: something that changed the room for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(try_from = "Tree")]
pub struct LogEvent {
    /// The room's address.
    pub room: RoomSlug,
    /// The epoch of the room's log.
    pub epoch: Epoch,
    /// The event's number in the log.
    pub seq: Seq,
    /// When it was stored, by the server's clock. For display only: it does not order events.
    pub at: Timestamp,
    /// The person who caused it.
    pub by: PersonId,
    /// What happened.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Tree")]
pub enum Deed {
    /// A message was posted.
    Posted {
        /// The id that the author's client chose.
        client_id: ClientId,
        /// The message's text.
        text: MessageText,
        /// The message that it replies to, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
    },
    /// A message has another text now.
    Edited {
        /// The id that the person's client chose.
        client_id: ClientId,
        /// The message.
        of: Seq,
        /// The new text.
        text: MessageText,
    },
    /// A message was deleted.
    Deleted {
        /// The id that the person's client chose.
        client_id: ClientId,
        /// The message.
        of: Seq,
    },
    /// A person reacted to a message, or took the reaction back.
    Reacted {
        /// The id that the person's client chose.
        client_id: ClientId,
        /// The message.
        to: Seq,
        /// The emoji.
        emoji: Emoji,
        /// False if the person took it back.
        on: bool,
    },
    /// The room has another title now.
    Titled {
        /// The id that the person's client chose.
        client_id: ClientId,
        /// The new title.
        title: RoomTitle,
    },
    /// A type that this build does not know, or a known type in an unknown form. It counts in the log, but nothing of
    /// it is shown.
    Unknown,
}

impl Deed {
    /// The id that the person's client chose.
    pub fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Posted { client_id, .. }
            | Self::Edited { client_id, .. }
            | Self::Deleted { client_id, .. }
            | Self::Reacted { client_id, .. }
            | Self::Titled { client_id, .. } => Some(client_id),
            Self::Unknown => None,
        }
    }

    /// The message that it changes, if it changes one.
    pub fn about(&self) -> Option<Seq> {
        match self {
            Self::Edited { of, .. } | Self::Deleted { of, .. } => Some(*of),
            Self::Reacted { to, .. } => Some(*to),
            Self::Posted { .. } | Self::Titled { .. } | Self::Unknown => None,
        }
    }

    /// The message that it changes or replies to, if it names one.
    pub fn names(&self) -> Option<Seq> {
        match self {
            Self::Posted { reply_to, .. } => *reply_to,
            _ => self.about(),
        }
    }

    /// The message that it edits, if it edits one.
    pub fn edits(&self) -> Option<Seq> {
        match self {
            Self::Edited { of, .. } => Some(*of),
            _ => None,
        }
    }

    /// The same deed without the message's text: what is kept of it once the message is deleted. Everything else stays,
    /// because a log has no holes and a client id counts once.
    #[must_use]
    pub fn without_text(mut self) -> Self {
        if let Self::Posted { text, .. } | Self::Edited { text, .. } = &mut self {
            *text = MessageText::kept(String::new());
        }
        self
    }

    /// Bytes of its texts as JSON.
    fn bytes(&self) -> usize {
        let id = self.client_id().map_or(0, |id| id.as_str().len());
        id + match self {
            Self::Posted { text, .. } | Self::Edited { text, .. } => json_bytes(text.as_str()),
            Self::Reacted { emoji, .. } => emoji.as_str().len(),
            Self::Titled { title, .. } => json_bytes(title.as_str()),
            Self::Deleted { .. } | Self::Unknown => 0,
        }
    }
}

/// Most bytes of an event's field names, punctuation and numbers.
const ENVELOPE: usize = 160;

impl LogEvent {
    /// True if it gave this message a text.
    pub fn worded(&self, message: Seq) -> bool {
        match &self.deed {
            Deed::Posted { .. } => self.seq == message,
            Deed::Edited { of, .. } => *of == message,
            _ => false,
        }
    }

    /// An upper bound of its size as JSON, in bytes. Less than 100 bytes too high.
    pub fn bytes(&self) -> usize {
        let ids = self.room.as_str().len() + self.epoch.as_str().len() + self.by.as_str().len();
        ENVELOPE + ids + self.deed.bytes()
    }
}

/// Bytes of a text inside a JSON string.
pub(crate) fn json_bytes(text: &str) -> usize {
    let escape = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
}

/// A JSON value, as far as events need it. Serde's `flatten` and `tag` would buffer fields as well, and in the browser
/// values come parsed: see [`crate::read`].
enum Tree {
    /// Of no use here.
    Other,
    Text(String),
    Number(u64),
    Bool(bool),
    Object(Vec<(String, Tree)>),
}

impl Json for &Tree {
    fn get(&self, name: &str) -> Option<Self> {
        let Tree::Object(members) = self else { return None };
        let found = members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    fn text(&self) -> Option<String> {
        match self {
            Tree::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Tree::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn bool(&self) -> Option<bool> {
        match self {
            Tree::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn items(&self) -> Option<Vec<Self>> {
        None
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

/// Accepts any JSON value.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Tree::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}

/// Not an event, or not a deed.
#[derive(Debug, thiserror::Error)]
#[error("an event has a type and a valid room, epoch, seq, at and by; a deed has a type")]
struct Unfit;

impl TryFrom<Tree> for LogEvent {
    type Error = Unfit;

    fn try_from(tree: Tree) -> Result<Self, Unfit> {
        Self::read(&&tree).ok_or(Unfit)
    }
}

impl TryFrom<Tree> for Deed {
    type Error = Unfit;

    fn try_from(tree: Tree) -> Result<Self, Unfit> {
        Self::read(&&tree).ok_or(Unfit)
    }
}

impl Read for LogEvent {
    fn read<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            room: member(json, "room")?,
            epoch: member(json, "epoch")?,
            seq: member(json, "seq")?,
            at: member(json, "at")?,
            by: member(json, "by")?,
            deed: known(json).unwrap_or(Deed::Unknown),
        })
    }
}

impl Read for Deed {
    fn read<J: Json>(json: &J) -> Option<Self> {
        let _kind: String = member(json, "type")?;
        Some(known(json).unwrap_or(Self::Unknown))
    }
}

/// The deed, if this build knows its type and form. A text was checked when it was stored; it is empty if the message
/// was deleted.
fn known<J: Json>(json: &J) -> Option<Deed> {
    let client_id = member(json, "client_id")?;
    let kind: String = member(json, "type")?;
    let seq = |name| member::<Seq, J>(json, name);
    Some(match kind.as_str() {
        "posted" => Deed::Posted {
            client_id,
            text: member(json, "text")?,
            reply_to: seq("reply_to"),
        },
        "edited" => Deed::Edited {
            client_id,
            of: seq("of")?,
            text: member(json, "text")?,
        },
        "deleted" => Deed::Deleted {
            client_id,
            of: seq("of")?,
        },
        "reacted" => Deed::Reacted {
            client_id,
            to: seq("to")?,
            emoji: member(json, "emoji")?,
            on: json.get("on")?.bool()?,
        },
        "titled" => Deed::Titled {
            client_id,
            title: member(json, "title")?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let envelope = r#""room":"lobby","epoch":"e1","seq":7,"at":1,"by":"p1""#;
        for deed in [
            r#""type":"posted","client_id":"c1","text":"hi""#,
            r#""type":"posted","client_id":"c1","text":"hi","reply_to":3"#,
            r#""type":"edited","client_id":"c1","of":3,"text":"hi""#,
            // The texts of a deleted message.
            r#""type":"posted","client_id":"c1","text":"","reply_to":3"#,
            r#""type":"edited","client_id":"c1","of":3,"text":"""#,
            r#""type":"deleted","client_id":"c1","of":3"#,
            r#""type":"reacted","client_id":"c1","to":3,"emoji":"👍","on":false"#,
            r#""type":"titled","client_id":"c1","title":"Night shift""#,
        ] {
            let json = format!("{{{envelope},{deed}}}");
            let event: LogEvent = serde_json::from_str(&json).unwrap();
            assert_eq!((event.seq.get(), event.at), (7, Timestamp(1)));
            assert_eq!(serde_json::to_string(&event).unwrap(), json);
            let stored = format!("{{{deed}}}");
            let read: Deed = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, event.deed);
            assert_eq!(serde_json::to_string(&read).unwrap(), stored);
        }
    }

    #[test]
    fn what_later_versions_add_is_skipped() {
        let event = |rest: &str| {
            let json =
                format!(r#"{{"room":"lobby","epoch":"e1","seq":7,"at":1,"by":"p1","why":{{}},{rest}}}"#);
            serde_json::from_str::<LogEvent>(&json)
        };
        for unknown in [
            r#""type":"pinned","client_id":"c1","of":3"#,
            r#""type":{"kind":"posted"},"client_id":"c1","text":"hi""#,
            r#""text":{"bold":["hi"]},"client_id":"c1","type":"posted""#,
            r#""type":"posted","client_id":"c1""#,
            r#""type":"posted","client_id":"not an id","text":"hi""#,
            r#""type":"edited","client_id":"c1","of":[3],"text":"hi""#,
            r#""type":"edited","client_id":"c1","of":-3,"text":"hi""#,
            r#""type":"edited","client_id":"c1","of":0.5,"text":"hi""#,
            r#""type":"reacted","client_id":"c1","to":3,"emoji":"👍""#,
            r#""seen":null"#,
        ] {
            assert_eq!(event(unknown).unwrap().deed, Deed::Unknown, "{unknown}");
            let stored = serde_json::from_str::<Deed>(&format!("{{{unknown}}}"));
            let typed = unknown.contains(r#""type":""#);
            assert_eq!(
                stored.ok(),
                typed.then_some(Deed::Unknown),
                "as stored: {unknown}"
            );
        }
        let more = event(r#""type":"posted","client_id":"c1","text":"hi","reply_to":{"seq":[3]}"#).unwrap();
        assert!(matches!(more.deed, Deed::Posted { text, reply_to: None, .. } if text.as_str() == "hi"));
        assert!(serde_json::from_str::<LogEvent>(r#"{"room":"lobby","type":"posted"}"#).is_err());
        assert!(serde_json::from_str::<Deed>("[]").is_err());
    }

    #[test]
    fn the_texts_of_a_message_are_found_and_removed() {
        let event = |deed: &str| -> LogEvent {
            let json = format!(r#"{{"room":"lobby","epoch":"e1","seq":7,"at":1,"by":"p1",{deed}}}"#);
            serde_json::from_str(&json).unwrap()
        };
        let seq = |n: u64| Seq::try_from(n).unwrap();
        let posted = event(r#""type":"posted","client_id":"c1","text":"hi","reply_to":3"#);
        let edited = event(r#""type":"edited","client_id":"c1","of":3,"text":"hi""#);
        assert!(posted.worded(seq(7)) && !posted.worded(seq(3)));
        assert!(edited.worded(seq(3)) && !edited.worded(seq(7)));
        let emptied = event(r#""type":"posted","client_id":"c1","text":"","reply_to":3"#);
        assert_eq!(posted.deed.without_text(), emptied.deed);
        let emptied = event(r#""type":"edited","client_id":"c1","of":3,"text":"""#);
        assert_eq!(edited.deed.without_text(), emptied.deed);
        let reacted = event(r#""type":"reacted","client_id":"c1","to":3,"emoji":"👍","on":true"#);
        assert!(!reacted.worded(seq(3)) && reacted.deed.clone().without_text() == reacted.deed);
    }

    #[test]
    fn the_size_of_an_event_is_never_underestimated() {
        let most = |text: &str| {
            let client_id = ClientId::try_from("x".repeat(64)).unwrap();
            let message = MessageText::try_from(text.repeat(100)).unwrap();
            let far = Seq::try_from((1 << 53) - 1).unwrap();
            [
                Deed::Posted {
                    client_id: client_id.clone(),
                    text: message.clone(),
                    reply_to: Some(far),
                },
                Deed::Edited {
                    client_id: client_id.clone(),
                    of: far,
                    text: message,
                },
                Deed::Deleted {
                    client_id: client_id.clone(),
                    of: far,
                },
                Deed::Reacted {
                    client_id: client_id.clone(),
                    to: far,
                    emoji: Emoji::try_from("👍".to_owned()).unwrap(),
                    on: false,
                },
                Deed::Titled {
                    client_id,
                    title: RoomTitle::try_from("\"A\\ Ö𝔛".to_owned()).unwrap(),
                },
                Deed::Unknown,
            ]
        };
        for deed in ["hi", "\"\\\n\t", "𝔛é<&> "].into_iter().flat_map(most) {
            let event = LogEvent {
                room: RoomSlug::lobby(),
                epoch: Epoch::from_random(u128::MAX),
                seq: Seq::try_from((1 << 53) - 1).unwrap(),
                at: Timestamp(u64::MAX),
                by: PersonId::from_random(u128::MAX),
                deed,
            };
            let json = serde_json::to_string(&event).unwrap();
            let size = json.len()..json.len() + 100;
            assert!(size.contains(&event.bytes()), "{} {json}", event.bytes());
        }
    }
}
