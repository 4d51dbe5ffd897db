//! What a room tells its followers: a bounded queue for each of them, gone with them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// Followers by room. Whoever publishes never waits: a follower that lies `capacity` behind is told that it missed
/// something.
pub struct Channels<T> {
    capacity: usize,
    /// None once closed.
    rooms: Mutex<Option<HashMap<RoomSlug, Vec<Follower<T>>>>>,
}

/// One end of a follower's queue. It takes memory as it fills: there are many rooms, and most are quiet.
struct Follower<T> {
    queue: Sender<T>,
    /// The queue was full; nothing more goes into it until the follower has been told.
    missed: Arc<AtomicBool>,
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

    fn rooms(&self) -> MutexGuard<'_, Option<HashMap<RoomSlug, Vec<Follower<T>>>>> {
        // Every change to the map is one call: it is whole, whatever happened to whoever held the lock.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever follows the room.
    pub fn publish(&self, room: &RoomSlug, items: impl IntoIterator<Item = T>) {
        if let Some(followers) = self.rooms().as_ref().and_then(|rooms| rooms.get(room)) {
            for item in items {
                for follower in followers {
                    follower.tell(&item);
                }
            }
        }
    }

    /// Everything published after this call returned. Ends when the channels are closed.
    pub fn follow(self: &Arc<Self>, room: &RoomSlug) -> BoxStream<'static, Received<T>> {
        let missed = Arc::new(AtomicBool::new(false));
        let receiver = self.rooms().as_mut().map(|rooms| {
            let (queue, receiver) = channel(self.capacity);
            let missed = Arc::clone(&missed);
            rooms
                .entry(room.clone())
                .or_default()
                .push(Follower { queue, missed });
            receiver
        });
        let following = Following {
            channels: Arc::clone(self),
            room: room.clone(),
            receiver,
            missed,
        };
        futures::stream::unfold(following, |mut following| async {
            Some((following.next().await?, following))
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

impl<T: Clone> Follower<T> {
    fn tell(&self, item: &T) {
        if !self.missed.load(Ordering::Acquire)
            && let Err(TrySendError::Full(_)) = self.queue.try_send(item.clone())
        {
            self.missed.store(true, Ordering::Release);
        }
    }
}

struct Following<T: Clone + Send + 'static> {
    channels: Arc<Channels<T>>,
    room: RoomSlug,
    receiver: Option<Receiver<T>>,
    missed: Arc<AtomicBool>,
}

impl<T: Clone + Send + 'static> Following<T> {
    async fn next(&mut self) -> Option<Received<T>> {
        let receiver = self.receiver.as_mut()?;
        // Asked first: once it is so, nothing more comes, and what the queue holds is from before.
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

impl<T: Clone + Send + 'static> Drop for Following<T> {
    fn drop(&mut self) {
        let mut rooms = self.channels.rooms();
        // Let go under the lock, so that of two who leave at once the second sees that it is the last.
        drop(self.receiver.take());
        let Some(rooms) = rooms.as_mut() else { return };
        if let Some(followers) = rooms.get_mut(&self.room) {
            followers.retain(|follower| !follower.queue.is_closed());
            if followers.is_empty() {
                rooms.remove(&self.room);
            }
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

    #[tokio::test]
    async fn whoever_is_too_far_behind_is_told_where_something_is_missing() {
        let channels = Channels::<u32>::new(4);
        let room = RoomSlug::lobby();
        let (mut slow, mut quick) = (channels.follow(&room), channels.follow(&room));
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
