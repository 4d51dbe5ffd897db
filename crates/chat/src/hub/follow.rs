//! Follow a room: its log without holes or doubles, and who comes and goes.

use std::future::ready;
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt};
use protocol::limits::CATCH_UP_EVENTS;
use protocol::{RoomEvent, RoomSlug};

use super::Hub;
use crate::error::{ChatError, StoreError};
use crate::ports::{PresenceChange, RoomLog, Signal};
use crate::room::Head;

/// What happens in a room, as everybody in it is told.
#[derive(Clone, Debug)]
pub enum Live {
    /// The next events of the log: consecutive, never twice.
    Events(Vec<Arc<RoomEvent>>),
    /// The log has another epoch: whoever is there must reload the room.
    Reset,
    /// Somebody came, went, or writes.
    Presence(PresenceChange),
    /// The log could not be read. The stream ends; follow again.
    Lost(Arc<StoreError>),
}

impl Hub {
    /// Everything that happens in a room after this call returned.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], or the backend does not answer.
    pub async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Live>, ChatError> {
        let signals = self.log.follow(room).await?;
        let presence = self.presence.follow(room).await?.map(Live::Presence);
        // Read after following: whatever is stored from here on arrives as a signal.
        let head = self.log.head(room).await?;
        let cursor = Cursor {
            log: Arc::clone(&self.log),
            room: room.clone(),
            head,
        };
        let events = futures::stream::unfold(Some((cursor, signals)), |state| async {
            let (mut cursor, mut signals) = state?;
            loop {
                match cursor.take(signals.next().await?).await {
                    Ok(None) => {}
                    Ok(Some(live)) => return Some((live, Some((cursor, signals)))),
                    Err(error) => return Some((Live::Lost(Arc::new(error)), None)),
                }
            }
        });
        // The log's end, or its loss, is the end of it all: presence alone would look like a quiet room.
        let events = events.map(Some).chain(futures::stream::once(async { None }));
        let both = futures::stream::select(events, presence.map(Some));
        Ok(both
            .take_while(|live| ready(live.is_some()))
            .filter_map(ready)
            .boxed())
    }
}

/// How far a follower has come, and what a signal means to it.
struct Cursor {
    log: Arc<dyn RoomLog>,
    room: RoomSlug,
    head: Head,
}

impl Cursor {
    async fn take(&mut self, signal: Signal) -> Result<Option<Live>, StoreError> {
        match signal {
            Signal::Event(event) if event.epoch != self.head.epoch => self.reset().await,
            Signal::Event(event) if event.seq <= self.head.seq => Ok(None),
            Signal::Event(event) if event.seq == self.head.seq.next() => {
                self.head.seq = event.seq;
                Ok(Some(Live::Events(vec![event])))
            }
            Signal::Event(_) | Signal::Gap => self.catch_up().await,
            Signal::NewEpoch => self.reset().await,
        }
    }

    async fn catch_up(&mut self) -> Result<Option<Live>, StoreError> {
        let mut missed = Vec::new();
        loop {
            let page = self.log.read(&self.room, self.head.seq, CATCH_UP_EVENTS).await?;
            if page.head.epoch != self.head.epoch || page.head.seq < self.head.seq {
                return self.reset().await;
            }
            if let Some(last) = page.events.last() {
                self.head.seq = last.seq;
            }
            missed.extend(page.events);
            if !page.more {
                return Ok((!missed.is_empty()).then_some(Live::Events(missed)));
            }
        }
    }

    async fn reset(&mut self) -> Result<Option<Live>, StoreError> {
        let head = self.log.head(&self.room).await?;
        // The signal and the new epoch's first event both lead here; one reset is enough.
        if head.epoch == self.head.epoch && head.seq >= self.head.seq {
            return Ok(None);
        }
        self.head = head;
        Ok(Some(Live::Reset))
    }
}
