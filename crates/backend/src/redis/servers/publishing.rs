//! Tells other replicas what was committed, now or later, without ever making the caller wait.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::Servers;
use crate::redis::error::Unanswered;
use crate::redis::outbox::Notice;
use crate::redis::publisher;

/// The wait before other replicas are told to look, so that a Redis that is away is not asked all the time.
const AGAIN: Duration = Duration::from_millis(100);
/// How often a replica that closes looks whether everything is published.
const FLUSHED: Duration = Duration::from_millis(5);

impl Servers {
    /// Passes a notice to the publisher of its server. If that is not possible, other replicas are told to look later.
    pub fn publish(&self, notice: Notice) {
        let channel = self.subscriptions.keys().channel(&notice.topic());
        let refused = match self.owner(&channel) {
            Ok(server) => server.outbox.add(notice).err(),
            Err(Unanswered::Closed) => None,
            Err(_) => {
                self.stale.notify_one();
                Some(notice)
            }
        };
        publisher::owe(&self.untold, refused);
    }

    /// Waits until everything is published, or given up.
    pub async fn flushed(&self) {
        while !self.all().iter().all(|server| server.outbox.is_idle()) {
            sleep(FLUSHED).await;
        }
    }

    /// Tells other replicas to look at what they may not have been told, until they have been told, for as long as the
    /// servers exist.
    pub async fn keep_telling(servers: Weak<Self>) {
        loop {
            let Some(untold) = servers.upgrade().map(|servers| Arc::clone(&servers.untold)) else {
                return;
            };
            untold.more.notified().await;
            sleep(AGAIN).await;
            let Some(servers) = servers.upgrade() else { return };
            let owed = untold.take();
            for (room, head) in owed.rooms {
                servers.publish(Notice::Look(room, head));
            }
            if owed.everywhere {
                servers.publish(Notice::LookEverywhere);
            }
            if owed.sessions {
                servers.publish(Notice::Unsure);
            }
        }
    }
}
