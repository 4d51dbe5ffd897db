//! Who is in which room. There is only this process.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ConnectionId;
use protocol::{Person, PersonId, RoomSlug};

/// The rooms that people are in.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<RoomSlug, RoomPresence>>);

/// The people in one room, by id and in the order of the roster.
#[derive(Default)]
pub struct RoomPresence {
    connections: HashMap<ById, Connections>,
    by_name: BTreeSet<ByName>,
}

/// A person in a room. Both tables share it, because every connection in a room pays for this memory.
struct Present {
    person: Person,
    /// The person's name in lower case.
    name: Box<str>,
}

/// The connections of a person. Most people have one, and there are many people.
enum Connections {
    One(ConnectionId),
    Many(Vec<ConnectionId>),
}

impl Connections {
    /// Adds a connection, unless it is there.
    fn add(&mut self, connection: &ConnectionId) {
        match self {
            Self::One(known) if known == connection => {}
            Self::One(known) => *self = Self::Many(vec![known.clone(), connection.clone()]),
            Self::Many(all) if all.contains(connection) => {}
            Self::Many(all) => all.push(connection.clone()),
        }
    }

    /// Removes a connection. Returns true if none is left.
    fn remove(&mut self, connection: &ConnectionId) -> bool {
        match self {
            Self::One(known) => known == connection,
            Self::Many(all) => {
                all.retain(|known| known != connection);
                all.is_empty()
            }
        }
    }
}

/// Compared by id.
struct ById(Arc<Present>);

impl Borrow<PersonId> for ById {
    fn borrow(&self) -> &PersonId {
        &self.0.person.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.person.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.person.id == other.0.person.id
    }
}

impl Eq for ById {}

/// Sorted by name, then by id, so that the order is stable.
struct ByName(Arc<Present>);

impl ByName {
    fn key(&self) -> (&str, &PersonId) {
        (&self.0.name, &self.0.person.id)
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByName {}

impl Rooms {
    /// Locks all rooms, so that nobody enters or leaves.
    pub fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, RoomPresence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RoomPresence {
    /// The number of people in the room.
    pub fn count(&self) -> u32 {
        u32::try_from(self.connections.len()).unwrap_or(u32::MAX)
    }

    /// Adds a connection. Returns true if it is the person's first; further ones do not change the name.
    pub fn enter(&mut self, person: &Person, connection: &ConnectionId) -> bool {
        if let Some(connections) = self.connections.get_mut(&person.id) {
            connections.add(connection);
            return false;
        }
        let present = Arc::new(Present {
            person: person.clone(),
            name: person.name.as_str().to_lowercase().into(),
        });
        self.by_name.insert(ByName(Arc::clone(&present)));
        let connections = Connections::One(connection.clone());
        self.connections.insert(ById(present), connections);
        true
    }

    /// Removes a connection. Returns the person if it was their last.
    pub fn leave(&mut self, person: &PersonId, connection: &ConnectionId) -> Option<Person> {
        let connections = self.connections.get_mut(person)?;
        if !connections.remove(connection) {
            return None;
        }
        let (ById(present), _) = self.connections.remove_entry(person)?;
        self.by_name.remove(&ByName(Arc::clone(&present)));
        Some(present.person.clone())
    }

    /// The first people of the roster.
    pub fn people(&self, limit: usize) -> Vec<Person> {
        let people = self.by_name.iter().take(limit);
        people.map(|ByName(present)| present.person.clone()).collect()
    }

    /// True if nobody is in the room.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}
