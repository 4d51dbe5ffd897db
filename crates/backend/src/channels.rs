//! Publishes a room's updates to its subscribers, each with a bounded queue of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// The subscribers of each room. Publishing never blocks: a subscriber more than `capacity` items behind gets
/// [`Received::Missed`] instead.
pub struct Channels<T> {
    capacity: usize,
    /// `None` once closed.
    rooms: Mutex<Option<HashMap<RoomSlug, Vec<Subscriber<T>>>>>,
}

/// The sending end of a subscriber's queue. A queue allocates as it fills, because most rooms are quiet.
struct Subscriber<T> {
    queue: Sender<T>,
    /// True if the queue was full. Nothing more is queued until the subscriber has received `Missed`.
    missed: Arc<AtomicBool>,
}

/// What a subscriber receives.
pub enum Received<T> {
    /// The next item.
    Next(T),
    /// Some items were missed. The following ones are newer.
    Missed,
}

impl<T: Clone + Send + 'static> Channels<T> {
    /// Channels without subscribers.
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            rooms: Mutex::new(Some(HashMap::new())),
        })
    }

    fn rooms(&self) -> MutexGuard<'_, Option<HashMap<RoomSlug, Vec<Subscriber<T>>>>> {
        // Every change to the map is one call, so a panic while the lock was held leaves it consistent.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends items to the room's subscribers.
    pub fn publish(&self, room: &RoomSlug, items: impl IntoIterator<Item = T>) {
        if let Some(subscribers) = self.rooms().as_ref().and_then(|rooms| rooms.get(room)) {
            for item in items {
                for subscriber in subscribers {
                    subscriber.tell(&item);
                }
            }
        }
    }

    /// Everything published after this call returned. The stream ends when the channels are closed.
    pub fn subscribe(self: &Arc<Self>, room: &RoomSlug) -> BoxStream<'static, Received<T>> {
        let missed = Arc::new(AtomicBool::new(false));
        let receiver = self.rooms().as_mut().map(|rooms| {
            let (queue, receiver) = channel(self.capacity);
            let missed = Arc::clone(&missed);
            rooms
                .entry(room.clone())
                .or_default()
                .push(Subscriber { queue, missed });
            receiver
        });
        let subscription = Subscription {
            channels: Arc::clone(self),
            room: room.clone(),
            receiver,
            missed,
        };
        futures::stream::unfold(subscription, |mut subscription| async {
            Some((subscription.next().await?, subscription))
        })
        .boxed()
    }

    /// Ends every stream after the items in its queue. Later streams end at once.
    pub fn close(&self) {
        self.rooms().take();
    }

    /// The number of rooms with subscribers.
    #[cfg(test)]
    pub fn subscribed(&self) -> usize {
        self.rooms().as_ref().map_or(0, HashMap::len)
    }
}

impl<T: Clone> Subscriber<T> {
    fn tell(&self, item: &T) {
        if !self.missed.load(Ordering::Acquire)
            && let Err(TrySendError::Full(_)) = self.queue.try_send(item.clone())
        {
            self.missed.store(true, Ordering::Release);
        }
    }
}

struct Subscription<T: Clone + Send + 'static> {
    channels: Arc<Channels<T>>,
    room: RoomSlug,
    receiver: Option<Receiver<T>>,
    missed: Arc<AtomicBool>,
}

impl<T: Clone + Send + 'static> Subscription<T> {
    async fn next(&mut self) -> Option<Received<T>> {
        let receiver = self.receiver.as_mut()?;
        // Read this first: once it is true, nothing more is queued, and the items in the queue are older.
        let missed = self.missed.load(Ordering::Acquire);
        if let Ok(item) = receiver.try_recv() {
            return Some(Received::Next(item));
        }
        if missed {
            self.missed.store(false, Ordering::Release);
            return Some(Received::Missed);
        }
        receiver.recv().await.map(Received::Next)
    }
}

impl<T: Clone + Send + 'static> Drop for Subscription<T> {
    fn drop(&mut self) {
        let mut rooms = self.channels.rooms();
        // Drop the receiver under the lock, so that of two that end at once the second sees that it is the last.
        drop(self.receiver.take());
        let Some(rooms) = rooms.as_mut() else { return };
        if let Some(subscribers) = rooms.get_mut(&self.room) {
            subscribers.retain(|subscriber| !subscriber.queue.is_closed());
            if subscribers.is_empty() {
                rooms.remove(&self.room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_room_without_subscribers_costs_nothing() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        channels.publish(&room, [1]);
        assert_eq!(channels.subscribed(), 0);
        let (mut one, two) = (channels.subscribe(&room), channels.subscribe(&room));
        assert_eq!(channels.subscribed(), 1);
        drop(two);
        channels.publish(&room, [2]);
        assert!(matches!(one.next().await, Some(Received::Next(2))));
        drop(one);
        assert_eq!(channels.subscribed(), 0);
    }

    #[tokio::test]
    async fn closing_ends_the_streams_after_what_was_published() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        let mut subscription = channels.subscribe(&room);
        channels.publish(&room, [1]);
        channels.close();
        assert!(matches!(subscription.next().await, Some(Received::Next(1))));
        assert!(subscription.next().await.is_none());
        assert!(channels.subscribe(&room).next().await.is_none());
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_told_where_items_are_missing() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        let (mut slow, mut quick) = (channels.subscribe(&room), channels.subscribe(&room));
        let mut heard = Vec::new();
        for item in 0..6 {
            channels.publish(&room, [item]);
            heard.push(quick.next().await);
        }
        assert!(heard.iter().all(|one| matches!(one, Some(Received::Next(_)))));
        assert!(matches!(slow.next().await, Some(Received::Next(0))));
        channels.publish(&room, [6]);
        for expected in 1..4 {
            assert!(matches!(slow.next().await, Some(Received::Next(item)) if item == expected));
        }
        assert!(matches!(slow.next().await, Some(Received::Missed)));
        channels.publish(&room, [7]);
        assert!(matches!(slow.next().await, Some(Received::Next(7))));
    }
}
