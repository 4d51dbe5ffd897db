//! Whether what was heard of a room is all that there is, and who is told if it is not.

use chat::ports::{PresenceChange, Signal};
use protocol::RoomSlug;

use super::{Followed, Subscriptions};
use crate::redis::heard::{self, Heard, Standing, Verdict};

impl Subscriptions {
    /// Compares with where the room stands, and tells the followers what is certain. True if something is not here
    /// that may be on its way: then [`Subscriptions::insist`] a while later.
    pub fn compare(&self, room: &RoomSlug, before: &Heard, standing: &Standing) -> bool {
        let mut rooms = self.rooms();
        let Some(followed) = rooms.get_mut(room) else {
            return false;
        };
        let now = &followed.heard;
        let log = match &followed.known {
            Some((known, _)) if now.log.is_none() => heard::epoch(known, now, standing),
            _ => heard::log(before, now, standing),
        };
        let presence = heard::presence(before, now, standing);
        self.tell(room, followed, log, presence, standing);
        log == Verdict::Ahead || presence == Verdict::Ahead
    }

    /// What is still not here is lost.
    pub fn insist(&self, room: &RoomSlug, standing: &Standing) {
        let mut rooms = self.rooms();
        let Some(followed) = rooms.get_mut(room) else {
            return;
        };
        let lost = |verdict| match verdict {
            Verdict::Ahead => Verdict::Missed,
            _ => Verdict::Fine,
        };
        // What is heard by now is no older than the answer was: only what is ahead counts.
        let now = &followed.heard;
        let (log, presence) = (
            lost(heard::log(now, now, standing)),
            lost(heard::presence(now, now, standing)),
        );
        self.tell(room, followed, log, presence, standing);
    }

    fn tell(
        &self,
        room: &RoomSlug,
        followed: &mut Followed,
        log: Verdict,
        presence: Verdict,
        standing: &Standing,
    ) {
        if let Some(epoch) = &standing.epoch {
            followed.learn(epoch, standing.head);
        }
        let place = || standing.epoch.clone().map(|epoch| (epoch, standing.head));
        let heard = &mut followed.heard;
        match log {
            Verdict::Missed => {
                self.events.publish(room, [Signal::Gap]);
                heard.gone = standing.epoch.is_none();
                // A log that is gone keeps its name, so that another one is noticed.
                heard.log = place().or(heard.log.take());
            }
            Verdict::NewEpoch => {
                self.events.publish(room, [Signal::NewEpoch]);
                heard.gone = false;
                heard.log = place();
            }
            Verdict::Fine if heard.log.is_none() => heard.log = place(),
            Verdict::Fine | Verdict::Ahead => {}
        }
        if presence == Verdict::Missed {
            self.changes.publish(room, [PresenceChange::Unsure]);
        }
        if presence == Verdict::Missed || heard.version.is_none() {
            heard.version = Some(standing.version);
        }
    }
}
