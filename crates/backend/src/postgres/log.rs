//! The rooms' logs.

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{RoomLog, Signal};
use chat::{Limit, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, Position, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};
use tokio_postgres::Row;

use super::append::Append;
use super::{Postgres, row};
use crate::{numbers, stretch};

const HEAD: &str = "SELECT epoch, head FROM rooms WHERE slug = $1";

/// The room's head, and events in the order of reading, in one snapshot and one trip to the server. A room without such
/// events has one row without an event. The sum of sizes cuts the stretch before the texts are read; the first event
/// always comes.
macro_rules! stretch {
    ($condition:literal, $order:literal) => {
        concat!(
            "SELECT rooms.epoch, rooms.head, event.* FROM rooms LEFT JOIN LATERAL (
                SELECT seq, at, author_id, author_name, body FROM (
                    SELECT *, sum(octet_length(body)) OVER (ORDER BY seq ",
            $order,
            " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - octet_length(body) AS before
                    FROM (
                        SELECT seq, at, author_id, author_name, body FROM events
                        WHERE room_id = rooms.id AND ",
            $condition,
            " ORDER BY seq ",
            $order,
            " LIMIT $3
                    ) AS few
                ) AS sized WHERE before <= $4
            ) AS event ON true WHERE rooms.slug = $1 ORDER BY event.seq ",
            $order
        )
    };
}

const NEWER: &str = stretch!("seq > $2", "ASC");
const OLDER: &str = stretch!("seq < $2", "DESC");

#[async_trait]
impl RoomLog for Postgres {
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let (append, answer) = Append::new(room.clone(), author.clone(), messages, at)?;
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
        let events = events(&rows, room, &head, seqs, limit)?;
        let more = newer > events.len() as u64;
        Ok(Stretch { head, events, more })
    }

    async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError> {
        let from = before.map_or(Ok(i64::MAX), |before| numbers::signed(before.get()))?;
        let rows = self.rows(OLDER, room, from, limit).await?;
        let head = head(&rows, room)?;
        let before = before.unwrap_or(head.seq.next());
        let older = before.get().saturating_sub(1).min(head.seq.get());
        let mut events = events(&rows, room, &head, (1..=older).rev(), limit)?;
        events.reverse();
        let more = older > events.len() as u64;
        Ok(Stretch { head, events, more })
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
        let (events, bytes) = (i64::from(limit.events), bytes(limit));
        self.inner
            .lanes
            .read(sql, &[&room.as_str(), &from, &events, &bytes])
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
fn events(
    rows: &[Row],
    room: &RoomSlug,
    head: &Position,
    seqs: impl Iterator<Item = u64>,
    limit: Limit,
) -> Result<Vec<Arc<RoomEvent>>, StoreError> {
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
            let event = rows.next().map(|row| row::event(row, 2, room, &head.epoch));
            // An event that cannot be read counts as missing.
            event.transpose().map_err(StoreError::damaged)
        },
    )
}
