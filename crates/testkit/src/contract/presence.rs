//! What [`chat::ports::Presence`] promises.

use std::sync::Arc;

use chat::ConnectionId;
use chat::ports::PresenceChange;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use protocol::{Person, RoomSlug};

use crate::Backend;
use crate::sample::{new_room, person, person_with_id, slug};

/// Tests the presence of a fixture's backends against its contract.
#[macro_export]
macro_rules! presence_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { presence, $fixture,
            a_person_is_here_from_entering_to_leaving
            several_connections_of_a_person_count_once
            entering_and_leaving_again_do_nothing
            leaving_without_being_there_does_nothing
            a_roster_is_sorted_and_has_a_limit
            counts_come_in_the_order_asked
            rooms_with_people_are_known
            followers_hear_of_their_own_room_only
            followers_hear_of_typing
            followers_hear_the_same_in_the_same_order
            an_empty_room_has_an_empty_roster
            entering_lists_who_is_there
        }
    };
}

fn connection(id: &str) -> ConnectionId {
    ConnectionId(id.into())
}

async fn enter(backend: &Backend, room: &RoomSlug, who: &Person, id: &str) {
    let entered = backend.presence.enter(room, who, &connection(id)).await;
    entered.expect("they enter");
}

async fn leave(backend: &Backend, room: &RoomSlug, who: &Person, id: &str) {
    let left = backend.presence.leave(room, &who.id, &connection(id)).await;
    left.expect("they leave");
}

async fn type_(backend: &Backend, room: &RoomSlug, who: &Person, typing: bool) {
    let told = backend.presence.typing(room, who, typing).await;
    told.expect("the room is told");
}

async fn follow(backend: &Backend, room: &RoomSlug) -> BoxStream<'static, PresenceChange> {
    backend.presence.follow(room).await.expect("it can be followed")
}

async fn here(backend: &Backend, room: &RoomSlug) -> (Vec<Person>, u32) {
    let roster = backend
        .presence
        .roster(room, 200)
        .await
        .expect("there is a roster");
    (roster.people, roster.here)
}

/// The person is in the roster, and followers hear the right count.
pub async fn a_person_is_here_from_entering_to_leaving(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (ada, bob) = (person("Ada"), person("Bob"));
    enter(backend, &room, &ada, "a").await;
    let mut changes = follow(backend, &room).await;
    enter(backend, &room, &bob, "b").await;
    assert_eq!(here(backend, &room).await, (vec![ada.clone(), bob.clone()], 2));
    leave(backend, &room, &ada, "a").await;
    assert_eq!(here(backend, &room).await, (vec![bob.clone()], 1));
    leave(backend, &room, &bob, "b").await;
    assert_eq!(here(backend, &room).await, (vec![], 0));
    for change in [
        PresenceChange::Entered(bob.clone(), 2),
        PresenceChange::Left(ada, 1),
        PresenceChange::Left(bob, 0),
    ] {
        assert_eq!(changes.next().await, Some(change));
    }
}

/// The first connection enters and the last one leaves; followers do not hear of the others.
pub async fn several_connections_of_a_person_count_once(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let ada = person("Ada");
    let mut changes = follow(backend, &room).await;
    for tab in ["tab-1", "tab-2", "phone"] {
        enter(backend, &room, &ada, tab).await;
        assert_eq!(here(backend, &room).await, (vec![ada.clone()], 1));
    }
    for tab in ["tab-2", "tab-1"] {
        leave(backend, &room, &ada, tab).await;
        assert_eq!(here(backend, &room).await, (vec![ada.clone()], 1));
    }
    leave(backend, &room, &ada, "phone").await;
    assert_eq!(here(backend, &room).await, (vec![], 0));
    assert_eq!(
        changes.next().await,
        Some(PresenceChange::Entered(ada.clone(), 1))
    );
    assert_eq!(changes.next().await, Some(PresenceChange::Left(ada, 0)));
}

/// Entering twice with the same connection counts once.
pub async fn entering_and_leaving_again_do_nothing(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let ada = person("Ada");
    let mut changes = follow(backend, &room).await;
    enter(backend, &room, &ada, "a").await;
    enter(backend, &room, &ada, "a").await;
    leave(backend, &room, &ada, "a").await;
    assert_eq!(here(backend, &room).await, (vec![], 0));
    leave(backend, &room, &ada, "a").await;
    enter(backend, &room, &ada, "a").await;
    for change in [
        PresenceChange::Entered(ada.clone(), 1),
        PresenceChange::Left(ada.clone(), 0),
        PresenceChange::Entered(ada.clone(), 1),
    ] {
        assert_eq!(changes.next().await, Some(change));
    }
}

/// Leaving does nothing for unknown rooms, unknown people, and unknown connections of a person who is there.
pub async fn leaving_without_being_there_does_nothing(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (ada, bob) = (person("Ada"), person("Bob"));
    let mut changes = follow(backend, &room).await;
    leave(backend, &slug("elsewhere"), &ada, "a").await;
    leave(backend, &room, &bob, "b").await;
    enter(backend, &room, &ada, "a").await;
    leave(backend, &room, &bob, "b").await;
    leave(backend, &room, &bob, "a").await;
    leave(backend, &room, &ada, "other").await;
    assert_eq!(here(backend, &room).await, (vec![ada.clone()], 1));
    type_(backend, &room, &ada, true).await;
    assert_eq!(
        changes.next().await,
        Some(PresenceChange::Entered(ada.clone(), 1))
    );
    assert_eq!(changes.next().await, Some(PresenceChange::Typing(ada, true)));
}

/// A roster is sorted by name, ignoring case, then by id. Its count includes everybody.
pub async fn a_roster_is_sorted_and_has_a_limit(backend: &Backend) {
    let room = new_room(backend, "room").await;
    for (id, name) in [
        ("5", "zoe"),
        ("2", "Émile"),
        ("4", "bob"),
        ("3", "Bob"),
        ("1", "ada"),
    ] {
        enter(backend, &room, &person_with_id(id, name), id).await;
    }
    for (limit, expected) in [
        (0, vec![]),
        (2, vec!["1", "3"]),
        (200, vec!["1", "3", "4", "5", "2"]),
    ] {
        let roster = backend.presence.roster(&room, limit).await;
        let roster = roster.expect("there is a roster");
        let ids: Vec<_> = roster.people.iter().map(|person| person.id.as_str()).collect();
        assert_eq!((ids, roster.here), (expected, 5), "limit {limit}");
    }
}

/// Each room is listed once, up to the limit. A room that became empty may stay listed for a while.
pub async fn rooms_with_people_are_known(backend: &Backend) {
    let (one, two) = (new_room(backend, "one").await, new_room(backend, "two").await);
    new_room(backend, "empty").await;
    for (room, name) in [(&one, "Ada"), (&one, "Bob"), (&two, "Ada")] {
        enter(backend, room, &person(name), name).await;
    }
    let occupied = async |limit| {
        let rooms = backend.presence.occupied(limit).await;
        let mut rooms = rooms.expect("the rooms are listed");
        rooms.sort_by_key(ToString::to_string);
        rooms
    };
    assert_eq!(occupied(10).await, [one, two]);
    assert_eq!(occupied(1).await.len(), 1);
    assert_eq!(occupied(0).await, []);
}

/// Counts include empty rooms and rooms asked for twice.
pub async fn counts_come_in_the_order_asked(backend: &Backend) {
    let (one, two, empty) = (slug("one"), slug("two"), slug("empty"));
    enter(backend, &one, &person("Ada"), "a").await;
    enter(backend, &two, &person("Ada"), "a").await;
    enter(backend, &two, &person("Bob"), "b").await;
    let asked = [two.clone(), empty, one, two];
    let counts = backend.presence.counts(&asked).await.expect("they are counted");
    assert_eq!(counts, [2, 0, 1, 2]);
}

/// A follower hears of its own room only.
pub async fn followers_hear_of_their_own_room_only(backend: &Backend) {
    let (one, two) = (new_room(backend, "one").await, new_room(backend, "two").await);
    let (ada, bob) = (person("Ada"), person("Bob"));
    let mut changes = follow(backend, &two).await;
    enter(backend, &one, &ada, "a").await;
    type_(backend, &one, &ada, true).await;
    enter(backend, &two, &bob, "b").await;
    assert_eq!(changes.next().await, Some(PresenceChange::Entered(bob, 1)));
    assert_eq!(here(backend, &one).await, (vec![ada], 1));
}

/// Followers hear of typing, and nothing is stored.
pub async fn followers_hear_of_typing(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let ada = person("Ada");
    type_(backend, &room, &ada, true).await;
    let mut changes = follow(backend, &room).await;
    type_(backend, &room, &ada, true).await;
    type_(backend, &room, &ada, false).await;
    assert_eq!(
        changes.next().await,
        Some(PresenceChange::Typing(ada.clone(), true))
    );
    assert_eq!(changes.next().await, Some(PresenceChange::Typing(ada, false)));
    assert_eq!(here(backend, &room).await, (vec![], 0));
}

/// All followers hear one order, and each count differs from the last by one.
pub async fn followers_hear_the_same_in_the_same_order(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (one, two) = (follow(backend, &room).await, follow(backend, &room).await);
    let tasks = (0..8).map(|n| {
        let (presence, room) = (Arc::clone(&backend.presence), room.clone());
        let who = person(&format!("Person-{n}"));
        let connection = connection(&format!("connection-{n}"));
        tokio::spawn(async move {
            for _ in 0..10 {
                let entered = presence.enter(&room, &who, &connection).await;
                entered.expect("they enter");
                let left = presence.leave(&room, &who.id, &connection).await;
                left.expect("they leave");
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
    type_(backend, &room, &person("Last"), true).await;
    let before_the_last = async |changes: BoxStream<'static, PresenceChange>| {
        let changes = changes.take_while(|change| {
            let last = matches!(change, PresenceChange::Typing(..));
            async move { !last }
        });
        changes.collect::<Vec<_>>().await
    };
    let (one, two) = (before_the_last(one).await, before_the_last(two).await);
    assert_eq!(one.len(), 160);
    assert_eq!(one, two);
    let mut count = 0;
    for change in one {
        let told = match change {
            PresenceChange::Entered(_, told) => {
                count += 1;
                told
            }
            PresenceChange::Left(_, told) => {
                count -= 1;
                told
            }
            other => panic!("entered or left, but: {other:?}"),
        };
        assert_eq!(told, count);
    }
}

/// So has a room that never existed.
pub async fn an_empty_room_has_an_empty_roster(backend: &Backend) {
    assert_eq!(here(backend, &slug("nowhere")).await, (vec![], 0));
}

/// Who enters is in the list, once, and gets the same list again.
pub async fn entering_lists_who_is_there(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (ada, bob) = (person("Ada"), person("Bob"));
    enter(backend, &room, &bob, "b").await;
    for _ in 0..2 {
        let entered = backend
            .presence
            .enter_and_list(&room, &ada, &connection("a"), 200)
            .await;
        let roster = entered.expect("they enter");
        assert_eq!((roster.people, roster.here), (vec![ada.clone(), bob.clone()], 2));
    }
    let entered = backend
        .presence
        .enter_and_list(&room, &ada, &connection("a"), 1)
        .await;
    let roster = entered.expect("they enter");
    assert_eq!((roster.people, roster.here), (vec![ada], 2));
}
