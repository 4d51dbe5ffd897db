//! From the log to the connections in the room: the real follower, and packs as `server/src/socket/pack.rs` makes them.

use std::rc::Rc;
use std::sync::Arc;

use chat::followers::Listener;
use chat::{ChatError, Follower, Head, Hub, Live};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use protocol::{Refusal, RoomEvent, RoomSlug};

use super::Replica;
use crate::link::Told;

/// What arrives within this many milliseconds leaves together.
const WINDOW: u64 = 25;
/// How long the room is followed after the last one left, in milliseconds.
const LINGER: u64 = 5_000;
/// When to follow a lost room again, in milliseconds.
const RETRY: u64 = 500;

/// Keeps the room followed.
pub struct Hold {
    replica: Rc<Replica>,
    /// None once it is let go.
    follower: Option<Arc<Follower<()>>>,
}

impl Hold {
    /// Has the room followed: whatever is stored after this returns reaches the connections that are in the room.
    pub async fn take(replica: &Rc<Replica>, hub: &Hub) -> Result<Self, Refusal> {
        let followers = replica.followers.borrow().clone();
        let follower = followers.hold(&RoomSlug::lobby(), |start| {
            let (there, hub) = (Rc::clone(replica), hub.clone());
            replica.spawn(async move { hub.keep_following(start, Telling(there)).await });
        });
        let hold = Self {
            replica: Rc::clone(replica),
            follower: Some(follower),
        };
        if let Some(follower) = &hold.follower {
            follower.started().await?;
        }
        Ok(hold)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let replica = &self.replica;
        if let Some(last) = self.follower.take().and_then(Follower::release)
            && replica.is_up()
        {
            let time = replica.world.time.clone();
            replica.spawn(async move {
                time.sleep(LINGER).await;
                drop(last);
            });
        }
    }
}

/// Tells the replica's connections what happens in the room.
struct Telling(Rc<Replica>);

impl Listener for Telling {
    async fn deliver(&mut self, live: BoxStream<'static, Live>, told: &mut Head) {
        deliver(&self.0, live, told).await;
    }

    async fn gone(&mut self) {
        send(&self.0, &Told::Reset);
    }

    fn failed(&mut self, _: &ChatError) {}

    fn panicked(&mut self) {}

    async fn pause(&mut self) {
        self.0.world.time.sleep(RETRY).await;
    }
}

/// Passes on what the room tells, until it is lost. `told` says how far the log has been passed on.
async fn deliver(replica: &Replica, mut stream: BoxStream<'static, Live>, told: &mut Head) {
    while let Some(first) = stream.next().await {
        let mut pack = Pack::default();
        let mut lost = pack.take(first);
        while !lost {
            match stream.next().now_or_never() {
                Some(Some(live)) => lost = pack.take(live),
                Some(None) => return,
                None => break,
            }
        }
        if !pack.events.is_empty() {
            send(replica, &Told::Events(pack.events));
        }
        if pack.reset {
            send(replica, &Told::Reset);
        }
        if let Some(head) = pack.head {
            *told = head;
        }
        if lost {
            return;
        }
        replica.world.time.sleep(WINDOW).await;
    }
}

/// What leaves together. Presence is left out.
#[derive(Default)]
struct Pack {
    events: Vec<RoomEvent>,
    reset: bool,
    head: Option<Head>,
}

impl Pack {
    /// Adds what happened. True: the room is lost.
    fn take(&mut self, live: Live) -> bool {
        match live {
            Live::Events(events) => {
                self.head = events.last().map(|last| Head {
                    epoch: last.epoch.clone(),
                    seq: last.seq,
                });
                self.events
                    .extend(events.iter().map(|event| RoomEvent::clone(event)));
            }
            Live::Reset(head) => {
                self.reset = true;
                self.head = Some(head);
            }
            Live::Lost(_) => return true,
            Live::Presence(_) | Live::Roster(_) => {}
        }
        false
    }
}

/// Sends to everybody in the room.
fn send(replica: &Replica, what: &Told) {
    for member in replica.members.borrow().values() {
        member.send(what.clone());
    }
}
