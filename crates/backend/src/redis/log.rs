//! The rooms' logs: one stream per room, whose ids are the events' seqs.

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{Ids, RoomLog, Signal};
use chat::{Fill, Limit, StoreError, Stretch};
use futures::stream::{BoxStream, StreamExt};
use protocol::{Epoch, EventBody, Outgoing, Person, Position, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};

use super::error::Spoiled;
use super::replica::{Inner, Redis};
use super::script::{self, Run};
use super::value;
use crate::channels::Received;

/// A stream's entry: its id, then alternating names and values.
type Entry = (String, Vec<String>);

/// The direction of reading.
enum Direction {
    /// From this seq on.
    Newer(u64),
    /// From this seq back, or from the latest.
    Older(Option<u64>),
}

#[async_trait]
impl RoomLog for Redis {
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let _permit = self.inner.appends.try_acquire().map_err(|_| StoreError::Busy)?;
        let keys = &self.inner.keys;
        let mut run = Run::new(&script::APPEND, keys.log(room)).arg(keys.channel(room));
        run = self
            .inner
            .with_known(run, room)
            .arg(author.id.as_str())
            .arg(serde_json::to_vec(author).map_err(StoreError::failed)?)
            .number(at.0);
        let mut client_ids = Vec::with_capacity(messages.len());
        for Outgoing { client_id, text } in messages {
            run = run.arg(client_id.as_str());
            let body = EventBody::Posted {
                client_id: client_id.clone(),
                text,
            };
            run = run.arg(serde_json::to_vec(&body).map_err(StoreError::failed)?);
            client_ids.push(client_id);
        }
        let answer: Option<Vec<String>> = value::read(self.inner.servers.run(run).await?)?;
        let answer = answer.ok_or_else(|| StoreError::NoSuchRoom(room.clone()))?;
        let mut answer = answer.into_iter();
        let epoch: Epoch = value::parsed(value::present(answer.next(), "no epoch")?)?;
        let new = value::number(&value::present(answer.next(), "no count")?)?;
        if new > 0 {
            self.inner.activity.happened(room, at);
        }
        let mut receipts = Vec::with_capacity(client_ids.len());
        for client_id in client_ids {
            let seq = value::number(&value::present(answer.next(), "no seq")?)?;
            receipts.push(Receipt {
                client_id,
                epoch: epoch.clone(),
                seq: value::parsed(seq)?,
            });
        }
        if let Some(latest) = receipts.iter().map(|receipt| receipt.seq).max() {
            self.inner.subscriptions.learn(room, &epoch, latest);
        }
        Ok(receipts)
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        let (head, _) = self.stretch(room, Direction::Newer(1), Limit::events(0)).await?;
        Ok(head)
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        let direction = Direction::Newer(after.get() + 1);
        let (head, events) = self.stretch(room, direction, limit).await?;
        let newer = head.seq.get().saturating_sub(after.get());
        check_whole(&events, newer, limit, (1..=newer).map(|n| after.get() + n))?;
        let more = newer > events.len() as u64;
        Ok(Stretch { head, events, more })
    }

    async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError> {
        let last = before.map(|before| before.get().saturating_sub(1));
        let limit = if last == Some(0) { Limit::events(0) } else { limit };
        let (head, mut events) = self.stretch(room, Direction::Older(last), limit).await?;
        let older = last.unwrap_or(head.seq.get()).min(head.seq.get());
        check_whole(&events, older, limit, (1..=older).rev())?;
        events.reverse();
        let more = older > events.len() as u64;
        Ok(Stretch { head, events, more })
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        let events = self.inner.subscriptions.events.subscribe(room);
        let (subscription, state) = self.listen(room).await?;
        if state.epoch.is_none() {
            return Err(StoreError::NoSuchRoom(room.clone()));
        }
        let signals = events.map(move |received| {
            // Holds the subscription for as long as this stream lives.
            let _ = &subscription;
            match received {
                Received::Next(signal) => signal,
                Received::Missed => Signal::Gap,
            }
        });
        Ok(signals.boxed())
    }
}

impl Inner {
    /// Adds the arguments by which the scripts notice a log that lost its end: a position that it had reached, and a
    /// fresh epoch to switch to.
    pub(super) fn with_known(&self, run: Run, room: &RoomSlug) -> Run {
        let known = self.subscriptions.known(room);
        let (epoch, head) = known.map_or((String::new(), 0), |(epoch, head)| {
            (epoch.to_string(), head.get())
        });
        let fresh = Epoch::from_random(self.ids.random());
        run.arg(epoch).number(head).arg(fresh.as_str())
    }
}

impl Redis {
    /// Reads as many events as `limit` allows in one direction, and the log's head at that time.
    async fn stretch(
        &self,
        room: &RoomSlug,
        direction: Direction,
        limit: Limit,
    ) -> Result<(Position, Vec<Arc<RoomEvent>>), StoreError> {
        let (name, from) = match direction {
            Direction::Newer(from) => ("newer", from.to_string()),
            Direction::Older(from) => ("older", from.map_or_else(String::new, |from| from.to_string())),
        };
        let run = Run::new(&script::READ, self.inner.keys.log(room))
            .arg(name)
            .arg(from)
            .number(limit.events.into())
            .number(limit.bytes as u64);
        let answer: Option<(String, u64, Vec<Entry>)> = value::read(self.inner.servers.run(run).await?)?;
        let (epoch, head, entries) = answer.ok_or_else(|| StoreError::NoSuchRoom(room.clone()))?;
        let head = Position {
            epoch: value::parsed(epoch)?,
            seq: value::parsed(head)?,
        };
        let (mut fill, mut events) = (Fill::new(limit), Vec::new());
        for entry in entries {
            let event = event(entry, room, &head)?;
            if !fill.take(event.bytes()) {
                break;
            }
            events.push(event);
        }
        Ok((head, events))
    }
}

/// Fails if the stretch has a hole. Otherwise a hole would go unnoticed, or a reader would never get past it.
/// `existing` events exist in the direction of reading, with these `seqs`.
fn check_whole(
    events: &[Arc<RoomEvent>],
    existing: u64,
    limit: Limit,
    seqs: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    let expected = existing.min(limit.events.into());
    let some = !events.is_empty() || expected == 0;
    let in_order = events
        .iter()
        .map(|event| event.seq.get())
        .eq(seqs.take(events.len()));
    if some && in_order {
        Ok(())
    } else {
        Err(StoreError::damaged(Spoiled("a log with a hole")))
    }
}

fn event((id, fields): Entry, room: &RoomSlug, head: &Position) -> Result<Arc<RoomEvent>, StoreError> {
    let seq = value::present(id.strip_suffix("-0"), "an event without a seq")?;
    let field = |name| {
        let mut pairs = fields.chunks_exact(2);
        let found = pairs.find_map(|pair| (pair[0] == name).then_some(pair[1].as_str()));
        value::present(found, "an event without a field")
    };
    Ok(Arc::new(RoomEvent {
        room: room.clone(),
        epoch: head.epoch.clone(),
        seq: value::parsed(value::number(seq)?)?,
        at: Timestamp(value::number(field("at")?)?),
        author: serde_json::from_str(field("author")?).map_err(StoreError::failed)?,
        body: serde_json::from_str(field("body")?).map_err(StoreError::failed)?,
    }))
}
