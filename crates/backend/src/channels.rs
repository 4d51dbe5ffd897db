//! One bounded channel per followed room, gone when nobody follows it any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

/// Channels by room. Whoever publishes never waits: a follower that lies more than `capacity` behind is told so.
pub struct Channels<T> {
    capacity: usize,
    /// None once closed.
    rooms: Mutex<Option<HashMap<RoomSlug, Sender<T>>>>,
}

/// What a follower receives.
pub enum Received<T> {
    /// The next one.
    Next(T),
    /// Some were missed; the next ones are newer.
    Missed,
}

impl<T: Clone + Send + 'static> Channels<T> {
    /// No room is followed yet.
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            rooms: Mutex::new(Some(HashMap::new())),
        })
    }

    fn rooms(&self) -> MutexGuard<'_, Option<HashMap<RoomSlug, Sender<T>>>> {
        // Every change to the map is one call: it is whole, whatever happened to whoever held the lock.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever follows the room.
    pub fn publish(&self, room: &RoomSlug, items: impl IntoIterator<Item = T>) {
        if let Some(channel) = self.rooms().as_ref().and_then(|rooms| rooms.get(room)) {
            for item in items {
                // Fails when the last follower is just leaving: then nobody is there to be told.
                let _ = channel.send(item);
            }
        }
    }

    /// Everything published after this call returned. Ends when the channels are closed.
    pub fn follow(self: &Arc<Self>, room: &RoomSlug) -> BoxStream<'static, Received<T>> {
        let receiver = self.rooms().as_mut().map(|rooms| {
            let channel = rooms.entry(room.clone());
            channel.or_insert_with(|| Sender::new(self.capacity)).subscribe()
        });
        let following = Following {
            channels: Arc::clone(self),
            room: room.clone(),
            receiver,
        };
        futures::stream::unfold(following, |mut following| async {
            match following.receiver.as_mut()?.recv().await {
                Ok(item) => Some((Received::Next(item), following)),
                Err(RecvError::Lagged(_)) => Some((Received::Missed, following)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }

    /// Every stream ends after what it has not received yet; later ones end at once.
    pub fn close(&self) {
        self.rooms().take();
    }

    /// Rooms that are followed.
    #[cfg(test)]
    pub fn followed(&self) -> usize {
        self.rooms().as_ref().map_or(0, HashMap::len)
    }
}

struct Following<T: Clone + Send + 'static> {
    channels: Arc<Channels<T>>,
    room: RoomSlug,
    receiver: Option<Receiver<T>>,
}

impl<T: Clone + Send + 'static> Drop for Following<T> {
    fn drop(&mut self) {
        let mut rooms = self.channels.rooms();
        // Let go under the lock, so that of two who leave at once the second sees that it is the last.
        drop(self.receiver.take());
        if let Some(rooms) = rooms.as_mut()
            && rooms
                .get(&self.room)
                .is_some_and(|channel| channel.receiver_count() == 0)
        {
            rooms.remove(&self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_room_that_nobody_follows_costs_nothing() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        channels.publish(&room, [1]);
        assert_eq!(channels.followed(), 0);
        let (mut one, two) = (channels.follow(&room), channels.follow(&room));
        assert_eq!(channels.followed(), 1);
        drop(two);
        channels.publish(&room, [2]);
        assert!(matches!(one.next().await, Some(Received::Next(2))));
        drop(one);
        assert_eq!(channels.followed(), 0);
    }

    #[tokio::test]
    async fn closing_ends_the_streams_after_what_was_published() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        let mut following = channels.follow(&room);
        channels.publish(&room, [1]);
        channels.close();
        assert!(matches!(following.next().await, Some(Received::Next(1))));
        assert!(following.next().await.is_none());
        assert!(channels.follow(&room).next().await.is_none());
    }
}
