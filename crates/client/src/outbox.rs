//! The person's messages that the timeline does not have yet.
//!
//! A message stays here, below all others on screen, until its event arrives. So confirming it moves nothing, and
//! sending it again with the same `client_id` creates no duplicate.

use protocol::limits::BATCH_MESSAGES;
use protocol::{ClientId, Limits, MessageText, Outgoing, Position, Receipt, Timestamp};

use super::size::{BatchSize, TooBig, refuse};

/// Maximum number of messages in an outbox. When it is full the composer keeps the text and says so.
pub const OUTBOX_MESSAGES: usize = 500;

/// How far the sending of a message has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// Waits for a connection.
    Waiting,
    /// Part of a `send` that is not answered yet.
    Sending,
    /// Stored at that position; its event has not arrived yet.
    Stored(Position),
    /// Refused. It is not sent again automatically.
    Failed(Failed),
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// A sentence for the author.
    pub why: String,
    /// The message itself is at fault: it can never be sent unchanged.
    pub hopeless: bool,
}

/// One unconfirmed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Identifies the message; never changes.
    pub client_id: ClientId,
    /// The message's text.
    pub text: MessageText,
    /// When it was written, by this device's clock.
    pub at: Timestamp,
    /// Sort key among unsent messages: later messages have greater ones, even after a reload.
    pub order: u64,
    /// How far sending has come.
    pub state: SendState,
}

/// A change that storage does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaved {
    /// Store this message, replacing an earlier version.
    Keep(Pending),
    /// Delete this message.
    Forget {
        /// Its sort key.
        order: u64,
        /// Its client id.
        client_id: ClientId,
    },
}

/// Unconfirmed messages in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    items: Vec<Pending>,
    /// A `send` is unanswered, even if the events of all its messages have arrived.
    sending: bool,
    /// What storage holds: sort key, client id, and whether it had failed. `None`: stored as another tab's message.
    saved: Vec<(u64, ClientId, Option<bool>)>,
    changed: bool,
    /// This many messages are sent one at a time: a batch was refused, and perhaps only one of them is at fault.
    alone: usize,
    limits: Limits,
}

impl Outbox {
    /// Sets the server's limits.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Checks a text against the server's limits.
    ///
    /// # Errors
    /// If the text is too long for this server.
    pub fn check(&self, text: &MessageText) -> Result<(), TooBig> {
        refuse(self.limits, text.as_str())
    }

    /// The unconfirmed messages, oldest first.
    pub fn items(&self) -> &[Pending] {
        &self.items
    }

    /// Adds a message. Returns false if the outbox is full.
    pub fn push(&mut self, client_id: ClientId, text: MessageText, at: Timestamp) -> bool {
        let fits = self.items.len() < OUTBOX_MESSAGES;
        if fits {
            // The clock orders the messages of different tabs. It may go back, so each tab also counts up.
            let after = self.items.last().map_or(0, |last| last.order + 1);
            self.items.push(Pending {
                client_id,
                text,
                at,
                order: after.max(at.0),
                state: SendState::Waiting,
            });
            self.changed = true;
        }
        fits
    }

    /// Takes the next batch to send. Empty while a `send` is unanswered, because two commands could be stored in either
    /// order.
    pub fn next_batch(&mut self) -> Vec<Outgoing> {
        if self.sending {
            return Vec::new();
        }
        let mut batch = Vec::new();
        let most = if self.alone > 0 { 1 } else { BATCH_MESSAGES };
        let mut size = BatchSize::new(self.limits);
        for item in self
            .items
            .iter_mut()
            .filter(|item| item.state == SendState::Waiting)
        {
            let fits = size.add(&item.client_id, item.text.as_str());
            if batch.len() == most || (!fits && !batch.is_empty()) {
                break;
            }
            item.state = SendState::Sending;
            batch.push(Outgoing {
                client_id: item.client_id.clone(),
                text: item.text.clone(),
            });
        }
        self.sending = !batch.is_empty();
        self.alone = self.alone.saturating_sub(batch.len());
        batch
    }

    /// The batch in flight failed or its outcome is unknown: queues its messages again.
    pub fn unanswered(&mut self) {
        self.sending = false;
        for item in &mut self.items {
            if item.state == SendState::Sending {
                item.state = SendState::Waiting;
            }
        }
    }

    /// The batch in flight was refused permanently. If a message is at fault and there were several, each is sent again
    /// by itself, so that the others still arrive.
    pub fn refused(&mut self, failed: &Failed) {
        let sent = self
            .items
            .iter()
            .filter(|item| item.state == SendState::Sending)
            .count();
        if failed.hopeless && sent > 1 {
            self.alone = sent;
            return self.unanswered();
        }
        self.sending = false;
        for item in &mut self.items {
            if item.state == SendState::Sending {
                item.state = SendState::Failed(failed.clone());
                self.changed = true;
            }
        }
    }

    /// Handles receipts. Messages of the batch without a receipt are queued again.
    pub fn stored(&mut self, receipts: &[Receipt]) {
        for item in &mut self.items {
            if let Some(receipt) = receipts
                .iter()
                .find(|receipt| receipt.client_id == item.client_id)
            {
                item.state = SendState::Stored(Position {
                    epoch: receipt.epoch.clone(),
                    seq: receipt.seq,
                });
            }
        }
        self.unanswered();
    }

    /// The message's event is in the timeline: removes it.
    pub fn confirmed(&mut self, client_id: &ClientId) {
        self.remove(|item| item.client_id == *client_id);
    }

    fn remove(&mut self, is_over: impl Fn(&Pending) -> bool) {
        let before = self.items.len();
        self.items.retain(|item| !is_over(item));
        self.changed |= self.items.len() < before;
    }

    /// The timeline is at `head` now. Removes messages stored up to there: they are in the log, even if the timeline no
    /// longer holds them. Messages stored in another epoch are queued again.
    pub fn settle(&mut self, head: &Position) {
        for item in &mut self.items {
            if matches!(&item.state, SendState::Stored(at) if at.epoch != head.epoch) {
                item.state = SendState::Waiting;
            }
        }
        self.remove(|item| matches!(&item.state, SendState::Stored(at) if at.seq <= head.seq));
    }

    /// Restores a message from storage. `mine` is true if this tab stored it, false if a closed tab did.
    pub fn restore(&mut self, item: Pending, mine: bool) {
        if self.items.iter().any(|known| known.client_id == item.client_id) {
            return;
        }
        let failed = mine.then(|| item.has_failed());
        self.saved.push((item.order, item.client_id.clone(), failed));
        self.changed = true;
        let at = self.items.partition_point(|known| known.order <= item.order);
        self.items.insert(at, item);
    }

    /// The changes for storage since the last call.
    pub fn unsaved(&mut self) -> Vec<Unsaved> {
        let mut unsaved = Vec::new();
        if !std::mem::take(&mut self.changed) {
            return unsaved;
        }
        let items = &self.items;
        self.saved.retain(|(order, client_id, _)| {
            let stays = items.iter().any(|item| item.client_id == *client_id);
            if !stays {
                unsaved.push(Unsaved::Forget {
                    order: *order,
                    client_id: client_id.clone(),
                });
            }
            stays
        });
        for item in items {
            let failed = Some(item.has_failed());
            match self.saved.iter_mut().find(|(_, id, _)| *id == item.client_id) {
                Some((_, _, saved)) if *saved == failed => continue,
                Some((_, _, saved)) => *saved = failed,
                None => self.saved.push((item.order, item.client_id.clone(), failed)),
            }
            unsaved.push(Unsaved::Keep(item.clone()));
        }
        unsaved
    }

    /// True if a message is stored but its event has not arrived.
    pub fn awaits_event(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.state, SendState::Stored(_)))
    }

    /// Queues a failed message again.
    pub fn retry(&mut self, client_id: &ClientId) {
        for item in &mut self.items {
            if item.client_id == *client_id && matches!(item.state, SendState::Failed(_)) {
                item.state = SendState::Waiting;
                self.changed = true;
            }
        }
    }

    /// Removes a failed message and returns its text.
    pub fn discard(&mut self, client_id: &ClientId) -> Option<MessageText> {
        let item = self.items.iter().find(|item| item.client_id == *client_id)?;
        let text = item.has_failed().then(|| item.text.clone())?;
        self.remove(|item| item.client_id == *client_id);
        Some(text)
    }
}

impl Pending {
    fn has_failed(&self) -> bool {
        matches!(self.state, SendState::Failed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{epoch, id, seq, text};

    fn outbox(names: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for name in names {
            assert!(outbox.push(id(name), text(name), Timestamp(0)));
        }
        outbox
    }

    fn no() -> Failed {
        Failed {
            why: "no".to_owned(),
            hopeless: false,
        }
    }

    fn names(batch: &[Outgoing]) -> Vec<&str> {
        batch.iter().map(|message| message.client_id.as_str()).collect()
    }

    fn receipt(name: &str, log: u128, n: u64) -> Receipt {
        Receipt {
            client_id: id(name),
            epoch: epoch(log),
            seq: seq(n),
        }
    }

    fn head(log: u128, n: u64) -> Position {
        Position {
            epoch: epoch(log),
            seq: seq(n),
        }
    }

    #[test]
    fn one_batch_at_a_time_is_in_flight_and_is_resent_unchanged() {
        let mut outbox = outbox(&["a", "b"]);
        assert_eq!(names(&outbox.next_batch()), ["a", "b"]);
        assert!(outbox.push(id("c"), text("c"), Timestamp(0)));
        assert!(outbox.next_batch().is_empty(), "a and b are unanswered");
        outbox.unanswered();
        assert_eq!(names(&outbox.next_batch()), ["a", "b", "c"]);
    }

    #[test]
    fn a_message_stays_until_its_event_arrives_whichever_comes_first() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next_batch();
        outbox.confirmed(&id("a"));
        outbox.stored(&[receipt("a", 1, 1), receipt("b", 1, 2)]);
        assert_eq!(outbox.items().len(), 1, "b is stored but not shown yet");
        assert!(outbox.awaits_event());
        outbox.confirmed(&id("b"));
        assert!(outbox.items().is_empty());
    }

    #[test]
    fn messages_stored_before_the_timeline_starts_are_removed() {
        let mut outbox = outbox(&["a", "b", "c"]);
        outbox.next_batch();
        outbox.stored(&[receipt("a", 1, 3), receipt("b", 1, 9)]);
        outbox.settle(&head(1, 5));
        let left: Vec<_> = outbox
            .items()
            .iter()
            .map(|item| item.client_id.as_str())
            .collect();
        assert_eq!(left, ["b", "c"]);
        outbox.settle(&head(2, 100));
        assert_eq!(
            names(&outbox.next_batch()),
            ["b", "c"],
            "sent again in the new log"
        );
    }

    #[test]
    fn a_refused_message_waits_for_its_author() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.next_batch();
        outbox.refused(&no());
        assert!(outbox.next_batch().is_empty());
        outbox.retry(&id("a"));
        outbox.discard(&id("b"));
        assert_eq!(names(&outbox.next_batch()), ["a"]);
        outbox.discard(&id("a"));
        assert_eq!(outbox.items().len(), 1, "what is being sent cannot be discarded");
    }

    /// Stands in for storage: messages by sort key and client id.
    #[derive(Default)]
    struct Storage(std::collections::BTreeMap<(u64, ClientId), Pending>);

    impl Storage {
        fn keep(&mut self, outbox: &mut Outbox) {
            for change in outbox.unsaved() {
                match change {
                    Unsaved::Keep(item) => self.0.insert((item.order, item.client_id.clone()), item),
                    Unsaved::Forget { order, client_id } => self.0.remove(&(order, client_id)),
                };
            }
        }

        fn names(&self) -> Vec<&str> {
            self.0.keys().map(|(_, id)| id.as_str()).collect()
        }

        /// Restores the messages as after a reload.
        fn restore(&self, outbox: &mut Outbox, mine: bool) {
            for item in self.0.values() {
                let mut item = item.clone();
                if !item.has_failed() {
                    item.state = SendState::Waiting;
                }
                outbox.restore(item, mine);
            }
        }
    }

    #[test]
    fn unsent_messages_are_stored_and_restored_in_order() {
        let mut storage = Storage::default();
        let mut outbox = Outbox::default();
        // The clock goes back.
        for (name, at) in [("a", 50), ("b", 40), ("c", 45)] {
            outbox.push(id(name), text(name), Timestamp(at));
            storage.keep(&mut outbox);
        }
        assert_eq!(storage.names(), ["a", "b", "c"]);
        outbox.next_batch();
        outbox.refused(&no());
        outbox.retry(&id("c"));
        storage.keep(&mut outbox);
        let mut again = Outbox::default();
        again.push(id("d"), text("d"), Timestamp(60));
        storage.restore(&mut again, true);
        storage.restore(&mut again, true);
        assert_eq!(
            names(&again.next_batch()),
            ["c", "d"],
            "a and b wait for their author"
        );
        again.confirmed(&id("c"));
        again.discard(&id("a"));
        storage.keep(&mut again);
        assert_eq!(storage.names(), ["b", "d"]);
        assert!(again.unsaved().is_empty(), "once");
    }

    #[test]
    fn messages_of_a_closed_tab_are_stored_again_by_this_one() {
        let mut storage = Storage::default();
        let mut gone = outbox(&["a"]);
        storage.keep(&mut gone);
        let mut heir = Outbox::default();
        storage.restore(&mut heir, false);
        assert_eq!(heir.unsaved().len(), 1, "as this tab's message");
        let mut same = Outbox::default();
        storage.restore(&mut same, true);
        assert!(same.unsaved().is_empty());
        let mut quick = Outbox::default();
        storage.restore(&mut quick, false);
        quick.confirmed(&id("a"));
        storage.keep(&mut quick);
        assert!(
            storage.names().is_empty(),
            "messages sent at once are deleted too"
        );
    }

    #[test]
    fn a_message_at_fault_does_not_fail_the_rest_of_its_batch() {
        let mut outbox = outbox(&["a", "b", "c"]);
        let to_blame = Failed {
            hopeless: true,
            ..no()
        };
        outbox.next_batch();
        outbox.refused(&to_blame);
        assert_eq!(names(&outbox.next_batch()), ["a"]);
        outbox.stored(&[receipt("a", 1, 1)]);
        assert_eq!(names(&outbox.next_batch()), ["b"]);
        outbox.refused(&to_blame);
        outbox.push(id("d"), text("d"), Timestamp(0));
        assert_eq!(names(&outbox.next_batch()), ["c"]);
        outbox.stored(&[receipt("c", 1, 2)]);
        assert_eq!(names(&outbox.next_batch()), ["d"]);
        assert_eq!(outbox.items()[1].state, SendState::Failed(to_blame));
    }

    #[test]
    fn batches_fit_the_limits_of_the_server() {
        let command = |messages: Vec<Outgoing>| {
            let room = "x".repeat(64).try_into().unwrap();
            let send = protocol::Send { room, messages };
            serde_json::to_string(&("send", send)).unwrap().len()
        };
        for bytes in [1_024, 16_384, 65_536, 131_072] {
            let mut outbox = Outbox::default();
            outbox.limit(Limits {
                command_bytes: bytes,
                ..Limits::default()
            });
            while outbox.push(
                id(&format!("m{}", outbox.items().len())),
                text("\n\"x \u{1f980}"),
                Timestamp(0),
            ) {}
            assert_eq!(outbox.items().len(), OUTBOX_MESSAGES);
            let batch = outbox.next_batch();
            assert!(batch.len() > 5 && batch.len() <= BATCH_MESSAGES);
            assert!(command(batch) <= bytes as usize);
        }
        let mut outbox = Outbox::default();
        for n in 0..10 {
            let long = text(&"\u{1f980}".repeat(8_000));
            assert!(outbox.check(&long).is_ok());
            assert!(outbox.push(id(&format!("m{n}")), long, Timestamp(0)));
        }
        let batch = outbox.next_batch();
        assert_eq!(batch.len(), 2);
        assert!(command(batch) <= 65_536);
    }
}
