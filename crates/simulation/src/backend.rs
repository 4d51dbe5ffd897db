//! The store as one replica sees it: slow, and sometimes failing, before or after the work was done.

use async_trait::async_trait;
use chat::ports::{Accounts, Directory, Presence, PresenceChange, RoomLog, Signal};
use chat::{ConnectionId, Head, Page, Room, StoreError};
use futures::stream::{BoxStream, StreamExt, pending};
use protocol::{Outgoing, Person, PersonId, PresenceList, Receipt, RoomSlug, Seq, SessionToken, Timestamp};

use crate::store::Store;
use crate::time::Time;
use crate::world::Dice;

/// Implements every port. Who is present is of no interest here: that is always the same and never fails.
pub struct Backend {
    /// The truth behind it.
    pub store: Store,
    /// How long things take.
    pub time: Time,
    /// What fails.
    pub dice: Dice,
}

impl Backend {
    /// The way to the store or back.
    async fn way(&self) {
        let ms = if self.dice.fault(300) {
            self.dice.between(5_000..=20_000)
        } else if self.dice.fault(25) {
            self.dice.between(0..=2_000)
        } else {
            self.dice.between(0..=4)
        };
        self.time.sleep(ms).await;
    }

    fn may_fail(&self, n: u32) -> Result<(), StoreError> {
        if self.dice.fault(n) {
            Err(StoreError::failed("the storage is away"))
        } else {
            Ok(())
        }
    }

    /// Reads something: there, look, and back.
    async fn look<T>(&self, look: impl FnOnce(&Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.way().await;
        self.may_fail(25)?;
        let seen = look(&self.store)?;
        self.way().await;
        Ok(seen)
    }
}

#[async_trait]
impl RoomLog for Backend {
    async fn append(
        &self,
        _room: &RoomSlug,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if self.dice.fault(60) {
            return Err(StoreError::Busy);
        }
        self.way().await;
        self.may_fail(20)?;
        let receipts = self.store.append(author, messages, at)?;
        self.way().await;
        self.may_fail(20)?;
        Ok(receipts)
    }

    async fn head(&self, _room: &RoomSlug) -> Result<Head, StoreError> {
        self.look(Store::head).await
    }

    async fn read(&self, _room: &RoomSlug, after: Seq, limit: u32) -> Result<Page, StoreError> {
        self.look(|store| store.read(after, limit)).await
    }

    async fn page(&self, _room: &RoomSlug, before: Option<Seq>, limit: u32) -> Result<Page, StoreError> {
        self.look(|store| store.page(before, limit)).await
    }

    async fn follow(&self, _room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.look(Store::follow).await
    }
}

#[async_trait]
impl Directory for Backend {
    async fn create(&self, _room: &Room) -> Result<(), StoreError> {
        self.look(Store::create).await
    }

    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
        let exists = self.look(|store| Ok(store.exists())).await?;
        let title = slug.to_string().try_into().map_err(StoreError::failed)?;
        Ok(exists.then(|| Room {
            slug: slug.clone(),
            title,
            created_at: Timestamp(0),
            last_at: None,
        }))
    }

    async fn rooms(&self, _limit: u32) -> Result<Vec<Room>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Accounts for Backend {
    async fn create(
        &self,
        _person: &Person,
        _session: &SessionToken,
        _at: Timestamp,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn person(&self, _session: &SessionToken) -> Result<Option<Person>, StoreError> {
        Ok(None)
    }

    async fn end(&self, _session: &SessionToken) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Presence for Backend {
    async fn enter(
        &self,
        _room: &RoomSlug,
        _person: &Person,
        _connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn leave(
        &self,
        _room: &RoomSlug,
        _person: &PersonId,
        _connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn roster(&self, _room: &RoomSlug, _limit: u32) -> Result<PresenceList, StoreError> {
        Ok(PresenceList::default())
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        Ok(vec![0; rooms.len()])
    }

    async fn typing(&self, _room: &RoomSlug, _person: &Person, _typing: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn follow(&self, _room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        Ok(pending().boxed())
    }
}
