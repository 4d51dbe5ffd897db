//! The bus: local followers are told at once, other replicas through Redis.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chat::ports::{SessionSignal, Signal};
use chat::{Entry, SessionDigest, StoreError};
use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;
use tokio::time::timeout;

use super::keys::Topic;
use super::outbox::{self, Notice};
use super::replica::{Inner, Redis};
use super::subscriptions::Subscription;
use crate::bus::Bus;
use crate::channels::Received;

/// How long a new follower waits for its subscription: while Redis answers, and while it does not.
const CONFIRMED: (Duration, Duration) = (Duration::from_millis(900), Duration::from_millis(150));

#[async_trait]
impl Bus for Redis {
    fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]) {
        if !entries.is_empty() {
            self.inner.subscriptions.committed(room, entries);
            for part in outbox::parts(entries) {
                let notice = Notice::Events(room.clone(), part.to_vec());
                self.inner.servers.publish(notice);
            }
        }
    }

    fn ended(&self, session: &SessionDigest) {
        self.inner.subscriptions.ends.ended(*session);
        self.inner.servers.publish(Notice::Ended(*session));
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        let events = self.inner.subscriptions.events.subscribe(room);
        let subscription = self.inner.listen(&Topic::Room(room.clone())).await;
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

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        let ends = self.inner.subscriptions.ends.follow();
        let subscription = self.inner.listen(&Topic::Replicas).await;
        let ends = ends.map(move |signal| {
            let _ = &subscription;
            signal
        });
        Ok(ends.boxed())
    }
}

impl Inner {
    /// Subscribes to a topic. Everything published after this returned arrives. If Redis does not confirm that in time,
    /// followers are told to look once it does.
    pub(super) async fn listen(&self, topic: &Topic) -> Subscription {
        let owner = self.servers.owner(&self.keys.channel(topic)).ok();
        let work = owner.map(|server| Arc::clone(&server.work));
        let (here, away) = CONFIRMED;
        let heard = work.as_ref().is_some_and(|work| work.is_heard());
        let mut subscription = self.subscriptions.subscribe(topic, work);
        let limit = if heard { here } else { away };
        if timeout(limit, subscription.confirmed()).await.is_err() {
            subscription.give_up();
        }
        subscription
    }
}
