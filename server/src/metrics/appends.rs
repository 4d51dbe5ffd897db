//! A log that counts and times appends.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{Limit, Opened, StoreError, Stretch};
use futures::stream::BoxStream;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use protocol::{Person, Position, Receipt, RoomSlug, Seq, Timestamp};

/// Wraps another log and measures its appends.
pub struct Measured {
    pub log: Arc<dyn RoomLog>,
    pub append: Histogram,
    pub stored: Counter,
}

#[async_trait]
impl RoomLog for Measured {
    async fn append(
        &self,
        room: &RoomSlug,
        by: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let started = Instant::now();
        let stored = self.log.append(room, by, deeds, at).await;
        self.append.observe(started.elapsed().as_secs_f64());
        if let Ok(receipts) = &stored {
            self.stored.inc_by(receipts.len() as u64);
        }
        stored
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        self.log.head(room).await
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.log.read(room, after, limit).await
    }

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        self.log.open(room, before, limit).await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.log.follow(room).await
    }
}
