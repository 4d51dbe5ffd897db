//! Ports for tests that do not need them.

use async_trait::async_trait;
use chat::ports::{Accounts, Clock, Directory, Ids, Presence, PresenceChange, SessionSignal};
use chat::{ConnectionId, Listing, Room, Session, SessionDigest, StoreError};
use futures::stream::{BoxStream, StreamExt, pending};
use protocol::{Person, PersonId, PresenceList, RoomSlug, Timestamp};

/// Knows nothing, stores nothing, and never fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

#[async_trait]
impl Directory for Silent {
    async fn create(&self, _: &Room) -> Result<(), StoreError> {
        Ok(())
    }

    async fn room(&self, _: &RoomSlug) -> Result<Option<Room>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: u32, _: &[RoomSlug]) -> Result<Listing, StoreError> {
        Ok(Listing::default())
    }
}

#[async_trait]
impl Accounts for Silent {
    async fn create(&self, _: &Person, _: &SessionDigest, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn session(&self, _: &SessionDigest) -> Result<Option<Session>, StoreError> {
        Ok(None)
    }

    async fn prolong(&self, _: &SessionDigest, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end(&self, _: &SessionDigest) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget(&self, _: Timestamp, _: u32) -> Result<u32, StoreError> {
        Ok(0)
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        Ok(pending().boxed())
    }
}

#[async_trait]
impl Presence for Silent {
    async fn enter(&self, _: &RoomSlug, _: &Person, _: &ConnectionId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn leave(&self, _: &RoomSlug, _: &PersonId, _: &ConnectionId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn roster(&self, _: &RoomSlug, _: u32) -> Result<PresenceList, StoreError> {
        Ok(PresenceList::default())
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        Ok(vec![0; rooms.len()])
    }

    async fn occupied(&self, _: u32) -> Result<Vec<RoomSlug>, StoreError> {
        Ok(vec![])
    }

    async fn typing(&self, _: &RoomSlug, _: &Person, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn follow(&self, _: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        Ok(pending().boxed())
    }
}

impl Clock for Silent {
    fn now(&self) -> Timestamp {
        Timestamp(1)
    }
}

impl Ids for Silent {
    fn random(&self) -> u128 {
        7
    }
}
