//! The bus and the presence of one process, in memory.

mod presence;
mod rooms;

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{PresenceChange, SessionSignal, Signal};
use chat::{Entry, SessionDigest, StoreError};
use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;

use crate::bus::Bus;
use crate::channels::{Channels, Received};
use crate::ends::Ends;
use rooms::Rooms;

/// Events that a follower of a log can be behind before it gets a gap: twice what one append can store.
const LOG_CHANNEL: usize = 2_048;
/// Changes that a follower of a room's presence can be behind before it must read the roster again.
const PRESENCE_CHANNEL: usize = 256;

/// What one process tells itself. Implements [`Bus`] and [`chat::ports::Presence`].
pub struct Local {
    events: Arc<Channels<Arc<Entry>>>,
    ends: Ends,
    present: Rooms,
    changes: Arc<Channels<PresenceChange>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            events: Channels::new(LOG_CHANNEL),
            ends: Ends::default(),
            present: Rooms::default(),
            changes: Channels::new(PRESENCE_CHANNEL),
        }
    }
}

impl Local {
    /// Ends all streams after what is in their queues.
    pub fn close(&self) {
        self.events.close();
        self.changes.close();
        self.ends.close();
    }
}

#[async_trait]
impl Bus for Local {
    fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]) {
        self.events.publish(room, entries.iter().cloned());
    }

    fn ended(&self, session: &SessionDigest) {
        self.ends.ended(*session);
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        let signals = self.events.subscribe(room).map(|received| match received {
            Received::Next(entry) => Signal::Event(entry),
            Received::Missed => Signal::Gap,
        });
        Ok(signals.boxed())
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        Ok(self.ends.follow())
    }
}
