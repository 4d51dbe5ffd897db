//! Passes a room's updates on to its connections. The server and the simulation run the same code; each has its own
//! [`Outlet`].

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use protocol::{Position, PresenceUpdate, Reset, RoomSlug, RosterUpdate, TypingUpdate};

use super::Listener;
use super::pack::Pack;
use super::schedule::Schedule;
use crate::error::{ChatError, StoreError};
use crate::hub::{Hub, RoomUpdate};
use crate::room::Entry;

/// How long to wait before following a lost room again.
const RETRY: Duration = Duration::from_millis(500);
/// How often to compare the follower's position with the log's head. An event that the bus has lost arrives within two
/// of these periods; each costs one read of the room's head.
const CHECK: Duration = Duration::from_secs(5);

/// A packet for the connections in a room.
pub enum Said<'a> {
    /// The next events of the log, in order.
    Events(&'a [Arc<Entry>]),
    /// The whole roster.
    Roster(RosterUpdate),
    /// The people who came and went.
    Presence(PresenceUpdate),
    /// A person is typing, or has stopped.
    Typing(TypingUpdate),
    /// All clients must join the room again.
    Reset(Reset),
}

/// What went wrong, for the log.
#[derive(Debug)]
pub enum Trouble<'a> {
    /// The room no longer exists, but connections are in it.
    Gone,
    /// The room cannot be followed. The follower tries again, unless this was the first attempt.
    Unfollowed(&'a ChatError),
    /// The backend could not be read. The follower tries again.
    Lost(&'a StoreError),
    /// Passing on updates panicked. The room is followed again.
    Panicked,
    /// The backend did not return the roster, so the changes are sent instead.
    NoRoster(&'a ChatError),
}

/// A room's connections in one process, and the clock of that process.
pub trait Outlet {
    /// The time since any fixed moment. It never decreases.
    fn now(&self) -> Duration;

    /// Completes at this time.
    fn sleep_until(&self, then: Duration) -> impl Future<Output = ()>;

    /// Yields once after every `period`.
    fn every(&self, period: Duration) -> BoxStream<'static, ()>;

    /// The number of connections.
    fn members(&self) -> u32;

    /// Sends these packets to all connections, in this order. They were made from `pack`.
    fn tell(&self, said: Vec<Said<'_>>, pack: &Pack) -> impl Future<Output = ()>;

    /// Logs what went wrong.
    fn note(&self, trouble: Trouble<'_>);
}

/// Passes a room's updates on to an [`Outlet`]: the [`Listener`] of every follower.
pub struct Telling<O> {
    hub: Hub,
    room: RoomSlug,
    outlet: O,
}

impl<O: Outlet> Telling<O> {
    /// Passes the updates of `room` on to `outlet`.
    pub fn new(hub: Hub, room: RoomSlug, outlet: O) -> Self {
        Self { hub, room, outlet }
    }

    /// Sends a pack.
    async fn send(&self, pack: &Pack) {
        if pack.entries.is_empty() || !pack.presence(&self.room).as_ref().is_some_and(Pack::is_crowd) {
            return self.send_whole(pack).await;
        }
        // Sending the roster asks the backend. Messages do not wait for that.
        let (messages, people) = pack.apart();
        self.send_whole(&messages).await;
        self.send_whole(&people).await;
    }

    async fn send_whole(&self, pack: &Pack) {
        let mut said = Vec::new();
        if !pack.entries.is_empty() {
            said.push(Said::Events(&pack.entries));
        }
        self.people(pack, &mut said).await;
        said.extend(pack.typing(&self.room).into_iter().map(Said::Typing));
        if pack.reset {
            let room = self.room.clone();
            said.push(Said::Reset(Reset { room }));
        }
        self.outlet.tell(said, pack).await;
    }

    /// Adds the people who came and went or, if they are many, the roster.
    async fn people(&self, pack: &Pack, said: &mut Vec<Said<'_>>) {
        let room = &self.room;
        let presence = pack.presence(room);
        if presence.as_ref().is_some_and(Pack::is_crowd) {
            match self.hub.roster(room).await {
                Ok(roster) => {
                    let room = room.clone();
                    return said.push(Said::Roster(RosterUpdate { room, roster }));
                }
                Err(error) => self.outlet.note(Trouble::NoRoster(&error)),
            }
        }
        said.extend(pack.roster(room).map(Said::Roster));
        said.extend(presence.map(Said::Presence));
    }

    /// Waits for the next update, or until `due`. Returns false if no more updates will come.
    async fn wait(
        &self,
        pack: &mut Pack,
        due: Option<Duration>,
        updates: &mut BoxStream<'static, RoomUpdate>,
    ) -> Result<bool, Arc<StoreError>> {
        let next = match due {
            None => updates.next().await,
            Some(due) => match select(updates.next(), pin!(self.outlet.sleep_until(due))).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => return Ok(true),
            },
        };
        match next {
            Some(update) => pack.take(update).map(|()| true),
            None => Ok(false),
        }
    }
}

/// Adds updates that have already arrived, until the pack is full.
fn take_ready(pack: &mut Pack, updates: &mut BoxStream<'static, RoomUpdate>) -> Result<(), Arc<StoreError>> {
    while !pack.is_full()
        && let Some(Some(next)) = updates.next().now_or_never()
    {
        pack.take(next)?;
    }
    Ok(())
}

impl<O: Outlet> Listener for Telling<O> {
    async fn deliver(&mut self, mut updates: BoxStream<'static, RoomUpdate>, told: &mut Position) {
        let mut pack = Pack::default();
        let mut schedule = Schedule::new(self.outlet.now());
        loop {
            let mut lost = None;
            if !pack.is_full() {
                let due = schedule.due(&pack);
                match self.wait(&mut pack, due, &mut updates).await {
                    Ok(true) => lost = take_ready(&mut pack, &mut updates).err(),
                    Ok(false) => return,
                    Err(error) => lost = Some(error),
                }
            }
            let all = lost.is_some() || pack.is_full();
            if let Some(leaving) = schedule.take(&mut pack, self.outlet.now(), all) {
                self.send(&leaving.pack).await;
                schedule.left(&leaving, self.outlet.now(), self.outlet.members());
                if let Some(head) = leaving.pack.head {
                    *told = head;
                }
            }
            if let Some(error) = lost {
                return self.outlet.note(Trouble::Lost(&error));
            }
        }
    }

    async fn gone(&mut self) {
        self.outlet.note(Trouble::Gone);
        // Clients that join again learn that the room does not exist.
        let mut pack = Pack::default();
        pack.reset = true;
        self.send(&pack).await;
    }

    fn failed(&mut self, error: &ChatError) {
        self.outlet.note(Trouble::Unfollowed(error));
    }

    fn panicked(&mut self) {
        self.outlet.note(Trouble::Panicked);
    }

    fn checks(&self) -> BoxStream<'static, ()> {
        self.outlet.every(CHECK)
    }

    async fn pause(&mut self) {
        let then = self.outlet.now() + RETRY;
        self.outlet.sleep_until(then).await;
    }
}
