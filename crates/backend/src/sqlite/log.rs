//! The rooms' logs.

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{RoomLog, Signal};
use chat::{Limit, StoreError, Stretch};
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, Position, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::{Sqlite, row};
use crate::{numbers, posted, stretch};

const INSERT: &str = "\
    INSERT INTO events (room_id, seq, at, author_id, author_name, client_id, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (room_id, author_id, client_id) WHERE client_id IS NOT NULL DO NOTHING";

const FIRST_TIME: &str = "SELECT seq FROM events WHERE room_id = ?1 AND author_id = ?2 AND client_id = ?3";

const MOVE_HEAD: &str = "UPDATE rooms SET head = ?2, last_at = ?3 WHERE id = ?1";

const NEWER: &str = "\
    SELECT seq, at, author_id, author_name, body FROM events
    WHERE room_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

const OLDER: &str = "\
    SELECT seq, at, author_id, author_name, body FROM events
    WHERE room_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";

#[async_trait]
impl RoomLog for Sqlite {
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let append = Append::new(room.clone(), author.clone(), messages, at)?;
        let (room, bus) = (room.clone(), Arc::clone(&self.inner.bus));
        let publish = move |stored: &Stored| bus.committed(&room, &stored.events);
        let stored = self.inner.writer.run(move |c| append.store(c), publish).await?;
        Ok(stored.receipts)
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        let room = room.clone();
        let reading = self
            .inner
            .readers
            .read(move |snapshot| row::head(snapshot, &room));
        Ok(reading.await?.1)
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        let room = room.clone();
        let reading = self.inner.readers.read(move |snapshot| {
            let (id, head) = row::head(snapshot, &room)?;
            let newer = head.seq.get().saturating_sub(after.get());
            let query = Query {
                sql: NEWER,
                from: after,
                seqs: (1..=newer).map(|n| after.get() + n),
                limit,
            };
            let events = query.read(snapshot, id, &room, &head)?;
            let more = newer > events.len() as u64;
            Ok(Stretch { head, events, more })
        });
        reading.await
    }

    async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError> {
        let room = room.clone();
        let reading = self.inner.readers.read(move |snapshot| {
            let (id, head) = row::head(snapshot, &room)?;
            let before = before.unwrap_or(head.seq.next());
            let older = before.get().saturating_sub(1).min(head.seq.get());
            let query = Query {
                sql: OLDER,
                from: before,
                seqs: (1..=older).rev(),
                limit,
            };
            let mut events = query.read(snapshot, id, &room, &head)?;
            events.reverse();
            let more = older > events.len() as u64;
            Ok(Stretch { head, events, more })
        });
        reading.await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.head(room).await?;
        self.inner.bus.follow(room).await
    }
}

/// A query for a stretch of a room's log, in the direction of reading.
struct Query<P> {
    sql: &'static str,
    from: Seq,
    /// The `seq`s that the events must have.
    seqs: P,
    limit: Limit,
}

impl<P: Iterator<Item = u64>> Query<P> {
    /// Reads as much as the limit allows. A missing event is an error.
    fn read(
        self,
        snapshot: &Transaction<'_>,
        id: i64,
        room: &RoomSlug,
        head: &Position,
    ) -> Result<Vec<Arc<RoomEvent>>, StoreError> {
        let mut statement = snapshot.prepare_cached(self.sql).map_err(StoreError::failed)?;
        let values = params![id, numbers::signed(self.from.get())?, self.limit.events];
        let mut rows = statement.query(values).map_err(StoreError::failed)?;
        stretch::collect(room, self.seqs, self.limit, || {
            let row = rows.next().map_err(StoreError::failed)?;
            let event = row.map(|row| row::event(row, room, &head.epoch)).transpose();
            // An event that cannot be read counts as missing.
            event.map_err(StoreError::damaged)
        })
    }
}

/// Messages ready to be stored. They are already JSON, to spend less time on the writer's thread.
struct Append {
    room: RoomSlug,
    author: Person,
    messages: Vec<(Outgoing, String)>,
    at: Timestamp,
}

struct Stored {
    /// One receipt per message.
    receipts: Vec<Receipt>,
    /// The events of the new messages.
    events: Vec<Arc<RoomEvent>>,
}

impl Append {
    fn new(
        room: RoomSlug,
        author: Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            room,
            author,
            messages: posted::with_json(messages)?,
            at,
        })
    }

    fn store(self, connection: &Connection) -> Result<Stored, StoreError> {
        let (id, mut head) = row::head(connection, &self.room)?;
        let at = numbers::signed(self.at.0)?;
        let author = self.author.id.as_str();
        let mut insert = connection.prepare_cached(INSERT).map_err(StoreError::failed)?;
        let mut receipts = Vec::with_capacity(self.messages.len());
        let mut events = Vec::with_capacity(self.messages.len());
        for (message, body) in self.messages {
            let next = head.seq.next();
            let (name, client_id) = (self.author.name.as_str(), message.client_id.as_str());
            let columns = params![
                id,
                numbers::signed(next.get())?,
                at,
                author,
                name,
                client_id,
                body
            ];
            let seq = if insert.execute(columns).map_err(StoreError::failed)? == 1 {
                head.seq = next;
                events.push(Arc::new(RoomEvent {
                    room: self.room.clone(),
                    epoch: head.epoch.clone(),
                    seq: next,
                    at: self.at,
                    author: self.author.clone(),
                    body: posted::body(&message),
                }));
                next
            } else {
                first_time(connection, id, author, client_id)?
            };
            receipts.push(Receipt {
                client_id: message.client_id,
                epoch: head.epoch.clone(),
                seq,
            });
        }
        if !events.is_empty() {
            let mut update = connection.prepare_cached(MOVE_HEAD).map_err(StoreError::failed)?;
            update
                .execute(params![id, numbers::signed(head.seq.get())?, at])
                .map_err(StoreError::failed)?;
        }
        Ok(Stored { receipts, events })
    }
}

/// The `seq` of a message that was stored before.
fn first_time(connection: &Connection, room: i64, author: &str, client_id: &str) -> Result<Seq, StoreError> {
    let mut find = connection
        .prepare_cached(FIRST_TIME)
        .map_err(StoreError::failed)?;
    let seq: i64 = find
        .query_row(params![room, author, client_id], |row| row.get(0))
        .map_err(StoreError::failed)?;
    numbers::seq(seq)
}
