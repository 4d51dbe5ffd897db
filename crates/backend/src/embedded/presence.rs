//! Who is in which room: in memory only, because it is true only while this process lives.

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::stream::{BoxStream, StreamExt};
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use super::Embedded;
use super::here::Room;
use crate::channels::Received;

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
        if here.is_empty() {
            rooms.remove(room);
        }
        Ok(())
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        let rooms = self.inner.here.rooms();
        Ok(rooms.get(room).map_or_else(PresenceList::default, |here| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            PresenceList {
                people: here.people(limit),
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
