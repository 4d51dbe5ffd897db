//! One person with a browser. Drives the real client core as `app/src/client/live.rs` does, and records what the person
//! sent and saw.

mod asking;
mod keeping;
mod person;
mod view;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use chat::Caller;
use client::room::RoomClient;
use client::timeline::Timeline;
use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::{AbortHandle, Either, select};
use protocol::{History, Person, Position, PresenceList, RoomSlug, Seq};
use testkit::checker::{RoomPosition, Sender};

use crate::link::{Answer, Connection, Told, connect};
use crate::server::Replica;
use crate::world::World;
use asking::Done;
use keeping::Kept;
use view::Views;

/// A person with a browser.
pub struct Client {
    world: World,
    replicas: Vec<Rc<Replica>>,
    /// Who they are.
    pub person: Person,
    /// Counts page loads. Tasks of an earlier page do nothing.
    page: Cell<u32>,
    asked: Cell<u32>,
    room: RefCell<Option<RoomClient>>,
    /// What the browser stores of the unsent messages; it outlives the page.
    kept: RefCell<Kept>,
    connection: RefCell<Option<Connection>>,
    /// Ends the present connection on the browser's side.
    hang_up: RefCell<Option<oneshot::Sender<()>>>,
    waiting: RefCell<BTreeMap<u32, Done>>,
    /// The number of the latest `send`.
    last_send: Cell<u32>,
    timer: RefCell<Option<(u64, AbortHandle)>>,
    /// What was sent and what was acknowledged.
    pub sender: RefCell<Sender>,
    /// What was shown.
    pub views: RefCell<Views>,
}

impl Client {
    /// A person who has not opened a page.
    pub fn new(world: &World, replicas: &[Rc<Replica>], person: Person) -> Rc<Self> {
        let name = person.name.to_string();
        Rc::new(Self {
            world: world.clone(),
            replicas: replicas.to_vec(),
            person,
            page: Cell::new(0),
            asked: Cell::new(0),
            room: RefCell::default(),
            kept: RefCell::default(),
            connection: RefCell::default(),
            hang_up: RefCell::default(),
            waiting: RefCell::default(),
            last_send: Cell::new(0),
            timer: RefCell::default(),
            views: RefCell::new(Views::new(&name)),
            sender: RefCell::new(Sender {
                name,
                ..Sender::default()
            }),
        })
    }

    fn note(&self, what: impl FnOnce() -> String) {
        self.world.note(|| format!("{}: {}", self.person.name, what()));
    }

    /// Loads the page again. Unsent messages are kept; everything else is gone.
    pub fn reload(self: &Rc<Self>) {
        self.page.set(self.page.get() + 1);
        self.room.take();
        self.note(|| format!("reloads with {} unsent", self.kept.borrow().len()));
        self.waiting.borrow_mut().clear();
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
        if let Some(connection) = self.connection.take() {
            connection.cable.cut();
        }
        self.hang_up.take();
        let (client, page) = (Rc::clone(self), self.page.get());
        self.world.spawn(async move { client.open(page).await });
    }

    /// Breaks the network to this client. The client and its replica notice later, independently.
    pub fn cut(&self) {
        let Some(hang_up) = self.hang_up.take() else {
            return;
        };
        self.note(|| "is cut off".to_owned());
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.cable.cut();
        }
        let noticed = self.world.time.sleep(self.world.dice.between(0..=25_000));
        self.world.spawn(async move {
            noticed.await;
            drop(hang_up);
        });
    }

    /// Gets the page from any replica that answers, then stays connected for as long as the page exists.
    async fn open(self: Rc<Self>, page: u32) {
        let timeline = loop {
            self.world.time.sleep(self.world.dice.between(20..=1_000)).await;
            if self.page.get() != page {
                return;
            }
            let Some(hub) = self.any_replica().hub() else {
                continue;
            };
            let latest = History {
                room: RoomSlug::lobby(),
                before: None,
                after: None,
            };
            let Ok(latest) = hub.ask(&Caller::NOBODY, latest).await else {
                continue;
            };
            let seq = latest.events.last().map_or(Seq::ZERO, |event| event.seq);
            let epoch = latest.epoch;
            break Timeline::new(Position { epoch, seq }, latest.events, latest.more);
        };
        if self.page.get() != page {
            return;
        }
        let you = Some(self.person.clone());
        let mut room = RoomClient::new(
            RoomSlug::lobby(),
            you,
            timeline,
            PresenceList::default(),
            str::to_lowercase,
        );
        room.await_outbox();
        self.views.borrow_mut().next_stretch();
        self.views.borrow_mut().look(room.timeline());
        self.note(|| format!("sees a page at {}", room.timeline().position().seq));
        self.room.replace(Some(room));
        self.recover(page);
        while self.page.get() == page {
            self.world.time.sleep(self.world.dice.between(50..=2_000)).await;
            self.connected(page).await;
        }
    }

    fn any_replica(&self) -> &Rc<Replica> {
        let all = self.replicas.len() as u64;
        &self.replicas[self.world.dice.between(0..=all - 1) as usize]
    }

    /// One connection, from beginning to end.
    async fn connected(self: &Rc<Self>, page: u32) {
        let replica = self.any_replica();
        if self.page.get() != page || !replica.is_up() {
            return;
        }
        let (connection, mut told, accepted) = connect(&self.world);
        let (hang_up, mut hung_up) = oneshot::channel();
        self.connection.replace(Some(connection));
        self.hang_up.replace(Some(hang_up));
        replica.accept(self.person.clone(), accepted);
        self.note(|| "is connected".to_owned());
        self.drive(|room, _| {
            room.await_outbox();
            room.connected()
        });
        self.recover(page);
        while let Either::Left((Some(told), _)) = select(told.next(), &mut hung_up).await {
            self.hear(told);
        }
        if self.page.get() == page {
            self.note(|| "is disconnected".to_owned());
            self.connection.replace(None);
            self.hang_up.replace(None);
            self.drive(|room, _| {
                room.disconnected();
                Vec::new()
            });
            self.waiting.borrow_mut().clear();
        }
    }

    fn hear(self: &Rc<Self>, told: Told) {
        match told {
            Told::Events(events) => {
                self.note(|| {
                    let seqs: Vec<_> = events.iter().map(|event| event.seq.get()).collect();
                    format!("is told {seqs:?}")
                });
                self.drive(|room, now| room.events(events, now));
            }
            Told::Reset => {
                self.note(|| "is told to load the room again".to_owned());
                self.drive(|room, _| room.reset());
            }
            Told::Answer(number, answer) => {
                self.note(|| format!("answer {number}: {}", answer.describe()));
                self.promised(&answer);
                let done = self.waiting.borrow_mut().remove(&number);
                if let Some(done) = done {
                    self.drive(|room, now| done(room, Ok(*answer), now));
                }
            }
        }
    }

    /// A receipt is a promise, even if it arrives too late.
    fn promised(&self, answer: &Answer) {
        if let Answer::Sent(receipts) = answer {
            let promises = receipts.receipts.iter().map(|receipt| {
                let position = RoomPosition {
                    room: RoomSlug::lobby(),
                    epoch: receipt.epoch.clone(),
                    seq: receipt.seq,
                };
                (receipt.client_id.clone(), position)
            });
            self.sender.borrow_mut().acknowledged.extend(promises);
        }
    }

    /// Succeeds if nothing is waiting and the log is shown up to its head. Fails with what is still missing.
    pub fn is_quiet(&self, head: &Position) -> Result<(), String> {
        let room = self.room.borrow();
        let Some(room) = room.as_ref() else {
            return Err("has no page".to_owned());
        };
        if let Some((_, id)) = self.kept.borrow().keys().next() {
            return Err(format!("still keeps {id}"));
        }
        let waits: Vec<_> = room.clone().into_outbox().items().to_vec();
        if let Some(why) = room.over() {
            return Err(format!("is told that the room is gone: {why}"));
        }
        if let Some(first) = waits.first() {
            let (id, state) = (&first.client_id, &first.state);
            return Err(format!("has {} unsent, first {id}: {state:?}", waits.len()));
        }
        let position = room.timeline().position();
        if position != *head {
            return Err(format!("shows {position:?} where the log's head is {head:?}"));
        }
        Ok(())
    }
}
