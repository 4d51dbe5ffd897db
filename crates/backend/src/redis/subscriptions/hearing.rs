//! Passes on what arrives: from the channels, and from this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chat::ports::{PresenceChange, SessionSignal, Signal};
use chat::{Entry, Order};
use protocol::{Position, RoomSlug};
use tokio::time::sleep;

use super::{State, Subscriptions};
use crate::redis::keys::Topic;
use crate::redis::message::{self, Message, Read};
use crate::redis::versions::{self, Verdict};

/// How long an event that came early waits for those before it. What another replica committed is published within a
/// few milliseconds, so after that it is lost or late, and reading the log is quicker.
const HOLD: Duration = Duration::from_millis(30);

impl Subscriptions {
    /// Passes on events that this process has committed.
    pub fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]) {
        self.tell(room, |order| order.take(entries));
    }

    /// Tells followers of a room what `change` returns.
    fn tell(&self, room: &RoomSlug, change: impl FnOnce(&mut Order) -> Vec<Signal>) {
        let mut state = self.state();
        let State { topics, holding } = &mut *state;
        let Some(subscribed) = topics.get_mut(&Topic::Room(room.clone())) else {
            return;
        };
        let mut signals = change(&mut subscribed.order);
        // What others publish does not arrive now, so there is nothing to wait for.
        if !*subscribed.confirmed.borrow() {
            signals.extend(subscribed.order.give_up());
        }
        // Publish while the lock is held, so that followers receive events in order.
        self.events.publish(room, signals);
        match subscribed.order.waits_for() {
            None => subscribed.waiting = None,
            Some(next) if subscribed.waiting.is_some_and(|(waiting, _)| waiting == next) => {}
            Some(next) => {
                subscribed.waiting = Some((next, Instant::now()));
                if holding.insert(room.clone()) {
                    self.early.notify_one();
                }
            }
        }
    }

    /// Replaces events that have waited too long by gaps. Returns the time until the next one has.
    fn give_up(&self, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let State { topics, holding } = &mut *state;
        let mut next: Option<Duration> = None;
        holding.retain(|room| {
            let Some(subscribed) = topics.get_mut(&Topic::Room(room.clone())) else {
                return false;
            };
            let Some((_, since)) = subscribed.waiting else {
                return false;
            };
            let left = HOLD.saturating_sub(now.duration_since(since));
            if left.is_zero() {
                subscribed.waiting = None;
                self.events.publish(room, subscribed.order.give_up());
                return false;
            }
            next = Some(next.map_or(left, |next| next.min(left)));
            true
        });
        next
    }

    /// Ends the waiting of early events. Runs forever.
    pub async fn keep_order(&self) {
        loop {
            self.early.notified().await;
            while let Some(left) = self.give_up(Instant::now()) {
                sleep(left).await;
            }
        }
    }

    /// Handles a message from a channel.
    pub fn message(&self, channel: &str, text: &str) {
        let Some(topic) = self.keys.topic(channel) else {
            return;
        };
        if !self.state().topics.contains_key(&topic) {
            return;
        }
        match message::read(&topic, text, &self.me) {
            Read::Own => {}
            Read::Message(message) => self.handle(&topic, message),
            Read::Unknown => {
                tracing::warn!("a message of another replica cannot be read; its version may be newer");
                self.handle_unknown(&topic);
            }
        }
    }

    fn handle(&self, topic: &Topic, message: Message) {
        match (topic, message) {
            (Topic::Room(room), Message::Events(events)) => self.committed(room, &events),
            (Topic::Room(room), Message::Look(head)) => self.look(room, head.as_ref()),
            (Topic::Room(room), Message::Presence(changes)) => self.presence(room, changes),
            (Topic::Room(room), Message::Typing(change)) => self.changes.publish(room, [change]),
            (Topic::Replicas, Message::Ended(sessions)) => {
                for session in sessions {
                    self.ends.ended(session);
                }
            }
            (Topic::Replicas, Message::Unsure) => self.ends.tell(SessionSignal::Unsure),
            (Topic::Replicas, Message::Look(_)) => {
                for room in self.rooms() {
                    self.look(&room, None);
                }
            }
            // The parser returns nothing else.
            _ => {}
        }
    }

    fn handle_unknown(&self, topic: &Topic) {
        match topic {
            Topic::Room(room) => {
                self.look(room, None);
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
            Topic::Replicas => self.ends.tell(SessionSignal::Unsure),
        }
    }

    fn look(&self, room: &RoomSlug, head: Option<&Position>) {
        self.tell(room, |order| match head {
            Some(head) => order.reached(head),
            None => {
                order.restart();
                vec![Signal::Gap]
            }
        });
    }

    fn presence(&self, room: &RoomSlug, changes: Vec<(u64, PresenceChange)>) {
        let mut state = self.state();
        let Some(subscribed) = state.topics.get_mut(&Topic::Room(room.clone())) else {
            return;
        };
        for (version, change) in changes {
            let expected = subscribed.version.replace(version).map(|last| last + 1);
            if expected.is_some_and(|expected| expected != version) {
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
            subscribed.roster.change(&change);
            self.changes.publish(room, [change]);
        }
    }

    /// Tells followers of a room's presence something that Redis does not.
    pub fn tell_here(&self, room: &RoomSlug, change: PresenceChange) {
        self.changes.publish(room, [change]);
    }

    /// Compares a room's presence with its version in Redis. `before` is what had arrived when that was asked for. Tells
    /// followers if something was certainly missed. Returns true if something may be on its way: then call
    /// [`Subscriptions::insist`] a little later.
    pub fn compare(&self, room: &RoomSlug, before: Option<u64>, version: u64) -> bool {
        self.compared(room, version, |now| versions::compare(before, now, version)) == Some(Verdict::Ahead)
    }

    /// Treats everything that has still not been delivered as lost.
    pub fn insist(&self, room: &RoomSlug, version: u64) {
        self.compared(room, version, |now| match versions::compare(now, now, version) {
            Verdict::Ahead => Verdict::Missed,
            // What was delivered meanwhile is at least as new as the answer.
            _ => Verdict::Fine,
        });
    }

    fn compared(
        &self,
        room: &RoomSlug,
        version: u64,
        verdict: impl FnOnce(Option<u64>) -> Verdict,
    ) -> Option<Verdict> {
        let mut state = self.state();
        let subscribed = state.topics.get_mut(&Topic::Room(room.clone()))?;
        let verdict = verdict(subscribed.version);
        // Redis has just answered.
        let guessed = std::mem::take(&mut subscribed.guessed);
        if verdict == Verdict::Missed || guessed {
            self.changes.publish(room, [PresenceChange::Unsure]);
        }
        if verdict == Verdict::Missed || subscribed.version.is_none() {
            subscribed.version = Some(version);
        }
        Some(verdict)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::channels::Received;
    use crate::redis::keys::Keys;

    #[test]
    fn a_roster_that_redis_did_not_tell_is_read_again_once_it_answers() {
        let me = protocol::Opaque::from_random(1);
        let subscriptions = Subscriptions::new(Keys::new("hubbub"), me, 8, 8);
        let lobby = RoomSlug::lobby();
        let _subscription = subscriptions.subscribe(&Topic::Room(lobby.clone()), None);
        let mut changes = Arc::clone(&subscriptions.changes).subscribe(&lobby);
        let mut unsure = || {
            let told = changes.next().now_or_never().flatten();
            matches!(told, Some(Received::Next(PresenceChange::Unsure)))
        };
        subscriptions.compare(&lobby, None, 7);
        assert!(!unsure());
        subscriptions.known_roster(&lobby);
        assert!(!unsure(), "Redis does not answer yet");
        subscriptions.compare(&lobby, Some(7), 7);
        assert!(unsure());
        subscriptions.compare(&lobby, Some(7), 7);
        assert!(!unsure(), "once");
    }
}
