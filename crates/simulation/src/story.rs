//! What happens: people talk, everything may fail for a minute, then nothing fails, and all must become quiet.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::executor::LocalPool;
use protocol::{Person, PersonId, Position, Timestamp};
use testkit::sample::message;

use crate::client::Client;
use crate::server::Replica;
use crate::store::Store;
use crate::verdict;
use crate::world::{Dice, Trace, World};

/// How long things fail, in milliseconds.
const TROUBLE: u64 = 60_000;
/// How long it may then take until everything is in its place, in milliseconds: a slow storage, a dead connection that
/// is not noticed yet, and an acknowledgement that never comes, one after another.
const CALM: u64 = 180_000;
/// Everything in transit has arrived after this many more milliseconds.
const AFTERWARDS: u64 = 40_000;

/// What to simulate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Puts in a bug: the storage does not recognise a message sent again.
    pub forgetful: bool,
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
    /// How many messages were sent.
    pub messages: usize,
    /// How long it took, in virtual milliseconds.
    pub took: u64,
}

/// Simulates one seed.
pub fn run(seed: u64, options: Options) -> Ending {
    let mut pool = LocalPool::new();
    let world = World::new(Dice::new(seed), pool.spawner(), Trace::new(options.trace));
    let (done, ending) = (
        Rc::new(Cell::new(false)),
        Rc::new(RefCell::new(Ending::default())),
    );
    let (told, end, there) = (Rc::clone(&done), Rc::clone(&ending), world.clone());
    world.spawn(async move {
        end.replace(story(&there, options).await);
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

async fn story(world: &World, options: Options) -> Ending {
    let dice = &world.dice;
    let store = Store::new(world.time.clone(), dice.clone(), options.forgetful);
    // Sometimes the log is longer than a stretch, and one person writes more than others can catch up with.
    if dice.one_in(4) {
        before(&store, dice.between(1..=200));
    }
    let flood = dice.one_in(40);
    let replicas: Vec<_> = (1..=dice.between(2..=3))
        .map(|number| Replica::new(world, &store, number as usize))
        .collect();
    for replica in &replicas {
        start(world, replica);
    }
    let clients: Vec<_> = ["ada", "bob", "eve", "kim", "tom"]
        .into_iter()
        .take(dice.between(2..=5) as usize)
        .filter_map(person)
        .map(|person| Client::new(world, &replicas, person))
        .collect();
    for (n, client) in clients.iter().enumerate() {
        client.reload();
        let hasty = flood && n == 0;
        let messages = if hasty {
            dice.between(500..=900)
        } else {
            dice.between(2..=16)
        };
        world.spawn(Rc::clone(client).talk(messages, hasty));
        world.spawn(Rc::clone(client).insist());
    }
    trouble(world, &store, &replicas, &clients).await;
    dice.end_faults();
    world.note(|| "nothing fails from here on".to_owned());
    for replica in replicas.iter().filter(|replica| !replica.is_up()) {
        start(world, replica);
    }
    let mut wrong = becomes_quiet(world, &store, &clients).await;
    world.time.sleep(AFTERWARDS).await;
    wrong.extend(becomes_quiet(world, &store, &clients).await);
    wrong.extend(verdict::judge(&store, &clients));
    wrong.dedup();
    let messages = clients
        .iter()
        .map(|client| client.sender.borrow().sent.len())
        .sum();
    Ending {
        wrong,
        messages,
        ..Ending::default()
    }
}

fn person(name: &str) -> Option<Person> {
    Some(Person {
        id: PersonId::try_from(name.to_owned()).ok()?,
        name: name.to_owned().try_into().ok()?,
    })
}

/// What happened before anyone came: the room and its first messages.
fn before(store: &Store, messages: u64) {
    let Some(author) = person("old") else { return };
    let messages = (1..=messages)
        .map(|n| message(&format!("old-{n}"), "long ago"))
        .collect();
    // The room does not exist yet, and then it does: neither call can be refused.
    let _fresh = store.create();
    let _stored = store.append(&author, messages, Timestamp(0));
}

fn start(world: &World, replica: &Rc<Replica>) {
    let replica = Rc::clone(replica);
    world.spawn(async move { replica.start().await });
}

/// Cuts, kills, reloads, and sometimes empties the storage, for as long as things fail.
async fn trouble(world: &World, store: &Store, replicas: &[Rc<Replica>], clients: &[Rc<Client>]) {
    let dice = &world.dice;
    let may_empty = dice.one_in(4);
    let end = world.time.millis() + TROUBLE;
    let any = |count: usize| dice.between(0..=count as u64 - 1) as usize;
    loop {
        world.time.sleep(dice.between(200..=6_000)).await;
        if world.time.millis() >= end {
            return;
        }
        let client = &clients[any(clients.len())];
        match dice.between(0..=9) {
            0..=3 => client.cut(),
            4..=5 => client.reload(),
            6..=7 => {
                let replica = Rc::clone(&replicas[any(replicas.len())]);
                if replica.is_up() {
                    replica.kill();
                    let back = world.time.sleep(dice.between(0..=8_000));
                    world.spawn(async move {
                        back.await;
                        replica.start().await;
                    });
                }
            }
            8 if may_empty && dice.one_in(2) && store.exists() => {
                world.note(|| "the storage is emptied".to_owned());
                store.empty();
            }
            _ => {}
        }
    }
}

/// Waits until every client shows everything and nothing is unsent. Returns what is missing if that takes too long.
async fn becomes_quiet(world: &World, store: &Store, clients: &[Rc<Client>]) -> Vec<String> {
    let end = world.time.millis() + CALM;
    loop {
        let wrong = disquiet(store, clients);
        if wrong.is_empty() || world.time.millis() >= end {
            return wrong;
        }
        world.time.sleep(500).await;
    }
}

fn disquiet(store: &Store, clients: &[Rc<Client>]) -> Vec<String> {
    let Ok(head) = store.head() else {
        return vec!["there is no room".to_owned()];
    };
    let head = Position {
        epoch: head.epoch,
        seq: head.seq,
    };
    let still = |client: &Rc<Client>| {
        let why = client.is_quiet(&head).err()?;
        Some(format!("it does not become quiet: {} {why}", client.person.name))
    };
    clients.iter().filter_map(still).collect()
}
