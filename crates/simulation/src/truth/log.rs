//! One room's log, and the messages in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chat::ports::NewDeed;
use chat::{Entry, Fill, Limit, StoreError, Stretch};
use protocol::{
    ClientId, Covers, Deed, Epoch, LogEvent, Message, MessagePage, Person, PersonId, Position, Receipt,
    RoomSlug, RoomTitle, Seq, Timestamp,
};

/// A room's log: events with `seq` 1, 2, 3 … in one epoch.
pub struct Log {
    room: RoomSlug,
    epoch: Epoch,
    /// The events, with all their texts.
    pub entries: Vec<Arc<Entry>>,
    /// The events whose texts are gone, because their message was deleted.
    emptied: BTreeSet<Seq>,
    /// The messages, each as the events so far make it.
    pub messages: BTreeMap<Seq, Message>,
    /// The room's title now.
    pub title: RoomTitle,
    /// The latest edit of each message, for [`crate::world::Bug::Stale`].
    stale: Option<BTreeMap<Seq, LogEvent>>,
    known: BTreeMap<(PersonId, ClientId), Seq>,
}

impl Log {
    /// An empty log. If `stale`, it has the bug [`crate::world::Bug::Stale`].
    pub fn new(room: RoomSlug, title: RoomTitle, epoch: Epoch, stale: bool) -> Self {
        Self {
            room,
            epoch,
            entries: Vec::new(),
            emptied: BTreeSet::new(),
            messages: BTreeMap::new(),
            title,
            stale: stale.then(BTreeMap::new),
            known: BTreeMap::new(),
        }
    }

    /// The log's head.
    pub fn head(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.entries.last().map_or(Seq::ZERO, |entry| entry.event.seq),
        }
    }

    /// Stores deeds, all or none, except those that their author has stored before. Adds new events to `fresh`.
    ///
    /// # Errors
    /// [`StoreError::Unfit`].
    pub fn store(
        &mut self,
        by: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
        fresh: &mut Vec<Arc<Entry>>,
    ) -> Result<Vec<Receipt>, StoreError> {
        for new in &deeds {
            let client_id = new.deed.client_id();
            let known = client_id.is_some_and(|id| self.known.contains_key(&(by.id.clone(), id.clone())));
            if let Some(guard) = new.guard.filter(|_| !known) {
                let message = self.messages.get(&guard.message());
                new.check(&by.id, &self.epoch, message)
                    .map_err(StoreError::Unfit)?;
            }
        }
        deeds
            .into_iter()
            .map(|new| self.store_one(by, new, at, fresh))
            .collect()
    }

    fn store_one(
        &mut self,
        by: &Person,
        new: NewDeed,
        at: Timestamp,
        fresh: &mut Vec<Arc<Entry>>,
    ) -> Result<Receipt, StoreError> {
        let nameless = || StoreError::failed("a deed has no client id");
        let client_id = new.deed.client_id().ok_or_else(nameless)?.clone();
        let next = self.head().seq.next();
        let key = (by.id.clone(), client_id.clone());
        let seq = *self.known.entry(key).or_insert(next);
        if seq == next {
            let event = LogEvent {
                room: self.room.clone(),
                epoch: self.epoch.clone(),
                seq,
                at,
                by: by.id.clone(),
                deed: new.deed,
            };
            self.fold(&event);
            self.empty(&event);
            let entry = Arc::new(Entry {
                event,
                by: by.clone(),
            });
            self.entries.push(Arc::clone(&entry));
            fresh.push(entry);
        }
        Ok(Receipt {
            client_id,
            epoch: self.epoch.clone(),
            seq,
        })
    }

    /// Empties the events that gave a deleted message its texts.
    fn empty(&mut self, event: &LogEvent) {
        if let Deed::Deleted { of, .. } = event.deed {
            let worded = self.entries.iter().map(|entry| &entry.event);
            self.emptied
                .extend(worded.filter(|event| event.worded(of)).map(|event| event.seq));
        }
    }

    /// An event as it can be read.
    fn readable(&self, entry: &Arc<Entry>) -> Arc<Entry> {
        if !self.emptied.contains(&entry.event.seq) {
            return Arc::clone(entry);
        }
        let mut entry = Entry::clone(entry);
        entry.event.deed = entry.event.deed.without_text();
        Arc::new(entry)
    }

    fn fold(&mut self, event: &LogEvent) {
        if let Deed::Titled { title, .. } = &event.deed {
            self.title = title.clone();
        }
        self.messages
            .extend(Message::posted(event).map(|message| (event.seq, message)));
        let about = event.deed.about();
        let Some(message) = about.and_then(|about| self.messages.get_mut(&about)) else {
            return;
        };
        message.apply(event);
        if let (Some(edits), Deed::Edited { of, .. }) = (&mut self.stale, &event.deed)
            && let Some(mut old) = edits.insert(*of, event.clone())
        {
            // As if it had been folded in only now.
            old.seq = event.seq.next();
            message.apply(&old);
            message.rev = event.seq;
        }
    }

    /// Forgets which deeds it has: see [`crate::world::Bug::Forgets`].
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// The first events after a position, as many as `limit` allows.
    pub fn read(&self, after: Seq, limit: Limit) -> Stretch {
        let all = self.entries.len();
        let from = usize::try_from(after.get()).unwrap_or(usize::MAX).min(all);
        let mut fill = Fill::new(limit);
        let entries = self.entries[from..].iter();
        let to = from + entries.take_while(|entry| fill.take(entry.bytes())).count();
        Stretch {
            head: self.head(),
            entries: self.entries[from..to]
                .iter()
                .map(|entry| self.readable(entry))
                .collect(),
            more: to < all,
        }
    }

    /// The last messages before a position, as many as `limit` allows.
    pub fn messages(&self, before: Option<Seq>, limit: Limit) -> MessagePage {
        let head = self.head();
        let last = before.map_or(head.seq, Seq::before).min(head.seq);
        let mut fill = Fill::new(limit);
        let older = self.messages.range(..=last).map(|(_, message)| message);
        let mut messages: Vec<_> = older
            .clone()
            .rev()
            .take_while(|message| fill.take(message.bytes()))
            .cloned()
            .collect();
        messages.reverse();
        let more = messages.len() < older.count();
        let first = match messages.first() {
            Some(first) if more => first.seq,
            None if more => last.next(),
            _ => Seq::ZERO.next(),
        };
        let named = |entry: &&Arc<Entry>| messages.iter().any(|message| message.names(&entry.by.id));
        let people = chat::people(self.entries.iter().filter(named).map(AsRef::as_ref));
        MessagePage {
            people: people.into_iter().cloned().collect(),
            covers: Covers {
                epoch: head.epoch,
                first,
                last,
            },
            head: head.seq,
            messages,
            more,
        }
    }
}
