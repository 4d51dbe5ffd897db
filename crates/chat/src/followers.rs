//! One follower per room, for as long as somebody holds it; and what it does with what happens there ([`telling`]).
//!
//! A hold is an `Arc` of the follower, so holds are never counted by hand: whoever holds a follower that failed to
//! start holds that one, and not its successor.

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

/// How long to keep a follower that [`Follower::release`] gives back: people reload.
pub const LINGER: Duration = Duration::from_secs(5);
/// When to try again if the process is about to end.
const STOPPING_MS: u64 = 1_000;

/// The followers of a process, at most one per room. A clone is another handle to the same.
pub struct Followers<T>(Arc<Mutex<HashMap<RoomSlug, Weak<Follower<T>>>>>);

/// Follows one room until the last `Arc` of it is dropped.
pub struct Follower<T> {
    room: RoomSlug,
    /// What its holders share.
    pub shared: T,
    followers: Followers<T>,
    started: Shared<oneshot::Receiver<Result<(), Refusal>>>,
    work: AbortHandle,
}

/// The work of a follower that is about to start; see [`Hub::keep_following`].
pub struct Start<T> {
    room: RoomSlug,
    followers: Followers<T>,
    place: Weak<Follower<T>>,
    started: oneshot::Sender<Result<(), Refusal>>,
    registration: AbortRegistration,
}

/// Whoever passes on what happens in a room.
pub trait Listener {
    /// Passes on what the room tells, until it is lost. `told` is kept up to date: following continues from there.
    fn deliver(
        &mut self,
        updates: BoxStream<'static, RoomUpdate>,
        told: &mut Position,
    ) -> impl Future<Output = ()>;

    /// The room does not exist any more. Called once, until it exists again.
    fn gone(&mut self) -> impl Future<Output = ()>;

    /// Following did not succeed, and is tried again after [`Listener::pause`].
    fn failed(&mut self, error: &ChatError);

    /// [`Listener::deliver`] panicked.
    fn panicked(&mut self);

    /// Completes when it is time to try again.
    fn pause(&mut self) -> impl Future<Output = ()>;
}

impl<T> Followers<T> {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Weak<Follower<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room's follower. If there is none, `begin` has [`Hub::keep_following`] run and says what its holders share.
    pub fn hold(&self, room: &RoomSlug, begin: impl FnOnce(Start<T>) -> T) -> Arc<Follower<T>> {
        let mut rooms = self.rooms();
        if let Some(follower) = rooms.get(room).and_then(Weak::upgrade) {
            return follower;
        }
        let (sender, started) = oneshot::channel();
        let (work, registration) = AbortHandle::new_pair();
        let follower = Arc::new_cyclic(|place| Follower {
            room: room.clone(),
            shared: begin(Start {
                room: room.clone(),
                followers: self.clone(),
                place: Weak::clone(place),
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

    /// Whether the room is followed.
    pub fn follows(&self, room: &RoomSlug) -> bool {
        self.rooms()
            .get(room)
            .is_some_and(|follower| follower.strong_count() > 0)
    }

    /// How many rooms are followed.
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
    /// The room.
    pub fn room(&self) -> &RoomSlug {
        &self.room
    }

    /// Completes when the room is followed: whatever is stored after this reaches the listener.
    ///
    /// # Errors
    /// [`ErrorCode::RoomNotFound`], or the backend does not answer. Let go of it then; the next hold tries anew.
    pub async fn started(&self) -> Result<(), Refusal> {
        let stopping = |_| {
            let refusal = Refusal::new(ErrorCode::Unavailable, "the server is stopping");
            Err(refusal.retry_after_ms(STOPPING_MS))
        };
        self.started.clone().await.unwrap_or_else(stopping)
    }

    /// Lets go. If nobody else holds it, it comes back, to be kept for [`LINGER`] and then dropped.
    pub fn release(self: Arc<Self>) -> Option<Arc<Self>> {
        // While this is locked nobody takes hold.
        let rooms = self.followers.rooms();
        let last = Arc::strong_count(&self) == 1;
        drop(rooms);
        last.then_some(self)
    }
}

impl<T> Drop for Follower<T> {
    fn drop(&mut self) {
        self.work.abort();
        let mut rooms = self.followers.rooms();
        // A successor is alive.
        if rooms
            .get(&self.room)
            .is_some_and(|there| there.strong_count() == 0)
        {
            rooms.remove(&self.room);
        }
    }
}

impl<T> Start<T> {
    /// Gives up the place: whoever comes next tries anew, whoever waits is told why.
    fn fail(place: &Weak<Follower<T>>, followers: &Followers<T>, room: &RoomSlug) {
        let mut rooms = followers.rooms();
        if rooms.get(room).is_some_and(|there| Weak::ptr_eq(there, place)) {
            rooms.remove(room);
        }
    }
}

impl Hub {
    /// Follows a room until its follower is dropped, through every loss. Ends early only if it cannot be followed from
    /// the beginning.
    pub async fn keep_following<T, L: Listener>(&self, start: Start<T>, mut listener: L) {
        let Start {
            room,
            followers,
            place,
            started,
            registration,
        } = start;
        let mut started = Some(started);
        let work = async {
            // How far the listener has been told. After a loss, following continues from there.
            let mut told: Option<Position> = None;
            let mut gone = false;
            loop {
                match self.follow(&room, told.clone()).await {
                    Ok(Followed { head, updates }) => {
                        if let Some(started) = started.take() {
                            // Nobody may be waiting any more.
                            let _nobody = started.send(Ok(()));
                        }
                        gone = false;
                        let delivering = listener.deliver(updates, told.insert(head));
                        if AssertUnwindSafe(delivering).catch_unwind().await.is_err() {
                            listener.panicked();
                        }
                    }
                    Err(error) if told.is_none() => {
                        listener.failed(&error);
                        Start::fail(&place, &followers, &room);
                        if let Some(started) = started.take() {
                            let _nobody = started.send(Err(Refusal::from(&error)));
                        }
                        return;
                    }
                    Err(ChatError::Store(StoreError::NoSuchRoom(_))) => {
                        // The storage was emptied under us.
                        if !std::mem::replace(&mut gone, true) {
                            listener.gone().await;
                        }
                    }
                    Err(error) => listener.failed(&error),
                }
                listener.pause().await;
            }
        };
        // Aborted when nobody holds the follower any more.
        let _aborted = Abortable::new(work, registration).await;
    }
}
