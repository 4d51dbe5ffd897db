//! What can be read from a log, and how much at once.

use chat::{Limit, StoreError, Stretch};
use protocol::{Seq, Timestamp};

use super::{read, seqs};
use crate::Backend;
use crate::sample::{append, deeds, message, messages, new_room, person, seq, slug, whole_log};

/// `more` is true if newer events exist; the stretch and its head come from one snapshot.
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
        let stretch = read(&backend.log, &room, seq(after), limit).await;
        assert_eq!(
            (seqs(&stretch.entries), stretch.more),
            (expected.collect(), more),
            "{limit} after {after}"
        );
        assert_eq!(stretch.head.seq, seq(10));
    }
}

/// The size counts bytes as sent. At least one event is returned, `more` keeps its meaning, and nothing is skipped.
pub async fn a_stretch_ends_at_a_size(backend: &Backend) {
    let room = new_room(backend, "room").await;
    long_messages(backend, &room).await;
    let stored = whole_log(&backend.log, &room).await;
    let log = &backend.log;
    for bytes in [0, 1, 40_000, 70_000, 1_000_000] {
        let limit = Limit { count: 7, bytes };
        let (mut newer, mut after) = (Vec::new(), 0);
        loop {
            let stretch = log.read(&room, seq(after), limit).await.expect("it can be read");
            let left = stored[newer.len()..].iter();
            let size = |entry: &std::sync::Arc<chat::Entry>| {
                serde_json::to_string(&entry.event)
                    .expect("an event is JSON")
                    .len()
            };
            let sizes = left.map(size);
            assert_eq!(stretch.entries.len(), fitting(limit, sizes), "{bytes} bytes");
            newer.extend(stretch.entries);
            assert_eq!(stretch.more, newer.len() < stored.len());
            if !stretch.more {
                break;
            }
            after = newer.len() as u64;
        }
        assert_eq!(newer, stored, "{bytes} bytes");
    }
}

/// The same for messages, from the newest to the oldest.
pub async fn a_page_ends_at_a_size(backend: &Backend) {
    let room = new_room(backend, "room").await;
    long_messages(backend, &room).await;
    let log = &backend.log;
    let all = log.messages(&room, None, Limit::of(100)).await;
    let all = all.expect("it can be read").messages;
    for bytes in [0, 1, 40_000, 70_000, 1_000_000] {
        let limit = Limit { count: 7, bytes };
        let (mut older, mut before) = (Vec::new(), None);
        loop {
            let page = log.messages(&room, before, limit).await.expect("it can be read");
            let left = all[..all.len() - older.len()].iter().rev();
            let sizes = left.map(|message| serde_json::to_string(message).expect("a message is JSON").len());
            assert_eq!(page.messages.len(), fitting(limit, sizes), "{bytes} bytes");
            before = Some(page.covers.first);
            older.splice(0..0, page.messages);
            assert_eq!(page.more, older.len() < all.len());
            if !page.more {
                break;
            }
        }
        assert_eq!(older, all, "{bytes} bytes");
    }
}

async fn long_messages(backend: &Backend, room: &protocol::RoomSlug) {
    let lengths = [10, 8_000, 8_000, 1, 8_000, 5, 5, 8_000];
    for (n, length) in lengths.into_iter().enumerate() {
        let sent = vec![message(&format!("m-{n}"), &"𝔛".repeat(length))];
        append(&backend.log, room, &person("Ada"), sent).await;
    }
}

/// How many things of these sizes fit. Not to the byte: backends round sizes up a little.
fn fitting(limit: Limit, sizes: impl Iterator<Item = usize>) -> usize {
    let (mut left, mut count) = (limit.bytes, 0);
    for size in sizes.take(limit.count as usize) {
        if count > 0 && size + 140 > left {
            break;
        }
        left = left.saturating_sub(size);
        count += 1;
    }
    count
}

/// An empty log reads as empty in both directions.
pub async fn an_empty_log_can_be_read(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let head = backend.log.head(&room).await.expect("there is a head");
    assert_eq!(head.seq, Seq::ZERO);
    for before in [None, Some(seq(0)), Some(seq(1)), Some(seq(9))] {
        let page = backend.log.messages(&room, before, Limit::of(50)).await;
        let page = page.expect("there is a page");
        assert!(page.messages.is_empty() && page.people.is_empty() && !page.more);
        let covers = (page.covers.epoch, page.covers.first, page.covers.last);
        assert_eq!(
            (covers, page.head),
            ((head.epoch.clone(), seq(1), seq(0)), seq(0))
        );
    }
    let empty = Stretch {
        head,
        entries: vec![],
        more: false,
    };
    assert_eq!(read(&backend.log, &room, Seq::ZERO, 50).await, empty);
}

/// Every call refuses it, and the error names the room.
pub async fn an_unknown_room_is_refused(backend: &Backend) {
    let (log, nowhere) = (&backend.log, slug("nowhere"));
    new_room(backend, "somewhere").await;
    let refusals = [
        log.append(&nowhere, &person("Ada"), deeds(messages("m", 2)), Timestamp(1))
            .await
            .err(),
        log.head(&nowhere).await.err(),
        log.read(&nowhere, Seq::ZERO, Limit::HISTORY).await.err(),
        log.messages(&nowhere, None, Limit::HISTORY).await.err(),
    ];
    for refusal in refusals {
        match refusal {
            Some(StoreError::NoSuchRoom(room)) => assert_eq!(room, nowhere),
            other => panic!("no such room, but: {other:?}"),
        }
    }
}
