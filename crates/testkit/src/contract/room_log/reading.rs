//! What can be read from a log, and how much at once.

use std::sync::Arc;

use chat::{Limit, StoreError, Stretch};
use protocol::{RoomEvent, Seq, Timestamp};

use super::{read, seqs};
use crate::Backend;
use crate::sample::{append, message, messages, new_room, person, seq, slug, whole_log};

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
            (seqs(&stretch.events), stretch.more),
            (expected.collect(), more),
            "{limit} after {after}"
        );
        assert_eq!(stretch.head.seq, seq(10));
    }
}

/// `more` is true if older events exist; the order is ascending here, too.
pub async fn reading_back_has_exact_edges(backend: &Backend) {
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
        let stretch = backend
            .log
            .read_before(&room, before.map(seq), Limit::events(limit))
            .await;
        let stretch = stretch.expect("there is a stretch");
        assert_eq!(
            (seqs(&stretch.events), stretch.more),
            (expected.collect(), more),
            "{limit} before {before:?}"
        );
        assert_eq!(stretch.head.seq, seq(10));
    }
}

/// The size counts bytes as sent. At least one event is returned, `more` keeps its meaning, and nothing is skipped.
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
                // Not to the byte: backends round an event's size up a little.
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
            let stretch = log.read(&room, seq(after), limit).await.expect("it can be read");
            assert_eq!(
                stretch.events.len(),
                expected(&mut stored[newer.len()..].iter()),
                "{bytes} bytes"
            );
            newer.extend(stretch.events);
            assert_eq!(stretch.more, newer.len() < stored.len());
            if !stretch.more {
                break;
            }
            after = newer.len() as u64;
        }
        assert_eq!(newer, stored, "{bytes} bytes");
        let (mut older, mut before) = (Vec::new(), None);
        loop {
            let mut stretch = log
                .read_before(&room, before, limit)
                .await
                .expect("it can be read");
            let left = &stored[..stored.len() - older.len()];
            assert_eq!(
                stretch.events.len(),
                expected(&mut left.iter().rev()),
                "{bytes} bytes"
            );
            before = stretch.events.first().map(|first| first.seq);
            stretch.events.extend(older);
            older = stretch.events;
            assert_eq!(stretch.more, older.len() < stored.len());
            if !stretch.more {
                break;
            }
        }
        assert_eq!(older, stored, "{bytes} bytes");
    }
}

/// An empty log reads as empty in both directions.
pub async fn an_empty_log_can_be_read(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let head = backend.log.head(&room).await.expect("there is a head");
    assert_eq!(head.seq, Seq::ZERO);
    let empty = Stretch {
        head,
        events: vec![],
        more: false,
    };
    assert_eq!(read(&backend.log, &room, Seq::ZERO, 50).await, empty);
    for before in [None, Some(seq(1)), Some(seq(9))] {
        let stretch = backend.log.read_before(&room, before, Limit::events(50)).await;
        assert_eq!(stretch.expect("there is a stretch"), empty);
    }
}

/// Every call refuses it, and the error names the room.
pub async fn an_unknown_room_is_refused(backend: &Backend) {
    let (log, nowhere) = (&backend.log, slug("nowhere"));
    new_room(backend, "somewhere").await;
    let refusals = [
        log.append(&nowhere, &person("Ada"), messages("m", 2), Timestamp(1))
            .await
            .err(),
        log.head(&nowhere).await.err(),
        log.read(&nowhere, Seq::ZERO, Limit::HISTORY).await.err(),
        log.read_before(&nowhere, None, Limit::HISTORY).await.err(),
        log.follow(&nowhere).await.err(),
    ];
    for refusal in refusals {
        match refusal {
            Some(StoreError::NoSuchRoom(room)) => assert_eq!(room, nowhere),
            other => panic!("no such room, but: {other:?}"),
        }
    }
}
