//! The list of rooms.

use async_trait::async_trait;
use chat::ports::{Directory, Ids};
use chat::{Listing, Room, StoreError, title_key};
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

// Without rooms to list there is one row, with the count.
const LIST: &str = "\
    SELECT listed.slug, listed.title, listed.created_at, listed.last_at, counted.total
    FROM (SELECT count(*) AS total FROM rooms) AS counted LEFT JOIN (
        (SELECT id, slug, title, created_at, last_at FROM rooms
            ORDER BY coalesce(last_at, created_at) DESC, id DESC LIMIT $1)
        UNION (SELECT id, slug, title, created_at, last_at FROM rooms WHERE slug = ANY ($2))
    ) AS listed ON true
    ORDER BY coalesce(listed.last_at, listed.created_at) DESC, listed.id DESC";

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
        rows.first().map(|row| row::room(row, 0)).transpose()
    }

    async fn list(&self, limit: u32, others: &[RoomSlug]) -> Result<Listing, StoreError> {
        let others: Vec<_> = others.iter().map(RoomSlug::as_str).collect();
        let rows = self.inner.lanes.read(LIST, &[&i64::from(limit), &others]).await?;
        let total: i64 = rows.first().map_or(Ok(0), |row| row::value(row, 4))?;
        let mut rooms = Vec::with_capacity(rows.len());
        for row in &rows {
            if row::value::<Option<&str>>(row, 0)?.is_some() {
                rooms.push(row::room(row, 0)?);
            }
        }
        Ok(Listing {
            rooms,
            total: u32::try_from(total).unwrap_or(u32::MAX),
        })
    }
}
