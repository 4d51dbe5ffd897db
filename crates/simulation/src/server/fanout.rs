//! From a log to the connections in its room: the server's real follower, on virtual time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use chat::followers::LINGER;
use chat::followers::pack::Pack;
use chat::followers::telling::{Outlet, Said, Telling, Trouble};
use chat::{Follower, Hub};
use futures::stream::{BoxStream, StreamExt, unfold};
use protocol::{Events, Refusal, RoomSlug};

use super::Replica;
use crate::link::{Pipe, Told};
use crate::world::Bug;

/// How many more connections only listen. It decides whether events leave at once, within a few milliseconds, or within
/// the longest window.
const LISTENERS: [u32; 3] = [0, 200, 2_000];

/// The connections that one follower sends to.
pub type Audience = Rc<RefCell<BTreeMap<u128, Pipe<Told>>>>;

/// The follower that a hold keeps. `None` once released.
pub type Held = RefCell<Option<Arc<Follower<Audience>>>>;

/// Keeps a room followed.
pub struct Hold {
    replica: Rc<Replica>,
    room: RoomSlug,
    held: Rc<Held>,
    /// The follower could not start.
    failed: bool,
    /// The number of the connection that holds it.
    number: Option<u128>,
}

impl Hold {
    /// Follows the room: everything stored after this returns reaches the connections in the room.
    pub async fn take(replica: &Rc<Replica>, hub: &Hub, room: &RoomSlug) -> Result<Self, Refusal> {
        let followers = replica.followers.borrow().clone();
        let follower = followers.hold(room, |start| {
            let audience = Audience::default();
            let outlet = Connections {
                replica: Rc::clone(replica),
                audience: Rc::clone(&audience),
                listeners: LISTENERS[replica.world.dice.between(0..=2) as usize],
            };
            let hub = hub.clone();
            let telling = Telling::new(hub.clone(), room.clone(), outlet);
            replica.spawn(async move { hub.keep_following(start, telling).await });
            audience
        });
        let mut hold = Self {
            replica: Rc::clone(replica),
            room: room.clone(),
            held: Rc::new(RefCell::new(Some(Arc::clone(&follower)))),
            failed: false,
            number: None,
        };
        if replica.world.bug == Some(Bug::Miscounts) {
            replica.holds.borrow_mut().push(Rc::downgrade(&hold.held));
        }
        let started = follower.started().await;
        drop(follower);
        // On a busy machine a woken task runs a while later.
        let dice = &replica.world.dice;
        if dice.fault(2) {
            replica.world.time.sleep(dice.between(1..=3_000)).await;
        }
        hold.failed = started.is_err();
        started?;
        Ok(hold)
    }

    /// Sends the room's events to a connection for as long as this hold lives.
    pub fn hear(&mut self, number: u128, down: &Pipe<Told>) {
        if let Some(follower) = self.held.borrow().as_ref() {
            follower.shared.borrow_mut().insert(number, down.clone());
            self.number = Some(number);
        }
    }

    /// Takes the hold of somebody else off the room's present follower, as if holds were counted by hand and by room: see
    /// [`Bug::Miscounts`].
    fn miscount(&self) {
        let mut holds = self.replica.holds.borrow_mut();
        holds.retain(|held| held.strong_count() > 0);
        let mut others = holds.iter().rev().filter_map(Weak::upgrade);
        let wrong = others.find(|other| {
            let held = other.borrow();
            held.as_ref().is_some_and(|other| *other.room() == self.room)
        });
        drop(wrong.and_then(|wrong| wrong.take()));
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let follower = self.held.take();
        let miscounted = self.failed || follower.is_none();
        if let (Some(number), Some(follower)) = (self.number, &follower) {
            follower.shared.borrow_mut().remove(&number);
        }
        let replica = &self.replica;
        if let Some(last) = follower.and_then(|follower| follower.release())
            && replica.is_up()
        {
            let time = replica.world.time.clone();
            let then = time.millis() + LINGER.as_millis() as u64;
            replica.spawn(async move {
                time.sleep_until(then).await;
                drop(last);
            });
        }
        if miscounted && replica.world.bug == Some(Bug::Miscounts) {
            self.miscount();
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

    fn every(&self, period: Duration) -> BoxStream<'static, ()> {
        let time = self.replica.world.time.clone();
        let ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        let tick = move |()| {
            let next = time.sleep(ms);
            async move {
                next.await;
                Some(((), ()))
            }
        };
        unfold((), tick).boxed()
    }

    fn members(&self) -> u32 {
        let members = u32::try_from(self.audience.borrow().len());
        members.unwrap_or(u32::MAX).saturating_add(self.listeners)
    }

    async fn tell(&self, said: Vec<Said<'_>>, _: &Pack) {
        for said in said {
            match said {
                Said::Events(entries) => {
                    let people = chat::people(entries.iter().map(AsRef::as_ref));
                    self.send(&Told::Events(Events {
                        events: entries.iter().map(|entry| entry.event.clone()).collect(),
                        people: people.into_iter().cloned().collect(),
                    }));
                }
                Said::Reset(reset) => self.send(&Told::Reset(reset)),
                Said::Roster(roster) => self.send(&Told::Roster(roster)),
                Said::Presence(presence) => self.send(&Told::Presence(presence)),
                // Nobody types here.
                Said::Typing(_) => {}
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
