//! What deeds make of messages: the same in storage and in the browser.

use std::sync::Arc;

use chat::ports::{NewDeed, RoomLog};
use chat::{Entry, Limit, Misfit, StoreError};
use futures::future::join_all;
use protocol::limits::{REACTION_EMOJI, REACTIONS};
use protocol::{Message, MessagePage, Person, RoomSlug, Seq, Timestamp};

use crate::Backend;
use crate::random::Random;
use crate::sample::{
    append, deeds, delete, edit, message, messages, new_room, person, react, seq, set_title, whole_log,
};

/// Stores deeds and returns the `seq` of each receipt.
pub(super) async fn store(
    log: &Arc<dyn RoomLog>,
    room: &RoomSlug,
    by: &Person,
    deeds: Vec<NewDeed>,
) -> Vec<u64> {
    let receipts = log.append(room, by, deeds, Timestamp(1)).await;
    let receipts = receipts.expect("the deeds are stored");
    receipts.iter().map(|receipt| receipt.seq.get()).collect()
}

async fn all(backend: &Backend, room: &RoomSlug) -> MessagePage {
    let page = backend.log.messages(room, None, Limit::of(1_000_000)).await;
    page.expect("the messages can be read")
}

/// The messages that the events of the log make.
async fn folded(backend: &Backend, room: &RoomSlug) -> Vec<Message> {
    fold(&whole_log(&backend.log, room).await)
}

/// The messages that events make.
fn fold<'a>(entries: impl IntoIterator<Item = &'a Arc<Entry>>) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for entry in entries {
        messages.extend(Message::posted(&entry.event));
        for message in &mut messages {
            message.apply(&entry.event);
        }
    }
    messages
}

/// Each kind of deed does what it says, and an old page shows it too.
pub async fn a_message_is_what_the_log_says_now(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada, bob) = (&backend.log, person("Ada"), person("Bob"));
    append(log, &room, &ada, messages("m", 3)).await;
    let at = |at: u64, by: &Person, deed: NewDeed| {
        let (log, room, by) = (Arc::clone(log), room.clone(), by.clone());
        async move {
            log.append(&room, &by, vec![deed], Timestamp(at))
                .await
                .expect("it fits")
        }
    };
    at(20, &ada, edit("e", 1, "'new' \"text\"\n🧵")).await;
    at(21, &bob, react("r1", 1, "👍", true)).await;
    at(22, &ada, react("r2", 1, "👍", true)).await;
    at(23, &ada, react("r3", 2, "🎉", true)).await;
    at(24, &bob, react("r4", 1, "👍", false)).await;
    at(25, &ada, delete("d", 2)).await;
    let page = log.messages(&room, Some(seq(3)), Limit::of(2)).await;
    let page = page.expect("the messages can be read");
    let [one, two] = &page.messages[..] else {
        panic!("two messages, but: {page:?}");
    };
    assert_eq!(
        (one.text.as_str(), one.edited_at),
        ("'new' \"text\"\n🧵", Some(Timestamp(20)))
    );
    assert_eq!((one.rev.get(), one.at, &one.by), (8, Timestamp(1), &ada.id));
    let [reaction] = &one.reactions[..] else {
        panic!("one emoji, but: {one:?}");
    };
    assert_eq!(
        (reaction.emoji.as_str(), &reaction.by[..]),
        ("👍", &[ada.id.clone()][..])
    );
    assert!(two.deleted && two.text.as_str().is_empty() && two.reactions.is_empty());
    assert_eq!(page.head.get(), 9);
    assert_eq!(all(backend, &room).await.messages, folded(backend, &room).await);
}

/// A message refuses further reactions, and takes them again when there is room.
pub async fn reactions_fill_a_message(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    append(log, &room, &ada, messages("m", 1)).await;
    let emoji: Vec<String> = ('🐀'..='🐾').take(REACTION_EMOJI + 1).map(String::from).collect();
    let all_emoji = emoji.iter().take(REACTION_EMOJI).enumerate();
    let reacted = all_emoji.map(|(n, emoji)| react(&format!("r-{n}"), 1, emoji, true));
    store(log, &room, &ada, reacted.collect()).await;
    let full = async |who: &Person, id: &str, emoji: &str| {
        let call = vec![react(id, 1, emoji, true)];
        match log.append(&room, who, call, Timestamp(1)).await {
            Err(StoreError::Unfit(why)) => assert_eq!(why, Misfit::Full),
            other => panic!("the message is full, but: {other:?}"),
        }
    };
    full(&ada, "x", &emoji[REACTION_EMOJI]).await;
    for n in REACTION_EMOJI..REACTIONS {
        let who = person(&format!("P{n}"));
        store(log, &room, &who, vec![react("r", 1, &emoji[0], true)]).await;
    }
    full(&person("Late"), "x", &emoji[0]).await;
    store(log, &room, &ada, vec![react("off", 1, &emoji[1], false)]).await;
    store(
        log,
        &room,
        &ada,
        vec![react("on", 1, &emoji[REACTION_EMOJI], true)],
    )
    .await;
    let page = all(backend, &room).await;
    assert_eq!(page.messages, folded(backend, &room).await);
    assert_eq!(page.people.len(), protocol::limits::PAGE_PEOPLE);
}

/// The texts of a deleted message are nowhere any more. Its events keep their places, and a client that had read some of
/// them before makes the same messages of the rest.
pub async fn a_deleted_text_is_gone(backend: &Backend) {
    let (room, other) = (new_room(backend, "room").await, new_room(backend, "other").await);
    let (log, ada, bob) = (&backend.log, person("Ada"), person("Bob"));
    append(log, &other, &ada, vec![message("m-1", "another secret")]).await;
    store(log, &other, &ada, vec![edit("e-1", 1, "another secret now")]).await;
    let two = vec![message("m-1", "secret 1"), message("m-2", "stays")];
    append(log, &room, &ada, two).await;
    let mut reply = message("m-3", "secret 2");
    reply.reply_to = Some(seq(1));
    append(log, &room, &ada, vec![reply]).await;
    let edits = vec![
        edit("e-1", 1, "secret 3"),
        edit("e-2", 2, "stays too"),
        edit("e-3", 3, "secret 4"),
    ];
    store(log, &room, &ada, edits).await;
    store(log, &room, &bob, vec![react("r-1", 1, "👍", true)]).await;
    let before = whole_log(log, &room).await;
    store(log, &room, &ada, vec![delete("d-1", 1)]).await;
    let mut at_once = vec![delete("d-2", 3)];
    at_once.extend(deeds(vec![message("m-4", "secret 5")]));
    at_once.extend([edit("e-4", 10, "secret 6"), delete("d-3", 10)]);
    assert_eq!(store(log, &room, &ada, at_once).await, [9, 10, 11, 12]);

    let after = whole_log(log, &room).await;
    assert!(!format!("{after:?}").contains("secret"), "{after:?}");
    for (was, is) in before.iter().zip(&after) {
        let mut expected = Entry::clone(was);
        if was.event.worded(seq(1)) || was.event.worded(seq(3)) {
            expected.event.deed = expected.event.deed.without_text();
        }
        assert_eq!(**is, expected);
    }
    let messages = all(backend, &room).await.messages;
    for cut in 0..=before.len() {
        assert_eq!(fold(before[..cut].iter().chain(&after[cut..])), messages, "{cut}");
    }
    let again = vec![message("m-1", "secret 1"), message("m-4", "secret 5")];
    assert_eq!(append(log, &room, &ada, again).await, [1, 10]);
    assert_eq!(
        store(log, &room, &ada, vec![edit("e-3", 3, "secret 4")]).await,
        [6]
    );
    assert_eq!(whole_log(log, &room).await, after);
    let others = format!("{:?}", whole_log(log, &other).await);
    assert!(others.contains("another secret") && others.contains("another secret now"));
}

/// The room has the new title at once; the log has both.
pub async fn a_title_changes_the_room(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    let two = vec![set_title("t-1", "One"), set_title("t-2", "It's \"two\"")];
    assert_eq!(store(log, &room, &ada, two).await, [1, 2]);
    assert_eq!(store(log, &room, &ada, vec![set_title("t-1", "One")]).await, [1]);
    let found = backend
        .directory
        .room(&room)
        .await
        .expect("the directory can be read");
    let found = found.expect("the room exists");
    assert_eq!(found.title.as_str(), "It's \"two\"");
    assert_eq!(found.last_at, Some(Timestamp(1)));
    assert!(all(backend, &room).await.messages.is_empty());
}

/// 10,000 random sequences of deeds, in one room after the other: what storage has folded is what the events make, also
/// for a client that has read half of them before. Deeds that do not fit are refused and change nothing.
pub async fn random_deeds_fold_as_in_the_browser(backend: &Backend) {
    const SEQUENCES: u64 = 10_000;
    const ROOMS: u64 = 20;
    let people = ["Ada", "Bob", "Cleo"].map(person);
    for n in 0..ROOMS {
        let room = new_room(backend, &format!("room-{n}")).await;
        let each = SEQUENCES / ROOMS;
        let sequence = |sequence: u64| {
            let (log, room, people) = (Arc::clone(&backend.log), room.clone(), people.clone());
            async move {
                let mut random = Random::new(n * each + sequence);
                for step in 0..random.below(5) + 1 {
                    let by = &people[random.below(3) as usize];
                    let deeds = random_deeds(&mut random, sequence * 10 + step);
                    match log.append(&room, by, deeds, Timestamp(sequence)).await {
                        Ok(_) | Err(StoreError::Unfit(_) | StoreError::RoomExists(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        };
        // At the same time, so that commits are shared.
        join_all((0..each / 2).map(sequence)).await;
        let early = whole_log(&backend.log, &room).await;
        join_all((each / 2..each).map(sequence)).await;
        let late = whole_log(&backend.log, &room).await;
        let page = all(backend, &room).await;
        assert_eq!(page.messages, fold(&late), "room {n}");
        let both = fold(early.iter().chain(&late[early.len()..]));
        assert_eq!(page.messages, both, "room {n}, read in two parts");
        assert_eq!(page.covers.last, page.head);
        assert!(!page.more && page.covers.first == Seq::ZERO.next());
    }
}

/// A few deeds about messages that may or may not exist.
fn random_deeds(random: &mut Random, number: u64) -> Vec<NewDeed> {
    let deed = |random: &mut Random, at: u64| {
        let (id, about) = (format!("{number}-{at}"), random.below(12) * random.below(40) + 1);
        let emoji = ["👍", "🎉", "❤️"][random.below(3) as usize];
        match random.below(8) {
            0..=2 => deeds(vec![message(&id, &format!("text {number}"))]).remove(0),
            3 => edit(&id, about, &format!("edit {number}")),
            4 if random.below(4) == 0 => delete(&id, about),
            5 => set_title(&id, &format!("Title {number}")),
            _ => react(&id, about, emoji, random.below(3) > 0),
        }
    };
    let most = if random.below(10) == 0 { 4 } else { 1 };
    (0..=random.below(most)).map(|at| deed(random, at)).collect()
}
