//! Rooms' titles: no two rooms have the same one.

use chat::StoreError;
use chat::ports::NewDeed;
use futures::future::join_all;
use protocol::{RoomSlug, Timestamp};

use super::folding::store;
use crate::Backend;
use crate::sample::{deeds, messages, new_room, person, room, set_title, slug, whole_log};

/// Asserts that a room with this title exists, which refuses these deeds.
async fn refused(backend: &Backend, at: &RoomSlug, deeds: Vec<NewDeed>, other: &RoomSlug) {
    match backend.log.append(at, &person("Ada"), deeds, Timestamp(1)).await {
        Err(StoreError::RoomExists(found)) => assert_eq!(found, *other),
        result => panic!("{other} has the title, but: {result:?}"),
    }
}

async fn create(backend: &Backend, address: &str, title: &str) -> Result<(), StoreError> {
    backend.directory.create(&room(1, address, title)).await
}

async fn title(backend: &Backend, address: &RoomSlug) -> String {
    let found = backend.directory.room(address).await;
    let found = found.expect("the room is looked up").expect("it exists");
    found.title.to_string()
}

/// A title that another room has is refused, and everything else in the call. A title that a room gives up is free.
pub async fn a_title_belongs_to_one_room(backend: &Backend) {
    let (kitchen, pantry) = (
        new_room(backend, "kitchen").await,
        new_room(backend, "pantry").await,
    );
    let (log, ada) = (&backend.log, person("Ada"));
    let mut call = deeds(messages("m", 1));
    call.push(set_title("t", "PANTRY!"));
    refused(backend, &kitchen, call, &pantry).await;
    assert!(whole_log(log, &kitchen).await.is_empty());
    let own = vec![set_title("own", "Kitchen!")];
    assert_eq!(store(log, &kitchen, &ada, own).await, [1]);
    assert_eq!(
        store(log, &pantry, &ada, vec![set_title("t", "Store")]).await,
        [1]
    );
    assert_eq!(
        store(log, &kitchen, &ada, vec![set_title("t", "Pantry")]).await,
        [2]
    );
    for (address, title, other) in [
        ("new", "Store", &pantry),
        ("new", "store!", &pantry),
        ("new", "Pantry", &kitchen),
        ("pantry", "Pantry", &kitchen),
        ("kitchen", "New", &kitchen),
    ] {
        match create(backend, address, title).await {
            Err(StoreError::RoomExists(found)) => assert_eq!(found, *other, "{title} at {address}"),
            result => panic!("{title} at {address}: {result:?}"),
        }
    }
    create(backend, "new", "Kitchen")
        .await
        .expect("the title is free");
    let two = vec![set_title("a", "Attic"), set_title("b", "Kitchen")];
    refused(backend, &pantry, two, &slug("new")).await;
    assert_eq!(title(backend, &pantry).await, "Store");
    assert_eq!(
        store(log, &kitchen, &ada, vec![set_title("a", "Attic")]).await,
        [3]
    );
}

/// A title that was stored keeps its receipt, whoever has it since then, and does not come back.
pub async fn a_repeated_title_keeps_its_receipt(backend: &Backend) {
    let (kitchen, pantry) = (
        new_room(backend, "kitchen").await,
        new_room(backend, "pantry").await,
    );
    let (log, ada) = (&backend.log, person("Ada"));
    let titles = vec![set_title("t-1", "Store"), set_title("t-2", "Cellar")];
    assert_eq!(store(log, &kitchen, &ada, titles).await, [1, 2]);
    assert_eq!(
        store(log, &pantry, &ada, vec![set_title("t-1", "Store")]).await,
        [1]
    );
    assert_eq!(
        store(log, &kitchen, &ada, vec![set_title("t-1", "Store")]).await,
        [1]
    );
    assert_eq!(title(backend, &kitchen).await, "Cellar");
    assert_eq!(title(backend, &pantry).await, "Store");
}

/// Exactly one of several overlapping calls gets a title, whether it creates a room or renames one.
pub async fn overlapping_calls_share_no_title(backend: &Backend) {
    for round in 0..5 {
        let same = format!("Same {round}");
        let mut rooms = Vec::new();
        for n in 0..10 {
            rooms.push(new_room(backend, &format!("room-{round}-{n}")).await);
        }
        let renamed = rooms.iter().map(|room| async {
            let by = person("Ada");
            loop {
                let call = vec![set_title("t", &same)];
                match backend.log.append(room, &by, call, Timestamp(1)).await {
                    // Another replica was quicker: the same call again says so.
                    Err(StoreError::Failed(_)) => {}
                    result => break result.map(drop),
                }
            }
        });
        let address = format!("created-{round}");
        let (created, renamed) = futures::join!(create(backend, &address, &same), join_all(renamed));
        let mut given = 0;
        for result in renamed.into_iter().chain([created]) {
            match result {
                Ok(()) => given += 1,
                Err(StoreError::RoomExists(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(given, 1, "{same}");
        let list = backend.directory.list(100, &[]).await;
        let rooms = list.expect("the rooms are listed").rooms;
        let named = rooms.iter().filter(|room| room.title.as_str() == same);
        assert_eq!(named.count(), 1, "{same}");
    }
}
