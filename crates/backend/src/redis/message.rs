//! The messages on a room's channel: lines of text, written by the scripts.

use std::str::Split;
use std::sync::Arc;

use chat::ports::PresenceChange;
use protocol::{DisplayName, Epoch, Person, PersonId, RoomEvent, RoomSlug, Seq, Timestamp};

/// A message on a room's channel.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// The events of one append.
    Events(Vec<Arc<RoomEvent>>),
    /// Changes of presence, each with its version.
    Presence(Vec<(u64, PresenceChange)>),
    /// A person is typing, or has stopped.
    Typing(PresenceChange),
}

/// Parses a message. `None` if this build does not know it.
pub fn parse(room: &RoomSlug, text: &str) -> Option<Message> {
    let mut lines = text.split('\n');
    let mut words = lines.next()?.splitn(4, ' ');
    match words.next()? {
        "events" => {
            let epoch = Epoch::try_from(words.next()?.to_owned()).ok()?;
            let at = Timestamp(words.next()?.parse().ok()?);
            events(room, &epoch, at, lines).map(Message::Events)
        }
        "presence" => lines.map(change).collect::<Option<_>>().map(Message::Presence),
        "typing" => {
            let typing = words.next()? == "1";
            let person = person(words.next()?, words.next()?)?;
            Some(Message::Typing(PresenceChange::Typing(person, typing)))
        }
        _ => None,
    }
}

/// The message that a person is typing, or has stopped.
pub fn typing(person: &Person, typing: bool) -> String {
    format!("typing {} {} {}", u8::from(typing), person.id, person.name)
}

fn events(
    room: &RoomSlug,
    epoch: &Epoch,
    at: Timestamp,
    mut lines: Split<'_, char>,
) -> Option<Vec<Arc<RoomEvent>>> {
    let author: Person = serde_json::from_str(lines.next()?).ok()?;
    let event = |line: &str| {
        let (seq, body) = line.split_once(' ')?;
        Some(Arc::new(RoomEvent {
            room: room.clone(),
            epoch: epoch.clone(),
            seq: Seq::try_from(seq.parse::<u64>().ok()?).ok()?,
            at,
            author: author.clone(),
            body: serde_json::from_str(body).ok()?,
        }))
    };
    lines.map(event).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Person {
        person("ada", "Ada of  London").unwrap()
    }

    #[test]
    fn messages_are_read_as_they_were_written() {
        let room = RoomSlug::lobby();
        let text = typing(&ada(), true);
        let told = Message::Typing(PresenceChange::Typing(ada(), true));
        assert_eq!(parse(&room, &text), Some(told));
        let text = "presence\nentered 7 3 ada Ada of  London\nleft 8 2 ada Ada of  London";
        let told = vec![
            (7, PresenceChange::Entered(ada(), 3)),
            (8, PresenceChange::Left(ada(), 2)),
        ];
        assert_eq!(parse(&room, text), Some(Message::Presence(told)));
        let text = "events e1 5\n{\"id\":\"ada\",\"name\":\"Ada\"}\n9 {\"type\":\"posted\",\"client_id\":\"c\",\"text\":\"a b\"}";
        match parse(&room, text) {
            Some(Message::Events(events)) => {
                assert_eq!(events.len(), 1);
                assert_eq!((events[0].seq.get(), events[0].at), (9, Timestamp(5)));
            }
            other => panic!("an event, but: {other:?}"),
        }
    }

    #[test]
    fn unknown_messages_are_none() {
        for text in [
            "",
            "news",
            "events e1",
            "presence\nmoved 1 2 ada Ada",
            "typing 1 ada",
        ] {
            assert_eq!(parse(&RoomSlug::lobby(), text), None, "{text}");
        }
    }
}
