//! What this replica subscribes to: through which server, and what its followers were told.
//!
//! A channel is subscribed to once, however many followers its topic has, and unsubscribed from with the last one.
//! [`super::subscriber`] does that for each server; this module decides what it should do. [`hearing`] passes on what
//! arrives, from the channels and from this process.

mod hearing;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chat::Order;
use chat::ports::{PresenceChange, SessionSignal, Signal};
use protocol::{Opaque, PresenceList, RoomSlug, Seq};
use tokio::sync::{Notify, watch};

use super::keys::{Keys, Topic};
use super::known::Known;
use super::work::Work;
use crate::channels::Channels;
use crate::ends::Ends;

/// The subscribed topics, and the channels to their followers.
pub struct Subscriptions {
    keys: Keys,
    /// This replica's id.
    me: Opaque,
    state: Mutex<State>,
    /// Notified when an event came early.
    early: Notify,
    /// To followers of the logs.
    pub events: Arc<Channels<Signal>>,
    /// To followers of the presence.
    pub changes: Arc<Channels<PresenceChange>>,
    /// To followers of the ends of sessions.
    pub ends: Ends,
}

#[derive(Default)]
struct State {
    topics: HashMap<Topic, Subscribed>,
    /// Rooms with events that came early.
    holding: HashSet<RoomSlug>,
}

struct Subscribed {
    /// The number of [`Subscription`]s.
    holds: usize,
    /// The work of the server that has the topic. `None` while no server has it.
    work: Option<Arc<Work>>,
    /// True once that server has confirmed the subscription.
    confirmed: watch::Sender<bool>,
    /// True if something may have been missed since the last confirmation.
    interrupted: bool,
    order: Order,
    /// The event that early ones wait for, and since when.
    waiting: Option<(Seq, Instant)>,
    /// The version of the latest change of presence. `None`: nothing to compare with yet.
    version: Option<u64>,
    roster: Known,
    /// Somebody was given the known roster instead of Redis' own, and it may lack people.
    guessed: bool,
}

/// Keeps a topic subscribed until it is dropped.
pub struct Subscription {
    subscriptions: Arc<Subscriptions>,
    topic: Topic,
    confirmed: watch::Receiver<bool>,
}

impl Subscription {
    /// Waits until everything published from now on arrives.
    pub async fn confirmed(&mut self) {
        // The sender lives as long as the topic is subscribed, so at least as long as this.
        let _ = self.confirmed.wait_for(|confirmed| *confirmed).await;
    }

    /// Does not wait any longer: unless it is confirmed now, followers are told once it is.
    pub fn give_up(&self) {
        if let Some(subscribed) = self.subscriptions.state().topics.get_mut(&self.topic) {
            subscribed.interrupted |= !*subscribed.confirmed.borrow();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.subscriptions.state();
        if let Some(subscribed) = state.topics.get_mut(&self.topic) {
            subscribed.holds -= 1;
            if subscribed.holds == 0
                && let Some(subscribed) = state.topics.remove(&self.topic)
                && let Some(work) = subscribed.work
            {
                work.add(&self.topic);
            }
        }
    }
}

impl Subscriptions {
    /// No subscriptions yet. `events` and `changes` are the capacities of the followers' queues.
    pub fn new(keys: Keys, me: Opaque, events: usize, changes: usize) -> Arc<Self> {
        Arc::new(Self {
            keys,
            me,
            state: Mutex::default(),
            early: Notify::new(),
            events: Channels::new(events),
            changes: Channels::new(changes),
            ends: Ends::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of channels.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Starts to subscribe to a topic, through the server with this work.
    pub fn subscribe(self: &Arc<Self>, topic: &Topic, work: Option<Arc<Work>>) -> Subscription {
        let mut state = self.state();
        let subscribed = state.topics.entry(topic.clone()).or_insert_with(|| {
            if let Some(work) = &work {
                work.add(topic);
            }
            Subscribed {
                holds: 0,
                work,
                confirmed: watch::Sender::new(false),
                interrupted: false,
                order: Order::default(),
                waiting: None,
                version: None,
                roster: Known::default(),
                guessed: false,
            }
        });
        subscribed.holds += 1;
        Subscription {
            subscriptions: Arc::clone(self),
            topic: topic.clone(),
            confirmed: subscribed.confirmed.subscribe(),
        }
    }

    /// All subscribed rooms.
    pub fn rooms(&self) -> Vec<RoomSlug> {
        let state = self.state();
        let rooms = state.topics.keys().filter_map(|topic| match topic {
            Topic::Room(room) => Some(room.clone()),
            Topic::Replicas => None,
        });
        rooms.collect()
    }

    /// A key to ask for, to check that a server answers.
    pub fn any_key(&self) -> String {
        self.keys.format()
    }

    /// A harmless write, to check that a server accepts writes.
    pub fn write(&self) -> ::redis::Cmd {
        super::opening::write(&self.keys)
    }

    /// The topics to subscribe to on a server.
    pub fn topics_of(&self, server: &str) -> Vec<Topic> {
        let state = self.state();
        let of = state
            .topics
            .iter()
            .filter(|(_, subscribed)| subscribed.is_on(server));
        of.map(|(topic, _)| topic.clone()).collect()
    }

    /// Returns true if a topic must still be subscribed to on this server, false if it already is, and `None` if it must
    /// not be subscribed to there.
    pub fn wanted(&self, topic: &Topic, server: &str) -> Option<bool> {
        let state = self.state();
        let subscribed = state
            .topics
            .get(topic)
            .filter(|subscribed| subscribed.is_on(server))?;
        Some(!*subscribed.confirmed.borrow())
    }

    /// Records that a server has confirmed a subscription. If something may have been missed before, tells the
    /// followers.
    pub fn confirm(&self, topic: &Topic, server: &str) {
        let mut state = self.state();
        if let Some(subscribed) = state.topics.get_mut(topic)
            && subscribed.is_on(server)
        {
            subscribed.confirmed.send_replace(true);
            if std::mem::take(&mut subscribed.interrupted) {
                subscribed.order.restart();
                self.unsure(topic);
            }
        }
    }

    /// Tells the followers of a topic that they may have missed something.
    fn unsure(&self, topic: &Topic) {
        match topic {
            Topic::Room(room) => {
                self.events.publish(room, [Signal::Gap]);
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
            Topic::Replicas => self.ends.tell(SessionSignal::Unsure),
        }
    }

    /// Records that a server's connection, and with it its subscriptions, are lost. Followers of presence read the roster
    /// now, which says whether it may be out of date, and again once the subscription is confirmed.
    pub fn interrupted(&self, server: &str) {
        for (topic, subscribed) in &mut self.state().topics {
            if subscribed.is_on(server)
                && subscribed.interrupt()
                && let Topic::Room(room) = topic
            {
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
        }
    }

    /// Moves each subscription to the server that has the topic's slot now.
    pub fn reassign(&self, owner: impl Fn(&str) -> Option<Arc<Work>>) {
        for (topic, subscribed) in &mut self.state().topics {
            if let Some(owner) = owner(&self.keys.channel(topic))
                && !subscribed.is_on(&owner.address)
            {
                owner.add(topic);
                let before = subscribed.work.replace(owner);
                subscribed.interrupt();
                if let Some(before) = before {
                    before.add(topic);
                }
            }
        }
    }

    /// The version of the latest change of a room's presence that arrived. `None` if the room is not subscribed.
    pub fn version(&self, room: &RoomSlug) -> Option<Option<u64>> {
        let state = self.state();
        let subscribed = state.topics.get(&Topic::Room(room.clone()))?;
        Some(subscribed.version)
    }

    /// Keeps a roster that Redis returned, if the room is subscribed.
    pub fn learn_roster(&self, room: &RoomSlug, roster: &PresenceList) {
        if let Some(subscribed) = self.state().topics.get_mut(&Topic::Room(room.clone())) {
            subscribed.roster.learn(roster);
        }
    }

    /// The roster as it was last known, for want of Redis' own: followers are told to read it once Redis answers. Empty
    /// if the room is not subscribed.
    pub fn known_roster(&self, room: &RoomSlug) -> PresenceList {
        let mut state = self.state();
        let Some(subscribed) = state.topics.get_mut(&Topic::Room(room.clone())) else {
            return PresenceList::default();
        };
        subscribed.guessed = true;
        subscribed.roster.list()
    }

    /// Ends every stream after the items in its queue.
    pub fn close(&self) {
        self.events.close();
        self.changes.close();
        self.ends.close();
    }
}

impl Subscribed {
    fn is_on(&self, server: &str) -> bool {
        self.work.as_ref().is_some_and(|work| work.address == server)
    }

    /// Returns true if it was confirmed.
    fn interrupt(&mut self) -> bool {
        // If it was never confirmed, no follower can have missed anything.
        let confirmed = self.confirmed.send_replace(false);
        self.interrupted |= confirmed;
        self.version = None;
        confirmed
    }
}
