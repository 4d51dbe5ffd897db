//! People, rooms and messages to test with.

use std::sync::Arc;

use chat::ports::RoomLog;
use chat::{Caller, Limit, Room, SessionDigest};
use protocol::{
    ClientId, DisplayName, Epoch, EventBody, MessageText, Outgoing, Person, PersonId, RoomEvent, RoomSlug,
    RoomTitle, Seq, SessionToken, Timestamp,
};

use crate::Backend;

/// Fails the test if a sample is not valid.
fn valid<T, E: std::fmt::Debug>(sample: Result<T, E>) -> T {
    sample.expect("a sample is valid")
}

/// A room's address.
pub fn slug(slug: &str) -> RoomSlug {
    valid(RoomSlug::try_from(slug.to_owned()))
}

/// A room created at this time.
pub fn room(at: u64, address: &str, title: &str) -> Room {
    Room {
        slug: slug(address),
        title: valid(RoomTitle::try_from(title.to_owned())),
        created_at: Timestamp(at),
        last_at: None,
    }
}

/// A person whose id is made from the name.
pub fn person(name: &str) -> Person {
    person_with_id(&name.to_lowercase(), name)
}

/// A person with this id and name.
pub fn person_with_id(id: &str, name: &str) -> Person {
    Person {
        id: valid(PersonId::try_from(id.to_owned())),
        name: valid(DisplayName::try_from(name.to_owned())),
    }
}

/// A session's token.
pub fn token(token: &str) -> SessionToken {
    valid(SessionToken::try_from(token.to_owned()))
}

/// The digest of the session with this token.
pub fn session(of: &str) -> SessionDigest {
    SessionDigest::of(&token(of))
}

/// A number in a log.
pub fn seq(n: u64) -> Seq {
    valid(Seq::try_from(n))
}

/// A message to send.
pub fn message(client_id: &str, text: &str) -> Outgoing {
    Outgoing {
        client_id: valid(ClientId::try_from(client_id.to_owned())),
        text: valid(MessageText::try_from(text.to_owned())),
    }
}

/// `count` different messages. Their ids and texts begin with `prefix`.
pub fn messages(prefix: &str, count: usize) -> Vec<Outgoing> {
    (1..=count)
        .map(|n| message(&format!("{prefix}-{n}"), &format!("{prefix} says {n}")))
        .collect()
}

/// The lobby's event with this `seq`: a message of Ada's.
pub fn event(n: u64) -> RoomEvent {
    let Outgoing { client_id, text } = message(&format!("m-{n}"), &format!("m says {n}"));
    RoomEvent {
        room: RoomSlug::lobby(),
        epoch: Epoch::from_random(1),
        seq: seq(n),
        at: Timestamp(n),
        author: person("Ada"),
        body: EventBody::Posted { client_id, text },
    }
}

/// An event's text.
pub fn text(event: &RoomEvent) -> &str {
    match &event.body {
        EventBody::Posted { text, .. } => text.as_str(),
        EventBody::Unknown => "",
    }
}

/// A new, empty room in a backend.
pub async fn new_room(backend: &Backend, address: &str) -> RoomSlug {
    let room = room(1, address, "A room");
    backend
        .directory
        .create(&room)
        .await
        .expect("the room is created");
    room.slug
}

/// Appends messages and returns the `seq` of each receipt.
pub async fn append(
    log: &Arc<dyn RoomLog>,
    room: &RoomSlug,
    author: &Person,
    messages: Vec<Outgoing>,
) -> Vec<u64> {
    let receipts = log.append(room, author, messages, Timestamp(1)).await;
    let receipts = receipts.expect("the messages are stored");
    receipts.iter().map(|receipt| receipt.seq.get()).collect()
}

/// Reads the whole log. Fails the test at a hole, a double, or an event of another epoch or room.
pub async fn whole_log(log: &Arc<dyn RoomLog>, room: &RoomSlug) -> Vec<Arc<RoomEvent>> {
    let stretch = log.read(room, Seq::ZERO, Limit::events(1_000_000)).await;
    let stretch = stretch.expect("the log can be read");
    assert!(!stretch.more, "the whole log was read");
    let seqs: Vec<_> = stretch.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(
        seqs,
        (1..=stretch.head.seq.get()).collect::<Vec<_>>(),
        "no holes, no doubles"
    );
    for event in &stretch.events {
        assert_eq!((&event.room, &event.epoch), (room, &stretch.head.epoch));
    }
    stretch.events
}

/// A caller with this person, no address and no connection.
pub fn caller(person: &Person) -> Caller<'_> {
    Caller {
        person: Some(person),
        ..Caller::NOBODY
    }
}
