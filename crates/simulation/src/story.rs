//! What happens: people talk, everything may fail for a minute, then nothing fails, and all must become quiet. At the
//! end a replica is killed, with nothing else wrong.

mod ending;
mod trouble;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::executor::LocalPool;
use protocol::{Person, PersonId, RoomSlug, Timestamp};
use testkit::sample::{deeds, message};

use crate::bus::Bus;
use crate::client::Client;
use crate::server::Replica;
use crate::truth::Truth;
use crate::verdict;
use crate::world::{Bug, Dice, Trace, World};

/// The rooms that there may be. The first is the lobby.
const ROOMS: [&str; 3] = ["lobby", "tea", "work"];
/// The people that there may be.
const PEOPLE: [&str; 5] = ["ada", "bob", "eve", "kim", "tom"];

/// What to simulate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A bug to put in.
    pub bug: Option<Bug>,
    /// Records a trace.
    pub trace: bool,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// What went wrong, as sentences. Empty if all is well.
    pub wrong: Vec<String>,
    /// What happened, if it was recorded.
    pub trace: Vec<String>,
    /// How many messages were sent, edited, deleted and so on.
    pub messages: usize,
    /// How often logs were read, or asked for their heads.
    pub reads: u64,
    /// How long it took until all was quiet after the trouble, in virtual milliseconds.
    pub quiet_after: u64,
    /// How long it took in all, in virtual milliseconds.
    pub took: u64,
}

/// Everybody and everything in a story.
struct Cast {
    world: World,
    truth: Truth,
    bus: Bus,
    replicas: Vec<Rc<Replica>>,
    clients: Vec<Rc<Client>>,
}

/// Simulates one seed.
pub fn run(seed: u64, options: Options) -> Ending {
    let mut pool = LocalPool::new();
    let (dice, trace) = (Dice::new(seed), Trace::new(options.trace));
    let world = World::new(dice, pool.spawner(), trace, options.bug);
    let (done, ending) = (
        Rc::new(Cell::new(false)),
        Rc::new(RefCell::new(Ending::default())),
    );
    let (told, end, there) = (Rc::clone(&done), Rc::clone(&ending), world.clone());
    world.spawn(async move {
        end.replace(story(there).await);
        told.set(true);
    });
    if !world.time.run(&mut pool, &done) {
        let sentence = "all tasks wait for something that never happens".to_owned();
        ending.borrow_mut().wrong.push(sentence);
    }
    let mut ending = ending.take();
    ending.took = world.time.elapsed();
    ending.trace = world.notes();
    ending
}

async fn story(world: World) -> Ending {
    let cast = Cast::new(world);
    let (world, dice) = (&cast.world, &cast.world.dice);
    for replica in &cast.replicas {
        start(world, replica);
    }
    let flood = dice.one_in(40);
    for (n, client) in cast.clients.iter().enumerate() {
        client.reload();
        let hasty = flood && n == 0;
        let deeds = if hasty {
            dice.between(500..=900)
        } else {
            dice.between(2..=24)
        };
        world.spawn(Rc::clone(client).talk(deeds, hasty));
        world.spawn(Rc::clone(client).insist());
    }
    cast.trouble().await;
    dice.end_faults();
    world.note(|| "nothing fails from here on".to_owned());
    for replica in &cast.replicas {
        start(world, replica);
    }
    let mut ending = cast.end().await;
    ending.wrong.extend(verdict::judge(&cast.truth, &cast.clients));
    ending.wrong.dedup();
    let sent = cast
        .clients
        .iter()
        .map(|client| client.sender.borrow().sent.len());
    ending.messages = sent.sum();
    ending.reads = cast.truth.reads();
    ending
}

impl Cast {
    fn new(world: World) -> Self {
        let dice = &world.dice;
        let (truth, bus) = (Truth::new(&world), Bus::new(&world));
        let rooms = &ROOMS[..dice.between(1..=ROOMS.len() as u64) as usize];
        let rooms: Vec<_> = rooms.iter().filter_map(|room| slug(room)).collect();
        for room in &rooms {
            // Sometimes the log is longer than a stretch, and one person writes more than others can catch up with.
            let long = if dice.one_in(4) { dice.between(1..=200) } else { 0 };
            before(&truth, room, long);
        }
        let replicas: Vec<_> = (1..=dice.between(2..=3))
            .map(|number| Replica::new(&world, &truth, &bus, number as usize))
            .collect();
        let people = PEOPLE.into_iter().take(dice.between(2..=5) as usize);
        let clients = people
            .filter_map(person)
            .map(|person| {
                let used: Vec<_> = rooms.iter().filter(|_| !dice.one_in(3)).cloned().collect();
                let used = if used.is_empty() {
                    vec![RoomSlug::lobby()]
                } else {
                    used
                };
                Client::new(&world, &replicas, person, &used)
            })
            .collect();
        Self {
            truth,
            bus,
            replicas,
            clients,
            world,
        }
    }
}

fn slug(room: &str) -> Option<RoomSlug> {
    RoomSlug::try_from(room.to_owned()).ok()
}

fn person(name: &str) -> Option<Person> {
    Some(Person {
        id: PersonId::try_from(name.to_owned()).ok()?,
        name: name.to_owned().try_into().ok()?,
    })
}

/// What happened before anyone came: a room and its first messages.
fn before(truth: &Truth, room: &RoomSlug, messages: u64) {
    let Some(author) = person("old") else { return };
    let messages = (1..=messages)
        .map(|n| message(&format!("old-{room}-{n}"), "long ago"))
        .collect();
    let messages = deeds(messages);
    // The room does not exist yet, and then it does: neither call can be refused.
    let Ok(title) = room.to_string().try_into() else {
        return;
    };
    let _fresh = truth.create(room, &title);
    let _stored = truth.append(room, &author, messages, Timestamp(0));
}

/// Starts a replica unless it is up.
fn start(world: &World, replica: &Rc<Replica>) {
    let replica = Rc::clone(replica);
    world.spawn(async move { replica.start().await });
}
