//! Follow a room: its log without holes or duplicates, and its presence.

use std::future::ready;
use std::sync::Arc;

use futures::stream::{BoxStream, Stream, StreamExt, once, pending, select};
use protocol::limits::ROSTER_PEOPLE;
use protocol::{Position, PresenceList, RoomSlug, Timestamp};

use super::{Hub, missed};
use crate::error::{ChatError, StoreError};
use crate::ports::{PresenceChange, RoomLog, Signal};
use crate::room::{Entry, Limit, Stretch};

/// A follower that is behind by up to about this many bytes reads what it missed, which costs less than all clients
/// loading the room again. Less than may wait for one connection.
const FAR: usize = 1024 * 1024 * 3 / 2;

/// What a follower of a room receives.
#[derive(Clone, Debug)]
pub enum RoomUpdate {
    /// The next events of the log: consecutive, without duplicates, at most one [`Limit::CATCH_UP`] at a time.
    Events(Vec<Arc<Entry>>),
    /// The log has another epoch, or too much was missed: clients must load the room again. Holds the log's head.
    Reset(Position),
    /// A person came, went, is typing or has stopped.
    Presence(PresenceChange),
    /// The whole roster, because changes may have been missed.
    Roster(PresenceList),
    /// The backend could not be read. The stream ends; follow again from the last position.
    Lost(Arc<StoreError>),
}

/// A followed room.
pub struct Followed {
    /// The log's head when following began. The first event is the one after it.
    pub head: Position,
    /// All updates from there on.
    pub updates: BoxStream<'static, RoomUpdate>,
}

impl Hub {
    /// Follows a room from now on or, with `after`, from that position. If the log does not continue `after`, or is too
    /// far ahead of it, the first update is [`RoomUpdate::Reset`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], or the backend does not answer.
    pub async fn follow(&self, room: &RoomSlug, after: Option<Position>) -> Result<Followed, ChatError> {
        self.follow_checked(room, after, pending().boxed()).await
    }

    /// As [`Hub::follow`], and compares the follower's position with the log's head at each of these `checks`. So an
    /// event that the bus loses is noticed even if no other follows it: an event that the log had at one check, and that
    /// has not arrived by the next, is read from the log.
    ///
    /// # Errors
    /// As [`Hub::follow`].
    pub async fn follow_checked(
        &self,
        room: &RoomSlug,
        after: Option<Position>,
        checks: BoxStream<'static, ()>,
    ) -> Result<Followed, ChatError> {
        let signals = self.with_lobby(room, || self.log.follow(room)).await?;
        let changes = self.presence.follow(room).await?;
        let (head, opened, signals, changes) = match after {
            // Updates may have been missed since then, so both streams begin by checking.
            Some(head) => {
                // The room may not exist any more.
                self.with_lobby(room, || self.log.head(room)).await?;
                let signals = once(ready(Signal::Gap)).chain(signals).boxed();
                (
                    head,
                    None,
                    signals,
                    once(ready(PresenceChange::Unsure)).chain(changes).boxed(),
                )
            }
            // Read after following: everything stored after this arrives as a signal.
            None => {
                let opened = match self.open_room(room, None, Limit::HISTORY).await {
                    // What comes can be followed even if the latest messages are damaged.
                    Err(ChatError::Store(StoreError::Damaged(_))) => None,
                    opened => Some(opened?),
                };
                let head = match &opened {
                    Some(opened) => missed::head(&opened.page),
                    None => self.log.head(room).await?,
                };
                (head, opened, signals, changes)
            }
        };
        let cursor = Cursor {
            log: Arc::clone(&self.log),
            room: room.clone(),
            head: head.clone(),
            at: None,
            behind: false,
            due: None,
        };
        // The stream ends with the signals.
        let signals = signals.map(Learned::Signal).map(Some).chain(once(ready(None)));
        let heads = self.heads(room, checks).map(Learned::Head).map(Some);
        let learned = select(signals, heads).boxed();
        let feed = self.tails.feed(room, &head, opened);
        let events = futures::stream::unfold(Some((cursor, learned, feed)), |state| async {
            let (mut cursor, mut learned, feed) = state?;
            loop {
                let step = if cursor.behind {
                    cursor.catch_up().await
                } else {
                    cursor.learn(learned.next().await??).await
                };
                match step {
                    Ok(None) => {}
                    Ok(Some(update)) => {
                        match &update {
                            RoomUpdate::Events(entries) => feed.entries(entries),
                            RoomUpdate::Reset(head) => feed.reset(head),
                            _ => {}
                        }
                        return Some((update, Some((cursor, learned, feed))));
                    }
                    Err(error) => return Some((RoomUpdate::Lost(Arc::new(error)), None)),
                }
            }
        });
        let hub = self.clone();
        let slug = room.clone();
        let presence = changes.then(move |change| presence_update(hub.clone(), slug.clone(), change));
        // When the log ends or is lost, everything ends: presence alone would look like a quiet room.
        let events = events.map(Some).chain(once(ready(None)));
        let both = select(events, presence.map(Some));
        let updates = both.scan(false, |lost, update| {
            let over = std::mem::replace(lost, matches!(update, Some(RoomUpdate::Lost(_))));
            ready(update.filter(|_| !over))
        });
        Ok(Followed {
            head,
            updates: updates.boxed(),
        })
    }

    /// The log's head at each check. A check without an answer is left out: while the storage is away, nothing new is
    /// stored, and the next check is soon. A slow answer delays no signal.
    fn heads(
        &self,
        room: &RoomSlug,
        checks: BoxStream<'static, ()>,
    ) -> impl Stream<Item = Result<Position, StoreError>> + Send + use<> {
        let (log, room) = (Arc::clone(&self.log), room.clone());
        let heads = checks.then(move |()| {
            let (log, room) = (Arc::clone(&log), room.clone());
            async move { log.head(&room).await }
        });
        heads.filter(|head| ready(!matches!(head, Err(StoreError::Failed(_) | StoreError::Busy))))
    }
}

/// The update for a change of presence: the whole roster if changes may have been missed.
async fn presence_update(hub: Hub, room: RoomSlug, change: PresenceChange) -> RoomUpdate {
    match change {
        PresenceChange::Unsure => match hub.presence.roster(&room, ROSTER_PEOPLE).await {
            Ok(roster) => RoomUpdate::Roster(roster),
            Err(error) => RoomUpdate::Lost(Arc::new(error)),
        },
        change => RoomUpdate::Presence(change),
    }
}

/// What a follower learns of its log.
enum Learned {
    /// From the bus.
    Signal(Signal),
    /// From the log itself, at a check.
    Head(Result<Position, StoreError>),
}

/// A follower's position in the log. Turns what it learns into updates.
struct Cursor {
    log: Arc<dyn RoomLog>,
    room: RoomSlug,
    head: Position,
    /// The time of the event at `head`, if known.
    at: Option<Timestamp>,
    /// True if not everything that was missed has been read yet.
    behind: bool,
    /// How far the log was at the last check: by the next one, everything up to there should have arrived, and the log
    /// should still have it.
    due: Option<Position>,
}

impl Cursor {
    async fn learn(&mut self, learned: Learned) -> Result<Option<RoomUpdate>, StoreError> {
        match learned {
            Learned::Signal(signal) => self.take(signal).await,
            Learned::Head(head) => self.check(head?).await,
        }
    }

    /// Compares the position with the log's head. A log goes back when a standby takes over that lacked the latest
    /// events, and gives their numbers to others.
    async fn check(&mut self, head: Position) -> Result<Option<RoomUpdate>, StoreError> {
        // The next head is read after this, so it includes what was told by now.
        let seq = head.seq.max(self.head.seq);
        let epoch = head.epoch.clone();
        let due = self.due.replace(Position { epoch, seq });
        if head.epoch != self.head.epoch {
            return self.reset().await;
        }
        match due.filter(|due| due.epoch == head.epoch) {
            Some(due) if due.seq > head.seq => Ok(Some(self.restart(head))),
            // What is newer than that may still be on its way.
            Some(due) if due.seq > self.head.seq => self.catch_up().await,
            _ => Ok(None),
        }
    }

    async fn take(&mut self, signal: Signal) -> Result<Option<RoomUpdate>, StoreError> {
        match signal {
            Signal::Event(entry) if entry.event.epoch != self.head.epoch => self.reset().await,
            Signal::Event(entry) if entry.event.seq == self.head.seq && self.is_another(&entry) => {
                let head = self.log.head(&self.room).await?;
                Ok(Some(self.restart(head)))
            }
            Signal::Event(entry) if entry.event.seq <= self.head.seq => Ok(None),
            Signal::Event(entry) if entry.event.seq == self.head.seq.next() => {
                self.reach(&entry);
                Ok(Some(RoomUpdate::Events(vec![entry])))
            }
            Signal::Event(_) | Signal::Gap => self.catch_up().await,
            Signal::NewEpoch => self.reset().await,
        }
    }

    /// True if this is not the event that was told with its number.
    fn is_another(&self, entry: &Entry) -> bool {
        self.at.is_some_and(|at| at != entry.event.at)
    }

    fn reach(&mut self, entry: &Entry) {
        self.head.seq = entry.event.seq;
        self.at = Some(entry.event.at);
    }

    /// Goes on from this head of the log. Clients load the room again.
    fn restart(&mut self, head: Position) -> RoomUpdate {
        self.behind = false;
        (self.at, self.due) = (None, None);
        self.head = head.clone();
        RoomUpdate::Reset(head)
    }

    /// Reads a stretch of what was missed.
    async fn catch_up(&mut self) -> Result<Option<RoomUpdate>, StoreError> {
        let stretch = match self.log.read(&self.room, self.head.seq, Limit::CATCH_UP).await {
            // A hole never closes, so waiting for it would stop the room for good.
            Err(StoreError::Damaged(_)) => {
                let head = self.log.head(&self.room).await?;
                return Ok(Some(self.restart(head)));
            }
            read => read?,
        };
        let missed = stretch.head.seq.get().checked_sub(self.head.seq.get());
        // The log may grow while we catch up stretch by stretch: what counts is how far ahead it is now.
        let far = missed.is_none_or(|missed| stretch.more && size(&stretch, missed) > FAR);
        if stretch.head.epoch != self.head.epoch || far {
            return Ok(Some(self.restart(stretch.head)));
        }
        self.behind = stretch.more;
        if let Some(last) = stretch.entries.last() {
            self.reach(last);
        }
        Ok((!stretch.entries.is_empty()).then_some(RoomUpdate::Events(stretch.entries)))
    }

    async fn reset(&mut self) -> Result<Option<RoomUpdate>, StoreError> {
        let head = self.log.head(&self.room).await?;
        // The signal and the new epoch's first event both lead here; one reset is enough.
        if head.epoch == self.head.epoch && head.seq >= self.head.seq {
            return Ok(None);
        }
        Ok(Some(self.restart(head)))
    }
}

/// About the size in bytes of this many events, judged by the first of them.
fn size(first: &Stretch, count: u64) -> usize {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    (first.bytes() / first.entries.len().max(1)).saturating_mul(count)
}
