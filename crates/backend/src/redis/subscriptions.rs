//! The rooms that are followed here: who listens, through which server, and what was heard.
//!
//! A room's channel is subscribed to once, however many follow its log or its presence, and let go when nobody does.
//! [`super::subscriber`] does that for each server; here is what it should do, and what it heard.

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

/// What the followed rooms say.
pub struct Subscriptions {
    keys: Keys,
    rooms: Mutex<HashMap<RoomSlug, Followed>>,
    /// To those who follow the logs.
    pub events: Arc<Channels<Signal>>,
    /// To those who follow who is here.
    pub changes: Arc<Channels<PresenceChange>>,
}

struct Followed {
    followers: usize,
    /// Of the server that should bring it.
    work: Arc<Work>,
    /// Whether that server has said that it does.
    confirmed: watch::Sender<bool>,
    /// Something may have been missed since it last did.
    interrupted: bool,
    heard: Heard,
    /// Where the log certainly stood once, also before an interruption.
    known: Option<(Epoch, Seq)>,
}

/// Keeps a room followed for as long as it lives.
pub struct Following {
    subscriptions: Arc<Subscriptions>,
    room: RoomSlug,
    confirmed: watch::Receiver<bool>,
}

impl Following {
    /// Waits until whatever is published from now on arrives.
    pub async fn confirmed(&mut self) {
        // The sender lives as long as the room is followed, which it is by this.
        let _ = self.confirmed.wait_for(|confirmed| *confirmed).await;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut rooms = self.subscriptions.rooms();
        if let Some(followed) = rooms.get_mut(&self.room) {
            followed.followers -= 1;
            if followed.followers == 0
                && let Some(followed) = rooms.remove(&self.room)
            {
                followed.work.add(&self.room);
            }
        }
    }
}

impl Subscriptions {
    /// Nothing is followed yet.
    pub fn new(keys: Keys, events: usize, changes: usize) -> Arc<Self> {
        Arc::new(Self {
            keys,
            rooms: Mutex::default(),
            events: Channels::new(events),
            changes: Channels::new(changes),
        })
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomSlug, Followed>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a room followed; it is when [`Following::confirmed`] returns.
    pub fn follow(self: &Arc<Self>, room: &RoomSlug, work: &Arc<Work>) -> Following {
        let mut rooms = self.rooms();
        let followed = rooms.entry(room.clone()).or_insert_with(|| Followed {
            followers: 0,
            work: Arc::clone(work),
            confirmed: watch::Sender::new(false),
            interrupted: false,
            heard: Heard::default(),
            known: None,
        });
        followed.followers += 1;
        if followed.followers == 1 {
            followed.work.add(room);
        }
        Following {
            subscriptions: Arc::clone(self),
            room: room.clone(),
            confirmed: followed.confirmed.subscribe(),
        }
    }

    /// Every room that is followed.
    pub fn followed(&self) -> Vec<RoomSlug> {
        self.rooms().keys().cloned().collect()
    }

    /// The channel of a room.
    pub fn channel(&self, room: &RoomSlug) -> String {
        self.keys.channel(room)
    }

    /// A key to ask for, to see whether a server answers.
    pub fn any_key(&self) -> String {
        self.keys.format()
    }

    /// A harmless write, to see whether a server takes writes.
    pub fn write(&self) -> ::redis::Cmd {
        super::opening::write(&self.keys)
    }

    /// The rooms that a server should bring.
    pub fn rooms_of(&self, server: &str) -> Vec<RoomSlug> {
        let rooms = self.rooms();
        let of = rooms
            .iter()
            .filter(|(_, followed)| followed.work.address == server);
        of.map(|(room, _)| room.clone()).collect()
    }

    /// Whether a server should bring a room, and if so whether that is still to be arranged.
    pub fn wanted(&self, room: &RoomSlug, server: &str) -> Option<bool> {
        let rooms = self.rooms();
        let followed = rooms
            .get(room)
            .filter(|followed| followed.work.address == server)?;
        Some(!*followed.confirmed.borrow())
    }

    /// A server brings a room from now on. If anything may have been missed before, the followers are told.
    pub fn confirm(&self, room: &RoomSlug, server: &str) {
        let mut rooms = self.rooms();
        if let Some(followed) = rooms.get_mut(room)
            && followed.work.address == server
        {
            followed.confirmed.send_replace(true);
            if std::mem::take(&mut followed.interrupted) {
                self.events.publish(room, [Signal::Gap]);
                self.changes.publish(room, [PresenceChange::Unsure]);
            }
        }
    }

    /// A server's connection is gone, and with it what it brought.
    pub fn interrupted(&self, server: &str) {
        for followed in self.rooms().values_mut() {
            if followed.work.address == server {
                followed.interrupt();
            }
        }
    }

    /// Slots have moved: each room is to come from the server that has it now.
    pub fn reassign(&self, owner: impl Fn(&str) -> Option<Arc<Work>>) {
        for (room, followed) in self.rooms().iter_mut() {
            if let Some(owner) = owner(&self.keys.channel(room))
                && owner.address != followed.work.address
            {
                followed.work.add(room);
                followed.work = owner;
                followed.interrupt();
                followed.work.add(room);
            }
        }
    }

    /// A message came through a room's channel.
    pub fn message(&self, channel: &str, text: &str) {
        let Some(room) = self.keys.room_of(channel) else {
            return;
        };
        if !self.rooms().contains_key(&room) {
            return;
        }
        let message = message::parse(&room, text);
        let mut rooms = self.rooms();
        let Some(followed) = rooms.get_mut(&room) else {
            return;
        };
        match message {
            Some(Message::Events(events)) => {
                if let Some(last) = events.last() {
                    followed.learn(&last.epoch, last.seq);
                    followed.heard.log = Some((last.epoch.clone(), last.seq));
                    followed.heard.gone = false;
                }
                self.events.publish(&room, events.into_iter().map(Signal::Event));
            }
            Some(Message::Presence(changes)) => {
                for (version, change) in changes {
                    let expected = followed.heard.version.replace(version).map(|last| last + 1);
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

    /// What was heard of a room, if it is followed.
    pub fn heard(&self, room: &RoomSlug) -> Option<Heard> {
        self.rooms().get(room).map(|followed| followed.heard.clone())
    }

    /// Where a room's log certainly stood once, if it is followed.
    pub fn known(&self, room: &RoomSlug) -> Option<(Epoch, Seq)> {
        self.rooms().get(room).and_then(|followed| followed.known.clone())
    }

    /// Something was stored there.
    pub fn learn(&self, room: &RoomSlug, epoch: &Epoch, seq: Seq) {
        if let Some(followed) = self.rooms().get_mut(room) {
            followed.learn(epoch, seq);
        }
    }

    /// Every stream ends after what it has not received yet.
    pub fn close(&self) {
        self.events.close();
        self.changes.close();
    }
}

impl Followed {
    fn learn(&mut self, epoch: &Epoch, seq: Seq) {
        match &mut self.known {
            Some((known, latest)) if known == epoch => *latest = seq.max(*latest),
            known => *known = Some((epoch.clone(), seq)),
        }
    }

    fn interrupt(&mut self) {
        // One that was never confirmed has nobody yet who could have missed anything.
        self.interrupted |= self.confirmed.send_replace(false);
        self.heard = Heard::default();
    }
}
