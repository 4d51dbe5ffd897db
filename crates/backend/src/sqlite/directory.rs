//! The list of rooms.

use std::cmp::Reverse;
use std::collections::HashSet;

use async_trait::async_trait;
use chat::ports::{Directory, Ids};
use chat::{Listing, Room, StoreError, title_key};
use protocol::{Epoch, RoomSlug};
use rusqlite::{Connection, params};

use super::{Sqlite, row};
use crate::numbers;

const CREATE: &str = "\
    INSERT INTO rooms (slug, title, title_key, epoch, created_at, last_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

const IN_THE_WAY: &str = "\
    SELECT slug FROM rooms WHERE title_key = ?1 OR slug = ?2 ORDER BY title_key IS ?1 DESC LIMIT 1";

const FIND: &str = "SELECT slug, title, created_at, last_at FROM rooms WHERE slug = ?1";

const LIST: &str = "\
    SELECT slug, title, created_at, last_at FROM rooms
    ORDER BY coalesce(last_at, created_at) DESC, id DESC LIMIT ?1";

const COUNT: &str = "SELECT count(*) FROM rooms";

/// The room at an address, if it exists.
pub fn find(snapshot: &Connection, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
    let mut find = snapshot.prepare_cached(FIND).map_err(StoreError::failed)?;
    let mut rows = find.query([slug.as_str()]).map_err(StoreError::failed)?;
    let row = rows.next().map_err(StoreError::failed)?;
    row.map(row::room).transpose()
}

#[async_trait]
impl Directory for Sqlite {
    async fn create(&self, room: &Room) -> Result<(), StoreError> {
        let room = room.clone();
        let epoch = Epoch::from_random(self.inner.ids.random());
        let creating = self.inner.writer.run(
            move |connection| {
                let mut insert = connection.prepare_cached(CREATE).map_err(StoreError::failed)?;
                let created_at = numbers::signed(room.created_at.0)?;
                let last_at = room.last_at.map(|at| numbers::signed(at.0)).transpose()?;
                let (slug, title, key) = (room.slug.as_str(), room.title.as_str(), title_key(&room.title));
                let values = params![slug, title, key, epoch.as_str(), created_at, last_at];
                if insert.execute(values).map_err(StoreError::failed)? == 1 {
                    return Ok(());
                }
                let mut find = connection
                    .prepare_cached(IN_THE_WAY)
                    .map_err(StoreError::failed)?;
                let mut rows = find.query(params![key, slug]).map_err(StoreError::failed)?;
                let row = rows.next().map_err(StoreError::failed)?;
                Err(StoreError::RoomExists(match row {
                    Some(row) => row::parsed(row, "slug")?,
                    None => room.slug,
                }))
            },
            |()| {},
        );
        creating.await
    }

    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
        let slug = slug.clone();
        let reading = self.inner.readers.read(move |snapshot| find(snapshot, &slug));
        reading.await
    }

    async fn list(&self, limit: u32, others: &[RoomSlug]) -> Result<Listing, StoreError> {
        let others: HashSet<_> = others.iter().cloned().collect();
        let reading = self.inner.readers.read(move |snapshot| {
            let mut list = snapshot.prepare_cached(LIST).map_err(StoreError::failed)?;
            let mut rows = list.query([limit]).map_err(StoreError::failed)?;
            let mut rooms = Vec::new();
            while let Some(row) = rows.next().map_err(StoreError::failed)? {
                rooms.push(row::room(row)?);
            }
            let listed: HashSet<_> = rooms.iter().map(|room| room.slug.clone()).collect();
            for slug in others.difference(&listed) {
                rooms.extend(find(snapshot, slug)?);
            }
            rooms.sort_by_key(|room| Reverse(room.last_at.unwrap_or(room.created_at)));
            let mut count = snapshot.prepare_cached(COUNT).map_err(StoreError::failed)?;
            let total = count
                .query_row([], |row| row.get(0))
                .map_err(StoreError::failed)?;
            Ok(Listing { rooms, total })
        });
        reading.await
    }
}
