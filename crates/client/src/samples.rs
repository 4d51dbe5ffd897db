//! Values for the tests of the client core and of `app`.
#![allow(missing_docs, clippy::unwrap_used, reason = "values for tests")]

use protocol::{
    ClientId, Epoch, EventBody, MessageText, Person, PersonId, Position, RoomEvent, RoomSlug, Seq, Timestamp,
};

use super::timeline::Timeline;

pub fn seq(n: u64) -> Seq {
    Seq::try_from(n).unwrap()
}

pub fn epoch(n: u128) -> Epoch {
    Epoch::from_random(n)
}

pub fn id(name: &str) -> ClientId {
    ClientId::try_from(name.to_owned()).unwrap()
}

pub fn text(text: &str) -> MessageText {
    MessageText::try_from(text.to_owned()).unwrap()
}

/// A person whose id is the name.
pub fn person(name: &str) -> Person {
    Person {
        id: PersonId::try_from(name.to_owned()).unwrap(),
        name: name.to_owned().try_into().unwrap(),
    }
}

/// A message with the client id `c{n}`, one second after the previous one.
pub fn posted(n: u64, author: &str) -> RoomEvent {
    RoomEvent {
        room: RoomSlug::lobby(),
        epoch: epoch(1),
        seq: seq(n),
        at: Timestamp(n * 1_000),
        author: person(author),
        body: EventBody::Posted {
            client_id: id(&format!("c{n}")),
            text: text(&format!("text {n}")),
        },
    }
}

/// A timeline with the events `first` to `last` of a log.
pub fn timeline(first: u64, last: u64) -> Timeline {
    let head = Position {
        epoch: epoch(1),
        seq: seq(last),
    };
    let events = (first..=last).map(|n| posted(n, "ada")).collect();
    Timeline::new(head, events, first > 1)
}
