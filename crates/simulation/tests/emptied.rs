//! A truth emptied at any moment of a join, of following or of reading still has a lobby.

use std::cell::Cell;
use std::rc::Rc;

use chat::{Caller, ClientAddress, ConnectionId, Hub};
use futures::executor::LocalPool;
use protocol::{History, Join, RoomSlug};
use simulation::backend;
use simulation::bus::Bus;
use simulation::truth::Truth;
use simulation::world::{Dice, Trace, World};
use testkit::sample::person;

/// Follows, joins and reads, while the truth is emptied after `after` milliseconds, and again `again` milliseconds
/// later.
async fn visit(world: World, after: u64, again: u64) {
    let truth = Truth::new(&world);
    let (ports, _here) = backend::ports(&world, &truth, &Bus::new(&world));
    let opened = Hub::open(ports).await;
    let hub = opened.expect("nothing fails");
    let time = world.time.clone();
    world.spawn(async move {
        time.sleep(after).await;
        truth.empty();
        time.sleep(again).await;
        truth.empty();
    });
    let room = RoomSlug::lobby();
    let connection = ConnectionId("1".into());
    let join = Join {
        room: room.clone(),
        from: None,
    };
    let latest = History {
        room: room.clone(),
        before: None,
        after: None,
    };
    assert!(
        hub.follow(&room, None).await.is_ok(),
        "emptied after {after} and {again} ms"
    );
    let ada = person("Ada");
    let caller = Caller {
        address: ClientAddress::UNKNOWN,
        person: Some(&ada),
        connection: Some(&connection),
    };
    let joined = hub.ask(&caller, join).await;
    assert!(joined.is_ok(), "emptied after {after} and {again} ms: {joined:?}");
    let stretch = hub.ask(&caller, latest).await;
    assert!(
        stretch.is_ok(),
        "emptied after {after} and {again} ms: {stretch:?}"
    );
}

#[test]
fn an_emptied_truth_still_has_a_lobby() {
    for (after, again) in (0..60).flat_map(|after| (1..20).map(move |again| (after, again))) {
        let mut pool = LocalPool::new();
        let dice = Dice::new(after);
        dice.end_faults();
        let world = World::new(dice, pool.spawner(), Trace::new(false), None);
        let done = Rc::new(Cell::new(false));
        let (there, told) = (world.clone(), Rc::clone(&done));
        world.spawn(async move {
            visit(there, after, again).await;
            told.set(true);
        });
        assert!(world.time.run(&mut pool, &done), "it comes to an end");
    }
}
