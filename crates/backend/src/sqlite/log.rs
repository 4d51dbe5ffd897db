//! The rooms' logs.

mod append;
mod pages;

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{Entry, Limit, Opened, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{Person, Position, Receipt, RoomSlug, Seq, Timestamp};
use rusqlite::{Transaction, params};

use super::{Sqlite, directory, row};
use crate::{numbers, stretch};
use append::{Append, Stored};

const NEWER: &str = "\
    SELECT seq, at, author_id, people.name AS author_name, body
    FROM events LEFT JOIN people ON people.id = events.author_id
    WHERE room_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

#[async_trait]
impl RoomLog for Sqlite {
    async fn append(
        &self,
        room: &RoomSlug,
        by: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let append = Append::new(room.clone(), by.clone(), deeds, at)?;
        let (room, bus) = (room.clone(), Arc::clone(&self.inner.bus));
        let publish = move |stored: &Stored| bus.committed(&room, &stored.entries);
        let stored = self.inner.writer.run(move |c| append.store(c), publish).await?;
        Ok(stored.receipts)
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        let room = room.clone();
        let reading = self
            .inner
            .readers
            .read(move |snapshot| row::head(snapshot, &room));
        Ok(reading.await?.at)
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        let room = room.clone();
        let reading = self.inner.readers.read(move |snapshot| {
            let row::Head { id, at: head, .. } = row::head(snapshot, &room)?;
            let newer = head.seq.get().saturating_sub(after.get());
            let entries = newer_entries(snapshot, id, &room, &head, after, limit)?;
            let more = newer > entries.len() as u64;
            Ok(Stretch { head, entries, more })
        });
        reading.await
    }

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        let room = room.clone();
        let reading = self.inner.readers.read(move |snapshot| {
            let head = row::head(snapshot, &room)?;
            let page = pages::read(snapshot, &room, head, before, limit)?;
            let found = directory::find(snapshot, &room)?;
            let room = found.ok_or(StoreError::NoSuchRoom(room))?;
            Ok(Opened { room, page })
        });
        reading.await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.inner.bus.follow(room).await
    }
}

/// Reads as many events after `after` as the limit allows. A missing event is an error.
fn newer_entries(
    snapshot: &Transaction<'_>,
    id: i64,
    room: &RoomSlug,
    head: &Position,
    after: Seq,
    limit: Limit,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let mut statement = snapshot.prepare_cached(NEWER).map_err(StoreError::failed)?;
    let values = params![id, numbers::signed(after.get())?, limit.count];
    let mut rows = statement.query(values).map_err(StoreError::failed)?;
    let newer = after.get() + 1..head.seq.get() + 1;
    stretch::collect(room, newer, limit, || {
        let row = rows.next().map_err(StoreError::failed)?;
        let entry = row.map(|row| row::entry(row, room, &head.epoch)).transpose();
        // An event that cannot be read counts as missing.
        entry.map_err(StoreError::damaged)
    })
}
