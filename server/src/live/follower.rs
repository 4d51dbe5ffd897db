//! From the rooms to the sockets: one follower per room that has somebody connected here, whoever wrote.

use std::sync::Arc;
use std::time::Duration;

use chat::followers::Listener;
use chat::{ChatError, Follower, Followers, Head, Hub, Live, StoreError};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use protocol::{Refusal, RoomRef, RoomSlug, RosterUpdate};
use tokio::time::{Instant, sleep, sleep_until};

use super::audience::{Audience, Place};
use super::guests::Guests;
use super::pack::Pack;
use super::wire::Wire;

/// What arrives in a hot room within this time leaves together.
const WINDOW: Duration = Duration::from_millis(25);
/// From one packet to the next passes so much time for each who is told: several times what telling them takes, so that
/// no room takes a whole core, and a few people who talk wait for nothing…
const GAP_EACH: Duration = Duration::from_micros(15);
/// …and this in addition in a room that is hot, where more travels together…
const GAP_EACH_HOT: Duration = Duration::from_micros(35);
/// …which it is all the more, up to this, the more events left together.
const HOT: u32 = 8;
/// The runtime's timers count so much at once. To wait for less would be to wait for more, and not worth it as long as…
const TICK: Duration = Duration::from_millis(1);
/// …no more than so many events leave together.
const FEW: u32 = 2;
/// Who comes and goes is told the less often the more there are to be told: so much time for each of them…
const WINDOW_EACH: Duration = Duration::from_micros(200);
/// …up to this.
const WINDOW_LONGEST: Duration = Duration::from_secs(1);
/// How long a room is followed after the last one left: people reload.
const LINGER: Duration = Duration::from_secs(5);
/// When to try again to follow a room that was lost.
const RETRY: Duration = Duration::from_millis(500);

/// The rooms that are followed. Cheap to clone.
#[derive(Clone)]
pub struct Fanout {
    followers: Followers<Arc<Audience>>,
    hub: Hub,
    guests: Guests,
    /// Rooms that are followed, as it is shown.
    rooms: Gauge,
    /// Packs of events handed to a room's sockets.
    packs: Counter,
}

/// Keeps a room followed for as long as it lives.
pub struct Hold {
    /// None once it is let go.
    follower: Option<Arc<Follower<Arc<Audience>>>>,
    room: RoomSlug,
    /// Where among those who hear it.
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

    /// Has the room followed: whatever is stored after this returns reaches the connections that are in the room.
    ///
    /// # Errors
    /// [`ErrorCode::RoomNotFound`](protocol::ErrorCode::RoomNotFound), or the backend does not answer.
    pub async fn hold(&self, room: &RoomSlug) -> Result<Hold, Refusal> {
        let follower = self.followers.hold(room, |start| {
            let audience = Arc::<Audience>::default();
            let telling = Telling {
                fanout: self.clone(),
                room: room.clone(),
                audience: Arc::clone(&audience),
            };
            tokio::spawn(async move {
                let Fanout { hub, rooms, .. } = telling.fanout.clone();
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

    /// Whether a room is followed here. If so, it exists.
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

    /// Has a connection hear the room for as long as this lives.
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

/// Tells the sockets of a room what happens there.
struct Telling {
    fanout: Fanout,
    room: RoomSlug,
    audience: Arc<Audience>,
}

impl Telling {
    async fn reset(&self) {
        let room = self.room.clone();
        self.audience.tell("reset", &RoomRef { room }).await;
    }
}

impl Listener for Telling {
    async fn deliver(&mut self, live: BoxStream<'static, Live>, told: &mut Head) {
        deliver(&self.fanout, &self.room, &self.audience, live, told).await;
    }

    async fn gone(&mut self) {
        let room = &self.room;
        tracing::warn!(%room, "a room that people are in does not exist any more");
        // Whoever joins again is told the same.
        self.reset().await;
    }

    fn failed(&mut self, error: &ChatError) {
        let room = &self.room;
        if !matches!(error, ChatError::Store(StoreError::NoSuchRoom(_))) {
            tracing::warn!(%error, %room, "cannot follow a room; trying again");
        }
    }

    fn panicked(&mut self) {
        tracing::error!(room = %self.room, "telling a room what happens there panicked; following it again");
    }

    async fn pause(&mut self) {
        sleep(RETRY).await;
    }
}

/// Passes on what a room tells, until it is lost. `told` says how far the log has been passed on.
async fn deliver(
    fanout: &Fanout,
    room: &RoomSlug,
    audience: &Audience,
    mut stream: BoxStream<'static, Live>,
    told: &mut Head,
) {
    let mut pack = Pack::default();
    // The first of a quiet room leaves at once; in a hot one these decide.
    let (mut log_at, mut people_at) = (Instant::now(), Instant::now());
    loop {
        let due = match (pack.is_quiet(), pack.is_lonely()) {
            (true, true) => None,
            (true, false) => Some(people_at),
            (false, true) => Some(log_at),
            (false, false) => Some(log_at.min(people_at)),
        };
        let mut lost = tokio::select! {
            () = sleep_until(due.unwrap_or(log_at)), if due.is_some() && !pack.is_full() => false,
            live = stream.next(), if !pack.is_full() => match live {
                Some(live) => pack.take(live),
                None => return,
            },
            else => false,
        };
        // What is ready travels along.
        while !lost && !pack.is_full() {
            match stream.next().now_or_never() {
                Some(Some(live)) => lost = pack.take(live),
                _ => break,
            }
        }
        let (now, all) = (Instant::now(), lost || pack.is_full());
        let people = !pack.is_lonely() && (all || now >= people_at);
        if people || all || (!pack.is_quiet() && now >= log_at) {
            let leaving = if people {
                std::mem::take(&mut pack)
            } else {
                pack.take_log()
            };
            let events = leaving.events.len();
            if let Some(head) = flush(fanout, room, audience, leaving).await {
                *told = head;
            }
            let members = audience.len();
            log_at = now + gap(events, members);
            if people {
                people_at = Instant::now() + (WINDOW_EACH * members).clamp(WINDOW, WINDOW_LONGEST);
            }
        }
        if lost {
            return;
        }
    }
}

/// From one packet of a room to the next: `events` left with the one, to so many `members`.
fn gap(events: usize, members: u32) -> Duration {
    let events = u32::try_from(events).unwrap_or(u32::MAX).min(HOT);
    let each = GAP_EACH + GAP_EACH_HOT * events / HOT;
    let gap = (each * members).min(WINDOW);
    if gap < TICK && events <= FEW {
        Duration::ZERO
    } else {
        gap
    }
}

/// Sends what there is; says up to where the log has been passed on with it.
async fn flush(fanout: &Fanout, room: &RoomSlug, audience: &Audience, pack: Pack) -> Option<Head> {
    if *room == RoomSlug::lobby() {
        fanout.guests.deliver(&pack).await;
    }
    if !pack.events.is_empty() {
        fanout.packs.inc();
        audience
            .tell(
                "events",
                &pack.events.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            )
            .await;
    }
    tell_people(fanout, room, audience, &pack).await;
    for typing in pack.typing(room) {
        audience.tell("typing", &typing).await;
    }
    if pack.reset {
        audience.tell("reset", &RoomRef { room: room.clone() }).await;
    }
    pack.head
}

/// Tells who came and went.
async fn tell_people(fanout: &Fanout, room: &RoomSlug, audience: &Audience, pack: &Pack) {
    let presence = pack.presence(room);
    if presence.as_ref().is_some_and(Pack::is_crowd) {
        match fanout.hub.roster(room).await {
            Ok(roster) => {
                let update = RosterUpdate {
                    room: room.clone(),
                    roster,
                };
                return audience.tell("roster", &update).await;
            }
            Err(error) => tracing::debug!(%error, %room, "cannot read who is here; telling each change"),
        }
    }
    if let Some(roster) = pack.roster(room) {
        audience.tell("roster", &roster).await;
    }
    if let Some(presence) = presence {
        audience.tell("presence", &presence).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_waits_longer_the_more_is_said_and_the_more_are_told() {
        let ms = Duration::from_millis;
        assert_eq!(gap(1, 20), ms(0), "a few people who talk wait for nothing");
        assert!((ms(0)..=ms(1)).contains(&gap(100, 20)) && !gap(100, 20).is_zero());
        assert!((ms(15)..ms(20)).contains(&gap(1, 1_000)));
        assert_eq!(gap(8, 1_000), WINDOW);
        assert_eq!(gap(200, 5_000), WINDOW, "never longer than this");
    }
}
