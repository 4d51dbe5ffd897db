//! How messages get into the log.

use std::collections::HashMap;
use std::sync::Arc;

use chat::Limit;
use futures::future::join_all;
use protocol::{Person, Seq, Timestamp};

use super::{follow, next, read, seqs, write_at_once};
use crate::Backend;
use crate::sample::{
    append, deeds, message, messages, new_room, person, person_with_id, posted, seq, text, whole_log,
};

/// The order is kept within a call and across calls; receipts and events agree.
pub async fn messages_are_stored_in_their_order(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (ada, bob) = (person("Ada"), person("Bob"));
    let log = &backend.log;
    let receipts = log
        .append(&room, &ada, deeds(messages("a", 3)), Timestamp(11))
        .await;
    let receipts = receipts.expect("the messages are stored");
    assert_eq!(append(log, &room, &bob, messages("b", 2)).await, [4, 5]);
    assert_eq!(append(log, &room, &ada, messages("c", 1)).await, [6]);

    let events = whole_log(log, &room).await;
    let texts: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(
        texts,
        [
            "a says 1", "a says 2", "a says 3", "b says 1", "b says 2", "c says 1"
        ]
    );
    assert_eq!(receipts.len(), 3);
    for ((receipt, entry), sent) in receipts.iter().zip(&events).zip(messages("a", 3)) {
        let event = &entry.event;
        assert_eq!(receipt.client_id, sent.client_id);
        assert_eq!((&receipt.epoch, receipt.seq), (&event.epoch, event.seq));
        assert_eq!((event.at, &entry.by), (Timestamp(11), &ada));
        assert_eq!(event.deed, posted(sent));
    }
}

/// Any text survives, both in the log and in the stream.
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
        assert_eq!((text(event), &event.by), (typed.as_str(), &author));
        assert_eq!(&next(&mut signals).await, event);
    }
}

/// The message is visible in `head`, `read` and `messages`.
pub async fn an_append_is_visible_when_it_returns(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    for (n, message) in (1..).zip(messages("m", 50)) {
        append(log, &room, &ada, vec![message]).await;
        assert_eq!(log.head(&room).await.expect("there is a head").seq, seq(n));
        let read = read(log, &room, seq(n - 1), 10).await;
        assert_eq!((seqs(&read.entries), read.head.seq), (vec![n], seq(n)));
        let page = log.messages(&room, None, Limit::of(1)).await;
        let page = page.expect("there is a page");
        assert_eq!((page.messages[0].seq, page.head), (seq(n), seq(n)));
    }
}

/// The first text stays, and new messages beside it get the next numbers without a hole.
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
    let texts: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(texts, ["first", "second", "third"]);
}

/// The receipts are those of the first time, even with new messages beside them.
pub async fn a_client_id_counts_once_in_later_calls(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    let first = log
        .append(&room, &ada, deeds(messages("m", 2)), Timestamp(1))
        .await;
    let first = first.expect("the messages are stored");
    append(log, &room, &person("Bob"), messages("b", 1)).await;
    for at in [1, 99] {
        let again = log
            .append(&room, &ada, deeds(messages("m", 2)), Timestamp(at))
            .await;
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
    let texts: Vec<_> = events.iter().map(|event| text(event)).collect();
    assert_eq!(texts, ["m says 1", "m says 2", "b says 1", "new", "new"]);
    assert_eq!(events[1].event.at, Timestamp(1));
}

/// All calls get the same receipt.
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

/// A person cannot use up another person's ids, and ids count per room.
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

/// The caller may go away at any moment: after a repeated call the message is there once.
pub async fn an_abandoned_append_can_be_repeated(backend: &Backend) {
    let room = new_room(backend, "room").await;
    for n in 1..=100 {
        let sent = vec![message(&format!("m-{n}"), "hello")];
        let (log, there, again) = (Arc::clone(&backend.log), room.clone(), sent.clone());
        let task = tokio::spawn(async move { append(&log, &there, &person("Ada"), sent).await });
        if n % 2 == 0 {
            tokio::task::yield_now().await;
        }
        task.abort();
        // Aborted or finished: both are fine.
        let _ = task.await;
        assert_eq!(append(&backend.log, &room, &person("Ada"), again).await, [n]);
    }
    assert_eq!(whole_log(&backend.log, &room).await.len(), 100);
}

/// A reader never sees part of a batch, and nothing comes between its messages.
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
        let stretch = read(&backend.log, &room, Seq::ZERO, 10_000).await;
        assert_eq!(stretch.head.seq.get() % 10, 0, "a part of a batch");
        assert_eq!(stretch.entries.len() as u64, stretch.head.seq.get());
        if done {
            break;
        }
    }
    for writer in writers {
        writer.await.expect("no panic in the writer");
    }
    assert_eq!(whole_log(&backend.log, &room).await.len(), 800);
}

/// Each author's messages stay in the order of sending.
pub async fn fifty_authors_at_once_leave_no_hole(backend: &Backend) {
    let room = new_room(backend, "room").await;
    write_at_once(&backend.log, &room, 50, 10).await;
    let events = whole_log(&backend.log, &room).await;
    assert_eq!(events.len(), 500);
    let mut by_author = HashMap::<_, Vec<_>>::new();
    for event in &events {
        by_author.entry(&event.event.by).or_default().push(text(event));
    }
    assert_eq!(by_author.len(), 50);
    let sent = messages("m", 10);
    let sent: Vec<_> = sent.iter().map(|message| message.text.as_str()).collect();
    for texts in by_author.values() {
        assert_eq!(*texts, sent);
    }
}
