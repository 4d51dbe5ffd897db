//! Follows every room with a connection here, and passes on its events, whichever replica stored them.

use std::sync::Arc;
use std::time::Duration;

use chat::followers::LINGER;
use chat::followers::pack::Pack;
use chat::followers::telling::{Outlet, Said, Telling, Trouble};
use chat::{ChatError, Entry, Follower, Followers, Hub, StoreError};
use futures::stream::{BoxStream, StreamExt, unfold};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use protocol::{LogEvent, Person, Refusal, RoomSlug};
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};

use super::audience::{Audience, Membership};
use super::guests::Guests;
use super::wire::Wire;

/// The rooms that are followed. Cheap to clone.
#[derive(Clone)]
pub struct Fanout {
    followers: Followers<Arc<Audience>>,
    hub: Hub,
    guests: Guests,
    /// The number of rooms that are followed.
    rooms: Gauge,
    /// Packs of events handed to a room's connections.
    packs: Counter,
}

/// Keeps a room followed until dropped.
pub struct Hold {
    follower: Arc<Follower<Arc<Audience>>>,
    /// The membership of the room's audience.
    membership: Option<Membership>,
}

impl Fanout {
    /// A fan-out that follows no room yet. `guests` also receive the lobby's events. `rooms` and `packs` are metrics.
    pub fn new(hub: Hub, guests: Guests, rooms: Gauge, packs: Counter) -> Self {
        Self {
            followers: Followers::default(),
            hub,
            guests,
            rooms,
            packs,
        }
    }

    /// Follows the room. Events stored after this returns reach the connections of its audience.
    ///
    /// # Errors
    /// [`ErrorCode::RoomNotFound`](protocol::ErrorCode::RoomNotFound), or if the backend does not answer.
    pub async fn hold(&self, room: &RoomSlug) -> Result<Hold, Refusal> {
        let follower = self.followers.hold(room, |start| {
            let audience = Arc::<Audience>::default();
            let outlet = RoomOutlet {
                room: room.clone(),
                audience: Arc::clone(&audience),
                guests: (*room == RoomSlug::lobby()).then(|| self.guests.clone()),
                packs: self.packs.clone(),
                begun: Instant::now(),
            };
            let (hub, rooms) = (self.hub.clone(), self.rooms.clone());
            let telling = Telling::new(hub.clone(), room.clone(), outlet);
            tokio::spawn(async move {
                rooms.inc();
                hub.keep_following(start, telling).await;
                rooms.dec();
            });
            audience
        });
        let hold = Hold {
            follower,
            membership: None,
        };
        hold.follower.started().await?;
        Ok(hold)
    }
}

impl Hold {
    pub fn room(&self) -> &RoomSlug {
        self.follower.room()
    }

    /// Adds a connection to the room's audience until this hold is dropped.
    pub fn hear(&mut self, wire: &Arc<Wire>) {
        self.membership = Some(self.follower.shared.enter(wire));
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(membership) = self.membership {
            self.follower.shared.leave(membership);
        }
        if let Some(last) = self.follower.release()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                sleep(LINGER).await;
                drop(last);
            });
        }
    }
}

/// [`protocol::Events`] without copies.
#[derive(Serialize)]
struct Packet<'a> {
    events: Vec<&'a LogEvent>,
    people: Vec<&'a Person>,
}

impl<'a> Packet<'a> {
    fn of(entries: &'a [Arc<Entry>]) -> Self {
        let entries = entries.iter().map(AsRef::as_ref);
        Self {
            events: entries.clone().map(|entry: &Entry| &entry.event).collect(),
            people: chat::people(entries),
        }
    }
}

/// The connections of this process in one room.
struct RoomOutlet {
    room: RoomSlug,
    audience: Arc<Audience>,
    /// Guests who receive the events through `/`, if this is the lobby.
    guests: Option<Guests>,
    packs: Counter,
    begun: Instant,
}

impl Outlet for RoomOutlet {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    async fn sleep_until(&self, then: Duration) {
        sleep_until(self.begun + then).await;
    }

    fn every(&self, period: Duration) -> BoxStream<'static, ()> {
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let tick = |mut ticks: Interval| async move {
            ticks.tick().await;
            Some(((), ticks))
        };
        unfold(ticks, tick).boxed()
    }

    fn members(&self) -> u32 {
        self.audience.len()
    }

    async fn tell(&self, said: Vec<Said<'_>>, pack: &Pack) {
        if let Some(guests) = &self.guests {
            guests.deliver(pack).await;
        }
        let audience = &self.audience;
        for said in said {
            match said {
                Said::Events(entries) => {
                    self.packs.inc();
                    audience.tell("events", &Packet::of(entries)).await;
                }
                Said::Roster(roster) => audience.tell("roster", &roster).await,
                Said::Presence(presence) => audience.tell("presence", &presence).await,
                Said::Typing(typing) => audience.tell("typing", &typing).await,
                Said::Reset(room) => audience.tell("reset", &room).await,
            }
        }
    }

    fn note(&self, trouble: Trouble<'_>) {
        let room = &self.room;
        match trouble {
            Trouble::Gone => tracing::warn!(%room, "a room that people are in does not exist any more"),
            Trouble::Unfollowed(ChatError::Store(StoreError::NoSuchRoom(_))) => {}
            Trouble::Unfollowed(error) => tracing::warn!(%error, %room, "cannot follow a room; trying again"),
            Trouble::Lost(error) => tracing::error!(%error, %room, "lost a room; following it again"),
            Trouble::Panicked => {
                tracing::error!(%room, "telling a room what happens there panicked; following it again");
            }
            Trouble::NoRoster(error) => {
                tracing::debug!(%error, %room, "cannot read the roster; sending each change instead");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_room_is_checked_after_every_period() {
        let outlet = RoomOutlet {
            room: RoomSlug::lobby(),
            audience: Arc::default(),
            guests: None,
            packs: Counter::default(),
            begun: Instant::now(),
        };
        let (period, begun) = (Duration::from_millis(20), Instant::now());
        let mut checks = outlet.every(period);
        for number in 1..=3 {
            testkit::within(checks.next()).await.expect("it never ends");
            assert!(begun.elapsed() >= period * number);
        }
    }
}
