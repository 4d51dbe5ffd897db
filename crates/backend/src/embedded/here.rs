//! Who is in which room on this process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ConnectionId;
use protocol::{Person, PersonId, RoomSlug};

/// The rooms where somebody is.
#[derive(Default)]
pub struct Here(Mutex<HashMap<RoomSlug, Room>>);

/// How people are sorted: by name without regard to case, then by id, so that the order is the same every time.
type SortKey = (String, PersonId);

/// The people in one room, by id and in the order in which they are listed.
#[derive(Default)]
pub struct Room {
    connections: HashMap<PersonId, (Arc<SortKey>, Vec<ConnectionId>)>,
    by_name: BTreeMap<Arc<SortKey>, Person>,
}

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
        if let Some((_, connections)) = self.connections.get_mut(&person.id) {
            if !connections.contains(connection) {
                connections.push(connection.clone());
            }
            return false;
        }
        let key = Arc::new((person.name.as_str().to_lowercase(), person.id.clone()));
        self.by_name.insert(Arc::clone(&key), person.clone());
        // Most people have one, and there are many people.
        self.connections
            .insert(person.id.clone(), (key, vec![connection.clone()]));
        true
    }

    /// Who is gone, if this was their last connection.
    pub fn leave(&mut self, person: &PersonId, connection: &ConnectionId) -> Option<Person> {
        let (_, connections) = self.connections.get_mut(person)?;
        connections.retain(|known| known != connection);
        if !connections.is_empty() {
            return None;
        }
        let (key, _) = self.connections.remove(person)?;
        self.by_name.remove(&key)
    }

    /// The first people of the list.
    pub fn people(&self, limit: usize) -> Vec<Person> {
        self.by_name.values().take(limit).cloned().collect()
    }

    /// Nobody is here any more.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}
