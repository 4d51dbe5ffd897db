//! Who is in which room: in memory only, because it is true only while this process lives.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::stream::{BoxStream, StreamExt};
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use super::Embedded;
use crate::channels::Received;

/// The rooms where somebody is.
#[derive(Default)]
pub struct Here(Mutex<HashMap<RoomSlug, Room>>);

/// How people are sorted: by name without regard to case, then by id, so that the order is the same every time.
type SortKey = (String, PersonId);

/// The people in one room, by id and in the order in which they are listed.
#[derive(Default)]
struct Room {
    connections: HashMap<PersonId, (Arc<SortKey>, Vec<ConnectionId>)>,
    by_name: BTreeMap<Arc<SortKey>, Person>,
}

impl Here {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn count(&self) -> u32 {
        u32::try_from(self.connections.len()).unwrap_or(u32::MAX)
    }

    /// Says whether this is the person's first connection. Further ones do not change the name shown.
    fn enter(&mut self, person: &Person, connection: &ConnectionId) -> bool {
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
    fn leave(&mut self, person: &PersonId, connection: &ConnectionId) -> Option<Person> {
        let (_, connections) = self.connections.get_mut(person)?;
        connections.retain(|known| known != connection);
        if !connections.is_empty() {
            return None;
        }
        let (key, _) = self.connections.remove(person)?;
        self.by_name.remove(&key)
    }
}

#[async_trait]
impl Presence for Embedded {
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let mut rooms = self.inner.here.rooms();
        let here = rooms.entry(room.clone()).or_default();
        if here.enter(person, connection) {
            let change = PresenceChange::Entered(person.clone(), here.count());
            // Told while the lock is held, here and below: everybody hears of changes in the order they happened.
            self.inner.changes.publish(room, [change]);
        }
        Ok(())
    }

    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let mut rooms = self.inner.here.rooms();
        let Some(here) = rooms.get_mut(room) else {
            return Ok(());
        };
        if let Some(person) = here.leave(person, connection) {
            let change = PresenceChange::Left(person, here.count());
            self.inner.changes.publish(room, [change]);
        }
        if here.connections.is_empty() {
            rooms.remove(room);
        }
        Ok(())
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        let rooms = self.inner.here.rooms();
        Ok(rooms.get(room).map_or_else(PresenceList::default, |here| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            PresenceList {
                people: here.by_name.values().take(limit).cloned().collect(),
                here: here.count(),
            }
        }))
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        let here = self.inner.here.rooms();
        let count = |room| here.get(room).map_or(0, Room::count);
        Ok(rooms.iter().map(count).collect())
    }

    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.inner.here.rooms().keys().take(limit).cloned().collect())
    }

    async fn typing(&self, room: &RoomSlug, person: &Person, typing: bool) -> Result<(), StoreError> {
        let change = PresenceChange::Typing(person.clone(), typing);
        let _order = self.inner.here.rooms();
        self.inner.changes.publish(room, [change]);
        Ok(())
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        let changes = self.inner.changes.follow(room).map(|received| match received {
            Received::Next(change) => change,
            Received::Missed => PresenceChange::Unsure,
        });
        Ok(changes.boxed())
    }
}
