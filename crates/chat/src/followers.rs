//! One follower per room, for as long as it is held, and what it does with the room's updates ([`telling`]).
//!
//! A hold is an `Arc` of the follower, so holds are not counted by hand. A hold on a follower that failed to start
//! never becomes a hold on its successor.

pub mod pack;
mod schedule;
pub mod telling;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{AbortHandle, AbortRegistration, Abortable, Shared};
use futures::stream::BoxStream;
use protocol::{ErrorCode, Position, Refusal, RoomSlug};

use crate::error::{ChatError, StoreError};
use crate::hub::{Followed, Hub, RoomUpdate};

/// How long to keep a follower that [`Follower::release`] returns, because people reload pages.
pub const LINGER: Duration = Duration::from_secs(5);
/// How long a client waits before it tries again while the process is stopping, in milliseconds.
const STOPPING_MS: u64 = 1_000;

/// The followers of a process, at most one per room. Clones share them.
pub struct Followers<T>(Arc<Mutex<HashMap<RoomSlug, Weak<Follower<T>>>>>);

/// Follows one room until the last `Arc` of it is dropped.
pub struct Follower<T> {
    room: RoomSlug,
    /// The value that all holders share.
    pub shared: T,
    followers: Followers<T>,
    started: Shared<oneshot::Receiver<Result<(), Refusal>>>,
    work: AbortHandle,
}

/// The work of a follower that is about to start; see [`Hub::keep_following`].
pub struct Start<T> {
    room: RoomSlug,
    followers: Followers<T>,
    follower: Weak<Follower<T>>,
    started: oneshot::Sender<Result<(), Refusal>>,
    registration: AbortRegistration,
}

/// What a follower passes its room's updates to.
pub trait Listener {
    /// Passes on updates until the stream ends or is lost. Keeps `told` up to date, because following continues there.
    fn deliver(
        &mut self,
        updates: BoxStream<'static, RoomUpdate>,
        told: &mut Position,
    ) -> impl Future<Output = ()>;

    /// The room no longer exists. Called once until it exists again.
    fn gone(&mut self) -> impl Future<Output = ()>;

    /// The room could not be followed. The follower tries again after [`Listener::pause`].
    fn failed(&mut self, error: &ChatError);

    /// [`Listener::deliver`] panicked. The room is followed again.
    fn panicked(&mut self);

    /// The times at which to compare the follower's position with the log's head: see [`Hub::follow_checked`].
    fn checks(&self) -> BoxStream<'static, ()>;

    /// Completes when it is time to try again.
    fn pause(&mut self) -> impl Future<Output = ()>;
}

impl<T> Followers<T> {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Weak<Follower<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the room's follower. If there is none, `begin` must run [`Hub::keep_following`] and return the value
    /// that the holders share.
    pub fn hold(&self, room: &RoomSlug, begin: impl FnOnce(Start<T>) -> T) -> Arc<Follower<T>> {
        let mut rooms = self.rooms();
        if let Some(follower) = rooms.get(room).and_then(Weak::upgrade) {
            return follower;
        }
        let (sender, started) = oneshot::channel();
        let (work, registration) = AbortHandle::new_pair();
        let follower = Arc::new_cyclic(|follower| Follower {
            room: room.clone(),
            shared: begin(Start {
                room: room.clone(),
                followers: self.clone(),
                follower: Weak::clone(follower),
                started: sender,
                registration,
            }),
            followers: self.clone(),
            started: started.shared(),
            work,
        });
        rooms.insert(room.clone(), Arc::downgrade(&follower));
        follower
    }

    /// True if the room is followed.
    pub fn follows(&self, room: &RoomSlug) -> bool {
        self.rooms()
            .get(room)
            .is_some_and(|follower| follower.strong_count() > 0)
    }

    /// The number of rooms that are followed.
    pub fn count(&self) -> usize {
        self.rooms().len()
    }
}

impl<T> Default for Followers<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Followers<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Follower<T> {
    /// The room's address.
    pub fn room(&self) -> &RoomSlug {
        &self.room
    }

    /// Completes when the room is followed: everything stored after that reaches the listener.
    ///
    /// # Errors
    /// [`ErrorCode::RoomNotFound`], or the backend does not answer. Drop the hold then; the next hold tries again.
    pub async fn started(&self) -> Result<(), Refusal> {
        let stopping = |_| {
            let refusal = Refusal::new(ErrorCode::Unavailable, "the server is stopping");
            Err(refusal.retry_after_ms(STOPPING_MS))
        };
        self.started.clone().await.unwrap_or_else(stopping)
    }

    /// To be called before a hold is dropped. Returns another one if this is the last: keep it for [`LINGER`], then
    /// drop it.
    pub fn release(self: &Arc<Self>) -> Option<Arc<Self>> {
        // No new hold can be taken while this is locked.
        let rooms = self.followers.rooms();
        let last = Arc::strong_count(self) == 1;
        drop(rooms);
        last.then(|| Arc::clone(self))
    }
}

impl<T> Drop for Follower<T> {
    fn drop(&mut self) {
        self.work.abort();
        let mut rooms = self.followers.rooms();
        // A successor that is alive stays.
        if rooms
            .get(&self.room)
            .is_some_and(|current| current.strong_count() == 0)
        {
            rooms.remove(&self.room);
        }
    }
}

impl<T> Start<T> {
    /// Removes a follower that failed to start, so that the next hold tries again.
    fn fail(follower: &Weak<Follower<T>>, followers: &Followers<T>, room: &RoomSlug) {
        let mut rooms = followers.rooms();
        if rooms
            .get(room)
            .is_some_and(|current| Weak::ptr_eq(current, follower))
        {
            rooms.remove(room);
        }
    }
}

impl Hub {
    /// Follows a room until its follower is dropped. After a loss it tries again; it returns early only if the first
    /// attempt fails.
    pub async fn keep_following<T, L: Listener>(&self, start: Start<T>, mut listener: L) {
        let Start {
            room,
            followers,
            follower,
            started,
            registration,
        } = start;
        let mut started = Some(started);
        let work = async {
            // The position that the listener has been told. After a loss, following continues from there.
            let mut told: Option<Position> = None;
            let mut gone = false;
            loop {
                let checks = listener.checks();
                match self.follow_checked(&room, told.clone(), checks).await {
                    Ok(Followed { head, updates }) => {
                        if let Some(started) = started.take() {
                            // Fails if no holder is waiting any more.
                            let _unheard = started.send(Ok(()));
                        }
                        gone = false;
                        let delivering = listener.deliver(updates, told.insert(head));
                        if AssertUnwindSafe(delivering).catch_unwind().await.is_err() {
                            listener.panicked();
                        }
                    }
                    Err(error) if told.is_none() => {
                        listener.failed(&error);
                        Start::fail(&follower, &followers, &room);
                        if let Some(started) = started.take() {
                            let _unheard = started.send(Err(Refusal::from(&error)));
                        }
                        return;
                    }
                    Err(ChatError::Store(StoreError::NoSuchRoom(_))) => {
                        // The storage was emptied.
                        if !std::mem::replace(&mut gone, true) {
                            listener.gone().await;
                        }
                    }
                    Err(error) => listener.failed(&error),
                }
                listener.pause().await;
            }
        };
        // Aborted when the follower is dropped.
        let _aborted = Abortable::new(work, registration).await;
    }
}
