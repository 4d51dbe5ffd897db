//! What this person has said and the room does not show yet.
//!
//! A message stays here, below everything else, until its event arrives at its place in the log. So being
//! confirmed moves nothing, and being resent (with the same `client_id`) doubles nothing.

use protocol::limits::BATCH_MESSAGES;
use protocol::{ClientId, Limits, MessageText, Outgoing, Position, Receipt, Timestamp};

use super::size::{BatchSize, TooBig, refuse};

/// Messages that may wait at most; past that the composer keeps the text and says so.
pub const OUTBOX_MESSAGES: usize = 500;

/// How far a message has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// To be sent when there is a connection.
    Waiting,
    /// In a command that is not answered yet.
    Sending,
    /// Stored at that place; its event is on its way.
    Stored(Position),
    /// Refused, and sending it again by itself would not help.
    Failed(Failed),
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The sentence for its author.
    pub why: String,
    /// The message itself is at fault: as it is, it will never be sent.
    pub hopeless: bool,
}

/// One message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The same for as long as this message exists.
    pub client_id: ClientId,
    /// What it says.
    pub text: MessageText,
    /// When it was written, by this machine's clock.
    pub at: Timestamp,
    /// Its place among the unsent: what was written later has a greater one, also after a reload.
    pub order: u64,
    /// How far it has come.
    pub state: SendState,
}

/// What has changed since it was last kept on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaved {
    /// To be kept, in place of what was kept of it.
    Keep(Pending),
    /// Not to be kept any longer.
    Forget {
        /// Its place among the unsent.
        order: u64,
        /// Its name.
        client_id: ClientId,
    },
}

/// Messages in the order they were written.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    items: Vec<Pending>,
    /// A `send` is not answered yet, even if the events of all its messages have come.
    sending: bool,
    /// What is kept on this machine: place, name, and whether it had failed; None: under another tab's name.
    saved: Vec<(u64, ClientId, Option<bool>)>,
    changed: bool,
    /// So many messages go out one at a time: a batch was refused, and only one of them may be to blame.
    alone: usize,
    limits: Limits,
}

impl Outbox {
    /// The server takes this much.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Why the server would refuse this text, if it would.
    ///
    /// # Errors
    /// If the text is too long for this server.
    pub fn check(&self, text: &MessageText) -> Result<(), TooBig> {
        refuse(self.limits, text.as_str())
    }

    /// The messages, oldest first.
    pub fn items(&self) -> &[Pending] {
        &self.items
    }

    /// Adds a message. False if too many wait already.
    pub fn push(&mut self, client_id: ClientId, text: MessageText, at: Timestamp) -> bool {
        let fits = self.items.len() < OUTBOX_MESSAGES;
        if fits {
            // The clock says which of two tabs was first; within one it may go back.
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

    /// What to send next, marked as being sent. Empty while a `send` is unanswered: two of them could be stored
    /// in either order.
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

    /// Nobody knows whether what was being sent arrived, or it is to be tried again: the same messages go out again.
    pub fn unanswered(&mut self) {
        self.sending = false;
        for item in &mut self.items {
            if item.state == SendState::Sending {
                item.state = SendState::Waiting;
            }
        }
    }

    /// What was being sent is refused for good. Where a message is at fault and there were several, each goes out
    /// again by itself: the others have done nothing wrong.
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

    /// Proof that messages are stored. What was sent with them and is not among them goes out again.
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

    /// The message's event is in the timeline.
    pub fn confirmed(&mut self, client_id: &ClientId) {
        self.remove(|item| item.client_id == *client_id);
    }

    fn remove(&mut self, is_over: impl Fn(&Pending) -> bool) {
        let before = self.items.len();
        self.items.retain(|item| !is_over(item));
        self.changed |= self.items.len() < before;
    }

    /// The timeline stands at `head` now: what is stored up to there is in the log, even if it is older than what
    /// the timeline shows. What was stored in another life of the log has to be said again.
    pub fn settle(&mut self, head: &Position) {
        for item in &mut self.items {
            if matches!(&item.state, SendState::Stored(at) if at.epoch != head.epoch) {
                item.state = SendState::Waiting;
            }
        }
        self.remove(|item| matches!(&item.state, SendState::Stored(at) if at.seq <= head.seq));
    }

    /// Brings back a message that was kept on this machine. `mine`: whether this tab kept it, and not one that is
    /// gone.
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

    /// What is to be kept on this machine, and what not any longer, since this was last asked.
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

    /// Whether something is stored that the timeline should have shown by now.
    pub fn awaits_event(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.state, SendState::Stored(_)))
    }

    /// Sends a failed message again.
    pub fn retry(&mut self, client_id: &ClientId) {
        for item in &mut self.items {
            if item.client_id == *client_id && matches!(item.state, SendState::Failed(_)) {
                item.state = SendState::Waiting;
                self.changed = true;
            }
        }
    }

    /// Forgets a failed message. Returns what it said.
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
    use crate::client::samples::{epoch, id, seq, text};

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

    fn receipt(name: &str, life: u128, n: u64) -> Receipt {
        Receipt {
            client_id: id(name),
            epoch: epoch(life),
            seq: seq(n),
        }
    }

    fn head(life: u128, n: u64) -> Position {
        Position {
            epoch: epoch(life),
            seq: seq(n),
        }
    }

    #[test]
    fn one_batch_is_on_its_way_and_goes_out_again_as_it_was() {
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
    fn what_the_log_has_behind_the_page_is_settled() {
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
            "said again in the new log"
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

    /// What a machine keeps, as it would: by place and name.
    #[derive(Default)]
    struct Machine(std::collections::BTreeMap<(u64, ClientId), Pending>);

    impl Machine {
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

        /// As after a reload.
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
    fn what_is_unsent_is_kept_and_comes_back_in_order() {
        let mut machine = Machine::default();
        let mut outbox = Outbox::default();
        // The clock goes back.
        for (name, at) in [("a", 50), ("b", 40), ("c", 45)] {
            outbox.push(id(name), text(name), Timestamp(at));
            machine.keep(&mut outbox);
        }
        assert_eq!(machine.names(), ["a", "b", "c"]);
        outbox.next_batch();
        outbox.refused(&no());
        outbox.retry(&id("c"));
        machine.keep(&mut outbox);
        let mut again = Outbox::default();
        again.push(id("d"), text("d"), Timestamp(60));
        machine.restore(&mut again, true);
        machine.restore(&mut again, true);
        assert_eq!(
            names(&again.next_batch()),
            ["c", "d"],
            "a and b wait for their author"
        );
        again.confirmed(&id("c"));
        again.discard(&id("a"));
        machine.keep(&mut again);
        assert_eq!(machine.names(), ["b", "d"]);
        assert!(again.unsaved().is_empty(), "once");
    }

    #[test]
    fn what_another_tab_left_is_kept_by_this_one() {
        let mut machine = Machine::default();
        let mut gone = outbox(&["a"]);
        machine.keep(&mut gone);
        let mut heir = Outbox::default();
        machine.restore(&mut heir, false);
        assert_eq!(heir.unsaved().len(), 1, "under this tab's name");
        let mut same = Outbox::default();
        machine.restore(&mut same, true);
        assert!(same.unsaved().is_empty());
        let mut quick = Outbox::default();
        machine.restore(&mut quick, false);
        quick.confirmed(&id("a"));
        machine.keep(&mut quick);
        assert!(
            machine.names().is_empty(),
            "what was sent at once is forgotten too"
        );
    }

    #[test]
    fn a_message_that_is_to_blame_does_not_take_the_others_with_it() {
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
    fn batches_fit_into_what_this_server_takes() {
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
