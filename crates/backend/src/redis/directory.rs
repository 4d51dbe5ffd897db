//! The list of rooms. Each room is a hash; the list is an index that can be out of date.

use async_trait::async_trait;
use chat::ports::{Directory, Ids};
use chat::{Room, StoreError};
use futures::future::try_join_all;
use protocol::{Epoch, RoomSlug, RoomTitle, Timestamp};

use super::replica::Redis;
use super::script::{self, Run};
use super::servers::in_time;
use super::value;

/// How many more rooms are read than asked for, because the index can be out of date or list a room that does not
/// exist.
const MARGIN: u64 = 32;

#[async_trait]
impl Directory for Redis {
    async fn create(&self, room: &Room) -> Result<(), StoreError> {
        let keys = &self.inner.keys;
        // Add the room to the list first. A room missing from the list would never be found; a listed room that does
        // not exist is skipped.
        let mut list = ::redis::cmd("ZADD");
        list.arg(keys.rooms()).arg("NX");
        list.arg(room.last_at.unwrap_or(room.created_at).0)
            .arg(room.slug.as_str());
        let epoch = Epoch::from_random(self.inner.ids.random());
        let last_at = room.last_at.map_or_else(String::new, |at| at.0.to_string());
        let run = Run::new(&script::CREATE, keys.log(&room.slug))
            .arg(room.slug.as_str())
            .arg(room.title.as_str())
            .number(room.created_at.0)
            .arg(last_at)
            .arg(epoch.as_str());
        let creating = async {
            self.inner.servers.send(&keys.rooms(), &list).await?;
            value::read(self.inner.servers.run(run).await?)
        };
        if in_time(creating).await? {
            Ok(())
        } else {
            Err(StoreError::RoomExists(room.slug.clone()))
        }
    }

    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
        let key = self.inner.keys.room(slug);
        let mut find = ::redis::cmd("HMGET");
        find.arg(&key).arg(&["title", "created_at", "last_at"]);
        let found = self.inner.servers.send(&key, &find).await?;
        let (title, created_at, last_at): (Option<String>, Option<u64>, Option<u64>) = value::read(found)?;
        let (Some(title), Some(created_at)) = (title, created_at) else {
            return Ok(None);
        };
        Ok(Some(Room {
            slug: slug.clone(),
            title: RoomTitle::kept(title),
            created_at: Timestamp(created_at),
            last_at: last_at.map(Timestamp),
        }))
    }

    async fn rooms(&self, limit: u32) -> Result<Vec<Room>, StoreError> {
        if limit == 0 {
            return Ok(vec![]);
        }
        let key = self.inner.keys.rooms();
        let mut list = ::redis::cmd("ZREVRANGE");
        list.arg(&key).arg(0).arg(u64::from(limit) + MARGIN - 1);
        let listing = async {
            let slugs: Vec<String> = value::read(self.inner.servers.send(&key, &list).await?)?;
            let slugs = slugs.into_iter().map(value::parsed::<_, RoomSlug>);
            let slugs = slugs.collect::<Result<Vec<_>, _>>()?;
            try_join_all(slugs.iter().map(|slug| self.room(slug))).await
        };
        let rooms = in_time(listing).await?;
        let mut rooms: Vec<_> = rooms.into_iter().flatten().collect();
        let activity = |room: &Room| (room.last_at.unwrap_or(room.created_at), room.created_at);
        rooms.sort_by(|one, two| {
            activity(two)
                .cmp(&activity(one))
                .then_with(|| one.slug.cmp(&two.slug))
        });
        rooms.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(rooms)
    }

    /// The length of the index.
    async fn count(&self) -> Result<u32, StoreError> {
        let key = self.inner.keys.rooms();
        let mut count = ::redis::cmd("ZCARD");
        count.arg(&key);
        value::read(self.inner.servers.send(&key, &count).await?)
    }
}
