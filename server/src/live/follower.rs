//! Follows every room that has a connection here, and passes on what happens there, whichever replica stored it.

use std::sync::Arc;
use std::time::Duration;

use chat::followers::LINGER;
use chat::followers::pack::Pack;
use chat::followers::telling::{Outlet, Said, Telling, Trouble};
use chat::{ChatError, Follower, Followers, Hub, StoreError};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use protocol::{Refusal, RoomSlug};
use tokio::time::{Instant, sleep, sleep_until};

use super::audience::{Audience, Place};
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
    /// Packs of events handed to a room's sockets.
    packs: Counter,
}

/// Keeps a room followed for as long as it lives.
pub struct Hold {
    /// None once it is let go.
    follower: Option<Arc<Follower<Arc<Audience>>>>,
    room: RoomSlug,
    /// Its place in the room's audience.
    place: Option<Place>,
}

impl Fanout {
    /// Follows no room yet. `guests` hear the lobby too; `rooms` and `packs` show what goes on.
    pub fn new(hub: Hub, guests: Guests, rooms: Gauge, packs: Counter) -> Self {
        Self {
            followers: Followers::default(),
            hub,
            guests,
            rooms,
            packs,
        }
    }

    /// Follows the room. Whatever is stored after this returns reaches the connections that hear it.
    ///
    /// # Errors
    /// [`ErrorCode::RoomNotFound`](protocol::ErrorCode::RoomNotFound), or the backend does not answer.
    pub async fn hold(&self, room: &RoomSlug) -> Result<Hold, Refusal> {
        let follower = self.followers.hold(room, |start| {
            let audience = Arc::<Audience>::default();
            let hall = Hall {
                room: room.clone(),
                audience: Arc::clone(&audience),
                guests: (*room == RoomSlug::lobby()).then(|| self.guests.clone()),
                packs: self.packs.clone(),
                begun: Instant::now(),
            };
            let (hub, rooms) = (self.hub.clone(), self.rooms.clone());
            let telling = Telling::new(hub.clone(), room.clone(), hall);
            tokio::spawn(async move {
                rooms.inc();
                hub.keep_following(start, telling).await;
                rooms.dec();
            });
            audience
        });
        let hold = Hold {
            follower: Some(follower),
            room: room.clone(),
            place: None,
        };
        if let Some(follower) = &hold.follower {
            follower.started().await?;
        }
        Ok(hold)
    }

    /// Whether a room is followed here, which means that it exists.
    pub fn follows(&self, room: &RoomSlug) -> bool {
        self.followers.follows(room)
    }
}

impl Hold {
    /// The room.
    pub fn room(&self) -> &RoomSlug {
        &self.room
    }

    fn audience(&self) -> Option<&Audience> {
        self.follower.as_ref().map(|follower| &*follower.shared)
    }

    /// Adds a connection to the room's audience for as long as this lives.
    pub fn hear(&mut self, wire: &Arc<Wire>) {
        self.place = self.audience().map(|audience| audience.enter(wire));
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let (Some(place), Some(audience)) = (self.place, self.audience()) {
            audience.leave(place);
        }
        if let Some(last) = self.follower.take().and_then(Follower::release)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                sleep(LINGER).await;
                drop(last);
            });
        }
    }
}

/// The connections that hear a room here.
struct Hall {
    room: RoomSlug,
    audience: Arc<Audience>,
    /// Those who hear it through `/`, if it is the lobby.
    guests: Option<Guests>,
    packs: Counter,
    begun: Instant,
}

impl Outlet for Hall {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    async fn sleep_until(&self, then: Duration) {
        sleep_until(self.begun + then).await;
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
                Said::Events(events) => {
                    self.packs.inc();
                    let events: Vec<_> = events.iter().map(AsRef::as_ref).collect();
                    audience.tell("events", &events).await;
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
                tracing::debug!(%error, %room, "cannot read who is here; telling each change");
            }
        }
    }
}
