//! The rooms' logs.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{Entry, Limit, Opened, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{DisplayName, Person, Position, Receipt, RoomSlug, Seq, Timestamp};
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

// The same for messages, newest first, with the room and the people whom the messages name. The third column is the
// number of the newest message before `$2`. Ids in reactions are found without parsing their JSON, because what is
// damaged must not fail the statement.
const OLDER: &str = "\
    SELECT rooms.epoch, rooms.head, coalesce((
        SELECT number - 1 FROM messages WHERE room_id = rooms.id AND seq >= $2 ORDER BY seq LIMIT 1
    ), rooms.messages), rooms.slug, rooms.title, rooms.created_at, rooms.last_at, author.name, others.ids, others.names,
    message.*
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
    ) AS message ON true LEFT JOIN people AS author ON author.id = message.author_id
    LEFT JOIN LATERAL (
        SELECT array_agg(id) AS ids, array_agg(name) AS names FROM people WHERE id IN (
            SELECT found[1] FROM regexp_matches(message.reactions, '\"([A-Za-z0-9_-]+)\"', 'g') AS found
        )
    ) AS others ON message.reactions IS NOT NULL
    WHERE rooms.slug = $1 ORDER BY message.seq DESC";

/// The columns of [`OLDER`] where the parts begin.
const ROOM: usize = 3;
const AUTHOR: usize = 7;
const OTHERS: usize = 8;
const MESSAGE: usize = 10;

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

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        let from = before.map_or(Ok(i64::MAX), |before| numbers::signed(before.get()))?;
        let rows = self.rows(OLDER, room, from, limit).await?;
        let collected = messages(&rows, room, before, limit)?;
        let named = named(&rows)?;
        let people = collected.names().into_iter().filter_map(|id| {
            let name = named.get(id.as_str())?;
            Some(Person {
                id: id.clone(),
                name: DisplayName::kept((*name).to_owned()),
            })
        });
        let people = people.collect();
        let first = rows.first().ok_or_else(|| StoreError::NoSuchRoom(room.clone()))?;
        Ok(Opened {
            room: row::room(first, ROOM)?,
            page: collected.with_people(people),
        })
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
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

/// The names of the people in rows of [`OLDER`], by their ids.
fn named(rows: &[Row]) -> Result<HashMap<&str, &str>, StoreError> {
    let mut named = HashMap::new();
    for row in rows {
        if let Some(name) = row::value(row, AUTHOR)? {
            named.insert(row::value(row, MESSAGE + 4)?, name);
        }
        let ids: Option<Vec<&str>> = row::value(row, OTHERS)?;
        let names: Option<Vec<&str>> = row::value(row, OTHERS + 1)?;
        named.extend(ids.into_iter().flatten().zip(names.into_iter().flatten()));
    }
    Ok(named)
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
        if let Some(text) = row::value::<Option<&str>>(row, MESSAGE + 6)? {
            count += 1;
            size += text.len() + row::value::<Option<&str>>(row, MESSAGE + 10)?.map_or(0, str::len);
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
        let message = rows.next().map(|row| row::message(row, MESSAGE));
        // A message that cannot be read counts as missing.
        message.transpose().map_err(StoreError::damaged)
    })
}
