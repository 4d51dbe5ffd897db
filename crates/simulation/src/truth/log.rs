//! One room's log.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat::{Fill, Limit, Stretch};
use protocol::{
    ClientId, Epoch, EventBody, Outgoing, Person, PersonId, Position, Receipt, RoomEvent, RoomSlug, Seq,
    Timestamp,
};

/// A room's log: events with `seq` 1, 2, 3 … in one epoch.
pub struct Log {
    room: RoomSlug,
    epoch: Epoch,
    /// The events.
    pub events: Vec<Arc<RoomEvent>>,
    known: BTreeMap<(PersonId, ClientId), Seq>,
}

impl Log {
    /// An empty log.
    pub fn new(room: RoomSlug, epoch: Epoch) -> Self {
        Self {
            room,
            epoch,
            events: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// The log's head.
    pub fn head(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.events.last().map_or(Seq::ZERO, |event| event.seq),
        }
    }

    /// Stores a message, unless its author has sent it before. Adds a new event to `fresh`.
    pub fn store(
        &mut self,
        author: &Person,
        message: Outgoing,
        at: Timestamp,
        fresh: &mut Vec<Arc<RoomEvent>>,
    ) -> Receipt {
        let Outgoing { client_id, text } = message;
        let next = self.head().seq.next();
        let key = (author.id.clone(), client_id.clone());
        let seq = *self.known.entry(key).or_insert(next);
        if seq == next {
            let event = Arc::new(RoomEvent {
                room: self.room.clone(),
                epoch: self.epoch.clone(),
                seq,
                at,
                author: author.clone(),
                body: EventBody::Posted {
                    client_id: client_id.clone(),
                    text,
                },
            });
            self.events.push(Arc::clone(&event));
            fresh.push(event);
        }
        Receipt {
            client_id,
            epoch: self.epoch.clone(),
            seq,
        }
    }

    /// Forgets which messages it has: see [`crate::world::Bug::Forgets`].
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// The first events after a position, as many as `limit` allows.
    pub fn read(&self, after: Seq, limit: Limit) -> Stretch {
        let all = self.events.len();
        let from = usize::try_from(after.get()).unwrap_or(usize::MAX).min(all);
        let mut fill = Fill::new(limit);
        let events = self.events[from..].iter();
        let to = from + events.take_while(|event| fill.take(event.bytes())).count();
        Stretch {
            head: self.head(),
            events: self.events[from..to].to_vec(),
            more: to < all,
        }
    }

    /// The last events before a position, as many as `limit` allows.
    pub fn read_before(&self, before: Option<Seq>, limit: Limit) -> Stretch {
        let all = self.events.len();
        let to = before.map_or(all, |seq| seq.get().saturating_sub(1) as usize);
        let to = to.min(all);
        let mut fill = Fill::new(limit);
        let events = self.events[..to].iter().rev();
        let from = to - events.take_while(|event| fill.take(event.bytes())).count();
        Stretch {
            head: self.head(),
            events: self.events[from..to].to_vec(),
            more: from > 0,
        }
    }
}
