//! From the log to the connections in the room, as `server/src/socket/fanout.rs` and `pack.rs` do it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chat::{ChatError, Following, Head, Hub, Live, StoreError};
use futures::channel::oneshot;
use futures::future::{AbortHandle, Shared};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use protocol::{ErrorCode, Refusal, RoomEvent, RoomSlug};

use super::Replica;
use crate::link::Told;

/// What arrives within this many milliseconds leaves together.
const WINDOW: u64 = 25;
/// So long the room is followed after the last one left.
const LINGER: u64 = 5_000;
/// So long until it is followed again after it was lost.
const RETRY: u64 = 500;

type Started = Shared<oneshot::Receiver<Result<(), Refusal>>>;

/// Whether the room is followed, and for how many connections.
#[derive(Default)]
pub struct Fanout {
    holders: Cell<usize>,
    following: RefCell<Option<(Started, AbortHandle)>>,
}

impl Fanout {
    /// The process is gone.
    pub fn clear(&self) {
        self.holders.set(0);
        self.following.replace(None);
    }

    /// Has the room followed: whatever is stored after this returns reaches the connections that are in the room.
    pub async fn hold(replica: &Rc<Replica>, hub: &Hub) -> Result<(), Refusal> {
        let fanout = &replica.fanout;
        fanout.holders.set(fanout.holders.get() + 1);
        let current = fanout
            .following
            .borrow()
            .as_ref()
            .map(|(started, _)| started.clone());
        let started = current.unwrap_or_else(|| {
            let (sender, receiver) = oneshot::channel();
            let started = receiver.shared();
            let task = replica.spawn(follow(Rc::clone(replica), hub.clone(), sender));
            fanout.following.replace(Some((started.clone(), task)));
            started
        });
        let gone = || Refusal::new(ErrorCode::Unavailable, "the server is stopping").retry_after_ms(1_000);
        let held = started.await.unwrap_or_else(|_| Err(gone()));
        if held.is_err() {
            Self::let_go(replica);
        }
        held
    }

    /// One connection less. After the last one the room is followed a while longer: people reload.
    pub fn let_go(replica: &Rc<Replica>) {
        let holders = &replica.fanout.holders;
        holders.set(holders.get().saturating_sub(1));
        if holders.get() == 0 {
            let there = Rc::clone(replica);
            replica.spawn(async move {
                there.world.time.sleep(LINGER).await;
                if there.fanout.holders.get() == 0
                    && let Some((_, task)) = there.fanout.following.take()
                {
                    task.abort();
                }
            });
        }
    }
}

async fn follow(replica: Rc<Replica>, hub: Hub, started: oneshot::Sender<Result<(), Refusal>>) {
    let room = RoomSlug::lobby();
    let mut started = Some(started);
    let mut told: Option<Head> = None;
    let mut gone = false;
    loop {
        match hub.follow(&room, told.clone()).await {
            Ok(Following { head, live }) => {
                if let Some(started) = started.take() {
                    let _nobody = started.send(Ok(()));
                }
                gone = false;
                deliver(&replica, live, told.insert(head)).await;
            }
            Err(error) if told.is_none() => {
                replica.fanout.following.replace(None);
                if let Some(started) = started.take() {
                    let _nobody = started.send(Err(Refusal::from(&error)));
                }
                return;
            }
            Err(ChatError::Store(StoreError::NoSuchRoom(_))) => {
                if !std::mem::replace(&mut gone, true) {
                    send(&replica, &Told::Reset);
                }
            }
            Err(_) => {}
        }
        replica.world.time.sleep(RETRY).await;
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
