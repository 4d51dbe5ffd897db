//! People, rooms and messages to test with.

use std::sync::Arc;

use chat::ports::{Guard, NewDeed, RoomLog};
use chat::{Caller, Entry, Limit, Opened, Room, SessionDigest};
use protocol::{
    ClientId, Covers, Deed, DisplayName, Emoji, Epoch, LogEvent, MessagePage, MessageText, Outgoing, Person,
    PersonId, Position, RoomSlug, RoomTitle, Seq, SessionToken, Timestamp,
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

/// A room without messages, read at this position of its log.
pub fn empty_room(address: &RoomSlug, head: Position) -> Opened {
    let covers = Covers {
        epoch: head.epoch,
        first: seq(1),
        last: head.seq,
    };
    Opened {
        room: room(1, address.as_str(), "Room"),
        page: MessagePage {
            covers,
            head: head.seq,
            messages: vec![],
            people: vec![],
            more: false,
        },
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

/// A client id.
pub fn client_id(id: &str) -> ClientId {
    valid(ClientId::try_from(id.to_owned()))
}

/// A message to send.
pub fn message(id: &str, text: &str) -> Outgoing {
    Outgoing {
        client_id: client_id(id),
        text: valid(MessageText::try_from(text.to_owned())),
        reply_to: None,
        epoch: None,
    }
}

/// `count` different messages. Their ids and texts begin with `prefix`.
pub fn messages(prefix: &str, count: usize) -> Vec<Outgoing> {
    (1..=count)
        .map(|n| message(&format!("{prefix}-{n}"), &format!("{prefix} says {n}")))
        .collect()
}

/// A message as a deed.
pub fn posted(message: Outgoing) -> Deed {
    Deed::Posted {
        client_id: message.client_id,
        text: message.text,
        reply_to: message.reply_to,
    }
}

/// Messages as deeds to store.
pub fn deeds(messages: Vec<Outgoing>) -> Vec<NewDeed> {
    let deed = |message| NewDeed {
        deed: posted(message),
        guard: None,
        epoch: None,
    };
    messages.into_iter().map(deed).collect()
}

/// A new text for one's own message.
pub fn edit(id: &str, of: u64, text: &str) -> NewDeed {
    NewDeed {
        deed: Deed::Edited {
            client_id: client_id(id),
            of: seq(of),
            text: message(id, text).text,
        },
        guard: Some(Guard::Mine(seq(of))),
        epoch: None,
    }
}

/// The end of one's own message.
pub fn delete(id: &str, of: u64) -> NewDeed {
    NewDeed {
        deed: Deed::Deleted {
            client_id: client_id(id),
            of: seq(of),
        },
        guard: Some(Guard::Mine(seq(of))),
        epoch: None,
    }
}

/// A reaction to a message (`on`), or the end of one.
pub fn react(id: &str, to: u64, emoji: &str, on: bool) -> NewDeed {
    NewDeed {
        deed: Deed::Reacted {
            client_id: client_id(id),
            to: seq(to),
            emoji: valid(Emoji::try_from(emoji.to_owned())),
            on,
        },
        guard: Some(Guard::Stands(seq(to))),
        epoch: None,
    }
}

/// A new title for the room.
pub fn set_title(id: &str, title: &str) -> NewDeed {
    NewDeed {
        deed: Deed::Titled {
            client_id: client_id(id),
            title: valid(RoomTitle::try_from(title.to_owned())),
        },
        guard: None,
        epoch: None,
    }
}

/// The lobby's event with this `seq`: a message of Ada's.
pub fn entry(n: u64) -> Entry {
    let by = person("Ada");
    let event = LogEvent {
        room: RoomSlug::lobby(),
        epoch: Epoch::from_random(1),
        seq: seq(n),
        at: Timestamp(n),
        by: by.id.clone(),
        deed: posted(message(&format!("m-{n}"), &format!("m says {n}"))),
    };
    Entry { event, by }
}

/// The text that an event posts.
pub fn text(entry: &Entry) -> &str {
    match &entry.event.deed {
        Deed::Posted { text, .. } => text.as_str(),
        _ => "",
    }
}

/// A new, empty room in a backend.
pub async fn new_room(backend: &Backend, address: &str) -> RoomSlug {
    let room = room(1, address, address);
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
    let receipts = log.append(room, author, deeds(messages), Timestamp(1)).await;
    let receipts = receipts.expect("the messages are stored");
    receipts.iter().map(|receipt| receipt.seq.get()).collect()
}

/// Reads the whole log. Fails the test at a hole, a double, or an event of another epoch or room.
pub async fn whole_log(log: &Arc<dyn RoomLog>, room: &RoomSlug) -> Vec<Arc<Entry>> {
    let stretch = log.read(room, Seq::ZERO, Limit::of(1_000_000)).await;
    let stretch = stretch.expect("the log can be read");
    assert!(!stretch.more, "the whole log was read");
    let seqs: Vec<_> = stretch
        .entries
        .iter()
        .map(|entry| entry.event.seq.get())
        .collect();
    assert_eq!(
        seqs,
        (1..=stretch.head.seq.get()).collect::<Vec<_>>(),
        "no holes, no doubles"
    );
    for Entry { event, by } in stretch.entries.iter().map(|entry| &**entry) {
        assert_eq!((&event.room, &event.epoch), (room, &stretch.head.epoch));
        assert_eq!(event.by, by.id);
    }
    stretch.entries
}

/// A caller with this person, no address and no connection.
pub fn caller(person: &Person) -> Caller<'_> {
    Caller {
        person: Some(person),
        ..Caller::NOBODY
    }
}
