//! Which messages are in a page, and what it says about them.

use chat::{Entry, Limit};
use protocol::{MessagePage, RoomSlug, Seq};

use crate::Backend;
use crate::sample::{append, delete, messages, new_room, person, react, seq, set_title};

use super::folding::store;

async fn page(backend: &Backend, room: &RoomSlug, before: Option<u64>, limit: u32) -> MessagePage {
    let page = backend
        .log
        .messages(room, before.map(seq), Limit::of(limit))
        .await;
    page.expect("the messages can be read")
}

fn seqs(page: &MessagePage) -> Vec<u64> {
    page.messages.iter().map(|message| message.seq.get()).collect()
}

/// `more` is true if older messages exist; the order is ascending; the page and its head come from one snapshot.
pub async fn a_page_has_exact_edges(backend: &Backend) {
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
        let page = page(backend, &room, before, limit).await;
        assert_eq!(
            (seqs(&page), page.more),
            (expected.collect(), more),
            "{limit} before {before:?}"
        );
        assert_eq!(page.head, seq(10));
    }
}

/// A page covers the events from its first message, or from 1, up to its end, whatever they are.
pub async fn a_page_says_what_it_covers(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    store(
        log,
        &room,
        &ada,
        vec![set_title("t-1", "One"), set_title("t-2", "Two")],
    )
    .await;
    append(log, &room, &ada, messages("m", 2)).await;
    store(
        log,
        &room,
        &ada,
        vec![react("r-1", 3, "👍", true), delete("d-1", 4)],
    )
    .await;
    append(log, &room, &ada, messages("n", 2)).await;
    store(log, &room, &ada, vec![react("r-2", 8, "👍", true)]).await;
    for (before, limit, expected, first, last) in [
        (None, 50, vec![3, 4, 7, 8], 1, 9),
        (None, 4, vec![3, 4, 7, 8], 1, 9),
        (None, 3, vec![4, 7, 8], 4, 9),
        (None, 2, vec![7, 8], 7, 9),
        (None, 1, vec![8], 8, 9),
        (Some(9), 1, vec![8], 8, 8),
        (Some(8), 1, vec![7], 7, 7),
        (Some(7), 1, vec![4], 4, 6),
        (Some(6), 1, vec![4], 4, 5),
        (Some(6), 2, vec![3, 4], 1, 5),
        (Some(3), 2, vec![], 1, 2),
        (Some(1), 2, vec![], 1, 0),
    ] {
        let page = page(backend, &room, before, limit).await;
        let covers = (page.covers.first.get(), page.covers.last.get());
        assert_eq!(
            (seqs(&page), covers),
            (expected, (first, last)),
            "{limit} before {before:?}"
        );
        assert_eq!((page.more, page.head), (first > 1, seq(9)));
        assert_eq!(
            page.covers.epoch,
            log.head(&room).await.expect("there is a head").epoch
        );
    }
}

/// A page names its authors and those who reacted; a stretch of events names those who caused them.
pub async fn a_page_names_its_people(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let log = &backend.log;
    let (ada, bob, cleo) = (person("Ada"), person("Bob"), person("Cleo"));
    append(log, &room, &ada, messages("m", 2)).await;
    append(log, &room, &bob, messages("m", 1)).await;
    store(log, &room, &cleo, vec![react("r", 3, "👍", true)]).await;
    let names = |page: &MessagePage| {
        let mut names: Vec<_> = page.people.iter().map(|person| person.name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&page(backend, &room, None, 50).await),
        ["Ada", "Bob", "Cleo"]
    );
    assert_eq!(names(&page(backend, &room, None, 1).await), ["Bob", "Cleo"]);
    assert_eq!(names(&page(backend, &room, Some(3), 50).await), ["Ada"]);
    let read = log
        .read(&room, Seq::ZERO, Limit::of(50))
        .await
        .expect("the log can be read");
    let by: Vec<_> = read
        .entries
        .iter()
        .map(|entry: &std::sync::Arc<Entry>| entry.by.clone())
        .collect();
    assert_eq!(by, [ada.clone(), ada, bob, cleo]);
}
