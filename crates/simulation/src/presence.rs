//! A process' part of the presence: its own connections, and the rounds that keep the bus' knowledge of them alive and
//! right, as `crates/backend/src/redis` does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::stream::BoxStream;
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use crate::backend::{may_fail, travel};
use crate::bus::{Connected, Present, Process, key};
use crate::time::Time;
use crate::world::{Dice, World};

/// The time between two rounds, in milliseconds.
const ROUND: u64 = 3_000;
/// The time after a round that failed.
const AGAIN: u64 = 500;

/// The presence of one process. Clones are the same.
#[derive(Clone)]
pub struct Here {
    process: Process,
    rooms: Arc<Mutex<BTreeMap<RoomSlug, Room>>>,
    time: Time,
    dice: Dice,
}

#[derive(Default)]
struct Room {
    connections: BTreeMap<Connected, Person>,
    /// Changes that the bus has not answered yet. What it knows can be compared only while there are none.
    under_way: u32,
}

impl Here {
    /// A process without connections.
    pub fn new(world: &World, process: Process) -> Self {
        Self {
            process,
            rooms: Arc::default(),
            time: world.time.clone(),
            dice: world.dice.clone(),
        }
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomSlug, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, room: &RoomSlug, f: impl FnOnce(&mut Room) -> T) -> T {
        f(self.rooms().entry(room.clone()).or_default())
    }

    /// Asks the bus: there, look or change, and back.
    async fn ask<T>(&self, f: impl FnOnce(&mut Present, u32) -> T) -> Result<T, StoreError> {
        travel(&self.time, &self.dice).await;
        may_fail(&self.dice, 25)?;
        let answer = self.process.present(|present, process, now| {
            present.prolong(process, now);
            f(present, process)
        })?;
        travel(&self.time, &self.dice).await;
        may_fail(&self.dice, 25)?;
        Ok(answer)
    }

    /// Keeps the bus' knowledge right for as long as the process lives.
    pub async fn keep(self) {
        loop {
            let well = self.round().await.is_ok();
            self.time.sleep(if well { ROUND } else { AGAIN }).await;
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        let rooms: Vec<_> = self.rooms().keys().cloned().collect();
        let rooms = BTreeSet::from_iter(rooms);
        let known = self.ask(|present, process| {
            let of = |room: &RoomSlug| (room.clone(), present.of(room, process));
            rooms.iter().map(of).collect::<Vec<_>>()
        });
        for (room, known) in known.await? {
            let real = self.with(&room, |local| {
                (local.under_way == 0 && local.connections != known).then(|| local.connections.clone())
            });
            if let Some(real) = real {
                self.ask(|present, process| present.settle(&room, process, &real))
                    .await?;
            }
        }
        self.process.check_presence();
        Ok(())
    }

    /// The people that this process knows itself, for the time when the bus is away.
    fn own(&self, room: &RoomSlug, limit: u32) -> PresenceList {
        let own = self.with(room, |local| local.connections.clone());
        let people: BTreeMap<_, _> = own
            .into_values()
            .map(|person| ((person.name.to_string(), person.id.clone()), person))
            .collect();
        PresenceList {
            here: people.len() as u32,
            stale: false,
            people: people.into_values().take(limit as usize).collect(),
        }
    }

    /// The process was killed.
    pub fn end(&self) {
        self.process.end();
    }
}

#[async_trait]
impl Presence for Here {
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let connected = key(&person.id, connection);
        self.with(room, |local| {
            local.under_way += 1;
            local.connections.insert(connected.clone(), person.clone());
        });
        // While the bus is away, the process' next round tells it.
        let _entered = self
            .ask(|present, process| present.enter(room, process, connected.clone(), person))
            .await;
        self.with(room, |local| local.under_way -= 1);
        Ok(())
    }

    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let connected = key(person, connection);
        self.with(room, |local| {
            local.under_way += 1;
            local.connections.remove(&connected);
        });
        let _left = self
            .ask(|present, process| present.leave(room, process, &connected))
            .await;
        self.with(room, |local| local.under_way -= 1);
        Ok(())
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        let asked = self.ask(|present, _| present.roster(room, limit)).await;
        Ok(asked.unwrap_or_else(|_| {
            self.process.guessed(room);
            self.own(room, limit)
        }))
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        let count =
            |present: &mut Present, _| rooms.iter().map(|room| present.roster(room, 0).here).collect();
        self.ask(count).await
    }

    async fn occupied(&self, _limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        Ok(Vec::new())
    }

    async fn typing(&self, _: &RoomSlug, _: &Person, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        self.process.subscribe().await;
        Ok(self.process.changes(room))
    }
}
