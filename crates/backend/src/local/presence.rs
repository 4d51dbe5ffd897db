//! Who is in which room. In memory only, because it ends with this process.

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::stream::{BoxStream, StreamExt};
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use super::Local;
use super::rooms::RoomPresence;
use crate::channels::Received;

#[async_trait]
impl Presence for Local {
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let mut rooms = self.present.rooms();
        let present = rooms.entry(room.clone()).or_default();
        if present.enter(person, connection) {
            let change = PresenceChange::Entered(person.clone(), present.count());
            // Publish while the lock is held, here and below, so that followers receive changes in order.
            self.changes.publish(room, [change]);
        }
        Ok(())
    }

    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let mut rooms = self.present.rooms();
        let Some(present) = rooms.get_mut(room) else {
            return Ok(());
        };
        if let Some(person) = present.leave(person, connection) {
            let change = PresenceChange::Left(person, present.count());
            self.changes.publish(room, [change]);
        }
        if present.is_empty() {
            rooms.remove(room);
        }
        Ok(())
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        let rooms = self.present.rooms();
        Ok(rooms.get(room).map_or_else(PresenceList::default, |present| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            PresenceList {
                people: present.people(limit),
                here: present.count(),
                stale: false,
            }
        }))
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        let present = self.present.rooms();
        let count = |room| present.get(room).map_or(0, RoomPresence::count);
        Ok(rooms.iter().map(count).collect())
    }

    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.present.rooms().keys().take(limit).cloned().collect())
    }

    async fn typing(&self, room: &RoomSlug, person: &Person, typing: bool) -> Result<(), StoreError> {
        let change = PresenceChange::Typing(person.clone(), typing);
        let _order = self.present.rooms();
        self.changes.publish(room, [change]);
        Ok(())
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        let changes = self.changes.subscribe(room).map(|received| match received {
            Received::Next(change) => change,
            Received::Missed => PresenceChange::Unsure,
        });
        Ok(changes.boxed())
    }
}
