//! Values for the tests of the client core and of `app`.
#![allow(missing_docs, clippy::unwrap_used, reason = "values for tests")]

use protocol::{
    ClientId, Covers, Deed, Emoji, Epoch, Events, LogEvent, Message, MessagePage, MessageText, Person,
    PersonId, RoomSlug, Seq, Timestamp,
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

/// A message with the client id `c{n}`, one second after the previous event.
pub fn posted(n: u64, author: &str) -> LogEvent {
    let deed = Deed::Posted {
        client_id: id(&format!("c{n}")),
        text: text(&format!("text {n}")),
        reply_to: None,
    };
    event(n, author, deed)
}

/// An event, one second after the previous one.
pub fn event(n: u64, by: &str, deed: Deed) -> LogEvent {
    LogEvent {
        room: RoomSlug::lobby(),
        epoch: epoch(1),
        seq: seq(n),
        at: Timestamp(n * 1_000),
        by: person(by).id,
        deed,
    }
}

/// A new text of Ada's message `of`.
pub fn edited(n: u64, of: u64, to: &str) -> LogEvent {
    let deed = Deed::Edited {
        client_id: id(&format!("c{n}")),
        of: seq(of),
        text: text(to),
    };
    event(n, "ada", deed)
}

/// The end of Ada's message `of`.
pub fn deleted(n: u64, of: u64) -> LogEvent {
    let deed = Deed::Deleted {
        client_id: id(&format!("c{n}")),
        of: seq(of),
    };
    event(n, "ada", deed)
}

/// A reaction to message `to`.
pub fn reacted(n: u64, by: &str, to: u64, emoji: &str) -> LogEvent {
    let deed = Deed::Reacted {
        client_id: id(&format!("c{n}")),
        to: seq(to),
        emoji: Emoji::try_from(emoji.to_owned()).unwrap(),
        on: true,
    };
    event(n, by, deed)
}

/// A packet of events. People's ids are their names.
pub fn packet(events: Vec<LogEvent>) -> Events {
    let people = people(&events);
    Events { events, people }
}

/// The people in these events.
pub fn people(events: &[LogEvent]) -> Vec<Person> {
    events.iter().map(|event| person(event.by.as_str())).collect()
}

/// A page of what these events make, read at the last of them.
pub fn page_of(first: u64, last: u64, events: &[LogEvent]) -> MessagePage {
    let mut messages: Vec<Message> = events.iter().filter_map(Message::posted).collect();
    for event in events {
        for message in &mut messages {
            message.apply(event);
        }
    }
    MessagePage {
        covers: Covers {
            epoch: epoch(1),
            first: seq(first),
            last: seq(last),
        },
        head: seq(last),
        messages,
        people: people(events),
        more: first > 1,
    }
}

/// A page of Ada's messages `first` to `last`.
pub fn page(first: u64, last: u64) -> MessagePage {
    let events: Vec<_> = (first..=last).map(|n| posted(n, "ada")).collect();
    page_of(first, last, &events)
}

/// A timeline with Ada's messages `first` to `last`.
pub fn timeline(first: u64, last: u64) -> Timeline {
    Timeline::new(page(first, last))
}
