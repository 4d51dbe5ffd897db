//! The list of rooms.

use async_trait::async_trait;
use chat::ports::{Directory, Ids};
use chat::{Room, StoreError, title_key};
use protocol::{Epoch, RoomSlug};

use super::connection::Values;
use super::{Postgres, row};
use crate::numbers;

const CREATE: &str = "\
    INSERT INTO rooms (slug, title, title_key, epoch, created_at, last_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id";

const IN_THE_WAY: &str = "\
    SELECT slug FROM rooms WHERE title_key = $1 OR slug = $2
    ORDER BY title_key IS NOT DISTINCT FROM $1 DESC LIMIT 1";

const FIND: &str = "SELECT slug, title, created_at, last_at FROM rooms WHERE slug = $1";

const LIST: &str = "\
    SELECT slug, title, created_at, last_at FROM rooms
    ORDER BY coalesce(last_at, created_at) DESC, id DESC LIMIT $1";

const COUNT: &str = "SELECT count(*) FROM rooms";

#[async_trait]
impl Directory for Postgres {
    async fn create(&self, room: &Room) -> Result<(), StoreError> {
        let epoch = Epoch::from_random(self.inner.ids.random());
        let created_at = numbers::signed(room.created_at.0)?;
        let last_at = room.last_at.map(|at| numbers::signed(at.0)).transpose()?;
        let (slug, title, key) = (room.slug.as_str(), room.title.as_str(), title_key(&room.title));
        let epoch = epoch.as_str();
        let values: Values<'_> = &[&slug, &title, &key, &epoch, &created_at, &last_at];
        if !self.inner.lanes.write(CREATE, values).await?.is_empty() {
            return Ok(());
        }
        let rows = self.inner.lanes.read(IN_THE_WAY, &[&key, &slug]).await?;
        let other = rows.first().map(|row| row::parsed(row, 0)).transpose()?;
        Err(StoreError::RoomExists(other.unwrap_or_else(|| room.slug.clone())))
    }

    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
        let rows = self.inner.lanes.read(FIND, &[&slug.as_str()]).await?;
        rows.first().map(row::room).transpose()
    }

    async fn rooms(&self, limit: u32) -> Result<Vec<Room>, StoreError> {
        let rows = self.inner.lanes.read(LIST, &[&i64::from(limit)]).await?;
        rows.iter().map(row::room).collect()
    }

    async fn count(&self) -> Result<u32, StoreError> {
        let rows = self.inner.lanes.read(COUNT, &[]).await?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row::value(row, 0))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}
