//! The storage as one replica sees it: slow, and sometimes failing before or after the work is done.

use std::sync::Arc;

use async_trait::async_trait;
use chat::hub::Ports;
use chat::ports::{Directory, RoomLog, Signal};
use chat::{Limit, Room, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, Position, Receipt, RoomSlug, Seq, Timestamp};
use testkit::Silent;

use crate::store::Store;
use crate::time::Time;
use crate::world::{Dice, World};

/// The log and the directory. Presence plays no part here; see [`ports`].
struct Backend {
    /// The shared storage.
    store: Store,
    /// The clock for delays.
    time: Time,
    /// Decides what fails.
    dice: Dice,
}

/// The ports that a replica's hub opens with.
pub fn ports(world: &World, store: &Store) -> Ports {
    let backend = Arc::new(Backend {
        store: store.clone(),
        time: world.time.clone(),
        dice: world.dice.clone(),
    });
    Ports {
        log: backend.clone(),
        directory: backend,
        accounts: Arc::new(Silent),
        presence: Arc::new(Silent),
        clock: Arc::new(world.time.clone()),
        ids: Arc::new(world.dice.clone()),
    }
}

impl Backend {
    /// Delays one way to the storage, or back.
    async fn travel(&self) {
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
        self.travel().await;
        self.may_fail(25)?;
        let seen = look(&self.store)?;
        self.travel().await;
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
        self.travel().await;
        self.may_fail(20)?;
        let receipts = self.store.append(author, messages, at)?;
        self.travel().await;
        self.may_fail(20)?;
        Ok(receipts)
    }

    async fn head(&self, _room: &RoomSlug) -> Result<Position, StoreError> {
        self.look(Store::head).await
    }

    async fn read(&self, _room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.look(|store| store.read(after, limit)).await
    }

    async fn read_before(
        &self,
        _room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError> {
        self.look(|store| store.read_before(before, limit)).await
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

    async fn count(&self) -> Result<u32, StoreError> {
        Ok(0)
    }
}
