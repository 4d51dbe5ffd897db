//! A title set at any moment of a join is in its answer, or comes as an event after the answer's head; and whoever joins
//! later is told it.

use std::cell::Cell;
use std::rc::Rc;

use chat::{Caller, ClientAddress, ConnectionId, Hub};
use futures::StreamExt;
use futures::executor::LocalPool;
use protocol::{ClientId, Join, Joined, RoomSlug, SetTitle};
use simulation::backend;
use simulation::bus::Bus;
use simulation::truth::Truth;
use simulation::world::{Dice, Trace, World};
use testkit::sample::person;

const TITLE: &str = "Night shift";

async fn join(hub: &Hub) -> Joined {
    let (ada, connection) = (person("Ada"), ConnectionId("1".into()));
    let caller = Caller {
        address: ClientAddress::UNKNOWN,
        person: Some(&ada),
        connection: Some(&connection),
    };
    let join = Join {
        room: RoomSlug::lobby(),
        from: None,
    };
    hub.ask(&caller, join).await.expect("nothing fails")
}

async fn set_title(hub: &Hub) -> u64 {
    let bob = person("Bob");
    let caller = Caller {
        address: ClientAddress::UNKNOWN,
        person: Some(&bob),
        connection: None,
    };
    let set = SetTitle {
        room: RoomSlug::lobby(),
        client_id: ClientId::from_random(1),
        title: TITLE.to_owned().try_into().expect("a title"),
    };
    let receipt = hub.ask(&caller, set).await.expect("nothing fails");
    receipt.seq.get()
}

/// Joins several times, so that the room's tail is kept, while the title is set after `after` milliseconds.
async fn visit(world: World, after: u64) {
    let truth = Truth::new(&world);
    let (ports, _here) = backend::ports(&world, &truth, &Bus::new(&world));
    let hub = Hub::open(ports).await.expect("nothing fails");
    let followed = hub.follow(&RoomSlug::lobby(), None).await.expect("nothing fails");
    world.spawn(followed.updates.for_each(|_| async {}));
    let (setter, time) = (hub.clone(), world.time.clone());
    world.spawn(async move {
        time.sleep(after).await;
        assert_eq!(set_title(&setter).await, 1);
    });
    for _ in 0..6 {
        let joined = join(&hub).await;
        let hears = joined.head.seq.get() < 1;
        assert!(
            hears || joined.title.as_str() == TITLE,
            "set after {after} ms: {joined:?}"
        );
    }
    world.time.sleep(1_000).await;
    assert_eq!(join(&hub).await.title.as_str(), TITLE, "set after {after} ms");
}

#[test]
fn no_title_is_missed() {
    for after in 0..100 {
        let mut pool = LocalPool::new();
        let dice = Dice::new(after);
        dice.end_faults();
        let world = World::new(dice, pool.spawner(), Trace::new(false), None);
        let done = Rc::new(Cell::new(false));
        let (there, told) = (world.clone(), Rc::clone(&done));
        world.spawn(async move {
            visit(there, after).await;
            told.set(true);
        });
        assert!(world.time.run(&mut pool, &done), "it comes to an end");
    }
}
