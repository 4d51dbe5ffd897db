//! A replica: the real hub, and around it what `server/src/socket` does. It handles each connection's commands in
//! order of arrival (`inbox.rs`), stores neighbouring sends together (`send.rs`), follows before it reads (`join.rs`),
//! and takes a connection that ends out of its rooms (`chat.rs`).

mod fanout;
mod served;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use chat::{Followers, Hub};
use futures::future::AbortHandle;
use protocol::Person;

use crate::backend;
use crate::bus::Bus;
use crate::link::{Accepted, Cable};
use crate::presence::Here;
use crate::truth::Truth;
use crate::world::World;
use fanout::{Audience, Held};
use served::Served;

/// One replica, across restarts.
pub struct Replica {
    world: World,
    truth: Truth,
    bus: Bus,
    /// Its number, from 1 on.
    pub number: usize,
    starting: Cell<bool>,
    /// Set while the process is up.
    process: RefCell<Option<(Hub, Here)>>,
    followers: RefCell<Followers<Audience>>,
    /// All holds, for [`crate::world::Bug::Miscounts`].
    holds: RefCell<Vec<Weak<Held>>>,
    cables: RefCell<Vec<Cable>>,
    /// Everything that ends with the process.
    tasks: RefCell<Vec<AbortHandle>>,
}

impl Replica {
    /// A replica that has not started.
    pub fn new(world: &World, truth: &Truth, bus: &Bus, number: usize) -> Rc<Self> {
        Rc::new(Self {
            world: world.clone(),
            truth: truth.clone(),
            bus: bus.clone(),
            number,
            starting: Cell::new(false),
            process: RefCell::default(),
            followers: RefCell::default(),
            holds: RefCell::default(),
            cables: RefCell::default(),
            tasks: RefCell::default(),
        })
    }

    /// Starts the process; retries until the truth answers.
    pub async fn start(&self) {
        if self.starting.replace(true) {
            return;
        }
        while !self.is_up() {
            let (ports, here) = backend::ports(&self.world, &self.truth, &self.bus);
            match Hub::open(ports).await {
                Ok(hub) => {
                    self.spawn(here.clone().keep());
                    self.process.replace(Some((hub, here)));
                    self.world.note(|| format!("replica {} is up", self.number));
                }
                Err(_) => self.world.time.sleep(500).await,
            }
        }
        self.starting.set(false);
    }

    /// Kills the process: its work stops at once and its connections end. Nobody is told; its people stay in the bus
    /// until its lease ends.
    pub fn kill(&self) {
        self.world.note(|| format!("replica {} is killed", self.number));
        if let Some((_, here)) = self.process.take() {
            here.end();
        }
        for task in self.tasks.take() {
            task.abort();
        }
        for cable in self.cables.take() {
            cable.cut();
        }
        self.followers.replace(Followers::default());
        self.holds.take();
    }

    /// True while the process is up.
    pub fn is_up(&self) -> bool {
        self.process.borrow().is_some()
    }

    /// The hub, while the process is up.
    pub fn hub(&self) -> Option<Hub> {
        self.process.borrow().as_ref().map(|(hub, _)| hub.clone())
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let handle = self.world.spawn_abortable(task);
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_aborted());
        tasks.push(handle.clone());
        handle
    }

    /// Accepts a connection.
    pub fn accept(self: &Rc<Self>, person: Person, accepted: Accepted) {
        let Some(hub) = self.hub() else { return };
        self.cables.borrow_mut().push(accepted.cable.clone());
        self.spawn(Served::new(self, hub, person, &accepted).serve(accepted));
    }
}
