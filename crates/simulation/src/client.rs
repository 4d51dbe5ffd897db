//! One person with a browser: a page with a few rooms and one connection. Drives the real client core as
//! `app/src/client/live.rs` does, and records what the person sent and saw.

mod asking;
mod connecting;
mod keeping;
mod pane;
mod person;
mod view;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use client::room::{Effect, RoomClient};
use futures::channel::oneshot;
use protocol::{Person, PresenceList, RoomSlug};
use testkit::checker::{RoomPosition, Sender};

use crate::link::{Answer, Connection, Told};
use crate::server::Replica;
use crate::world::World;
use asking::Waiting;
pub use pane::Pane;
pub use view::Moment;

/// A person with a browser.
pub struct Client {
    world: World,
    replicas: Vec<Rc<Replica>>,
    /// Who they are.
    pub person: Person,
    /// Counts page loads. Tasks of an earlier page do nothing.
    page: Cell<u32>,
    /// True once they have closed the page for good.
    gone: Cell<bool>,
    asked: Cell<u32>,
    said: Cell<u64>,
    /// The rooms that they use.
    pub panes: Vec<Rc<Pane>>,
    connection: RefCell<Option<Connection>>,
    /// Ends the present connection on the browser's side.
    hang_up: RefCell<Option<oneshot::Sender<()>>>,
    /// The number of the replica that it is connected to.
    at: Cell<usize>,
    waiting: RefCell<BTreeMap<u32, Waiting>>,
    /// What was sent and what was acknowledged.
    pub sender: RefCell<Sender>,
}

impl Client {
    /// A person who has not opened a page.
    pub fn new(world: &World, replicas: &[Rc<Replica>], person: Person, rooms: &[RoomSlug]) -> Rc<Self> {
        let name = person.name.to_string();
        Rc::new(Self {
            world: world.clone(),
            replicas: replicas.to_vec(),
            panes: rooms.iter().map(|room| Rc::new(Pane::new(&name, room))).collect(),
            person,
            page: Cell::new(0),
            gone: Cell::new(false),
            asked: Cell::new(0),
            said: Cell::new(0),
            connection: RefCell::default(),
            hang_up: RefCell::default(),
            at: Cell::new(0),
            waiting: RefCell::default(),
            sender: RefCell::new(Sender {
                name,
                ..Sender::default()
            }),
        })
    }

    fn note(&self, what: impl FnOnce() -> String) {
        self.world.note(|| format!("{}: {}", self.person.name, what()));
    }

    /// True until they have closed the page for good.
    pub fn is_there(&self) -> bool {
        !self.gone.get()
    }

    /// The number of the replica that it was connected to last.
    pub fn at(&self) -> usize {
        self.at.get()
    }

    /// The room's part of the page, if they use that room.
    pub fn pane(&self, room: &RoomSlug) -> Option<&Rc<Pane>> {
        self.panes.iter().find(|pane| pane.room == *room)
    }

    /// Changes a room client, records what it shows, and carries out its effects.
    fn drive(self: &Rc<Self>, pane: &Rc<Pane>, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Effect>) {
        let now = self.world.time.millis();
        let Some((of, effects)) = pane.change(|core| f(core, now)) else {
            return;
        };
        for effect in effects {
            self.perform(pane, of, effect);
        }
    }

    fn hear(self: &Rc<Self>, told: Told) {
        match told {
            Told::Events(events) => {
                self.note(|| {
                    let seqs: Vec<_> = events.events.iter().map(|event| event.seq.get()).collect();
                    let room = events.events.first().map(|event| &event.room);
                    format!("is told {seqs:?} of {room:?}")
                });
                let room = events.events.first().map(|event| event.room.clone());
                if let Some(pane) = room.as_ref().and_then(|room| self.pane(room)) {
                    self.drive(pane, |core, now| core.events(events, now));
                }
            }
            Told::Reset(reset) => {
                self.note(|| format!("is told to load {} again", reset.room));
                if let Some(pane) = self.pane(&reset.room) {
                    self.drive(pane, |core, _| core.reset());
                }
            }
            Told::Presence(update) => {
                self.note(|| {
                    let (room, here) = (&update.room, update.here);
                    format!(
                        "is told that {:?} came to {room} and {:?} left; {here} are here",
                        names(&update.entered),
                        names(&update.left)
                    )
                });
                if let Some(pane) = self.pane(&update.room) {
                    pane.tell(|core| core.presence(update));
                }
            }
            Told::Roster(update) => {
                self.note(|| {
                    let (room, roster) = (&update.room, &update.roster);
                    format!(
                        "is told that {} are in {room}: {:?}",
                        roster.here,
                        names(&roster.people)
                    )
                });
                if let Some(pane) = self.pane(&update.room) {
                    pane.tell(|core| core.whole_roster(update));
                }
            }
            Told::Answer(number, answer) => {
                self.note(|| format!("answer {number}: {}", answer.describe()));
                self.promised(&answer);
                let waiting = self.waiting.borrow_mut().remove(&number);
                if let Some(Waiting { pane, done }) = waiting {
                    self.drive(&pane, |core, now| done(core, Ok(*answer), now));
                }
            }
        }
    }

    /// A receipt is a promise, even if it arrives too late.
    fn promised(&self, answer: &Answer) {
        if let Answer::Sent(room, receipts) = answer {
            let promises = receipts.receipts.iter().map(|receipt| {
                let position = RoomPosition {
                    room: room.clone(),
                    epoch: receipt.epoch.clone(),
                    seq: receipt.seq,
                };
                (receipt.client_id.clone(), position)
            });
            self.sender.borrow_mut().acknowledged.extend(promises);
        }
    }

    /// Who is in a room, as this person sees it. `None` if the room is not on the page.
    pub fn roster(&self, room: &RoomSlug) -> Option<PresenceList> {
        self.pane(room)?.look(|core| core.roster().list().clone())
    }
}

/// For the trace.
fn names(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.name.as_str()).collect()
}
