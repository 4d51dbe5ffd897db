//! Who is in which room on this process.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ConnectionId;
use protocol::{Person, PersonId, RoomSlug};

/// The rooms where somebody is.
#[derive(Default)]
pub struct Here(Mutex<HashMap<RoomSlug, Room>>);

/// The people in one room, by id and in the order in which they are listed.
#[derive(Default)]
pub struct Room {
    connections: HashMap<ById, Vec<ConnectionId>>,
    by_name: BTreeSet<ByName>,
}

/// Somebody in a room. Both tables share it: most connections are idle in some room, and pay for this.
struct Present {
    person: Person,
    /// Their name without regard to case.
    name: Box<str>,
}

/// Found by id.
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

/// Sorted by name, then by id, so that the order is the same every time.
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

impl Here {
    /// All of them, while nobody comes or goes.
    pub fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// How many people are here.
    pub fn count(&self) -> u32 {
        u32::try_from(self.connections.len()).unwrap_or(u32::MAX)
    }

    /// Says whether this is the person's first connection. Further ones do not change the name shown.
    pub fn enter(&mut self, person: &Person, connection: &ConnectionId) -> bool {
        if let Some(connections) = self.connections.get_mut(&person.id) {
            if !connections.contains(connection) {
                connections.push(connection.clone());
            }
            return false;
        }
        let present = Arc::new(Present {
            person: person.clone(),
            name: person.name.as_str().to_lowercase().into(),
        });
        self.by_name.insert(ByName(Arc::clone(&present)));
        // Most people have one, and there are many people.
        self.connections.insert(ById(present), vec![connection.clone()]);
        true
    }

    /// Who is gone, if this was their last connection.
    pub fn leave(&mut self, person: &PersonId, connection: &ConnectionId) -> Option<Person> {
        let connections = self.connections.get_mut(person)?;
        connections.retain(|known| known != connection);
        if !connections.is_empty() {
            return None;
        }
        let (ById(present), _) = self.connections.remove_entry(person)?;
        self.by_name.remove(&ByName(Arc::clone(&present)));
        Some(present.person.clone())
    }

    /// The first people of the list.
    pub fn people(&self, limit: usize) -> Vec<Person> {
        let people = self.by_name.iter().take(limit);
        people.map(|ByName(present)| present.person.clone()).collect()
    }

    /// Nobody is here any more.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}
