//! Which connections of this replica are in which room. Redis should know the same.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ConnectionId;
use protocol::{DisplayName, Person, PersonId, RoomSlug};

/// The rooms that connections of this replica are in.
#[derive(Default)]
pub struct LocalPresence(Mutex<HashMap<RoomSlug, RoomPresence>>);

#[derive(Default)]
struct RoomPresence {
    connections: HashMap<(PersonId, ConnectionId), DisplayName>,
    /// The sum of the connections' fingerprints. If the sum in Redis differs, Redis has missed something.
    digest: u64,
    /// Incremented whenever a change starts or ends. Digests can be compared only while no change is under way.
    version: u64,
    under_way: usize,
}

/// A change that is being sent to Redis.
pub struct Change {
    present: Arc<LocalPresence>,
    room: RoomSlug,
    /// An arrival to undo unless it is done.
    arrival: Option<(PersonId, ConnectionId)>,
}

/// The digest that Redis should have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    digest: u64,
    version: u64,
    quiet: bool,
}

/// A connection's part of the digest. Never 0, and small enough that sums do not overflow.
pub fn fingerprint(person: &PersonId, connection: &ConnectionId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (person, connection).hash(&mut hasher);
    (hasher.finish() >> 32) + 1
}

impl LocalPresence {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, RoomPresence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(
        self: &Arc<Self>,
        room: &RoomSlug,
        change: impl FnOnce(&mut RoomPresence) -> bool,
    ) -> (Change, bool) {
        let mut rooms = self.rooms();
        let local = rooms.entry(room.clone()).or_default();
        local.version += 1;
        local.under_way += 1;
        let changed = change(local);
        let change = Change {
            present: Arc::clone(self),
            room: room.clone(),
            arrival: None,
        };
        (change, changed)
    }

    /// Adds a connection. Dropping the change before [`Change::done`] removes it again.
    pub fn enter(self: &Arc<Self>, room: &RoomSlug, person: &Person, connection: &ConnectionId) -> Change {
        let key = (person.id.clone(), connection.clone());
        let (mut change, new) = self.begin(room, |local| match local.connections.entry(key.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(person.name.clone());
                local.digest += fingerprint(&person.id, connection);
                true
            }
        });
        change.arrival = new.then_some(key);
        change
    }

    /// Removes a connection.
    pub fn leave(self: &Arc<Self>, room: &RoomSlug, person: &PersonId, connection: &ConnectionId) -> Change {
        let key = (person.clone(), connection.clone());
        self.begin(room, |local| local.forget(&key)).0
    }

    /// The rooms that people are in.
    pub fn occupied(&self) -> Vec<RoomSlug> {
        self.rooms().keys().cloned().collect()
    }

    /// The people in a room, in no order.
    pub fn people(&self, room: &RoomSlug) -> Vec<Person> {
        let rooms = self.rooms();
        let connections = rooms.get(room).map(|local| &local.connections);
        let mut seen = HashSet::new();
        let people = connections.into_iter().flatten();
        let people = people.filter(|((id, _), _)| seen.insert(id.clone()));
        let people = people.map(|((id, _), name)| Person {
            id: id.clone(),
            name: name.clone(),
        });
        people.collect()
    }

    /// The digest of a room that Redis should have now.
    pub fn expected(&self, room: &RoomSlug) -> Expected {
        let rooms = self.rooms();
        rooms.get(room).map_or(
            Expected {
                digest: 0,
                version: 0,
                quiet: true,
            },
            |local| Expected {
                digest: local.digest,
                version: local.version,
                quiet: local.under_way == 0,
            },
        )
    }

    /// The digest of a room, and all connections in it.
    pub fn everybody(&self, room: &RoomSlug) -> (u64, Vec<(Person, ConnectionId)>) {
        let rooms = self.rooms();
        let Some(local) = rooms.get(room) else {
            return (0, vec![]);
        };
        let connections = local.connections.iter().map(|((id, connection), name)| {
            let person = Person {
                id: id.clone(),
                name: name.clone(),
            };
            (person, connection.clone())
        });
        (local.digest, connections.collect())
    }

    /// Removes everybody from all rooms. Returns the rooms that had people.
    pub fn clear(&self) -> Vec<RoomSlug> {
        std::mem::take(&mut *self.rooms()).into_keys().collect()
    }
}

impl RoomPresence {
    fn forget(&mut self, (person, connection): &(PersonId, ConnectionId)) -> bool {
        let key = (person.clone(), connection.clone());
        let was_here = self.connections.remove(&key).is_some();
        if was_here {
            self.digest -= fingerprint(person, connection);
        }
        was_here
    }
}

impl Expected {
    /// True if Redis' `digest` is right. It was asked for after `self` was taken, and `now` was taken after the answer.
    /// `None` if a change was under way, so that the digests cannot be compared.
    pub fn compare(self, now: Self, digest: u64) -> Option<bool> {
        let same = self.digest == digest;
        // Equal digests are right even while a change is under way.
        (same || (self.quiet && self == now)).then_some(same)
    }
}

impl Change {
    /// The change stays, whether or not Redis knows of it already.
    pub fn done(mut self) {
        self.arrival = None;
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut rooms = self.present.rooms();
        let Some(local) = rooms.get_mut(&self.room) else {
            return;
        };
        local.version += 1;
        local.under_way = local.under_way.saturating_sub(1);
        if let Some(arrival) = self.arrival.take() {
            local.forget(&arrival);
        }
        if local.connections.is_empty() && local.under_way == 0 {
            rooms.remove(&self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Person {
        Person {
            id: PersonId::from_random(1),
            name: DisplayName::try_from("Ada".to_owned()).unwrap(),
        }
    }

    fn tab(n: u32) -> ConnectionId {
        ConnectionId(format!("tab-{n}").into())
    }

    #[test]
    fn an_arrival_that_was_abandoned_is_undone() {
        let (here, room) = (Arc::new(LocalPresence::default()), RoomSlug::lobby());
        here.enter(&room, &ada(), &tab(1)).done();
        drop(here.enter(&room, &ada(), &tab(2)));
        // Abandoning a second arrival undoes nothing: the connection was here before.
        drop(here.enter(&room, &ada(), &tab(1)));
        let (digest, everybody) = here.everybody(&room);
        assert_eq!(everybody, [(ada(), tab(1))]);
        assert_eq!(digest, fingerprint(&ada().id, &tab(1)));
        here.leave(&room, &ada().id, &tab(1)).done();
        assert!(here.occupied().is_empty());
    }

    #[test]
    fn digests_are_compared_only_while_nothing_is_under_way() {
        let (here, room) = (Arc::new(LocalPresence::default()), RoomSlug::lobby());
        let entering = here.enter(&room, &ada(), &tab(1));
        let before = here.expected(&room);
        assert_eq!(
            before.compare(here.expected(&room), 0),
            None,
            "a change is under way"
        );
        entering.done();
        let before = here.expected(&room);
        let digest = fingerprint(&ada().id, &tab(1));
        assert_eq!(before.compare(here.expected(&room), 0), Some(false));
        assert_eq!(before.compare(here.expected(&room), digest), Some(true));
        here.enter(&room, &ada(), &tab(2)).done();
        let meanwhile = before.compare(here.expected(&room), 0);
        assert_eq!(meanwhile, None, "another change happened meanwhile");
    }
}
