//! What [`chat::ports::Directory`] promises.

use std::collections::HashSet;
use std::sync::Arc;

use chat::{Limit, Room, StoreError};
use futures::future::join_all;
use protocol::{Seq, Timestamp};

use crate::Backend;
use crate::sample::{append, deeds, messages, new_room, person, room, slug};

/// Tests the directory of a fixture's backends against its contract.
#[macro_export]
macro_rules! directory_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { directory, $fixture,
            a_created_room_is_found
            a_room_begins_empty_with_its_own_epoch
            an_address_is_taken_whatever_the_title
            one_of_many_creates_the_room
            an_unknown_room_is_not_found
            the_most_recently_active_come_first
            a_list_has_a_limit
            rooms_are_counted
            others_are_listed
        }
    };
}

/// A room is found as it was created, by its address and in the list.
pub async fn a_created_room_is_found(backend: &Backend) {
    let created = room(7, "kitchen", "Küche 厨房 \"quoted\"");
    let done = backend.directory.create(&created).await;
    done.expect("the room is created");
    let found = backend.directory.room(&created.slug).await;
    assert_eq!(found.expect("the room is looked up"), Some(created.clone()));
    let list = backend.directory.list(10, &[]).await;
    assert_eq!(
        list.expect("the rooms are listed").rooms,
        std::slice::from_ref(&created)
    );
    let opened = backend.log.open(&created.slug, None, Limit::HISTORY).await;
    assert_eq!(opened.expect("the room is opened").room, created);
}

/// Two rooms never share an epoch.
pub async fn a_room_begins_empty_with_its_own_epoch(backend: &Backend) {
    let mut epochs = HashSet::new();
    for address in ["a", "b", "c"] {
        let room = new_room(backend, address).await;
        let head = backend.log.head(&room).await.expect("the room has a log");
        assert_eq!(head.seq, Seq::ZERO);
        epochs.insert(head.epoch);
    }
    assert_eq!(epochs.len(), 3);
}

/// The second room is refused and changes nothing in the first.
pub async fn an_address_is_taken_whatever_the_title(backend: &Backend) {
    let first = room(1, "kitchen", "Kitchen");
    let done = backend.directory.create(&first).await;
    done.expect("the room is created");
    let head = backend.log.head(&first.slug).await.expect("the room has a log");
    for title in ["Kitchen", "KITCHEN!"] {
        match backend.directory.create(&room(2, "kitchen", title)).await {
            Err(StoreError::RoomExists(address)) => assert_eq!(address, first.slug),
            other => panic!("the address is taken, but: {other:?}"),
        }
    }
    let found = backend.directory.room(&first.slug).await;
    assert_eq!(found.expect("the room is looked up"), Some(first.clone()));
    let after = backend.log.head(&first.slug).await;
    assert_eq!(after.expect("the room has a log"), head);
}

/// Exactly one of several overlapping calls succeeds.
pub async fn one_of_many_creates_the_room(backend: &Backend) {
    let tasks = (0..20).map(|n| {
        let directory = Arc::clone(&backend.directory);
        tokio::spawn(async move { directory.create(&room(n, "kitchen", "Kitchen")).await })
    });
    let created =
        join_all(tasks)
            .await
            .into_iter()
            .filter(|created| match created.as_ref().expect("no panic") {
                Ok(()) => true,
                Err(StoreError::RoomExists(_)) => false,
                Err(error) => panic!("created or refused, but: {error}"),
            });
    assert_eq!(created.count(), 1);
}

/// Looking up an unknown room is no error.
pub async fn an_unknown_room_is_not_found(backend: &Backend) {
    let found = backend.directory.room(&slug("nowhere")).await;
    assert_eq!(found.expect("the room is looked up"), None);
}

/// Rooms are sorted by their latest event, or by creation if they have none.
pub async fn the_most_recently_active_come_first(backend: &Backend) {
    for (at, address) in [(10, "ten"), (20, "twenty"), (30, "thirty")] {
        let done = backend.directory.create(&room(at, address, address)).await;
        done.expect("the room is created");
    }
    let addresses = async || {
        let list = backend.directory.list(10, &[]).await;
        let rooms = list.expect("the rooms are listed").rooms;
        let name = |room: Room| (room.slug.to_string(), room.last_at.map(|at| at.0));
        rooms.into_iter().map(name).collect::<Vec<_>>()
    };
    let row = |address: &str, last_at| (address.to_owned(), last_at);
    assert_eq!(
        addresses().await,
        [row("thirty", None), row("twenty", None), row("ten", None)]
    );
    let post = async |address: &str, client_id: &str, at: u64| {
        let (room, ada, posted) = (slug(address), person("Ada"), messages(client_id, 1));
        let appended = backend.log.append(&room, &ada, deeds(posted), Timestamp(at));
        appended.await.expect("the message is stored");
    };
    post("ten", "first", 25).await;
    assert_eq!(
        addresses().await,
        [row("thirty", None), row("ten", Some(25)), row("twenty", None)]
    );
    post("twenty", "second", 40).await;
    assert_eq!(
        addresses().await,
        [row("twenty", Some(40)), row("thirty", None), row("ten", Some(25))]
    );
    post("twenty", "second", 50).await;
    assert_eq!(
        addresses().await[0],
        row("twenty", Some(40)),
        "a message sent again is no activity"
    );
}

/// The limit keeps the most recently active rooms.
pub async fn a_list_has_a_limit(backend: &Backend) {
    for (at, address) in [(1, "a"), (2, "b"), (3, "c")] {
        let done = backend.directory.create(&room(at, address, address)).await;
        done.expect("the room is created");
    }
    append(&backend.log, &slug("a"), &person("Ada"), vec![]).await;
    for (limit, expected) in [(0, vec![]), (2, vec!["c", "b"]), (3, vec!["c", "b", "a"])] {
        let list = backend.directory.list(limit, &[]).await;
        let rooms = list.expect("the rooms are listed").rooms;
        let addresses: Vec<_> = rooms.iter().map(|room| room.slug.as_str()).collect();
        assert_eq!(addresses, expected, "limit {limit}");
    }
}

/// Counts all rooms, even those that no list has space for.
pub async fn rooms_are_counted(backend: &Backend) {
    for (at, address) in [(1, "a"), (2, "b"), (3, "c")] {
        let done = backend.directory.create(&room(at, address, address)).await;
        done.expect("the room is created");
        for limit in [0, 2] {
            let list = backend.directory.list(limit, &[]).await;
            assert_eq!(u64::from(list.expect("the rooms are counted").total), at);
        }
    }
}

/// Other rooms are listed, too, each once and in their place.
pub async fn others_are_listed(backend: &Backend) {
    for (at, address) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        let done = backend.directory.create(&room(at, address, address)).await;
        done.expect("the room is created");
    }
    let others = ["a", "nowhere", "d", "b", "a"].map(slug);
    let list = backend.directory.list(2, &others).await;
    let rooms = list.expect("the rooms are listed").rooms;
    let addresses: Vec<_> = rooms.iter().map(|room| room.slug.as_str()).collect();
    assert_eq!(addresses, ["d", "c", "b", "a"]);
}
