//! Unsent messages from storage: those of the room on screen go back to it, those of other rooms are sent from here.

use std::time::Duration;

use client::backoff::Backoff;
use client::outbox::{Outbox, Pending};
use client::owner::Standing;
use client::room::{Failure, Outcome, failed, retry_hint};
use leptos::prelude::*;
use protocol::{ErrorCode, Limits, Receipt, RoomSlug};

use super::Live;
use crate::client::kept::{self, KeptMessage};
use crate::client::storage::{self, Shelf};

/// New messages wait at most this long for the stored ones, in milliseconds.
const READ_MS: u64 = 3_000;

/// Unsent messages of rooms that are not on screen.
pub struct Unsent {
    rooms: Vec<(RoomSlug, Outbox)>,
    /// Other open tabs with messages to send. When one of them closes, this tab may take over its messages.
    awaited: Vec<String>,
    backoff: Backoff,
    limits: Limits,
}

impl Default for Unsent {
    fn default() -> Self {
        Self {
            rooms: Vec::new(),
            awaited: Vec::new(),
            backoff: Backoff::new(&storage::tab()),
            limits: Limits::default(),
        }
    }
}

impl Unsent {
    /// Keeps the outbox of a room that leaves the screen.
    pub fn put(&mut self, room: RoomSlug, outbox: Outbox) {
        if !outbox.items().is_empty() {
            self.rooms.push((room, outbox));
        }
    }

    /// Takes the outbox of a room that comes on screen.
    pub fn take(&mut self, room: &RoomSlug) -> Option<Outbox> {
        let at = self.rooms.iter().position(|(known, _)| known == room)?;
        Some(self.rooms.swap_remove(at).1)
    }

    /// The connection is gone: messages in flight may or may not have arrived.
    pub fn unanswered(&mut self) {
        for (_, outbox) in &mut self.rooms {
            outbox.unanswered();
        }
    }

    /// Sets the server's limits.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
        for (_, outbox) in &mut self.rooms {
            outbox.limit(limits);
        }
    }

    fn of(&mut self, room: RoomSlug) -> &mut Outbox {
        let at = self.rooms.iter().position(|(known, _)| *known == room);
        let at = at.unwrap_or_else(|| {
            let mut outbox = Outbox::default();
            outbox.limit(self.limits);
            self.rooms.push((room, outbox));
            self.rooms.len() - 1
        });
        &mut self.rooms[at].1
    }
}

impl Live {
    /// Restores the stored messages that belong to no other tab.
    pub(super) fn recover(self) {
        let own = self.inner(|inner| {
            let own = matches!(inner.owner.standing(), Standing::Same | Standing::Unknown);
            inner.owner.page().filter(|_| own).cloned()
        });
        let Some(you) = own.flatten() else { return };
        storage::read(Shelf::Outbox, &format!("{}/", you.id), move |found| {
            let found: Vec<KeptMessage> = found.iter().filter_map(KeptMessage::read).collect();
            if found.is_empty() {
                return self.restore(Vec::new(), None);
            }
            storage::open_tabs(move |open| self.restore(found, open));
        });
        set_timeout(
            move || self.restore_room(Vec::new()),
            Duration::from_millis(READ_MS),
        );
    }

    fn restore(self, found: Vec<KeptMessage>, open: Option<Vec<String>>) {
        for tab in open.iter().flatten() {
            if *tab != storage::tab() && found.iter().any(|kept| kept.tab == *tab) {
                self.await_close(tab.clone());
            }
        }
        let own = kept::own(found, &storage::tab(), open.as_deref());
        let on_screen = self.inner(|inner| inner.room.and_then(|store| store.slug()));
        let on_screen = on_screen.flatten();
        let mut here = Vec::new();
        self.inner(|inner| {
            for (room, item, mine) in own {
                if on_screen.as_ref() == Some(&room) {
                    here.push((item, mine));
                } else {
                    inner.unsent.of(room).restore(item, mine);
                }
            }
        });
        self.restore_room(here);
        self.send_unsent();
    }

    fn await_close(self, tab: String) {
        let is_new = self.inner(|inner| {
            let is_new = !inner.unsent.awaited.contains(&tab);
            if is_new {
                inner.unsent.awaited.push(tab.clone());
            }
            is_new
        });
        if is_new == Some(true) {
            storage::when_closed(&tab, move || self.recover());
        }
    }

    fn restore_room(self, items: Vec<(Pending, bool)>) {
        self.with_room(|client, now| client.restore(items, now));
    }

    /// Sends the waiting messages of rooms that are not on screen.
    pub(super) fn send_unsent(self) {
        if !self.is_connected() {
            return;
        }
        let commands = self.inner(|inner| {
            let rooms = inner.unsent.rooms.iter_mut();
            rooms
                .filter_map(|(room, outbox)| Some((room.clone(), outbox.next_command(room)?)))
                .collect::<Vec<_>>()
        });
        for (room, command) in commands.unwrap_or_default() {
            let of = room.clone();
            self.write(&room, &command, move |outcome| self.sent(&of, outcome));
        }
    }

    fn sent(self, room: &RoomSlug, outcome: Outcome<Vec<Receipt>>) {
        let again = self.inner(|inner| {
            let you = inner.owner.page().cloned()?;
            // If the room was entered meanwhile, it sends its own messages.
            let mut outbox = inner.unsent.take(room)?;
            let again = match outcome {
                Ok(receipts) => {
                    inner.unsent.backoff.worked();
                    outbox.stored(&receipts);
                    for receipt in &receipts {
                        outbox.confirmed(&receipt.client_id);
                    }
                    Some(0)
                }
                // The next connection sends them again.
                Err(Failure::Unknown) => {
                    outbox.unanswered();
                    None
                }
                // The messages wait for a connection that belongs to their author.
                Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::NotSignedIn => {
                    outbox.unanswered();
                    None
                }
                Err(Failure::Refused(refusal)) => {
                    if let Some(hint) = retry_hint(&refusal) {
                        outbox.unanswered();
                        Some(inner.unsent.backoff.next_ms(hint))
                    } else {
                        // What comes after it is sent at once, each message of a batch by itself.
                        outbox.refused(&failed(&refusal));
                        Some(0)
                    }
                }
            };
            kept::keep(&you, room, &mut outbox);
            inner.unsent.put(room.clone(), outbox);
            again
        });
        if let Some(ms) = again.flatten() {
            set_timeout(move || self.send_unsent(), Duration::from_millis(ms));
        }
    }
}
