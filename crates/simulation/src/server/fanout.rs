//! From the log to the connections in the room: the server's real follower, on virtual time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chat::followers::LINGER;
use chat::followers::pack::Pack;
use chat::followers::telling::{Outlet, Said, Telling, Trouble};
use chat::{Follower, Hub};
use protocol::{Refusal, RoomEvent, RoomSlug};

use super::Replica;
use crate::link::{Pipe, Told};

/// How many more connections only listen. It decides whether events leave at once, within a few milliseconds, or within
/// the longest window.
const LISTENERS: [u32; 3] = [0, 200, 2_000];

/// The connections that one follower sends to.
pub type Audience = Rc<RefCell<BTreeMap<u128, Pipe<Told>>>>;

/// Keeps the room followed.
pub struct Hold {
    replica: Rc<Replica>,
    /// `None` once released.
    follower: Option<Arc<Follower<Audience>>>,
    /// The number of the connection that holds it.
    number: Option<u128>,
}

impl Hold {
    /// Follows the room: everything stored after this returns reaches the connections in the room.
    pub async fn take(replica: &Rc<Replica>, hub: &Hub) -> Result<Self, Refusal> {
        let followers = replica.followers.borrow().clone();
        let follower = followers.hold(&RoomSlug::lobby(), |start| {
            let audience = Audience::default();
            let outlet = Connections {
                replica: Rc::clone(replica),
                audience: Rc::clone(&audience),
                listeners: LISTENERS[replica.world.dice.between(0..=2) as usize],
            };
            let hub = hub.clone();
            let telling = Telling::new(hub.clone(), RoomSlug::lobby(), outlet);
            replica.spawn(async move { hub.keep_following(start, telling).await });
            audience
        });
        let hold = Self {
            replica: Rc::clone(replica),
            follower: Some(follower),
            number: None,
        };
        if let Some(follower) = &hold.follower {
            let started = follower.started().await;
            // On a busy machine a woken task runs a while later.
            let dice = &replica.world.dice;
            if dice.fault(3) {
                replica.world.time.sleep(dice.between(1..=500)).await;
            }
            started?;
        }
        Ok(hold)
    }

    /// Sends the room's events to a connection for as long as this hold lives.
    pub fn hear(&mut self, number: u128, down: &Pipe<Told>) {
        if let Some(follower) = &self.follower {
            follower.shared.borrow_mut().insert(number, down.clone());
            self.number = Some(number);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let (Some(number), Some(follower)) = (self.number, &self.follower) {
            follower.shared.borrow_mut().remove(&number);
        }
        let replica = &self.replica;
        if let Some(last) = self.follower.take().and_then(|follower| follower.release())
            && replica.is_up()
        {
            let time = replica.world.time.clone();
            let then = time.millis() + LINGER.as_millis() as u64;
            replica.spawn(async move {
                time.sleep_until(then).await;
                drop(last);
            });
        }
    }
}

/// The replica's connections in the room.
struct Connections {
    replica: Rc<Replica>,
    audience: Audience,
    /// Connections that only listen. The more there are, the more events leave together.
    listeners: u32,
}

impl Outlet for Connections {
    fn now(&self) -> Duration {
        Duration::from_millis(self.replica.world.time.millis())
    }

    async fn sleep_until(&self, then: Duration) {
        let ms = then.as_micros().div_ceil(1_000);
        let time = &self.replica.world.time;
        time.sleep_until(u64::try_from(ms).unwrap_or(u64::MAX)).await;
    }

    fn members(&self) -> u32 {
        let members = u32::try_from(self.audience.borrow().len());
        members.unwrap_or(u32::MAX).saturating_add(self.listeners)
    }

    async fn tell(&self, said: Vec<Said<'_>>, _: &Pack) {
        for said in said {
            match said {
                Said::Events(events) => {
                    let events = events.iter().map(|event| RoomEvent::clone(event)).collect();
                    self.send(&Told::Events(events));
                }
                Said::Reset(_) => self.send(&Told::Reset),
                // Presence plays no part here.
                Said::Roster(_) | Said::Presence(_) | Said::Typing(_) => {}
            }
        }
    }

    fn note(&self, trouble: Trouble<'_>) {
        let number = self.replica.number;
        self.replica
            .world
            .note(|| format!("replica {number}: {trouble:?}"));
    }
}

impl Connections {
    /// Sends to all connections in the room.
    fn send(&self, what: &Told) {
        for member in self.audience.borrow().values() {
            member.send(what.clone());
        }
    }
}
