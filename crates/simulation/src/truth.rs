//! The truth itself: the rooms and their logs, shared by all replicas. What it has acknowledged it keeps, whatever
//! happens to it or to the replicas. How a replica reaches it, and what goes wrong on the way, is in
//! [`crate::backend`].

mod log;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ports::{Ids, NewDeed};
use chat::{Entry, StoreError};
use protocol::{Epoch, Person, Receipt, RoomSlug, RoomTitle, Timestamp};

use crate::client::Moment;
use crate::time::Time;
use crate::world::{Bug, Dice, World};
pub use log::Log;

/// A handle: clones are the same truth.
#[derive(Clone)]
pub struct Truth {
    inner: Arc<Mutex<Inner>>,
    time: Time,
    dice: Dice,
    bug: Option<Bug>,
}

#[derive(Default)]
struct Inner {
    rooms: BTreeMap<RoomSlug, Log>,
    /// Logs that were emptied. What was acknowledged in them is gone, but was true.
    former: Vec<Log>,
    /// Incremented whenever all connections break.
    life: u32,
    /// Until when it accepts no connections.
    away_until: u64,
    /// Until when it answers nothing.
    still_until: u64,
    reads: u64,
}

/// What one append has stored.
pub struct Stored {
    /// One receipt per message.
    pub receipts: Vec<Receipt>,
    /// The events that are new.
    pub fresh: Vec<Arc<Entry>>,
}

impl Truth {
    /// A truth without rooms.
    pub fn new(world: &World) -> Self {
        Self {
            inner: Arc::default(),
            time: world.time.clone(),
            dice: world.dice.clone(),
            bug: world.bug,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room's title, if the room exists.
    pub fn title(&self, room: &RoomSlug) -> Option<RoomTitle> {
        self.inner().rooms.get(room).map(|log| log.title.clone())
    }

    /// All rooms.
    pub fn rooms(&self) -> Vec<RoomSlug> {
        self.inner().rooms.keys().cloned().collect()
    }

    /// Creates a room, with a new epoch.
    pub fn create(&self, room: &RoomSlug, title: &RoomTitle) -> Result<(), StoreError> {
        let epoch = Epoch::from_random(self.dice.random());
        let mut inner = self.inner();
        if inner.rooms.contains_key(room) {
            return Err(StoreError::RoomExists(room.clone()));
        }
        let stale = self.bug == Some(Bug::Stale);
        inner
            .rooms
            .insert(room.clone(), Log::new(room.clone(), title.clone(), epoch, stale));
        Ok(())
    }

    /// Deletes everything. Nobody is told.
    pub fn empty(&self) {
        let mut inner = self.inner();
        let logs = std::mem::take(&mut inner.rooms);
        inner.former.extend(logs.into_values());
    }

    /// Crashes and is back in a while, or its standby takes over: all connections break. What it had acknowledged is
    /// there afterwards, and so is what it had stored.
    pub fn crash(&self, ms: u64) {
        let away_until = self.time.millis() + ms;
        let mut inner = self.inner();
        inner.life += 1;
        inner.away_until = away_until;
        if self.bug == Some(Bug::Forgets) {
            inner.rooms.values_mut().for_each(Log::forget);
        }
    }

    /// Stands still for a while, and goes on where it was.
    pub fn stand_still(&self, ms: u64) {
        self.inner().still_until = self.time.millis() + ms;
    }

    /// Connects, to send one command.
    ///
    /// # Errors
    /// It is away.
    pub fn connect(&self) -> Result<Connection, StoreError> {
        let now = self.time.millis();
        let inner = self.inner();
        if now < inner.away_until {
            return Err(StoreError::failed("the truth is away"));
        }
        Ok(Connection {
            truth: self.clone(),
            life: inner.life,
        })
    }

    /// Looks at a room's log.
    pub fn look<T>(&self, room: &RoomSlug, look: impl FnOnce(&Log) -> T) -> Result<T, StoreError> {
        let mut inner = self.inner();
        inner.reads += 1;
        let log = inner.rooms.get(room).map(look);
        log.ok_or_else(|| StoreError::NoSuchRoom(room.clone()))
    }

    /// Stores messages, as [`chat::ports::RoomLog::append`] requires.
    pub fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Stored, StoreError> {
        let mut inner = self.inner();
        let log = inner.rooms.get_mut(room);
        let log = log.ok_or_else(|| StoreError::NoSuchRoom(room.clone()))?;
        let mut fresh = Vec::new();
        let receipts = log.store(author, deeds, at, &mut fresh)?;
        Ok(Stored { receipts, fresh })
    }

    /// All events of every log there was; the present logs come last.
    pub fn events(&self) -> Vec<Arc<Entry>> {
        let inner = self.inner();
        let logs = inner.former.iter().chain(inner.rooms.values());
        logs.flat_map(|log| log.entries.iter().cloned()).collect()
    }

    /// What the truth itself says of each present room.
    pub fn moments(&self) -> Vec<(RoomSlug, Moment)> {
        let moment = |log: &Log| Moment {
            position: log.head(),
            messages: log.messages.values().cloned().collect(),
            title: log.title.clone(),
        };
        let inner = self.inner();
        let rooms = inner.rooms.iter();
        rooms.map(|(room, log)| (room.clone(), moment(log))).collect()
    }

    /// How often logs were read.
    pub fn reads(&self) -> u64 {
        self.inner().reads
    }
}

/// A replica's connection to the truth.
#[derive(Clone)]
pub struct Connection {
    truth: Truth,
    life: u32,
}

impl Connection {
    /// True until the truth crashes.
    pub fn is_whole(&self) -> bool {
        self.truth.inner().life == self.life
    }

    /// Fails if the connection is broken.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.is_whole() {
            Ok(())
        } else {
            Err(StoreError::failed("the truth closed the connection"))
        }
    }

    /// Waits while the truth stands still.
    pub async fn turn(&self) {
        let until = self.truth.inner().still_until;
        self.truth.time.sleep_until(until).await;
    }
}
