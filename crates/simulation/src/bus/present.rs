//! Who is present, as the bus knows it: by leases, which end with the processes that hold the connections.

use std::collections::{BTreeMap, BTreeSet};

use chat::ConnectionId;
use chat::ports::PresenceChange;
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use super::ProcessNumber;

/// How long a silent process counts as alive, in milliseconds, as in `crates/backend/src/redis/presence.rs`.
const LEASE_MS: u64 = 9_000;

/// A connection in a room.
pub type Connected = (PersonId, String);

/// The people of all rooms.
#[derive(Default)]
pub struct Present {
    rooms: BTreeMap<RoomSlug, BTreeMap<(ProcessNumber, Connected), Person>>,
    leases: BTreeMap<ProcessNumber, u64>,
    changes: Vec<Change>,
}

/// A change of a room's presence, to be told.
pub struct Change {
    /// The room.
    pub room: RoomSlug,
    /// What changed.
    pub change: PresenceChange,
}

/// A connection's key in a room.
pub fn key(person: &PersonId, connection: &ConnectionId) -> Connected {
    (person.clone(), connection.0.to_string())
}

impl Present {
    /// Forgets everything, without telling anybody.
    pub fn empty(&mut self) {
        self.rooms.clear();
        self.leases.clear();
    }

    /// The changes since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Prolongs a process' lease.
    pub fn prolong(&mut self, process: ProcessNumber, now: u64) {
        self.leases.insert(process, now + LEASE_MS);
    }

    /// Removes the connections of processes whose leases have ended.
    pub fn forget_dead(&mut self, now: u64) {
        self.leases.retain(|_, until| now < *until);
        let dead: Vec<_> = self
            .rooms
            .iter()
            .flat_map(|(room, all)| all.keys().map(move |key| (room, key)))
            .filter(|(_, (process, _))| !self.leases.contains_key(process))
            .map(|(room, key)| (room.clone(), key.clone()))
            .collect();
        for (room, (process, connected)) in dead {
            self.leave(&room, process, &connected);
        }
    }

    fn has(&self, room: &RoomSlug, person: &PersonId) -> bool {
        let mut all = self.rooms.get(room).into_iter().flatten();
        all.any(|((_, (known, _)), _)| known == person)
    }

    fn here(&self, room: &RoomSlug) -> u32 {
        let all = self.rooms.get(room).into_iter().flatten();
        let people: BTreeSet<_> = all.map(|((_, (person, _)), _)| person).collect();
        people.len() as u32
    }

    fn tell(&mut self, room: &RoomSlug, change: PresenceChange) {
        let room = room.clone();
        self.changes.push(Change { room, change });
    }

    /// Adds a connection.
    pub fn enter(&mut self, room: &RoomSlug, process: ProcessNumber, connected: Connected, person: &Person) {
        let first = !self.has(room, &person.id);
        let all = self.rooms.entry(room.clone()).or_default();
        all.insert((process, connected), person.clone());
        if first {
            let here = self.here(room);
            self.tell(room, PresenceChange::Entered(person.clone(), here));
        }
    }

    /// Removes a connection.
    pub fn leave(&mut self, room: &RoomSlug, process: ProcessNumber, connected: &Connected) {
        let all = self.rooms.get_mut(room);
        let gone = all.and_then(|all| all.remove(&(process, connected.clone())));
        if let Some(person) = gone.filter(|person| !self.has(room, &person.id)) {
            let here = self.here(room);
            self.tell(room, PresenceChange::Left(person, here));
        }
    }

    /// The connections of one process in a room.
    pub fn of(&self, room: &RoomSlug, process: ProcessNumber) -> BTreeMap<Connected, Person> {
        let all = self.rooms.get(room).into_iter().flatten();
        let own = all.filter(|((of, _), _)| *of == process);
        own.map(|((_, connected), person)| (connected.clone(), person.clone()))
            .collect()
    }

    /// Replaces the connections of one process in a room.
    pub fn settle(&mut self, room: &RoomSlug, process: ProcessNumber, real: &BTreeMap<Connected, Person>) {
        for connected in self.of(room, process).into_keys() {
            if !real.contains_key(&connected) {
                self.leave(room, process, &connected);
            }
        }
        for (connected, person) in real {
            self.enter(room, process, connected.clone(), person);
        }
    }

    /// The people in a room, sorted by name, and their count.
    pub fn roster(&self, room: &RoomSlug, limit: u32) -> PresenceList {
        let all = self.rooms.get(room).into_iter().flatten();
        let people: BTreeMap<_, _> = all
            .map(|(_, person)| ((person.name.to_string(), person.id.clone()), person.clone()))
            .collect();
        PresenceList {
            here: people.len() as u32,
            stale: false,
            people: people.into_values().take(limit as usize).collect(),
        }
    }
}
