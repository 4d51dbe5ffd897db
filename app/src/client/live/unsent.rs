//! What was kept on this machine: the room on screen gets its own back, the other rooms' messages are sent from here.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{ErrorCode, Limits, Receipts, RoomSlug, Send as SendCommand};

use super::Live;
use crate::client::backoff::Backoff;
use crate::client::kept::{self, KeptMessage};
use crate::client::outbox::{Outbox, Pending};
use crate::client::owner::Standing;
use crate::client::room::{Failure, Outcome, failed, passes};
use crate::client::storage::{self, Shelf};

/// If reading what was kept takes longer than this, what is written now does not wait for it.
const READ_MS: u64 = 3_000;

/// Unsent messages of rooms that are not on screen.
pub struct Unsent {
    rooms: Vec<(RoomSlug, Outbox)>,
    /// Other tabs that live and have something to send: when one of them is gone, this one may be the heir.
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
    /// A room is not on screen any more.
    pub fn put(&mut self, room: RoomSlug, outbox: Outbox) {
        if !outbox.items().is_empty() {
            self.rooms.push((room, outbox));
        }
    }

    /// A room comes on screen.
    pub fn take(&mut self, room: &RoomSlug) -> Option<Outbox> {
        let at = self.rooms.iter().position(|(known, _)| known == room)?;
        Some(self.rooms.swap_remove(at).1)
    }

    /// Nobody knows whether what was being sent arrived.
    pub fn unanswered(&mut self) {
        for (_, outbox) in &mut self.rooms {
            outbox.unanswered();
        }
    }

    /// The server takes this much.
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
    /// Brings back what was kept on this machine and belongs to no other tab.
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
            storage::living_tabs(move |living| self.restore(found, living));
        });
        set_timeout(
            move || self.restore_room(Vec::new()),
            Duration::from_millis(READ_MS),
        );
    }

    fn restore(self, found: Vec<KeptMessage>, living: Option<Vec<String>>) {
        for tab in living.iter().flatten() {
            if *tab != storage::tab() && found.iter().any(|kept| kept.tab == *tab) {
                self.await_end(tab.clone());
            }
        }
        let own = kept::own(found, &storage::tab(), living.as_deref());
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

    fn await_end(self, tab: String) {
        let news = self.inner(|inner| {
            let news = !inner.unsent.awaited.contains(&tab);
            if news {
                inner.unsent.awaited.push(tab.clone());
            }
            news
        });
        if news == Some(true) {
            storage::when_gone(&tab, move || self.recover());
        }
    }

    fn restore_room(self, items: Vec<(Pending, bool)>) {
        self.with_room(|client, now| client.restore(items, now));
    }

    /// Sends what waits in rooms that are not on screen.
    pub(super) fn send_unsent(self) {
        if !self.is_connected() {
            return;
        }
        let batches = self.inner(|inner| {
            let rooms = inner.unsent.rooms.iter_mut();
            rooms
                .map(|(room, outbox)| (room.clone(), outbox.next_batch()))
                .collect::<Vec<_>>()
        });
        for (room, messages) in batches.unwrap_or_default() {
            if messages.is_empty() {
                continue;
            }
            let command = SendCommand {
                room: room.clone(),
                messages,
            };
            self.ask("send", &command, move |outcome| self.sent(&room, outcome));
        }
    }

    fn sent(self, room: &RoomSlug, outcome: Outcome<Receipts>) {
        let again = self.inner(|inner| {
            let you = inner.owner.page().cloned()?;
            // Entered meanwhile: it sends its own.
            let mut outbox = inner.unsent.take(room)?;
            let again = match outcome {
                Ok(Receipts { receipts }) => {
                    inner.unsent.backoff.worked();
                    outbox.stored(&receipts);
                    for receipt in &receipts {
                        outbox.confirmed(&receipt.client_id);
                    }
                    Some(0)
                }
                // The next connection sends it again.
                Err(Failure::Unknown) => {
                    outbox.unanswered();
                    None
                }
                // They wait for a connection that belongs to their author.
                Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::NotSignedIn => {
                    outbox.unanswered();
                    None
                }
                Err(Failure::Refused(refusal)) => {
                    let passes = passes(&refusal);
                    match passes {
                        Some(_) => outbox.unanswered(),
                        None => outbox.refused(&failed(&refusal)),
                    }
                    passes.map(|hint| inner.unsent.backoff.next_ms(hint))
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
