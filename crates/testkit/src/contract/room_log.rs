//! What [`chat::ports::RoomLog`] promises.

use std::collections::HashMap;
use std::sync::Arc;

use chat::ports::{RoomLog, Signal};
use chat::{Limit, Page, StoreError};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use protocol::{EventBody, Person, RoomEvent, RoomSlug, Seq, Timestamp};

use crate::Backend;
use crate::sample::{
    append, message, messages, new_room, person, person_with_id, seq, slug, text, whole_log,
};

/// Holds the room log of a fixture's backends to its contract.
#[macro_export]
macro_rules! room_log_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { room_log, $fixture,
            messages_are_stored_in_their_order
            what_was_typed_comes_back
            an_append_is_visible_when_it_returns
            a_client_id_counts_once_in_one_call
            a_client_id_counts_once_in_later_calls
            a_client_id_counts_once_in_overlapping_calls
            a_client_id_belongs_to_its_author_and_room
            an_append_that_nobody_waits_for_can_be_repeated
            a_batch_is_stored_whole
            fifty_authors_at_once_leave_no_hole
            reading_on_has_exact_edges
            paging_back_has_exact_edges
            a_stretch_ends_at_a_size_in_both_directions
            an_empty_log_can_be_read
            an_unknown_room_is_refused
            rooms_are_independent
            an_epoch_stays
            followers_hear_what_comes_after
            followers_hear_the_same_in_the_same_order
            followers_hear_nothing_twice
            a_slow_follower_can_read_what_it_missed
        }
    };
}

fn seqs(events: &[Arc<RoomEvent>]) -> Vec<u64> {
    events.iter().map(|event| event.seq.get()).collect()
}

async fn follow(log: &Arc<dyn RoomLog>, room: &RoomSlug) -> BoxStream<'static, Signal> {
    log.follow(room).await.expect("the room can be followed")
}

async fn read(log: &Arc<dyn RoomLog>, room: &RoomSlug, after: Seq, limit: u32) -> Page {
    log.read(room, after, Limit::events(limit))
        .await
        .expect("the log can be read")
}

/// The next event of a follower that is quick enough.
async fn next(signals: &mut BoxStream<'static, Signal>) -> Arc<RoomEvent> {
    match signals.next().await {
        Some(Signal::Event(event)) => event,
        other => panic!("an event, but: {other:?}"),
    }
}

/// `writers` tasks that append `each` messages one after the other, all at the same time.
async fn write_at_once(log: &Arc<dyn RoomLog>, room: &RoomSlug, writers: usize, each: usize) {
    let tasks = (0..writers).map(|n| {
        let (log, room) = (Arc::clone(log), room.clone());
        tokio::spawn(async move {
            let author = person(&format!("Author-{n}"));
            for message in messages("m", each) {
                append(&log, &room, &author, vec![message]).await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("the writer goes on");
    }
}

/// Within a call and from call to call; receipts and events say the same.
pub async fn messages_are_stored_in_their_order(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (ada, bob) = (person("Ada"), person("Bob"));
    let log = &backend.log;
    let receipts = log.append(&room, &ada, messages("a", 3), Timestamp(11)).await;
    let receipts = receipts.expect("the messages are stored");
    assert_eq!(append(log, &room, &bob, messages("b", 2)).await, [4, 5]);
    assert_eq!(append(log, &room, &ada, messages("c", 1)).await, [6]);

    let events = whole_log(log, &room).await;
    let said: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(
        said,
        [
            "a says 1", "a says 2", "a says 3", "b says 1", "b says 2", "c says 1"
        ]
    );
    assert_eq!(receipts.len(), 3);
    for ((receipt, event), sent) in receipts.iter().zip(&events).zip(messages("a", 3)) {
        assert_eq!(receipt.client_id, sent.client_id);
        assert_eq!((&receipt.epoch, receipt.seq), (&event.epoch, event.seq));
        assert_eq!((event.at, &event.author), (Timestamp(11), &ada));
        let body = EventBody::Posted {
            client_id: sent.client_id,
            text: sent.text,
        };
        assert_eq!(event.body, body);
    }
}

/// Any text, from the log and from the stream.
pub async fn what_was_typed_comes_back(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let mut signals = follow(&backend.log, &room).await;
    let texts = [
        "  two\n\tlines  ".to_owned(),
        "'; DROP TABLE events; -- \"\\ \\u0000 %s {} 🧵".to_owned(),
        "👩‍👩‍👧‍👦".repeat(1_142),
        "𝔛".repeat(8_000),
    ];
    let sent = texts.iter().enumerate();
    let sent = sent.map(|(n, text)| message(&format!("m-{n}"), text)).collect();
    let author = person_with_id("ada", "Ada \"'\\ 🦉");
    append(&backend.log, &room, &author, sent).await;
    let events = whole_log(&backend.log, &room).await;
    for (event, typed) in events.iter().zip(&texts) {
        assert_eq!((text(event), &event.author), (typed.as_str(), &author));
        assert_eq!(&next(&mut signals).await, event);
    }
}

/// In `head`, in `read` and in `page`.
pub async fn an_append_is_visible_when_it_returns(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    for (n, message) in (1..).zip(messages("m", 50)) {
        append(log, &room, &ada, vec![message]).await;
        assert_eq!(log.head(&room).await.expect("there is a head").seq, seq(n));
        let read = read(log, &room, seq(n - 1), 10).await;
        assert_eq!((seqs(&read.events), read.head.seq), (vec![n], seq(n)));
        let page = log
            .page(&room, None, Limit::events(1))
            .await
            .expect("there is a page");
        assert_eq!(seqs(&page.events), [n]);
    }
}

/// The first text stays; what is new beside it takes the places without a hole.
pub async fn a_client_id_counts_once_in_one_call(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let sent = vec![
        message("a", "first"),
        message("a", "another text"),
        message("b", "second"),
        message("a", "first"),
        message("c", "third"),
    ];
    assert_eq!(
        append(&backend.log, &room, &person("Ada"), sent).await,
        [1, 1, 2, 1, 3]
    );
    let events = whole_log(&backend.log, &room).await;
    let said: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(said, ["first", "second", "third"]);
}

/// The receipts are those of the first time, whatever is new beside them.
pub async fn a_client_id_counts_once_in_later_calls(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    let first = log.append(&room, &ada, messages("m", 2), Timestamp(1)).await;
    let first = first.expect("the messages are stored");
    append(log, &room, &person("Bob"), messages("b", 1)).await;
    for at in [1, 99] {
        let again = log.append(&room, &ada, messages("m", 2), Timestamp(at)).await;
        assert_eq!(again.expect("the receipts come again"), first);
    }
    let mixed = vec![
        message("new-1", "new"),
        message("m-2", "changed"),
        message("new-2", "new"),
    ];
    assert_eq!(append(log, &room, &ada, mixed).await, [4, 2, 5]);
    let renamed = Person {
        name: person("Lovelace").name,
        ..ada
    };
    assert_eq!(append(log, &room, &renamed, messages("m", 1)).await, [1]);
    let events = whole_log(log, &room).await;
    let said: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(said, ["m says 1", "m says 2", "b says 1", "new", "new"]);
    assert_eq!(events[1].at, Timestamp(1));
}

/// All get the same receipt.
pub async fn a_client_id_counts_once_in_overlapping_calls(backend: &Backend) {
    let room = new_room(backend, "room").await;
    for round in 1..=10 {
        let tasks = (0..20).map(|n| {
            let (log, room) = (Arc::clone(&backend.log), room.clone());
            let sent = vec![message(&format!("round-{round}"), &format!("try {n}"))];
            tokio::spawn(async move { append(&log, &room, &person("Ada"), sent).await })
        });
        for receipt in join_all(tasks).await {
            assert_eq!(receipt.expect("no panic"), [round]);
        }
    }
    assert_eq!(whole_log(&backend.log, &room).await.len(), 10);
}

/// Nobody can take another's id, and an id counts per room.
pub async fn a_client_id_belongs_to_its_author_and_room(backend: &Backend) {
    let (one, two) = (new_room(backend, "one").await, new_room(backend, "two").await);
    for (room, author, expected) in [
        (&one, "Ada", 1),
        (&one, "Bob", 2),
        (&two, "Ada", 1),
        (&one, "Ada", 1),
    ] {
        let receipts = append(&backend.log, room, &person(author), messages("m", 1)).await;
        assert_eq!(receipts, [expected], "{author} in {room}");
    }
}

/// The caller went away at any moment: afterwards the message is there once.
pub async fn an_append_that_nobody_waits_for_can_be_repeated(backend: &Backend) {
    let room = new_room(backend, "room").await;
    for n in 1..=100 {
        let sent = vec![message(&format!("m-{n}"), "hello")];
        let (log, there, again) = (Arc::clone(&backend.log), room.clone(), sent.clone());
        let task = tokio::spawn(async move { append(&log, &there, &person("Ada"), sent).await });
        if n % 2 == 0 {
            tokio::task::yield_now().await;
        }
        task.abort();
        // Aborted or done: both are fine.
        let _ = task.await;
        assert_eq!(append(&backend.log, &room, &person("Ada"), again).await, [n]);
    }
    assert_eq!(whole_log(&backend.log, &room).await.len(), 100);
}

/// Nobody sees a part of it, and nothing comes between its messages.
pub async fn a_batch_is_stored_whole(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let writers = (0..8).map(|n| {
        let (log, room) = (Arc::clone(&backend.log), room.clone());
        tokio::spawn(async move {
            let author = person(&format!("Author-{n}"));
            for batch in 0..10 {
                let stored = append(&log, &room, &author, messages(&format!("b{batch}"), 10)).await;
                let expected: Vec<_> = (stored[0]..stored[0] + 10).collect();
                assert_eq!(stored, expected);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    loop {
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = read(&backend.log, &room, Seq::ZERO, 10_000).await;
        assert_eq!(page.head.seq.get() % 10, 0, "a part of a batch");
        assert_eq!(page.events.len() as u64, page.head.seq.get());
        if done {
            break;
        }
    }
    for writer in writers {
        writer.await.expect("the writer goes on");
    }
    assert_eq!(whole_log(&backend.log, &room).await.len(), 800);
}

/// Each author's messages are in the order in which they were sent.
pub async fn fifty_authors_at_once_leave_no_hole(backend: &Backend) {
    let room = new_room(backend, "room").await;
    write_at_once(&backend.log, &room, 50, 10).await;
    let events = whole_log(&backend.log, &room).await;
    assert_eq!(events.len(), 500);
    let mut by_author = HashMap::<_, Vec<_>>::new();
    for event in &events {
        by_author.entry(&event.author.id).or_default().push(text(event));
    }
    assert_eq!(by_author.len(), 50);
    let sent = messages("m", 10);
    let sent: Vec<_> = sent.iter().map(|message| message.text.as_str()).collect();
    for said in by_author.values() {
        assert_eq!(*said, sent);
    }
}

/// `more` says whether newer ones exist; the page and its head are of one view.
pub async fn reading_on_has_exact_edges(backend: &Backend) {
    let room = new_room(backend, "room").await;
    append(&backend.log, &room, &person("Ada"), messages("m", 10)).await;
    for (after, limit, expected, more) in [
        (0, 10, 1..11, false),
        (0, 9, 1..10, true),
        (0, 500, 1..11, false),
        (3, 2, 4..6, true),
        (8, 2, 9..11, false),
        (9, 1, 10..11, false),
        (9, 0, 1..1, true),
        (10, 5, 1..1, false),
        (11, 5, 1..1, false),
        ((1 << 53) - 1, 5, 1..1, false),
    ] {
        let page = read(&backend.log, &room, seq(after), limit).await;
        assert_eq!(
            (seqs(&page.events), page.more),
            (expected.collect(), more),
            "{limit} after {after}"
        );
        assert_eq!(page.head.seq, seq(10));
    }
}

/// `more` says whether older ones exist; ascending also here.
pub async fn paging_back_has_exact_edges(backend: &Backend) {
    let room = new_room(backend, "room").await;
    append(&backend.log, &room, &person("Ada"), messages("m", 10)).await;
    for (before, limit, expected, more) in [
        (None, 4, 7..11, true),
        (None, 10, 1..11, false),
        (None, 50, 1..11, false),
        (None, 0, 1..1, true),
        (Some(11), 3, 8..11, true),
        (Some(10), 3, 7..10, true),
        (Some(4), 3, 1..4, false),
        (Some(5), 3, 2..5, true),
        (Some(2), 3, 1..2, false),
        (Some(1), 3, 1..1, false),
        (Some(0), 3, 1..1, false),
        (Some(100), 3, 8..11, true),
        (Some((1 << 53) - 1), 3, 8..11, true),
    ] {
        let page = backend
            .log
            .page(&room, before.map(seq), Limit::events(limit))
            .await;
        let page = page.expect("there is a page");
        assert_eq!(
            (seqs(&page.events), page.more),
            (expected.collect(), more),
            "{limit} before {before:?}"
        );
        assert_eq!(page.head.seq, seq(10));
    }
}

/// In bytes of what travels; one event comes always, `more` stays true to its meaning, and nothing is skipped.
pub async fn a_stretch_ends_at_a_size_in_both_directions(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let lengths = [10, 8_000, 8_000, 1, 8_000, 5, 5, 8_000];
    for (n, length) in lengths.into_iter().enumerate() {
        let sent = vec![message(&format!("m-{n}"), &"𝔛".repeat(length))];
        append(&backend.log, &room, &person("Ada"), sent).await;
    }
    let stored = whole_log(&backend.log, &room).await;
    let log = &backend.log;
    for bytes in [0, 1, 40_000, 70_000, 1_000_000] {
        let limit = Limit { events: 7, bytes };
        let expected = |events: &mut dyn Iterator<Item = &Arc<RoomEvent>>| {
            let (mut left, mut count) = (bytes, 0);
            for event in events.take(7) {
                let size = serde_json::to_string(&**event).expect("an event is JSON").len();
                // Not to the byte: how much an event takes is rounded up a little.
                if count > 0 && size + 100 > left {
                    break;
                }
                left = left.saturating_sub(size);
                count += 1;
            }
            count
        };
        let (mut newer, mut after) = (Vec::new(), 0);
        loop {
            let page = log.read(&room, seq(after), limit).await.expect("it can be read");
            assert_eq!(
                page.events.len(),
                expected(&mut stored[newer.len()..].iter()),
                "{bytes} bytes"
            );
            newer.extend(page.events);
            assert_eq!(page.more, newer.len() < stored.len());
            if !page.more {
                break;
            }
            after = newer.len() as u64;
        }
        assert_eq!(newer, stored, "{bytes} bytes");
        let (mut older, mut before) = (Vec::new(), None);
        loop {
            let mut page = log.page(&room, before, limit).await.expect("it can be read");
            let left = &stored[..stored.len() - older.len()];
            assert_eq!(
                page.events.len(),
                expected(&mut left.iter().rev()),
                "{bytes} bytes"
            );
            before = page.events.first().map(|first| first.seq);
            page.events.extend(older);
            older = page.events;
            assert_eq!(page.more, older.len() < stored.len());
            if !page.more {
                break;
            }
        }
        assert_eq!(older, stored, "{bytes} bytes");
    }
}

/// Empty in every direction, and nothing more.
pub async fn an_empty_log_can_be_read(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let head = backend.log.head(&room).await.expect("there is a head");
    assert_eq!(head.seq, Seq::ZERO);
    let empty = Page {
        head,
        events: vec![],
        more: false,
    };
    assert_eq!(read(&backend.log, &room, Seq::ZERO, 50).await, empty);
    for before in [None, Some(seq(1)), Some(seq(9))] {
        let page = backend.log.page(&room, before, Limit::events(50)).await;
        assert_eq!(page.expect("there is a page"), empty);
    }
}

/// By every call, with its name.
pub async fn an_unknown_room_is_refused(backend: &Backend) {
    let (log, nowhere) = (&backend.log, slug("nowhere"));
    new_room(backend, "somewhere").await;
    let refusals = [
        log.append(&nowhere, &person("Ada"), messages("m", 2), Timestamp(1))
            .await
            .err(),
        log.head(&nowhere).await.err(),
        log.read(&nowhere, Seq::ZERO, Limit::PAGE).await.err(),
        log.page(&nowhere, None, Limit::PAGE).await.err(),
        log.follow(&nowhere).await.err(),
    ];
    for refusal in refusals {
        match refusal {
            Some(StoreError::NoSuchRoom(room)) => assert_eq!(room, nowhere),
            other => panic!("no such room, but: {other:?}"),
        }
    }
}

/// Each has its own order, and followers hear of theirs only.
pub async fn rooms_are_independent(backend: &Backend) {
    let (one, two) = (new_room(backend, "one").await, new_room(backend, "two").await);
    let (log, ada) = (&backend.log, person("Ada"));
    let mut signals = follow(log, &two).await;
    assert_eq!(append(log, &one, &ada, messages("x", 3)).await, [1, 2, 3]);
    assert_eq!(append(log, &two, &ada, messages("y", 1)).await, [1]);
    assert_eq!(append(log, &one, &ada, messages("z", 1)).await, [4]);
    let event = next(&mut signals).await;
    assert_eq!((&event.room, text(&event)), (&two, "y says 1"));
    assert_eq!(whole_log(log, &one).await.len(), 4);
    assert_eq!(whole_log(log, &two).await.len(), 1);
}

/// Whatever is appended.
pub async fn an_epoch_stays(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let epoch = async || backend.log.head(&room).await.expect("there is a head").epoch;
    let first = epoch().await;
    write_at_once(&backend.log, &room, 5, 5).await;
    assert_eq!(epoch().await, first);
}

/// Begun while eight write: whatever a head that is read then does not include, in order, each once.
pub async fn followers_hear_what_comes_after(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, there) = (Arc::clone(&backend.log), room.clone());
    let mut before = follow(&log, &room).await;
    let writing = tokio::spawn(async move { write_at_once(&log, &there, 8, 40).await });
    for expected in 1..=10 {
        assert_eq!(next(&mut before).await.seq, seq(expected));
    }
    let mut signals = follow(&backend.log, &room).await;
    let head = backend.log.head(&room).await.expect("there is a head").seq;
    let first = next(&mut signals).await;
    assert!(first.seq <= head.next(), "{} is missing", head.next());
    let mut heard = vec![first];
    while heard.last().is_some_and(|event| event.seq < seq(320)) {
        heard.push(next(&mut signals).await);
    }
    writing.await.expect("the writers go on");
    let stored = whole_log(&backend.log, &room).await;
    let from = stored.len() - heard.len();
    assert_eq!(heard, stored[from..], "as the log has them");
}

/// As many as there are.
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

/// What is sent again stores nothing, so there is nothing to hear.
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

/// Never a hole without [`Signal::Gap`]; the log has the rest.
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

/// As a follower should: skips what it has, and reads what it missed.
async fn hear_up_to(
    end: u64,
    heard: &mut Vec<Arc<RoomEvent>>,
    signals: &mut BoxStream<'static, Signal>,
    log: &Arc<dyn RoomLog>,
    room: &RoomSlug,
) {
    loop {
        let last = heard.last().map_or(Seq::ZERO, |event| event.seq);
        if last == seq(end) {
            return;
        }
        match signals.next().await {
            Some(Signal::Event(event)) if event.seq <= last => {}
            Some(Signal::Event(event)) => {
                assert_eq!(event.seq, last.next(), "a hole without a word");
                heard.push(event);
            }
            Some(Signal::Gap) => heard.extend(read(log, room, last, 10_000).await.events),
            other => panic!("an event or a gap, but: {other:?}"),
        }
    }
}
