//! The rooms' logs.

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{Entry, Limit, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{MessagePage, Person, Position, Receipt, RoomSlug, Seq, Timestamp};
use tokio_postgres::Row;

use super::append::Append;
use super::{Postgres, row};
use crate::{numbers, pages, stretch};

const HEAD: &str = "SELECT epoch, head FROM rooms WHERE slug = $1";

// The room's head, and events in their order, in one snapshot and one trip to the server. A room without such events has
// one row without an event. The sum of sizes cuts the stretch before the texts are read; the first event always comes.
const NEWER: &str = "\
    SELECT rooms.epoch, rooms.head, event.seq, event.at, event.author_id, people.name, event.body
    FROM rooms LEFT JOIN LATERAL (
        SELECT * FROM (
            SELECT *, sum(octet_length(body)) OVER (
                ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) - octet_length(body) AS before
            FROM (
                SELECT seq, at, author_id, body FROM events
                WHERE room_id = rooms.id AND seq > $2 ORDER BY seq LIMIT $3
            ) AS few
        ) AS sized WHERE before <= $4
    ) AS event ON true LEFT JOIN people ON people.id = event.author_id
    WHERE rooms.slug = $1 ORDER BY event.seq";

// The same for messages, newest first. The third column is the number of the newest message before `$2`.
const OLDER: &str = "\
    SELECT rooms.epoch, rooms.head, coalesce((
        SELECT number - 1 FROM messages WHERE room_id = rooms.id AND seq >= $2 ORDER BY seq LIMIT 1
    ), rooms.messages), message.*
    FROM rooms LEFT JOIN LATERAL (
        SELECT number, seq, rev, at, author_id, client_id, text, reply_to, edited_at, deleted, reactions FROM (
            SELECT *, sum(size) OVER (
                ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) - size AS before
            FROM (
                SELECT *, octet_length(text) + coalesce(octet_length(reactions), 0) AS size FROM messages
                WHERE room_id = rooms.id AND seq < $2 ORDER BY seq DESC LIMIT $3
            ) AS few
        ) AS sized WHERE before <= $4
    ) AS message ON true WHERE rooms.slug = $1 ORDER BY message.seq DESC";

const NAMES: &str = "SELECT id, name FROM people WHERE id = ANY ($1) ORDER BY id";

#[async_trait]
impl RoomLog for Postgres {
    async fn append(
        &self,
        room: &RoomSlug,
        by: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let (append, answer) = Append::new(room.clone(), by.clone(), deeds, at)?;
        self.inner.writer.append(append, answer).await
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        let rows = self.inner.lanes.read(HEAD, &[&room.as_str()]).await?;
        head(&rows, room)
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        let rows = self
            .rows(NEWER, room, numbers::signed(after.get())?, limit)
            .await?;
        let head = head(&rows, room)?;
        let newer = head.seq.get().saturating_sub(after.get());
        let seqs = (1..=newer).map(|n| after.get() + n);
        let entries = entries(&rows, room, &head, seqs, limit)?;
        let more = newer > entries.len() as u64;
        Ok(Stretch { head, entries, more })
    }

    async fn messages(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<MessagePage, StoreError> {
        let from = before.map_or(Ok(i64::MAX), |before| numbers::signed(before.get()))?;
        let rows = self.rows(OLDER, room, from, limit).await?;
        let collected = messages(&rows, room, before, limit)?;
        let ids: Vec<_> = collected.names().into_iter().map(|id| id.as_str()).collect();
        let people = if ids.is_empty() {
            Vec::new()
        } else {
            let rows = self.inner.lanes.read(NAMES, &[&ids]).await?;
            rows.iter()
                .map(|row| row::person(row, 0, 1))
                .collect::<Result<_, _>>()?
        };
        Ok(collected.with_people(people))
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.head(room).await?;
        self.inner.bus.follow(room).await
    }
}

impl Postgres {
    async fn rows(
        &self,
        sql: &'static str,
        room: &RoomSlug,
        from: i64,
        limit: Limit,
    ) -> Result<Vec<Row>, StoreError> {
        let (count, bytes) = (i64::from(limit.count), bytes(limit));
        self.inner
            .lanes
            .read(sql, &[&room.as_str(), &from, &count, &bytes])
            .await
    }
}

fn bytes(limit: Limit) -> i64 {
    i64::try_from(limit.bytes).unwrap_or(i64::MAX)
}

/// The head, from the first two columns.
fn head(rows: &[Row], room: &RoomSlug) -> Result<Position, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::NoSuchRoom(room.clone()))?;
    Ok(Position {
        epoch: row::parsed(row, 0)?,
        seq: numbers::seq(row::value(row, 1)?)?,
    })
}

/// The events with these seqs, as many as the limit allows.
fn entries(
    rows: &[Row],
    room: &RoomSlug,
    head: &Position,
    seqs: impl Iterator<Item = u64>,
    limit: Limit,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let (mut count, mut size) = (0, 0);
    for row in rows {
        if let Some(body) = row::value::<Option<&str>>(row, 6)? {
            count += 1;
            size += body.len();
        }
    }
    // The same sum as in the statement: if it is reached, nothing is missing beyond.
    let cut = size > limit.bytes;
    let mut rows = rows.iter().take(count);
    stretch::collect(
        room,
        seqs.take(if cut { count } else { usize::MAX }),
        limit,
        || {
            let entry = rows.next().map(|row| row::entry(row, 2, room, &head.epoch));
            // An event that cannot be read counts as missing.
            entry.transpose().map_err(StoreError::damaged)
        },
    )
}

/// The messages before a seq, as many as the limit allows.
fn messages(
    rows: &[Row],
    room: &RoomSlug,
    before: Option<Seq>,
    limit: Limit,
) -> Result<pages::Collected, StoreError> {
    let head = head(rows, room)?;
    let number = rows.first().map_or(Ok(0), |row| row::value(row, 2))?;
    let (mut count, mut size) = (0_u32, 0);
    for row in rows {
        if let Some(text) = row::value::<Option<&str>>(row, 9)? {
            count += 1;
            size += text.len() + row::value::<Option<&str>>(row, 13)?.map_or(0, str::len);
        }
    }
    // The same sum as in the statement: if it is reached, nothing is missing beyond.
    let limit = Limit {
        count: if size > limit.bytes { count } else { limit.count },
        ..limit
    };
    let mut rows = rows.iter().take(count as usize);
    let last = pages::last(before, head.seq);
    pages::collect(room, head, last, number, limit, || {
        let message = rows.next().map(|row| row::message(row, 3));
        // A message that cannot be read counts as missing.
        message.transpose().map_err(StoreError::damaged)
    })
}
