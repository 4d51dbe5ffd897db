//! Which connections of this replica are in which room: what Redis should know of it.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ConnectionId;
use protocol::{DisplayName, Person, PersonId, RoomSlug};

/// The rooms where somebody of this replica is.
#[derive(Default)]
pub struct Here(Mutex<HashMap<RoomSlug, Room>>);

#[derive(Default)]
struct Room {
    connections: HashMap<(PersonId, ConnectionId), DisplayName>,
    /// The sum of the connections' fingerprints. Redis keeps its own: if they differ, something went wrong.
    digest: u64,
    /// One more with everything that begins or ends: the digests can be compared only while nothing is under way.
    version: u64,
    under_way: usize,
}

/// A change that Redis is being told of.
pub struct Change {
    here: Arc<Here>,
    room: RoomSlug,
    /// An arrival that is taken back unless Redis has heard of it.
    arrival: Option<(PersonId, ConnectionId)>,
}

/// What the digest should be, if it can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    digest: u64,
    version: u64,
    quiet: bool,
}

/// What a connection adds to the digest: never nothing, and so little that sums do not overflow.
pub fn fingerprint(person: &PersonId, connection: &ConnectionId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (person, connection).hash(&mut hasher);
    (hasher.finish() >> 32) + 1
}

impl Here {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, room: &RoomSlug, change: impl FnOnce(&mut Room) -> bool) -> (Change, bool) {
        let mut rooms = self.rooms();
        let local = rooms.entry(room.clone()).or_default();
        local.version += 1;
        local.under_way += 1;
        let changed = change(local);
        let change = Change {
            here: Arc::clone(self),
            room: room.clone(),
            arrival: None,
        };
        (change, changed)
    }

    /// A connection is here from now on, unless the change is dropped before it is [`Change::done`].
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

    /// A connection is not here any more, whether Redis hears of it or not.
    pub fn leave(self: &Arc<Self>, room: &RoomSlug, person: &PersonId, connection: &ConnectionId) -> Change {
        let key = (person.clone(), connection.clone());
        self.begin(room, |local| local.forget(&key)).0
    }

    /// The rooms where somebody is.
    pub fn occupied(&self) -> Vec<RoomSlug> {
        self.rooms().keys().cloned().collect()
    }

    /// What Redis' digest of a room should be now.
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

    /// All connections in a room, and their digest.
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

    /// Nobody is anywhere. Gives the rooms where somebody was.
    pub fn clear(&self) -> Vec<RoomSlug> {
        std::mem::take(&mut *self.rooms()).into_keys().collect()
    }
}

impl Room {
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
    /// Whether Redis, asked after this was told, said what it should. `now` is told after its answer. None: people
    /// came or went meanwhile, so that nobody can say.
    pub fn compare(self, now: Self, digest: u64) -> Option<bool> {
        let same = self.digest == digest;
        // Right is right, also in a moment of change.
        (same || (self.quiet && self == now)).then_some(same)
    }
}

impl Change {
    /// Redis has heard of it.
    pub fn done(mut self) {
        self.arrival = None;
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut rooms = self.here.rooms();
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
    fn an_arrival_that_redis_did_not_hear_of_is_none() {
        let (here, room) = (Arc::new(Here::default()), RoomSlug::lobby());
        here.enter(&room, &ada(), &tab(1)).done();
        drop(here.enter(&room, &ada(), &tab(2)));
        // Entering again is not undone by a failure: it was here before.
        drop(here.enter(&room, &ada(), &tab(1)));
        let (digest, everybody) = here.everybody(&room);
        assert_eq!(everybody, [(ada(), tab(1))]);
        assert_eq!(digest, fingerprint(&ada().id, &tab(1)));
        here.leave(&room, &ada().id, &tab(1)).done();
        assert!(here.occupied().is_empty());
    }

    #[test]
    fn digests_are_compared_only_while_nothing_is_under_way() {
        let (here, room) = (Arc::new(Here::default()), RoomSlug::lobby());
        let entering = here.enter(&room, &ada(), &tab(1));
        let before = here.expected(&room);
        assert_eq!(before.compare(here.expected(&room), 0), None, "it is under way");
        entering.done();
        let before = here.expected(&room);
        let digest = fingerprint(&ada().id, &tab(1));
        assert_eq!(before.compare(here.expected(&room), 0), Some(false));
        assert_eq!(before.compare(here.expected(&room), digest), Some(true));
        here.enter(&room, &ada(), &tab(2)).done();
        let meanwhile = before.compare(here.expected(&room), 0);
        assert_eq!(meanwhile, None, "something happened meanwhile");
    }
}
