//! Tests of what later events make of a message.

use super::*;
use crate::ids::{Epoch, RoomSlug};

fn seq(n: u64) -> Seq {
    Seq::try_from(n).unwrap()
}

fn id(id: &str) -> PersonId {
    PersonId::try_from(id.to_owned()).unwrap()
}

fn emoji(text: &str) -> Emoji {
    Emoji::try_from(text.to_owned()).unwrap()
}

/// An event of Ada's.
fn event(n: u64, deed: Deed) -> LogEvent {
    LogEvent {
        room: RoomSlug::lobby(),
        epoch: Epoch::from_random(1),
        seq: seq(n),
        at: Timestamp(n * 10),
        by: id("ada"),
        deed,
    }
}

fn client_id() -> ClientId {
    ClientId::try_from("c".to_owned()).unwrap()
}

fn text(text: &str) -> MessageText {
    MessageText::try_from(text.to_owned()).unwrap()
}

fn edited(n: u64, of: u64, to: &str) -> LogEvent {
    event(
        n,
        Deed::Edited {
            client_id: client_id(),
            of: seq(of),
            text: text(to),
        },
    )
}

fn deleted(n: u64, of: u64) -> LogEvent {
    event(
        n,
        Deed::Deleted {
            client_id: client_id(),
            of: seq(of),
        },
    )
}

fn reacted(n: u64, by: &str, with: &str, on: bool) -> LogEvent {
    LogEvent {
        by: id(by),
        ..event(
            n,
            Deed::Reacted {
                client_id: client_id(),
                to: seq(3),
                emoji: emoji(with),
                on,
            },
        )
    }
}

/// Message 3.
fn message() -> Message {
    let posted = Deed::Posted {
        client_id: client_id(),
        text: text("hello"),
        reply_to: Some(seq(2)),
    };
    Message::posted(&event(3, posted)).unwrap()
}

fn reactions(message: &Message) -> Vec<(&str, Vec<&str>)> {
    let reactions = message.reactions.iter();
    reactions
        .map(|one| (one.emoji.as_str(), one.by.iter().map(PersonId::as_str).collect()))
        .collect()
}

#[test]
fn an_event_folds_in_once_and_never_over_a_newer_one() {
    let mut message = message();
    assert!(message.apply(&edited(9, 3, "newer")));
    assert!(!message.apply(&edited(9, 3, "again")));
    assert!(!message.apply(&edited(5, 3, "older")));
    assert!(!message.apply(&edited(12, 4, "another message")));
    assert_eq!((message.text.as_str(), message.rev), ("newer", seq(9)));
    assert_eq!(message.edited_at, Some(Timestamp(90)));
    assert_eq!((message.at, message.reply_to), (Timestamp(30), Some(seq(2))));
}

#[test]
fn a_deleted_message_keeps_its_place_and_nothing_else() {
    let mut message = message();
    message.apply(&reacted(4, "bob", "👍", true));
    assert!(message.apply(&deleted(5, 3)));
    let gone = message.clone();
    assert!(gone.deleted && gone.text.as_str().is_empty() && gone.reactions.is_empty());
    assert_eq!((gone.seq, gone.at, &gone.by), (seq(3), Timestamp(30), &id("ada")));
    for (n, late) in [
        (6, edited(6, 3, "back")),
        (7, reacted(7, "bob", "👍", true)),
        (8, deleted(8, 3)),
    ] {
        assert!(message.apply(&late));
        let rev = seq(n);
        assert_eq!(message, Message { rev, ..gone.clone() });
    }
}

#[test]
fn a_person_uses_each_emoji_once() {
    let mut message = message();
    for (n, by, with, on) in [
        (4, "bob", "👍", true),
        (5, "cleo", "🎉", true),
        (6, "ada", "👍", true),
        (7, "bob", "👍", true),
        (8, "dan", "🎉", false),
    ] {
        message.apply(&reacted(n, by, with, on));
    }
    assert_eq!(
        reactions(&message),
        [("👍", vec!["bob", "ada"]), ("🎉", vec!["cleo"])]
    );
    message.apply(&reacted(9, "bob", "👍", false));
    message.apply(&reacted(10, "cleo", "🎉", false));
    assert_eq!(reactions(&message), [("👍", vec!["ada"])]);
}

#[test]
fn reactions_are_bounded() {
    let mut message = message();
    let pictures: Vec<String> = ('🐀'..='🐾').map(String::from).collect();
    let mut n = 3;
    let mut react = |message: &mut Message, by: &str, with: &str| {
        n += 1;
        let fits = message.takes(&emoji(with), &id(by));
        message.apply(&reacted(n, by, with, true));
        fits
    };
    for (at, picture) in pictures.iter().enumerate() {
        assert_eq!(react(&mut message, "bob", picture), at < REACTION_EMOJI);
    }
    assert_eq!(message.reactions.len(), REACTION_EMOJI);
    for person in 0..REACTIONS {
        let fits = react(&mut message, &format!("p{person}"), &pictures[0]);
        assert_eq!(fits, person + REACTION_EMOJI < REACTIONS);
    }
    let total: usize = message.reactions.iter().map(|one| one.by.len()).sum();
    assert_eq!(total, REACTIONS);
    assert!(
        react(&mut message, "p0", &pictures[0]),
        "they have reacted already"
    );
    assert!(!react(&mut message, "p0", &pictures[1]));
    assert!(message.bytes() < 64 * 1024);
}

#[test]
fn a_message_is_a_flat_object_without_what_it_does_not_have() {
    let mut message = message();
    let json = r#"{"seq":3,"rev":3,"at":30,"by":"ada","client_id":"c","text":"hello","reply_to":2}"#;
    assert_eq!(serde_json::to_string(&message).unwrap(), json);
    message.apply(&edited(4, 3, "hi"));
    message.apply(&reacted(5, "bob", "👍", true));
    let json = serde_json::to_string(&message).unwrap();
    assert!(json.ends_with(r#""edited_at":40,"reactions":[{"emoji":"👍","by":["bob"]}]}"#));
    let more = json.replacen('{', r#"{"pinned":{"by":["cleo"]},"#, 1);
    assert_eq!(serde_json::from_str::<Message>(&more).unwrap(), message);
    message.apply(&deleted(6, 3));
    let json = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
}

#[test]
fn the_size_of_a_message_is_never_underestimated() {
    let mut message = message();
    for n in 4..30 {
        message.apply(&edited(2 * n, 3, &"\"\\\n𝔛".repeat(n as usize)));
        message.apply(&reacted(2 * n + 1, "bob", "👍", true));
        let size = serde_json::to_string(&message).unwrap().len();
        assert!(
            (size..size + 160).contains(&message.bytes()),
            "{size} {}",
            message.bytes()
        );
    }
}
