//! People, rooms and messages to test with.

use std::sync::Arc;

use chat::ports::RoomLog;
use chat::{Caller, Limit, Room, SessionDigest};
use protocol::{
    ClientId, DisplayName, EventBody, MessageText, Outgoing, Person, PersonId, RoomEvent, RoomSlug,
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

/// A room as it is created at a time.
pub fn room(at: u64, address: &str, title: &str) -> Room {
    Room {
        slug: slug(address),
        title: valid(RoomTitle::try_from(title.to_owned())),
        created_at: Timestamp(at),
        last_at: None,
    }
}

/// Somebody whose id is made from their name.
pub fn person(name: &str) -> Person {
    person_with_id(&name.to_lowercase(), name)
}

/// Somebody.
pub fn person_with_id(id: &str, name: &str) -> Person {
    Person {
        id: valid(PersonId::try_from(id.to_owned())),
        name: valid(DisplayName::try_from(name.to_owned())),
    }
}

/// A session's secret.
pub fn token(token: &str) -> SessionToken {
    valid(SessionToken::try_from(token.to_owned()))
}

/// The session that has this token.
pub fn session(of: &str) -> SessionDigest {
    SessionDigest::of(&token(of))
}

/// A place in a log.
pub fn seq(n: u64) -> Seq {
    valid(Seq::try_from(n))
}

/// A message on its way out.
pub fn message(client_id: &str, text: &str) -> Outgoing {
    Outgoing {
        client_id: valid(ClientId::try_from(client_id.to_owned())),
        text: valid(MessageText::try_from(text.to_owned())),
    }
}

/// `count` different messages. What they are called and what they say begins with `prefix`.
pub fn messages(prefix: &str, count: usize) -> Vec<Outgoing> {
    (1..=count)
        .map(|n| message(&format!("{prefix}-{n}"), &format!("{prefix} says {n}")))
        .collect()
}

/// What an event says.
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

/// Appends and gives the seqs of the receipts.
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

/// The whole log. Fails the test if it has a hole, a double, or an event of another epoch or room.
pub async fn whole_log(log: &Arc<dyn RoomLog>, room: &RoomSlug) -> Vec<Arc<RoomEvent>> {
    let page = log.read(room, Seq::ZERO, Limit::events(1_000_000)).await;
    let page = page.expect("the log can be read");
    assert!(!page.more, "the whole log was read");
    let seqs: Vec<_> = page.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(
        seqs,
        (1..=page.head.seq.get()).collect::<Vec<_>>(),
        "no holes, no doubles"
    );
    for event in &page.events {
        assert_eq!((&event.room, &event.epoch), (room, &page.head.epoch));
    }
    page.events
}

/// This person, from nowhere in particular and without a connection.
pub fn caller(person: &Person) -> Caller<'_> {
    Caller {
        person: Some(person),
        ..Caller::NOBODY
    }
}
