//! One room, seen by one client: what comes in changes it, what it wants goes out as [`Effect`]s.
//! No clock, no socket, no timer: whoever drives it brings them, in the browser, a test or a load generator.

mod people;
mod reading;
mod replies;
#[cfg(test)]
mod tests;

use protocol::{
    ClientId, EventBody, History, Join, Limits, MessageText, Outgoing, Person, PresenceList, PresenceUpdate,
    Refusal, RoomEvent, RoomSlug, Seq, Timestamp, Typing,
};

use super::backoff::Backoff;
use super::outbox::{Outbox, Pending, Unsaved};
use super::roster::Roster;
use super::size::TooBig;
use super::timeline::{Applied, Timeline};
use super::window::Window;
pub use reading::Older;
pub use replies::{failed, passes};

/// Live events that wait for an answer at most. Past that the rest is read from the log afterwards.
const HELD: usize = 2_000;

/// A message that is stored is seen in the room after so many milliseconds, or the client asks where it is.
const EVENT_DUE_MS: u64 = 3_000;

/// What the client wants.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Emit `join`; bring the answer to [`RoomClient::joined`].
    Join(Join),
    /// Emit `send`; bring the answer to [`RoomClient::sent`].
    Send(Vec<Outgoing>),
    /// Emit `history`; bring the answer to [`RoomClient::newer`].
    Newer(History),
    /// Emit `history`; bring the answer to [`RoomClient::older`].
    Older(History),
    /// Emit `typing`; the answer does not matter.
    Typing(Typing),
    /// Call [`RoomClient::tick`] after so many milliseconds.
    Wake(u64),
    /// Somebody else said something just now.
    News(RoomEvent),
}

/// Why a command has no answer of its own kind.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The server says no.
    Refused(Refusal),
    /// No answer in time, or the connection is gone: it may have happened or not.
    Unknown,
}

/// How a command ended.
pub type Outcome<T> = Result<T, Failure>;

/// Which connection an answer belongs to: answers of an earlier one mean nothing.
pub type Generation = u32;

/// How far this connection is with the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SyncState {
    /// No connection.
    Away,
    /// `join` is not answered yet.
    Joining,
    /// Something is missing; `history` is not answered yet.
    Filling,
    /// Everything up to now is in the timeline.
    Live,
}

/// The state of one room.
#[derive(Clone, Debug)]
pub struct RoomClient {
    room: RoomSlug,
    you: Option<Person>,
    timeline: Timeline,
    window: Window,
    outbox: Outbox,
    roster: Roster,
    sync: SyncState,
    generation: Generation,
    loading_older: bool,
    /// The reader was near the top before the room was live.
    older_wanted: bool,
    /// Events and presence that arrived while an answer was due, in the order they came.
    held: Vec<RoomEvent>,
    held_roster: Option<PresenceList>,
    held_presence: Vec<PresenceUpdate>,
    /// While `join` was unanswered, the server said that the log is another one now: its answer may be of the old one.
    reset_meanwhile: bool,
    /// Some live events were let go because too many waited: read the log for them.
    let_go: bool,
    /// What was kept on this machine is still being read: it goes out before what is written now.
    outbox_due: bool,
    backoff: Backoff,
    /// `join`, `history` and `send` are not tried again before these times.
    rejoin_at: Option<u64>,
    refill_at: Option<u64>,
    resend_at: Option<u64>,
    event_due_at: Option<u64>,
    typing_since: Option<u64>,
    last_key_at: u64,
    /// Why there is no point in going on, for people.
    over: Option<String>,
}

impl RoomClient {
    /// Starts from what the page shows. Without `you` it only shows it.
    pub fn new(room: RoomSlug, you: Option<Person>, timeline: Timeline, people: PresenceList) -> Self {
        let mut window = Window::default();
        window.settle(&timeline);
        let backoff = Backoff::new(you.as_ref().map_or(room.as_str(), |you| you.id.as_str()));
        Self {
            room,
            you,
            backoff,
            timeline,
            window,
            outbox: Outbox::default(),
            roster: Roster::new(people),
            sync: SyncState::Away,
            generation: 0,
            loading_older: false,
            older_wanted: false,
            held: Vec::new(),
            held_roster: None,
            held_presence: Vec::new(),
            reset_meanwhile: false,
            let_go: false,
            outbox_due: false,
            rejoin_at: None,
            refill_at: None,
            resend_at: None,
            event_due_at: None,
            typing_since: None,
            last_key_at: 0,
            over: None,
        }
    }

    /// Who is here and who writes.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The part of the log that is shown.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Why the room cannot go on here, if it cannot.
    pub fn over(&self) -> Option<&str> {
        self.over.as_deref()
    }

    /// Whether it is this room.
    pub fn is(&self, room: &RoomSlug) -> bool {
        self.room == *room
    }

    /// Stamp for the effects that are emitted now.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Takes the unsent messages along, for when the room is entered again.
    pub fn into_outbox(self) -> Outbox {
        self.outbox
    }

    /// Brings them back.
    pub fn adopt(&mut self, mut outbox: Outbox) {
        outbox.unanswered();
        self.outbox = outbox;
        self.outbox.settle(&self.timeline.position());
        self.confirm_shown();
    }

    /// What was kept on this machine is being read: nothing is sent before [`RoomClient::restore`].
    pub fn await_outbox(&mut self) {
        self.outbox_due = true;
    }

    /// What was kept on this machine of messages that are not sent; see [`Outbox::restore`].
    pub fn restore(&mut self, kept: Vec<(Pending, bool)>, now: u64) -> Vec<Effect> {
        self.outbox_due = false;
        for (item, mine) in kept {
            self.outbox.restore(item, mine);
        }
        self.confirm_shown();
        self.flush(now)
    }

    fn confirm_shown(&mut self) {
        for event in self.timeline.events() {
            confirm(&mut self.outbox, self.you.as_ref(), event);
        }
    }

    /// What is to be kept on this machine now; see [`Outbox::unsaved`].
    pub fn unsaved(&mut self) -> Vec<Unsaved> {
        self.outbox.unsaved()
    }

    /// Who writes here.
    pub fn you(&self) -> Option<&Person> {
        self.you.as_ref()
    }

    /// There is a (new) connection: join, and resend what was not acknowledged.
    pub fn connected(&mut self) -> Vec<Effect> {
        self.lost();
        let position = self.timeline.position();
        self.join(Some(position))
    }

    /// The connection is gone, and with it every answer that was due.
    pub fn disconnected(&mut self) {
        self.lost();
    }

    fn lost(&mut self) {
        self.generation += 1;
        self.sync = SyncState::Away;
        self.loading_older = false;
        self.outbox.unanswered();
        self.held.clear();
        self.held_roster = None;
        self.held_presence.clear();
        self.let_go = false;
        self.rejoin_at = None;
        self.refill_at = None;
        self.resend_at = None;
        self.typing_since = None;
    }

    fn join(&mut self, from: Option<protocol::Position>) -> Vec<Effect> {
        self.sync = SyncState::Joining;
        self.reset_meanwhile = false;
        self.rejoin_at = None;
        self.refill_at = None;
        let room = self.room.clone();
        vec![Effect::Join(Join { room, from })]
    }

    /// The server says that what this client knows may not hold: start over.
    pub fn reset(&mut self) -> Vec<Effect> {
        match self.sync {
            SyncState::Away => Vec::new(),
            SyncState::Joining => {
                self.reset_meanwhile = true;
                Vec::new()
            }
            SyncState::Filling | SyncState::Live => {
                self.held.clear();
                self.join(None)
            }
        }
    }

    /// Live events, of this room or of others.
    pub fn events(&mut self, events: Vec<RoomEvent>, now: u64) -> Vec<Effect> {
        let mut events = events;
        events.retain(|event| event.room == self.room);
        match self.sync {
            SyncState::Away => Vec::new(),
            SyncState::Joining | SyncState::Filling => {
                self.hold(events);
                Vec::new()
            }
            SyncState::Live => self.take(events, now),
        }
    }

    fn hold(&mut self, events: Vec<RoomEvent>) {
        for event in events {
            if self.held.len() < HELD {
                self.held.push(event);
            } else {
                self.let_go = true;
            }
        }
    }

    /// Applies events one after another, up to the first that does not fit.
    fn take(&mut self, events: Vec<RoomEvent>, now: u64) -> Vec<Effect> {
        let effects = self.apply(events, now);
        self.window.settle(&self.timeline);
        effects
    }

    fn apply(&mut self, events: Vec<RoomEvent>, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut events = events.into_iter();
        while let Some(event) = events.next() {
            match self.timeline.apply(&event) {
                Applied::Duplicate => confirm(&mut self.outbox, self.you.as_ref(), &event),
                Applied::Fresh => {
                    confirm(&mut self.outbox, self.you.as_ref(), &event);
                    self.roster.stopped(&event.author.id);
                    let others = self.you.as_ref().is_none_or(|you| you.id != event.author.id);
                    if others && event.body != EventBody::Unknown {
                        effects.push(Effect::News(event));
                    }
                }
                Applied::Hole { after } => {
                    self.hold(std::iter::once(event).chain(events).collect());
                    effects.push(self.fill(after));
                    return effects;
                }
                Applied::OtherEpoch => {
                    self.held.clear();
                    self.hold(std::iter::once(event).chain(events).collect());
                    effects.extend(self.join(None));
                    return effects;
                }
            }
        }
        self.outbox.settle(&self.timeline.position());
        if !self.outbox.awaits_event() {
            self.event_due_at = None;
        }
        effects.extend(self.flush(now));
        effects
    }

    fn fill(&mut self, after: Seq) -> Effect {
        self.sync = SyncState::Filling;
        self.refill_at = None;
        Effect::Newer(History {
            room: self.room.clone(),
            before: None,
            after: Some(after),
        })
    }

    /// Says something. The text comes back if too much waits already.
    ///
    /// # Errors
    /// The sentence for the person.
    pub fn say(
        &mut self,
        client_id: ClientId,
        text: MessageText,
        now: u64,
    ) -> Result<Vec<Effect>, &'static str> {
        if self.outbox.push(client_id, text, Timestamp(now)) {
            // Whoever receives a message knows that its author stopped writing it.
            self.typing_since = None;
            Ok(self.flush(now))
        } else {
            Err("Too many unsent messages. Try again when you're back online.")
        }
    }

    /// The server takes this much.
    pub fn limit(&mut self, limits: Limits) {
        self.outbox.limit(limits);
    }

    /// Why the server would refuse this text, if it would.
    ///
    /// # Errors
    /// If the text is too long for this server.
    pub fn check(&self, text: &MessageText) -> Result<(), TooBig> {
        self.outbox.check(text)
    }

    /// Sends a failed message again.
    pub fn retry(&mut self, client_id: &ClientId, now: u64) -> Vec<Effect> {
        self.outbox.retry(client_id);
        self.flush(now)
    }

    /// Forgets a failed message. Returns what it said.
    pub fn discard(&mut self, client_id: &ClientId) -> Option<MessageText> {
        self.outbox.discard(client_id)
    }

    /// Time has passed. Safe to call whenever.
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let mut effects = Vec::new();
        if due(self.rejoin_at) {
            let position = self.timeline.position();
            effects.extend(self.join(Some(position)));
        }
        // Whatever is due is cleared, also where nothing comes of it: a time in the past would wake us for ever.
        if due(self.refill_at) {
            self.refill_at = None;
            if self.sync == SyncState::Filling {
                let after = self.timeline.position().seq;
                effects.push(self.fill(after));
            }
        }
        if due(self.event_due_at) {
            // The event may have been lost on the way with nothing after it to show the hole.
            self.event_due_at = self.outbox.awaits_event().then_some(now + EVENT_DUE_MS);
            if self.sync == SyncState::Live && self.event_due_at.is_some() {
                let after = self.timeline.position().seq;
                effects.push(self.fill(after));
            }
        }
        if due(self.typing_ends_at()) {
            let stop = self.stop_typing();
            if self.sync == SyncState::Live {
                effects.extend(stop);
            }
        }
        if due(self.resend_at) {
            self.resend_at = None;
        }
        effects.extend(self.flush(now));
        effects.extend(self.wake(now));
        effects
    }

    /// Sends what waits, if it may be sent now.
    fn flush(&mut self, now: u64) -> Vec<Effect> {
        if self.sync != SyncState::Live
            || self.outbox_due
            || self.over.is_some()
            || self.resend_at.is_some_and(|at| now < at)
        {
            return Vec::new();
        }
        self.resend_at = None;
        let batch = self.outbox.next_batch();
        if batch.is_empty() {
            Vec::new()
        } else {
            vec![Effect::Send(batch)]
        }
    }

    /// When to look again.
    fn wake(&mut self, now: u64) -> Vec<Effect> {
        [
            self.rejoin_at,
            self.refill_at,
            self.resend_at,
            self.event_due_at,
            self.typing_ends_at(),
            self.roster.expire(now),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| Effect::Wake(at.saturating_sub(now).max(1)))
        .into_iter()
        .collect()
    }
}

/// An own message has arrived at its place.
fn confirm(outbox: &mut Outbox, you: Option<&Person>, event: &RoomEvent) {
    if let EventBody::Posted { client_id, .. } = &event.body
        && you.is_some_and(|you| you.id == event.author.id)
    {
        outbox.confirmed(client_id);
    }
}
