//! The rooms that this replica subscribes to: through which server, and what was delivered.
//!
//! A room's channel is subscribed to once, however many followers its log and its presence have, and unsubscribed from
//! with the last one. [`super::subscriber`] does that for each server; this module decides what it should do.

mod compare;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ports::{PresenceChange, Signal};
use protocol::{Epoch, RoomSlug, Seq};
use tokio::sync::watch;

use super::heard::Heard;
use super::keys::Keys;
use super::message::{self, Message};
use super::work::Work;
use crate::channels::Channels;

/// The subscribed rooms, and the channels to their followers.
pub struct Subscriptions {
    keys: Keys,
    rooms: Mutex<HashMap<RoomSlug, SubscribedRoom>>,
    /// To followers of the logs.
    pub events: Arc<Channels<Signal>>,
    /// To followers of the presence.
    pub changes: Arc<Channels<PresenceChange>>,
}

struct SubscribedRoom {
    /// The number of [`RoomSubscription`]s.
    holds: usize,
    /// The work of the server that has the room.
    work: Arc<Work>,
    /// True once that server has confirmed the subscription.
    confirmed: watch::Sender<bool>,
    /// True if something may have been missed since the last confirmation.
    interrupted: bool,
    heard: Heard,
    /// A position that the log certainly reached, perhaps before an interruption.
    known: Option<(Epoch, Seq)>,
}

/// Keeps a room subscribed until it is dropped.
pub struct RoomSubscription {
    subscriptions: Arc<Subscriptions>,
    room: RoomSlug,
    confirmed: watch::Receiver<bool>,
}

impl RoomSubscription {
    /// Waits until everything published from now on arrives.
    pub async fn confirmed(&mut self) {
        // The sender lives as long as the room is subscribed, so at least as long as this.
        let _ = self.confirmed.wait_for(|confirmed| *confirmed).await;
    }
}

impl Drop for RoomSubscription {
    fn drop(&mut self) {
        let mut rooms = self.subscriptions.rooms();
        if let Some(subscribed) = rooms.get_mut(&self.room) {
            subscribed.holds -= 1;
            if subscribed.holds == 0
                && let Some(subscribed) = rooms.remove(&self.room)
            {
                subscribed.work.add(&self.room);
            }
        }
    }
}

impl Subscriptions {
    /// No subscriptions yet. `events` and `changes` are the capacities of the followers' queues.
    pub fn new(keys: Keys, events: usize, changes: usize) -> Arc<Self> {
        Arc::new(Self {
            keys,
            rooms: Mutex::default(),
            events: Channels::new(events),
            changes: Channels::new(changes),
        })
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, SubscribedRoom>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts to subscribe to a room. [`RoomSubscription::confirmed`] returns when it is subscribed.
    pub fn subscribe(self: &Arc<Self>, room: &RoomSlug, work: &Arc<Work>) -> RoomSubscription {
        let mut rooms = self.rooms();
        let subscribed = rooms.entry(room.clone()).or_insert_with(|| SubscribedRoom {
            holds: 0,
            work: Arc::clone(work),
            confirmed: watch::Sender::new(false),
            interrupted: false,
            heard: Heard::default(),
            known: None,
        });
        subscribed.holds += 1;
        if subscribed.holds == 1 {
            subscribed.work.add(room);
        }
        RoomSubscription {
            subscriptions: Arc::clone(self),
            room: room.clone(),
            confirmed: subscribed.confirmed.subscribe(),
        }
    }

    /// All subscribed rooms.
    pub fn subscribed(&self) -> Vec<RoomSlug> {
        self.rooms().keys().cloned().collect()
    }

    /// A room's channel.
    pub fn channel(&self, room: &RoomSlug) -> String {
        self.keys.channel(room)
    }

    /// A key to ask for, to check that a server answers.
    pub fn any_key(&self) -> String {
        self.keys.format()
    }

    /// A harmless write, to check that a server accepts writes.
    pub fn write(&self) -> ::redis::Cmd {
        super::opening::write(&self.keys)
    }

    /// The rooms to subscribe to on a server.
    pub fn rooms_of(&self, server: &str) -> Vec<RoomSlug> {
        let rooms = self.rooms();
        let of = rooms
            .iter()
            .filter(|(_, subscribed)| subscribed.work.address == server);
        of.map(|(room, _)| room.clone()).collect()
    }

    /// Returns true if a room must still be subscribed to on this server, false if it already is, and `None` if it must
    /// not be subscribed to there.
    pub fn wanted(&self, room: &RoomSlug, server: &str) -> Option<bool> {
        let rooms = self.rooms();
        let subscribed = rooms
            .get(room)
            .filter(|subscribed| subscribed.work.address == server)?;
        Some(!*subscribed.confirmed.borrow())
    }

    /// Records that a server has confirmed a subscription. If something may have been missed before, tells the
    /// followers.
    pub fn confirm(&self, room: &RoomSlug, server: &str) {
        let mut rooms = self.rooms();
        if let Some(subscribed) = rooms.get_mut(room)
            && subscribed.work.address == server
        {
            subscribed.confirmed.send_replace(true);
            if std::mem::take(&mut subscribed.interrupted) {
                self.events.publish(room, [Signal::Gap]);
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
        }
    }

    /// Records that a server's connection, and with it its subscriptions, are lost.
    pub fn interrupted(&self, server: &str) {
        for subscribed in self.rooms().values_mut() {
            if subscribed.work.address == server {
                subscribed.interrupt();
            }
        }
    }

    /// Moves each subscription to the server that has the room's slot now.
    pub fn reassign(&self, owner: impl Fn(&str) -> Option<Arc<Work>>) {
        for (room, subscribed) in self.rooms().iter_mut() {
            if let Some(owner) = owner(&self.keys.channel(room))
                && owner.address != subscribed.work.address
            {
                subscribed.work.add(room);
                subscribed.work = owner;
                subscribed.interrupt();
                subscribed.work.add(room);
            }
        }
    }

    /// Handles a message from a room's channel.
    pub fn message(&self, channel: &str, text: &str) {
        let Some(room) = self.keys.room_of(channel) else {
            return;
        };
        if !self.rooms().contains_key(&room) {
            return;
        }
        let message = message::parse(&room, text);
        let mut rooms = self.rooms();
        let Some(subscribed) = rooms.get_mut(&room) else {
            return;
        };
        match message {
            Some(Message::Events(events)) => {
                if let Some(last) = events.last() {
                    subscribed.learn(&last.epoch, last.seq);
                    subscribed.heard.log = Some((last.epoch.clone(), last.seq));
                    subscribed.heard.gone = false;
                }
                self.events.publish(&room, events.into_iter().map(Signal::Event));
            }
            Some(Message::Presence(changes)) => {
                for (version, change) in changes {
                    let expected = subscribed.heard.version.replace(version).map(|last| last + 1);
                    if expected.is_some_and(|expected| expected != version) {
                        self.changes.publish(&room, [PresenceChange::Unsure]);
                    }
                    self.changes.publish(&room, [change]);
                }
            }
            Some(Message::Typing(change)) => self.changes.publish(&room, [change]),
            None => {
                tracing::warn!(%room, "a message in the room's channel cannot be read");
                self.events.publish(&room, [Signal::Gap]);
                self.changes.publish(&room, [PresenceChange::Unsure]);
            }
        }
    }

    /// What was delivered of a room, if it is subscribed.
    pub fn heard(&self, room: &RoomSlug) -> Option<Heard> {
        self.rooms().get(room).map(|subscribed| subscribed.heard.clone())
    }

    /// A position that a room's log certainly reached, if the room is subscribed.
    pub fn known(&self, room: &RoomSlug) -> Option<(Epoch, Seq)> {
        self.rooms()
            .get(room)
            .and_then(|subscribed| subscribed.known.clone())
    }

    /// Records that a room's log has reached a position.
    pub fn learn(&self, room: &RoomSlug, epoch: &Epoch, seq: Seq) {
        if let Some(subscribed) = self.rooms().get_mut(room) {
            subscribed.learn(epoch, seq);
        }
    }

    /// Ends every stream after the items in its queue.
    pub fn close(&self) {
        self.events.close();
        self.changes.close();
    }
}

impl SubscribedRoom {
    fn learn(&mut self, epoch: &Epoch, seq: Seq) {
        match &mut self.known {
            Some((known, latest)) if known == epoch => *latest = seq.max(*latest),
            known => *known = Some((epoch.clone(), seq)),
        }
    }

    fn interrupt(&mut self) {
        // If it was never confirmed, no follower can have missed anything.
        self.interrupted |= self.confirmed.send_replace(false);
        self.heard = Heard::default();
    }
}
