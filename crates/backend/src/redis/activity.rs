//! Keeps the list of rooms in the order of their latest events, in the background so that messages do not wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use protocol::{RoomSlug, Timestamp};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::servers::Servers;

/// Activity within this time is sent together.
const GATHER: Duration = Duration::from_millis(250);

/// The times of the latest events that Redis' list does not have yet. At most one entry per room.
#[derive(Default)]
pub struct Activity {
    rooms: Mutex<HashMap<RoomSlug, Timestamp>>,
    more: Arc<Notify>,
}

impl Activity {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Timestamp>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that an event was stored in a room.
    pub fn happened(&self, room: &RoomSlug, at: Timestamp) {
        let mut rooms = self.rooms();
        let latest = rooms.entry(room.clone()).or_default();
        *latest = at.max(*latest);
        self.more.notify_one();
    }
}

/// Updates Redis' list for as long as the backend lives. `list` is its key.
pub async fn tell(activity: Weak<Activity>, servers: Weak<Servers>, list: String) {
    loop {
        let Some(more) = activity.upgrade().map(|activity| Arc::clone(&activity.more)) else {
            return;
        };
        more.notified().await;
        sleep(GATHER).await;
        let (Some(activity), Some(servers)) = (activity.upgrade(), servers.upgrade()) else {
            return;
        };
        let rooms = std::mem::take(&mut *activity.rooms());
        if rooms.is_empty() {
            continue;
        }
        let mut add = ::redis::cmd("ZADD");
        add.arg(&list).arg("GT");
        for (room, at) in &rooms {
            add.arg(at.0).arg(room.as_str());
        }
        if let Err(error) = servers.send(&list, &add).await {
            tracing::debug!(%error, "cannot update the list of rooms in Redis; trying again");
            for (room, at) in &rooms {
                activity.happened(room, *at);
            }
        }
    }
}
