//! Compares what was delivered of a room with its state in Redis, and tells the followers what is missing.

use chat::ports::{PresenceChange, Signal};
use protocol::RoomSlug;

use super::{SubscribedRoom, Subscriptions};
use crate::redis::heard::{self, Heard, RoomState, Verdict};

impl Subscriptions {
    /// Compares a room with its state, and tells the followers what is certainly missing. Returns true if something may
    /// be on its way: then call [`Subscriptions::insist`] a little later.
    pub fn compare(&self, room: &RoomSlug, before: &Heard, state: &RoomState) -> bool {
        let mut rooms = self.rooms();
        let Some(subscribed) = rooms.get_mut(room) else {
            return false;
        };
        let now = &subscribed.heard;
        let log = match &subscribed.known {
            Some((known, _)) if now.log.is_none() => heard::epoch(known, now, state),
            _ => heard::log(before, now, state),
        };
        let presence = heard::presence(before, now, state);
        self.tell(room, subscribed, log, presence, state);
        log == Verdict::Ahead || presence == Verdict::Ahead
    }

    /// Treats everything that has still not been delivered as lost.
    pub fn insist(&self, room: &RoomSlug, state: &RoomState) {
        let mut rooms = self.rooms();
        let Some(subscribed) = rooms.get_mut(room) else {
            return;
        };
        let lost = |verdict| match verdict {
            Verdict::Ahead => Verdict::Missed,
            _ => Verdict::Fine,
        };
        // What was delivered meanwhile is at least as new as the answer, so only `Ahead` counts.
        let now = &subscribed.heard;
        let (log, presence) = (
            lost(heard::log(now, now, state)),
            lost(heard::presence(now, now, state)),
        );
        self.tell(room, subscribed, log, presence, state);
    }

    fn tell(
        &self,
        room: &RoomSlug,
        subscribed: &mut SubscribedRoom,
        log: Verdict,
        presence: Verdict,
        state: &RoomState,
    ) {
        if let Some(epoch) = &state.epoch {
            subscribed.learn(epoch, state.head);
        }
        let head = || state.epoch.clone().map(|epoch| (epoch, state.head));
        let heard = &mut subscribed.heard;
        match log {
            Verdict::Missed => {
                self.events.publish(room, [Signal::Gap]);
                heard.gone = state.epoch.is_none();
                // Keep the epoch of a log that is gone, so that another one is noticed.
                heard.log = head().or(heard.log.take());
            }
            Verdict::NewEpoch => {
                self.events.publish(room, [Signal::NewEpoch]);
                heard.gone = false;
                heard.log = head();
            }
            Verdict::Fine if heard.log.is_none() => heard.log = head(),
            Verdict::Fine | Verdict::Ahead => {}
        }
        if presence == Verdict::Missed {
            self.changes.publish(room, [PresenceChange::Unsure]);
        }
        if presence == Verdict::Missed || heard.version.is_none() {
            heard.version = Some(state.version);
        }
    }
}
