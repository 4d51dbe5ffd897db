//! What a replica asks of PostgreSQL and Redis, counted by proxies in front of them.

use chat::{Caller, Hub};
use protocol::{Join, ListRooms, React, RoomSlug, Send};
use testkit::sample::{caller, message, person, room, seq};
use testkit::{PostgresServer, RedisServer, Taps, within};

use crate::support::{Replica, connection};

/// How often each thing is counted. A replica also asks on its own now and then, so the median is taken.
const TIMES: u64 = 11;
/// More rooms than a list has.
const ROOMS: u64 = 210;

fn median(mut counts: Vec<u64>) -> u64 {
    counts.sort_unstable();
    counts[counts.len() / 2]
}

/// A room in which Ada has written and Bob has reacted.
async fn new_room(replica: &Replica, hub: &Hub, n: u64) -> RoomSlug {
    let room = room(n, &format!("room-{n}"), &format!("Room {n}"));
    let directory = &replica.directory;
    directory.create(&room).await.expect("the room is created");
    let (room, messages) = (room.slug, vec![message("m", "hello")]);
    let send = Send {
        room: room.clone(),
        messages,
    };
    hub.ask(&caller(&person("Ada")), send).await.expect("it is sent");
    let react = React {
        room: room.clone(),
        client_id: message("r", "x").client_id,
        to: seq(1),
        epoch: None,
        emoji: "👍".to_owned().try_into().expect("an emoji"),
        on: true,
    };
    hub.ask(&caller(&person("Bob")), react)
        .await
        .expect("it is stored");
    room
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_join_of_a_room_takes_three_trips() {
    within(async {
        let (postgres, server) = (PostgresServer::shared(), RedisServer::start());
        let taps = Taps::before(&postgres.url(&postgres.database()), &server.url());
        let taps = taps.expect("the servers are on this machine");
        let (database, redis) = taps.urls();
        let replica = Replica::on_postgres(&database, &redis).await;
        let hub = replica.hub().await;
        let (cleo, tab) = (person("Cleo"), connection("tab"));
        let cleo = Caller {
            connection: Some(&tab),
            ..caller(&cleo)
        };
        let (mut first, mut second, mut continued, mut followed) = (vec![], vec![], vec![], vec![]);
        let mut rooms = vec![];
        // All before anything is counted, because what they publish is counted, too.
        for n in 1..=TIMES {
            rooms.push(new_room(&replica, &hub, n).await);
        }
        for room in rooms {
            let join = |from| Join {
                room: room.clone(),
                from,
            };
            let before = taps.trips();
            followed.push(hub.follow(&room, None).await.expect("it is followed"));
            let joined = hub.ask(&cleo, join(None)).await.expect("it is joined");
            first.push(taps.trips() - before);
            let page = joined.page.expect("without a position there is a page");
            assert_eq!(page.people, [person("Ada"), person("Bob")]);
            assert_eq!((page.messages[0].reactions.len(), joined.roster.here), (1, 1));

            let before = taps.trips();
            let again = hub.ask(&cleo, join(None)).await.expect("it is joined");
            second.push(taps.trips() - before);
            assert_eq!(again.page, Some(page));

            let before = taps.trips();
            let from = Some(joined.head);
            hub.ask(&cleo, join(from)).await.expect("it is joined");
            continued.push(taps.trips() - before);
        }
        let [first, second, continued] = [first, second, continued].map(median);
        assert!(first <= 3, "subscribe, read, enter: {first} trips");
        assert!(second <= 2, "read, enter: {second} trips");
        assert!(continued <= 1, "enter: {continued} trips");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_page_takes_three_commands() {
    within(async {
        let (postgres, server) = (PostgresServer::shared(), RedisServer::start());
        let taps = Taps::before(&postgres.url(&postgres.database()), &server.url());
        let taps = taps.expect("the servers are on this machine");
        let (database, redis) = taps.urls();
        let replica = Replica::on_postgres(&database, &redis).await;
        let hub = replica.hub().await;
        let directory = &replica.directory;
        for n in 1..=ROOMS {
            let room = room(n, &format!("room-{n}"), &format!("Room {n}"));
            directory.create(&room).await.expect("the room is created");
        }
        // The oldest room is listed because somebody is there.
        let (ada, tab) = (person("Ada"), connection("tab"));
        let ada = Caller {
            connection: Some(&tab),
            ..caller(&ada)
        };
        let room = room(1, "room-1", "Room 1").slug;
        let join = Join {
            room: room.clone(),
            from: None,
        };
        hub.ask(&ada, join).await.expect("it is joined");
        let mut commands = vec![];
        for _ in 0..TIMES {
            let before = taps.commands();
            let list = hub.ask(&Caller::NOBODY, ListRooms {}).await;
            commands.push(taps.commands() - before);
            let list = list.expect("the rooms are listed");
            // The lobby is one more.
            assert_eq!((u64::from(list.total), list.rooms.len()), (ROOMS + 1, 200));
            let listed = list.rooms.iter().find(|listed| listed.room == room);
            assert_eq!(listed.map(|listed| listed.here), Some(1));
        }
        let commands = median(commands);
        assert!(commands <= 3, "who is where, rooms, counts: {commands} commands");
    })
    .await;
}
