//! One room on a page.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use client::outbox::Outbox;
use client::room::{Effect, Generation, RoomClient};
use futures::future::AbortHandle;
use protocol::{ClientId, Epoch, Position, RoomSlug};

use super::keeping::Kept;
use super::view::Views;

/// One room on a page.
pub struct Pane {
    /// The room's address.
    pub room: RoomSlug,
    /// Counts how often the room was opened or left. Tasks of an earlier time do nothing.
    pub(super) visit: Cell<u32>,
    /// Set while the room is on the page.
    core: RefCell<Option<RoomClient>>,
    /// The unsent messages of a room that was left.
    pub(super) aside: RefCell<Option<Outbox>>,
    /// What the browser stores of the unsent messages; it outlives the page.
    pub(super) kept: RefCell<Kept>,
    /// In which epoch the person saw the message that a deed names.
    pub meant: RefCell<BTreeMap<ClientId, Epoch>>,
    /// What was refused at some time, and so has no promised order.
    pub refused: RefCell<BTreeSet<ClientId>>,
    /// What was refused and will not be tried again.
    pub given_up: RefCell<BTreeSet<ClientId>>,
    /// The number of the latest `send`.
    pub(super) last_send: Cell<u32>,
    pub(super) timer: RefCell<Option<(u64, AbortHandle)>>,
    /// What was shown.
    pub views: RefCell<Views>,
}

impl Pane {
    /// A room that is not on the page.
    pub fn new(person: &str, room: &RoomSlug) -> Self {
        Self {
            room: room.clone(),
            visit: Cell::new(0),
            core: RefCell::default(),
            aside: RefCell::default(),
            kept: RefCell::default(),
            meant: RefCell::default(),
            refused: RefCell::default(),
            given_up: RefCell::default(),
            last_send: Cell::new(0),
            timer: RefCell::default(),
            views: RefCell::new(Views::new(&format!("{person} in {room}"))),
        }
    }

    /// The room comes on the page.
    pub(super) fn show(&self, core: RoomClient) {
        self.views.borrow_mut().next_stretch();
        self.views.borrow_mut().look(&self.room, core.timeline());
        self.core.replace(Some(core));
    }

    /// The room goes off the page. Returns its client.
    pub(super) fn close(&self) -> Option<RoomClient> {
        self.visit.set(self.visit.get() + 1);
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
        let core = self.core.take();
        if let Some(core) = &core {
            self.views.borrow_mut().keep(core);
        }
        core
    }

    /// True while the room is on the page.
    pub fn is_open(&self) -> bool {
        self.core.borrow().is_some()
    }

    /// Looks at the room client.
    pub fn look<T>(&self, f: impl FnOnce(&RoomClient) -> T) -> Option<T> {
        self.core.borrow().as_ref().map(f)
    }

    /// Changes the room client, and records what it stores and shows.
    pub(super) fn change(
        &self,
        f: impl FnOnce(&mut RoomClient) -> Vec<Effect>,
    ) -> Option<(Generation, Vec<Effect>)> {
        let mut core = self.core.borrow_mut();
        let core = core.as_mut()?;
        let effects = f(core);
        self.keep(core);
        self.views.borrow_mut().look(&self.room, core.timeline());
        Some((core.generation(), effects))
    }

    /// Tells the room client something that concerns neither the log nor the outbox.
    pub(super) fn tell(&self, f: impl FnOnce(&mut RoomClient)) {
        if let Some(core) = self.core.borrow_mut().as_mut() {
            f(core);
        }
    }

    /// Succeeds if nothing is waiting and the log is shown up to its head. Fails with what is still missing.
    pub fn is_quiet(&self, head: &Position) -> Result<(), String> {
        let core = self.core.borrow();
        let Some(core) = core.as_ref() else {
            return Err("has no page".to_owned());
        };
        if let Some((_, id)) = self.kept.borrow().keys().next() {
            return Err(format!("still keeps {id}"));
        }
        if let Some(why) = core.over() {
            return Err(format!("is told that the room is gone: {why}"));
        }
        let position = core.timeline().position();
        if position != *head {
            return Err(format!("shows {position:?} where the log's head is {head:?}"));
        }
        let outbox = core.clone().into_outbox();
        if let Some(first) = outbox.items().first() {
            let (count, id, state) = (outbox.items().len(), &first.client_id, &first.state);
            return Err(format!("has {count} unsent, first {id}: {state:?}"));
        }
        Ok(())
    }
}
