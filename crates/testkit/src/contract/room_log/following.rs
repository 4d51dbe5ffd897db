//! What followers of a log hear.

use std::sync::Arc;

use chat::Entry;
use chat::ports::{RoomLog, Signal};
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::{RoomSlug, Seq};

use super::{follow, next, read, write_at_once};
use crate::Backend;
use crate::sample::{append, messages, new_room, person, seq, text, whole_log};

/// Each room has its own order, and followers hear of their own room only.
pub async fn rooms_are_independent(backend: &Backend) {
    let (one, two) = (new_room(backend, "one").await, new_room(backend, "two").await);
    let (log, ada) = (&backend.log, person("Ada"));
    let mut signals = follow(log, &two).await;
    assert_eq!(append(log, &one, &ada, messages("x", 3)).await, [1, 2, 3]);
    assert_eq!(append(log, &two, &ada, messages("y", 1)).await, [1]);
    assert_eq!(append(log, &one, &ada, messages("z", 1)).await, [4]);
    let entry = next(&mut signals).await;
    assert_eq!((&entry.event.room, text(&entry)), (&two, "y says 1"));
    assert_eq!(whole_log(log, &one).await.len(), 4);
    assert_eq!(whole_log(log, &two).await.len(), 1);
}

/// Appending does not change the epoch.
pub async fn an_epoch_stays(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let epoch = async || backend.log.head(&room).await.expect("there is a head").epoch;
    let first = epoch().await;
    write_at_once(&backend.log, &room, 5, 5).await;
    assert_eq!(epoch().await, first);
}

/// A follower that starts while eight tasks write hears every event after a head read later, in order, each once.
pub async fn followers_hear_what_comes_after(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, there) = (Arc::clone(&backend.log), room.clone());
    let mut before = follow(&log, &room).await;
    let writing = tokio::spawn(async move { write_at_once(&log, &there, 8, 40).await });
    for expected in 1..=10 {
        assert_eq!(next(&mut before).await.event.seq, seq(expected));
    }
    let mut signals = follow(&backend.log, &room).await;
    let head = backend.log.head(&room).await.expect("there is a head").seq;
    writing.await.expect("no panic in the writers");
    // On a busy machine the writers may have finished before this follower started.
    append(&backend.log, &room, &person("Last"), messages("last", 1)).await;
    let first = next(&mut signals).await;
    assert!(first.event.seq <= head.next(), "{} is missing", head.next());
    let mut heard = vec![first];
    while heard.last().is_some_and(|entry| entry.event.seq < seq(321)) {
        heard.push(next(&mut signals).await);
    }
    let stored = whole_log(&backend.log, &room).await;
    let from = stored.len() - heard.len();
    assert_eq!(heard, stored[from..], "as the log has them");
}

/// This holds for any number of followers.
pub async fn followers_hear_the_same_in_the_same_order(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (one, two) = (
        follow(&backend.log, &room).await,
        follow(&backend.log, &room).await,
    );
    write_at_once(&backend.log, &room, 8, 25).await;
    let stored = whole_log(&backend.log, &room).await;
    for mut signals in [one, two] {
        for event in &stored {
            assert_eq!(&next(&mut signals).await, event);
        }
    }
}

/// A message sent again stores nothing, so followers hear nothing.
pub async fn followers_hear_nothing_twice(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    let mut signals = follow(log, &room).await;
    for _ in 0..3 {
        append(log, &room, &ada, messages("m", 2)).await;
    }
    append(log, &room, &ada, messages("last", 1)).await;
    for expected in ["m says 1", "m says 2", "last says 1"] {
        let event = next(&mut signals).await;
        assert_eq!(text(&event), expected);
    }
}

/// No hole comes without [`Signal::Gap`], and the log has what was missed.
pub async fn a_slow_follower_can_read_what_it_missed(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    let mut signals = follow(log, &room).await;
    for batch in 0..40 {
        append(log, &room, &ada, messages(&format!("b{batch}"), 100)).await;
    }
    let mut heard = Vec::new();
    hear_up_to(4_000, &mut heard, &mut signals, log, &room).await;
    append(log, &room, &ada, messages("late", 1)).await;
    hear_up_to(4_001, &mut heard, &mut signals, log, &room).await;
    assert_eq!(heard, whole_log(log, &room).await);
}

/// Does what a follower should: skips events it has, and reads those it missed.
async fn hear_up_to(
    end: u64,
    heard: &mut Vec<Arc<Entry>>,
    signals: &mut BoxStream<'static, Signal>,
    log: &Arc<dyn RoomLog>,
    room: &RoomSlug,
) {
    loop {
        let last = heard.last().map_or(Seq::ZERO, |entry| entry.event.seq);
        if last == seq(end) {
            return;
        }
        match signals.next().await {
            Some(Signal::Event(entry)) if entry.event.seq <= last => {}
            Some(Signal::Event(entry)) => {
                assert_eq!(entry.event.seq, last.next(), "a hole without a signal");
                heard.push(entry);
            }
            Some(Signal::Gap) => heard.extend(read(log, room, last, 10_000).await.entries),
            other => panic!("an event or a gap, but: {other:?}"),
        }
    }
}
