//! What the person did that the timeline does not have yet: messages, edits, reactions and whatever else writes.
//!
//! A message stays here, below all others on screen, until its event arrives. So confirming it moves nothing, and
//! sending it again with the same `client_id` creates no duplicate. The same holds for everything else. All of it is
//! stored in the order in which it was done.

use protocol::limits::BATCH_MESSAGES;
use protocol::{
    Ask, ClientId, Deed, Delete, Edit, Epoch, Limits, MessageText, Outgoing, Position, React, Receipt,
    RoomSlug, Send, Seq, SetTitle, Timestamp,
};

use super::size::{BatchSize, TooBig, refuse};

/// Maximum number of items in an outbox. When it is full the composer keeps the text and says so.
pub const OUTBOX_ITEMS: usize = 500;

/// How far the sending of an item has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// Waits for a connection.
    Waiting,
    /// Part of a command that is not answered yet.
    Sending,
    /// Stored at that position; its event has not arrived yet.
    Stored(Position),
    /// Refused. It is not sent again automatically.
    Failed(Failed),
}

/// Why an item was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// A sentence for the author.
    pub why: String,
    /// The item itself is at fault: it can never be sent unchanged.
    pub hopeless: bool,
}

/// A command to emit.
#[derive(Clone, Debug)]
pub enum Command {
    /// `send`. The answer is [`protocol::Receipts`].
    Send(Send),
    /// The command for this deed, done in that epoch. The answer is one [`protocol::Receipt`]. For its payload, see
    /// [`protocol::write::command`].
    Act(Deed, Option<Epoch>),
}

impl Command {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Send(_) | Self::Act(Deed::Posted { .. } | Deed::Unknown, _) => Send::NAME,
            Self::Act(Deed::Edited { .. }, _) => Edit::NAME,
            Self::Act(Deed::Deleted { .. }, _) => Delete::NAME,
            Self::Act(Deed::Reacted { .. }, _) => React::NAME,
            Self::Act(Deed::Titled { .. }, _) => SetTitle::NAME,
        }
    }
}

/// One unconfirmed item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Identifies the item; never changes. The deed has the same one.
    pub client_id: ClientId,
    /// What the person did.
    pub deed: Deed,
    /// The epoch in which they saw the message that it names. `None` if it names none, or an earlier version stored it.
    pub epoch: Option<Epoch>,
    /// When they did it, by this device's clock.
    pub at: Timestamp,
    /// Sort key among unsent items: later ones have greater ones, even after a reload.
    pub order: u64,
    /// How far sending has come.
    pub state: SendState,
}

/// A change that storage does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsaved {
    /// Store this item, replacing an earlier version.
    Keep(Pending),
    /// Delete this item.
    Forget {
        /// Its sort key.
        order: u64,
        /// Its client id.
        client_id: ClientId,
    },
}

/// Unconfirmed items in the order in which they were done.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    items: Vec<Pending>,
    /// A command is unanswered, even if all its events have arrived.
    sending: bool,
    /// What storage holds: sort key, client id, and whether it had failed. `None`: stored as another tab's.
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

    /// The unconfirmed items, oldest first.
    pub fn items(&self) -> &[Pending] {
        &self.items
    }

    /// The items that change this message of a log with this epoch, oldest first.
    pub fn about(&self, message: Seq, epoch: &Epoch) -> impl Iterator<Item = &Pending> {
        self.items
            .iter()
            .filter(move |item| item.deed.about() == Some(message) && item.is_in(epoch))
    }

    /// Adds a deed, which must have a client id, done in this epoch. Returns false if the outbox is full.
    pub fn push(&mut self, deed: Deed, epoch: &Epoch, at: Timestamp) -> bool {
        let client_id = deed
            .client_id()
            .filter(|_| self.items.len() < OUTBOX_ITEMS)
            .cloned();
        let Some(client_id) = client_id else { return false };
        // The clock orders the items of different tabs. It may go back, so each tab also counts up.
        let after = self.items.last().map_or(0, |last| last.order + 1);
        let epoch = deed.names().map(|_| epoch.clone());
        self.items.push(Pending {
            client_id,
            deed,
            epoch,
            at,
            order: after.max(at.0),
            state: SendState::Waiting,
        });
        self.changed = true;
        true
    }

    /// Takes the next command to send: consecutive messages together, everything else by itself. `None` while a command
    /// is unanswered, because two commands could be stored in either order.
    pub fn next_command(&mut self, room: &RoomSlug) -> Option<Command> {
        if self.sending {
            return None;
        }
        let mut messages = Vec::new();
        let most = if self.alone > 0 { 1 } else { BATCH_MESSAGES };
        let mut size = BatchSize::new(self.limits);
        let waiting = self.items.iter_mut();
        for item in waiting.filter(|item| item.state == SendState::Waiting) {
            let Deed::Posted { text, reply_to, .. } = &item.deed else {
                if !messages.is_empty() {
                    break;
                }
                item.state = SendState::Sending;
                self.sending = true;
                return Some(Command::Act(item.deed.clone(), item.epoch.clone()));
            };
            let fits = size.add(&item.client_id, text.as_str());
            if messages.len() == most || (!fits && !messages.is_empty()) {
                break;
            }
            messages.push(Outgoing {
                client_id: item.client_id.clone(),
                text: text.clone(),
                reply_to: *reply_to,
                epoch: item.epoch.clone(),
            });
            item.state = SendState::Sending;
        }
        if messages.is_empty() {
            return None;
        }
        self.sending = true;
        self.alone = self.alone.saturating_sub(messages.len());
        let room = room.clone();
        Some(Command::Send(Send { room, messages }))
    }

    /// The command in flight failed or its outcome is unknown: queues its items again.
    pub fn unanswered(&mut self) {
        self.sending = false;
        for item in &mut self.items {
            if item.state == SendState::Sending {
                item.state = SendState::Waiting;
            }
        }
    }

    /// The command in flight was refused permanently. If a message is at fault and there were several, each is sent again
    /// by itself, so that the others still arrive. What holds no text of the person is dropped.
    pub fn refused(&mut self, failed: &Failed) {
        let sending = |item: &Pending| item.state == SendState::Sending;
        let sent = self.items.iter().filter(|item| sending(item)).count();
        if failed.hopeless && sent > 1 {
            self.alone = sent;
            return self.unanswered();
        }
        self.sending = false;
        self.remove(|item| sending(item) && item.text().is_none());
        for item in &mut self.items {
            if item.state == SendState::Sending {
                item.state = SendState::Failed(failed.clone());
                self.changed = true;
            }
        }
    }

    /// Handles receipts. Items of the command without a receipt are queued again.
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

    /// The item's event is in the timeline: removes it.
    pub fn confirmed(&mut self, client_id: &ClientId) {
        self.remove(|item| item.client_id == *client_id);
    }

    fn remove(&mut self, is_over: impl Fn(&Pending) -> bool) {
        let before = self.items.len();
        self.items.retain(|item| !is_over(item));
        self.changed |= self.items.len() < before;
    }

    /// The timeline is at `head` now. Removes items stored up to there: they are in the log, even if the timeline no
    /// longer holds them. Items stored in another epoch are queued again.
    pub fn settle(&mut self, head: &Position) {
        for item in &mut self.items {
            if matches!(&item.state, SendState::Stored(at) if at.epoch != head.epoch) {
                item.state = SendState::Waiting;
            }
        }
        self.remove(|item| matches!(&item.state, SendState::Stored(at) if at.seq <= head.seq));
    }

    /// Restores an item from storage. `mine` is true if this tab stored it, false if a closed tab did.
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

    /// True if an item is stored but its event has not arrived.
    pub fn awaits_event(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.state, SendState::Stored(_)))
    }

    /// Queues a failed item again.
    pub fn retry(&mut self, client_id: &ClientId) {
        for item in &mut self.items {
            if item.client_id == *client_id && matches!(item.state, SendState::Failed(_)) {
                item.state = SendState::Waiting;
                self.changed = true;
            }
        }
    }

    /// Removes a failed item and returns its text.
    pub fn discard(&mut self, client_id: &ClientId) -> Option<MessageText> {
        let item = self.items.iter().find(|item| item.client_id == *client_id)?;
        let text = item.text().filter(|_| item.has_failed()).cloned()?;
        self.remove(|item| item.client_id == *client_id);
        Some(text)
    }
}

impl Pending {
    /// The text that the person wrote, if it holds one.
    pub fn text(&self) -> Option<&MessageText> {
        match &self.deed {
            Deed::Posted { text, .. } | Deed::Edited { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The message that it changes or replies to, if that is in a log with this epoch.
    pub fn names(&self, epoch: &Epoch) -> Option<Seq> {
        self.deed.names().filter(|_| self.is_in(epoch))
    }

    /// The text that has a line of its own beside a log with this epoch: a message's, or that of an edit of a message
    /// that is gone.
    pub fn own_text(&self, epoch: &Epoch) -> Option<&MessageText> {
        let shown = self.deed.about().is_some() && self.is_in(epoch);
        self.text().filter(|_| !shown)
    }

    /// True if the message that it names is in a log with this epoch, as far as known.
    fn is_in(&self, epoch: &Epoch) -> bool {
        self.epoch.as_ref().is_none_or(|seen| seen == epoch)
    }

    fn has_failed(&self) -> bool {
        matches!(self.state, SendState::Failed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{epoch, id, seq, text};
    use protocol::Emoji;

    fn outbox(names: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for name in names {
            assert!(say(&mut outbox, name, 0));
        }
        outbox
    }

    fn say(outbox: &mut Outbox, name: &str, at: u64) -> bool {
        outbox.push(message(name, text(name)), &epoch(1), Timestamp(at))
    }

    fn message(name: &str, text: MessageText) -> Deed {
        Deed::Posted {
            client_id: id(name),
            text,
            reply_to: None,
        }
    }

    fn react(name: &str) -> Deed {
        Deed::Reacted {
            client_id: id(name),
            to: seq(1),
            emoji: Emoji::try_from("👍".to_owned()).unwrap(),
            on: true,
        }
    }

    fn edit(name: &str) -> Deed {
        Deed::Edited {
            client_id: id(name),
            of: seq(1),
            text: text(name),
        }
    }

    /// The messages of the next command.
    fn next_batch(outbox: &mut Outbox) -> Vec<Outgoing> {
        match outbox.next_command(&RoomSlug::lobby()) {
            Some(Command::Send(send)) => send.messages,
            None => Vec::new(),
            Some(other) => panic!("messages, but: {other:?}"),
        }
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
        assert_eq!(names(&next_batch(&mut outbox)), ["a", "b"]);
        assert!(say(&mut outbox, "c", 0));
        assert!(next_batch(&mut outbox).is_empty(), "a and b are unanswered");
        outbox.unanswered();
        assert_eq!(names(&next_batch(&mut outbox)), ["a", "b", "c"]);
    }

    #[test]
    fn a_message_stays_until_its_event_arrives_whichever_comes_first() {
        let mut outbox = outbox(&["a", "b"]);
        next_batch(&mut outbox);
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
        next_batch(&mut outbox);
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
            names(&next_batch(&mut outbox)),
            ["b", "c"],
            "sent again in the new log"
        );
    }

    #[test]
    fn a_refused_message_waits_for_its_author() {
        let mut outbox = outbox(&["a", "b"]);
        next_batch(&mut outbox);
        outbox.refused(&no());
        assert!(next_batch(&mut outbox).is_empty());
        outbox.retry(&id("a"));
        outbox.discard(&id("b"));
        assert_eq!(names(&next_batch(&mut outbox)), ["a"]);
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
            say(&mut outbox, name, at);
            storage.keep(&mut outbox);
        }
        assert_eq!(storage.names(), ["a", "b", "c"]);
        next_batch(&mut outbox);
        outbox.refused(&no());
        outbox.retry(&id("c"));
        storage.keep(&mut outbox);
        let mut again = Outbox::default();
        say(&mut again, "d", 60);
        storage.restore(&mut again, true);
        storage.restore(&mut again, true);
        assert_eq!(
            names(&next_batch(&mut again)),
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
        next_batch(&mut outbox);
        outbox.refused(&to_blame);
        assert_eq!(names(&next_batch(&mut outbox)), ["a"]);
        outbox.stored(&[receipt("a", 1, 1)]);
        assert_eq!(names(&next_batch(&mut outbox)), ["b"]);
        outbox.refused(&to_blame);
        say(&mut outbox, "d", 0);
        assert_eq!(names(&next_batch(&mut outbox)), ["c"]);
        outbox.stored(&[receipt("c", 1, 2)]);
        assert_eq!(names(&next_batch(&mut outbox)), ["d"]);
        assert_eq!(outbox.items()[1].state, SendState::Failed(to_blame));
    }

    #[test]
    fn batches_fit_the_limits_of_the_server() {
        let command = |messages: Vec<Outgoing>| {
            let room = "x".repeat(64).try_into().unwrap();
            let send = Send { room, messages };
            serde_json::to_string(&("send", send)).unwrap().len()
        };
        for bytes in [1_024, 16_384, 65_536, 131_072] {
            let mut outbox = Outbox::default();
            outbox.limit(Limits {
                command_bytes: bytes,
                ..Limits::default()
            });
            let reply = |n: usize| Deed::Posted {
                client_id: id(&format!("m{n}")),
                text: text("\n\"x \u{1f980}"),
                reply_to: Some(seq((1 << 53) - 1)),
            };
            while outbox.push(reply(outbox.items().len()), &epoch(u128::MAX), Timestamp(0)) {}
            assert_eq!(outbox.items().len(), OUTBOX_ITEMS);
            let batch = next_batch(&mut outbox);
            assert!(batch.len() > 5 && batch.len() <= BATCH_MESSAGES);
            assert!(command(batch) <= bytes as usize);
        }
        let mut outbox = Outbox::default();
        for n in 0..10 {
            let long = text(&"\u{1f980}".repeat(8_000));
            assert!(outbox.check(&long).is_ok());
            assert!(outbox.push(message(&format!("m{n}"), long), &epoch(1), Timestamp(0)));
        }
        let batch = next_batch(&mut outbox);
        assert_eq!(batch.len(), 2);
        assert!(command(batch) <= 65_536);
    }

    #[test]
    fn everything_is_sent_in_the_order_in_which_it_was_done() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.push(react("r"), &epoch(1), Timestamp(0));
        outbox.push(edit("e"), &epoch(1), Timestamp(0));
        say(&mut outbox, "c", 0);
        assert_eq!(names(&next_batch(&mut outbox)), ["a", "b"]);
        outbox.stored(&[receipt("a", 1, 1), receipt("b", 1, 2)]);
        let one = |outbox: &mut Outbox| outbox.next_command(&RoomSlug::lobby());
        assert!(matches!(one(&mut outbox), Some(Command::Act(deed, _)) if deed == react("r")));
        assert!(one(&mut outbox).is_none(), "the reaction is unanswered");
        outbox.unanswered();
        assert!(matches!(one(&mut outbox), Some(Command::Act(..))), "again");
        outbox.stored(&[receipt("r", 1, 3)]);
        assert!(matches!(one(&mut outbox), Some(Command::Act(deed, _)) if deed == edit("e")));
        outbox.stored(&[receipt("e", 1, 4)]);
        assert_eq!(names(&next_batch(&mut outbox)), ["c"]);
        assert_eq!(outbox.about(seq(1), &epoch(1)).count(), 2);
        outbox.settle(&head(1, 4));
        assert_eq!(outbox.about(seq(1), &epoch(1)).count(), 0);
    }

    #[test]
    fn a_deed_is_of_the_epoch_in_which_it_was_done() {
        let mut outbox = Outbox::default();
        let one = |outbox: &mut Outbox| outbox.next_command(&RoomSlug::lobby());
        outbox.push(react("r"), &epoch(1), Timestamp(0));
        let reply = Deed::Posted {
            client_id: id("a"),
            text: text("yes"),
            reply_to: Some(seq(1)),
        };
        outbox.push(reply, &epoch(1), Timestamp(0));
        say(&mut outbox, "b", 0);
        outbox.settle(&head(2, 9));
        assert_eq!(outbox.about(seq(1), &epoch(1)).count(), 1);
        assert_eq!(outbox.about(seq(1), &epoch(2)).count(), 0);
        assert!(matches!(one(&mut outbox), Some(Command::Act(_, Some(seen))) if seen == epoch(1)));
        outbox.refused(&no());
        let batch = next_batch(&mut outbox);
        let seen: Vec<_> = batch.into_iter().map(|message| message.epoch).collect();
        assert_eq!(seen, [Some(epoch(1)), None]);
    }

    #[test]
    fn a_deed_that_an_earlier_version_stored_is_sent_as_then() {
        let mut storage = Storage::default();
        let mut before = Outbox::default();
        before.push(react("r"), &epoch(1), Timestamp(0));
        storage.keep(&mut before);
        for item in storage.0.values_mut() {
            assert_eq!(item.epoch.take(), Some(epoch(1)));
        }
        let mut outbox = Outbox::default();
        storage.restore(&mut outbox, true);
        let command = outbox.next_command(&RoomSlug::lobby());
        assert!(matches!(command, Some(Command::Act(deed, None)) if deed == react("r")));
    }

    #[test]
    fn a_refused_edit_waits_for_its_author_and_a_refused_reaction_goes() {
        let mut outbox = Outbox::default();
        outbox.push(react("r"), &epoch(1), Timestamp(0));
        outbox.push(edit("e"), &epoch(1), Timestamp(0));
        for _ in 0..2 {
            outbox.next_command(&RoomSlug::lobby());
            outbox.refused(&no());
        }
        let [left] = outbox.items() else {
            panic!("one item: {outbox:?}");
        };
        assert_eq!((&left.client_id, left.has_failed()), (&id("e"), true));
        assert_eq!(outbox.discard(&id("e")), Some(text("e")));
    }
}
