//! What the browser stores of unsent messages, as `app/src/client/kept.rs` writes it, and how it comes back.

use std::collections::BTreeMap;
use std::rc::Rc;

use client::outbox::{Pending, SendState, Unsaved};
use client::room::{Outcome, RoomClient, retry_hint};
use protocol::{ClientId, Deed};

use super::{Client, Pane};
use crate::link::Answer;

/// By their key in the browser's storage.
pub type Kept = BTreeMap<(u64, ClientId), Pending>;

/// The longest that reading takes, in milliseconds. The page would not wait longer than three seconds.
const READ_MS: u64 = 2_500;

impl Pane {
    /// Stores what changed.
    pub(super) fn keep(&self, core: &mut RoomClient) {
        let mut kept = self.kept.borrow_mut();
        for change in core.unsaved() {
            if let Unsaved::Keep(item) = &change
                && matches!(item.state, SendState::Failed(_))
            {
                self.refused.borrow_mut().insert(item.client_id.clone());
            }
            match change {
                Unsaved::Keep(item) => kept.insert((item.order, item.client_id.clone()), item),
                Unsaved::Forget { order, client_id } => kept.remove(&(order, client_id)),
            };
        }
    }

    /// What was refused, and whether it is hopeless.
    pub(super) fn failed(&self) -> Vec<(ClientId, bool)> {
        let failed = |item: &Pending| match &item.state {
            SendState::Failed(failed) => Some((item.client_id.clone(), failed.hopeless)),
            _ => None,
        };
        self.kept.borrow().values().filter_map(failed).collect()
    }

    /// Notes that a deed was refused for good, if it was. The outbox drops what holds no text.
    pub(super) fn note_refusal(&self, deed: &Deed, outcome: &Outcome<Answer>) {
        if let Ok(Answer::Refused(refusal)) = outcome
            && retry_hint(refusal).is_none()
        {
            self.refused.borrow_mut().extend(deed.client_id().cloned());
            if !matches!(deed, Deed::Edited { .. }) {
                self.given_up.borrow_mut().extend(deed.client_id().cloned());
            }
        }
    }
}

impl Client {
    /// Reads what is stored of a room, and restores it unless the room was left.
    pub(super) fn recover(self: &Rc<Self>, pane: &Rc<Pane>) {
        let (client, pane) = (Rc::clone(self), Rc::clone(pane));
        let (page, visit) = (self.page.get(), pane.visit.get());
        self.world.spawn(async move {
            let (before, after) = (
                client.world.dice.between(1..=READ_MS / 2),
                client.world.dice.between(1..=READ_MS / 2),
            );
            client.world.time.sleep(before).await;
            let found: Vec<Pending> = pane.kept.borrow().values().cloned().collect();
            client.world.time.sleep(after).await;
            if client.page.get() != page || pane.visit.get() != visit {
                return;
            }
            client.note(|| format!("finds {} unsent in {}", found.len(), pane.room));
            let found = found.into_iter().map(|mut item| {
                if !matches!(item.state, SendState::Failed(_)) {
                    item.state = SendState::Waiting;
                }
                // A reloaded page counts as another tab.
                (item, false)
            });
            let found = found.collect();
            client.drive(&pane, |core, now| core.restore(found, now));
        });
    }
}
