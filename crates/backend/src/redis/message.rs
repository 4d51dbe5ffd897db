//! The messages on channels: lines of text. The first line has the version, the kind, the sender and what the kind
//! needs.
//!
//! | first line | the other lines |
//! | --- | --- |
//! | `1 events <replica>` | one event each, as JSON |
//! | `1 look <replica> [<epoch> <seq>]` | |
//! | `1 presence -` | one change each, written by a script |
//! | `1 typing - <0 or 1> <person's id> <name>` | |
//! | `1 ended <replica>` | the digest of one session each |
//! | `1 unsure <replica>` | |
//!
//! A replica ignores its own messages. `-` is nobody's: all replicas take it.

use std::str::Split;
use std::sync::Arc;

use chat::ports::PresenceChange;
use chat::{Entry, SessionDigest};
use protocol::{DisplayName, Epoch, LogEvent, Opaque, Person, PersonId, Position, RoomSlug, Seq};
use serde::{Deserialize, Serialize};

use super::keys::Topic;

/// The version of the messages that this build writes and reads.
const VERSION: &str = "1";

/// A message on a channel.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// New events of a room, in order.
    Events(Vec<Arc<Entry>>),
    /// Events may have been missed, in this room or, on the channel of all replicas, in any. If the position is known
    /// and followers are there, nothing was missed.
    Look(Option<Position>),
    /// Changes of presence, each with its version.
    Presence(Vec<(u64, PresenceChange)>),
    /// A person is typing, or has stopped.
    Typing(PresenceChange),
    /// These sessions have ended.
    Ended(Vec<SessionDigest>),
    /// Some sessions may have ended.
    Unsure,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A message of this replica's own.
    Own,
    /// A message of somebody else.
    Message(Message),
    /// This build does not know it.
    Unknown,
}

/// Reads a message as the replica `me`.
pub fn read(topic: &Topic, text: &str, me: &Opaque) -> Read {
    let (first, lines) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = first.splitn(4, ' ');
    let (version, kind, sender) = (words.next(), words.next(), words.next());
    if sender == Some(me.as_str()) {
        return Read::Own;
    }
    let rest = words.next().unwrap_or_default();
    let known = match (version, kind, topic) {
        (Some(VERSION), Some(kind), Topic::Room(room)) => of_room(room, kind, rest, lines),
        (Some(VERSION), Some(kind), Topic::Replicas) => of_replicas(kind, lines),
        _ => None,
    };
    known.map_or(Read::Unknown, Read::Message)
}

fn of_room(room: &RoomSlug, kind: &str, rest: &str, lines: &str) -> Option<Message> {
    match kind {
        "events" => {
            let entries = lines.split('\n').map(|line| {
                let Line { event, by }: Line = serde_json::from_str(line).ok()?;
                let fits = event.room == *room && event.by == by.id;
                fits.then(|| Arc::new(Entry { event, by }))
            });
            entries.collect::<Option<_>>().map(Message::Events)
        }
        "look" if rest.is_empty() => Some(Message::Look(None)),
        "look" => {
            let (epoch, seq) = rest.split_once(' ')?;
            let head = Position {
                epoch: Epoch::try_from(epoch.to_owned()).ok()?,
                seq: Seq::try_from(seq.parse::<u64>().ok()?).ok()?,
            };
            Some(Message::Look(Some(head)))
        }
        "presence" => changes(lines.split('\n')).map(Message::Presence),
        "typing" => {
            let mut words = rest.splitn(3, ' ');
            let typing = words.next()? == "1";
            let person = person(words.next()?, words.next()?)?;
            Some(Message::Typing(PresenceChange::Typing(person, typing)))
        }
        _ => None,
    }
}

fn of_replicas(kind: &str, lines: &str) -> Option<Message> {
    match kind {
        "look" => Some(Message::Look(None)),
        "ended" => lines
            .split('\n')
            .map(digest)
            .collect::<Option<_>>()
            .map(Message::Ended),
        "unsure" => Some(Message::Unsure),
        _ => None,
    }
}

/// An event and its author, as a line of JSON.
#[derive(Serialize, Deserialize)]
struct Line<E = LogEvent, P = Person> {
    event: E,
    by: P,
}

/// The message with these events. `None` if one of them cannot be written.
pub fn events(me: &Opaque, entries: &[Arc<Entry>]) -> Option<String> {
    let mut text = format!("{VERSION} events {me}");
    for entry in entries {
        let line = Line {
            event: &entry.event,
            by: &entry.by,
        };
        text.push('\n');
        text.push_str(&serde_json::to_string(&line).ok()?);
    }
    Some(text)
}

/// The message to look: whether the log has this position, or at any change.
pub fn look(me: &Opaque, head: Option<&Position>) -> String {
    let head = head.map_or_else(String::new, |head| format!(" {} {}", head.epoch, head.seq));
    format!("{VERSION} look {me}{head}")
}

/// The message that a person is typing, or has stopped.
pub fn typing(person: &Person, typing: bool) -> String {
    format!(
        "{VERSION} typing - {} {} {}",
        u8::from(typing),
        person.id,
        person.name
    )
}

/// The message that sessions have ended.
pub fn ended(me: &Opaque, sessions: &[SessionDigest]) -> String {
    let mut text = format!("{VERSION} ended {me}");
    for session in sessions {
        text.push('\n');
        text.extend(session.as_bytes().iter().map(|byte| format!("{byte:02x}")));
    }
    text
}

/// The message that sessions may have ended.
pub fn unsure(me: &Opaque) -> String {
    format!("{VERSION} unsure {me}")
}

fn changes(lines: Split<'_, char>) -> Option<Vec<(u64, PresenceChange)>> {
    lines.map(change).collect()
}

fn change(line: &str) -> Option<(u64, PresenceChange)> {
    let mut words = line.splitn(5, ' ');
    let kind = words.next()?;
    let version = words.next()?.parse().ok()?;
    let here = words.next()?.parse().ok()?;
    let person = person(words.next()?, words.next()?)?;
    let change = match kind {
        "entered" => PresenceChange::Entered(person, here),
        "left" => PresenceChange::Left(person, here),
        _ => return None,
    };
    Some((version, change))
}

/// Parses a person. Names can contain spaces, but no line ends or tabs.
fn person(id: &str, name: &str) -> Option<Person> {
    Some(Person {
        id: PersonId::try_from(id.to_owned()).ok()?,
        name: DisplayName::kept(name.to_owned()),
    })
}

fn digest(line: &str) -> Option<SessionDigest> {
    let mut digest = [0; 32];
    if line.len() != 2 * digest.len() || !line.is_ascii() {
        return None;
    }
    for (n, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(line.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(SessionDigest::from(digest))
}

#[cfg(test)]
mod tests {
    use protocol::{Deed, MessageText, Timestamp};

    use super::*;

    fn ada() -> Person {
        person("ada", "Ada of  London").unwrap()
    }

    fn me() -> Opaque {
        Opaque::from_random(1)
    }

    fn other() -> Opaque {
        Opaque::from_random(2)
    }

    fn lobby() -> Topic {
        Topic::Room(RoomSlug::lobby())
    }

    fn head() -> Position {
        Position {
            epoch: Epoch::from_random(3),
            seq: Seq::try_from(9).unwrap(),
        }
    }

    fn event(n: u64) -> Arc<Entry> {
        let event = LogEvent {
            room: RoomSlug::lobby(),
            epoch: head().epoch,
            seq: Seq::try_from(n).unwrap(),
            at: Timestamp(5),
            by: ada().id,
            deed: Deed::Posted {
                client_id: protocol::ClientId(me()),
                text: MessageText::try_from("a\nb  c".to_owned()).unwrap(),
                reply_to: None,
            },
        };
        Arc::new(Entry { event, by: ada() })
    }

    #[test]
    fn messages_are_read_as_they_were_written() {
        let both = [event(9), event(10)];
        let session = SessionDigest::from([0xab; 32]);
        let (room, replicas) = (lobby(), Topic::Replicas);
        let presence = "1 presence -\nentered 7 3 ada Ada of  London\nleft 8 2 ada Ada of  London";
        let changes = vec![
            (7, PresenceChange::Entered(ada(), 3)),
            (8, PresenceChange::Left(ada(), 2)),
        ];
        for (topic, text, message) in [
            (
                &room,
                events(&other(), &both).unwrap(),
                Message::Events(both.to_vec()),
            ),
            (&room, look(&other(), Some(&head())), Message::Look(Some(head()))),
            (&room, look(&other(), None), Message::Look(None)),
            (&room, "1 look -".to_owned(), Message::Look(None)),
            (
                &room,
                typing(&ada(), true),
                Message::Typing(PresenceChange::Typing(ada(), true)),
            ),
            (&room, presence.to_owned(), Message::Presence(changes)),
            (
                &replicas,
                ended(&other(), &[session; 2]),
                Message::Ended(vec![session; 2]),
            ),
            (&replicas, unsure(&other()), Message::Unsure),
            (&replicas, look(&other(), None), Message::Look(None)),
        ] {
            assert_eq!(read(topic, &text, &me()), Read::Message(message), "{text}");
        }
    }

    #[test]
    fn own_messages_are_recognised() {
        let own = [
            events(&me(), &[event(9)]).unwrap(),
            look(&me(), None),
            ended(&me(), &[]),
            "2 news 00000000000000000000000001 of tomorrow".to_owned(),
        ];
        for text in own {
            assert_eq!(read(&lobby(), &text, &me()), Read::Own, "{text}");
        }
    }

    #[test]
    fn events_of_later_versions_count() {
        let event = r#"{"room":"lobby","epoch":"e1","seq":9,"at":5,"by":"ada","type":"pinned","of":3}"#;
        let json = format!(r#"{{"event":{event},"by":{{"id":"ada","name":"Ada","badge":3}},"more":[]}}"#);
        let text = format!("1 events newer more of it\n{json}");
        match read(&lobby(), &text, &me()) {
            Read::Message(Message::Events(events)) => assert_eq!(events[0].event.deed, Deed::Unknown),
            other => panic!("an event, but: {other:?}"),
        }
    }

    #[test]
    fn unknown_messages_are_unknown() {
        let line = |room: &str, by: &str| {
            let event =
                format!(r#"{{"room":"{room}","epoch":"e1","seq":9,"at":5,"by":"{by}","type":"new"}}"#);
            format!(r#"1 events other\n{{"event":{event},"by":{{"id":"ada","name":"Ada"}}}}"#)
                .replace("\\n", "\n")
        };
        for text in [
            "",
            "news",
            "2 events other",
            "1 news other",
            "1 events other",
            "1 events other\n{}",
            &line("other", "ada"),
            &line("lobby", "bob"),
            "1 look other e1",
            "1 look other e1 nine",
            "1 presence -",
            "1 presence -\nmoved 1 2 ada Ada",
            "1 typing - 1 ada",
            "1 ended other\nabc",
        ] {
            assert_eq!(read(&lobby(), text, &me()), Read::Unknown, "{text}");
        }
        for text in [
            "1 events other",
            "1 ended other",
            "1 ended other\nabc",
            "1 typing - 1 ada Ada",
        ] {
            assert_eq!(read(&Topic::Replicas, text, &me()), Read::Unknown, "{text}");
        }
        let long = format!("1 ended other\n{}", "é".repeat(32));
        assert_eq!(read(&Topic::Replicas, &long, &me()), Read::Unknown);
    }
}
