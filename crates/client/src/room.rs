//! One room, as one client knows it. Input changes it, and it returns [`Effect`]s for the caller to perform.
//! It has no clock, socket or timer: the caller provides them, in the browser, a test or the simulation.

mod people;
mod reading;
mod replies;
#[cfg(test)]
mod tests;

use protocol::{
    ClientId, Deed, Events, History, Join, Limits, LogEvent, MessagePage, MessageText, Person, PersonId,
    PresenceList, PresenceUpdate, Refusal, RoomSlug, RoomTitle, Seq, Timestamp, Typing,
};

use super::backoff::Backoff;
use super::known::Known;
use super::outbox::{Command, Outbox, Pending, Unsaved};
use super::roster::Roster;
use super::size::TooBig;
use super::timeline::{Applied, Timeline};
use super::window::Window;
pub use reading::Older;
pub use replies::{failed, retry_hint};

/// Maximum number of live events held while an answer is due. Further ones are dropped and read from the log later.
const HELD: usize = 2_000;

/// If the event of a stored message has not arrived after this many milliseconds, the client asks for it.
const EVENT_DUE_MS: u64 = 3_000;

/// What the caller is to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Emit `join`, and pass the answer to [`RoomClient::joined`].
    Join(Join),
    /// Emit this command, and pass its receipts to [`RoomClient::stored`].
    Write(Command),
    /// Emit `history`, and pass the answer to [`RoomClient::newer`].
    Newer(History),
    /// Emit `history`, and pass the answer to [`RoomClient::older`].
    Older(History),
    /// Emit `typing`, and ignore the answer.
    Typing(Typing),
    /// Call [`RoomClient::tick`] after this many milliseconds.
    Wake(u64),
    /// Announce a new message of another person.
    News(Person, MessageText),
    /// Remove the texts of what was announced: a message was deleted, perhaps one of those.
    OldNews,
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The server refused it.
    Refused(Refusal),
    /// No answer in time, or the connection was lost: it may have been carried out or not.
    Unknown,
}

/// The outcome of a command.
pub type Outcome<T> = Result<T, Failure>;

/// The number of a connection. Answers from an earlier connection are ignored.
pub type Generation = u32;

/// How far the timeline is in sync with the log on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SyncState {
    /// No connection.
    Away,
    /// `join` is unanswered.
    Joining,
    /// Events are missing; `history` is unanswered.
    Filling,
    /// The timeline is up to date.
    Live,
}

/// The state of one room.
#[derive(Clone, Debug)]
pub struct RoomClient {
    room: RoomSlug,
    title: RoomTitle,
    you: Option<Person>,
    timeline: Timeline,
    known: Known,
    window: Window,
    outbox: Outbox,
    roster: Roster,
    sync: SyncState,
    generation: Generation,
    loading_older: bool,
    /// The reader asked for older messages before the room was live.
    older_wanted: bool,
    /// Events and presence that arrived while an answer was due, in the order of arrival.
    held: Vec<LogEvent>,
    held_roster: Option<PresenceList>,
    held_presence: Vec<PresenceUpdate>,
    /// A `reset` came while `join` was unanswered: the answer may be from the old log.
    reset_meanwhile: bool,
    /// Live events were dropped because too many were held: read them from the log.
    dropped: bool,
    /// Stored messages are still being read; they are sent before new ones.
    outbox_due: bool,
    backoff: Backoff,
    /// When to retry `join`, `history` and `send`.
    rejoin_at: Option<u64>,
    refill_at: Option<u64>,
    resend_at: Option<u64>,
    event_due_at: Option<u64>,
    typing_since: Option<u64>,
    last_key_at: u64,
    /// A sentence that says why the room cannot continue.
    over: Option<String>,
}

impl RoomClient {
    /// Starts from the page's data. Without `you` the room is read-only. `lower` converts to lower case, see
    /// [`Roster::new`].
    pub fn new(
        room: RoomSlug,
        title: RoomTitle,
        you: Option<Person>,
        mut page: MessagePage,
        people: PresenceList,
        lower: fn(&str) -> String,
    ) -> Self {
        let mut known = Known::default();
        known.learn(std::mem::take(&mut page.people));
        let timeline = Timeline::new(page);
        let mut window = Window::default();
        window.settle(&timeline);
        let backoff = Backoff::new(you.as_ref().map_or(room.as_str(), |you| you.id.as_str()));
        Self {
            room,
            title,
            you,
            backoff,
            timeline,
            known,
            window,
            outbox: Outbox::default(),
            roster: Roster::new(people, lower),
            sync: SyncState::Away,
            generation: 0,
            loading_older: false,
            older_wanted: false,
            held: Vec::new(),
            held_roster: None,
            held_presence: Vec::new(),
            reset_meanwhile: false,
            dropped: false,
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

    /// The people who are present, and who is typing.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The messages that the client holds.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The room's title now.
    pub fn title(&self) -> &RoomTitle {
        &self.title
    }

    /// The person with this id, as far as the client knows their name.
    pub fn person(&self, id: &PersonId) -> Person {
        self.known.person(id)
    }

    /// What the person did that the timeline does not have yet.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Why the room cannot continue, if it cannot.
    pub fn over(&self) -> Option<&str> {
        self.over.as_deref()
    }

    /// True if this is that room.
    pub fn is(&self, room: &RoomSlug) -> bool {
        self.room == *room
    }

    /// The connection's number, to pass back with the answers to commands emitted now.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Takes the outbox, to keep it until the room is entered again.
    pub fn into_outbox(self) -> Outbox {
        self.outbox
    }

    /// Restores an outbox taken with [`RoomClient::into_outbox`].
    pub fn adopt(&mut self, mut outbox: Outbox) {
        outbox.unanswered();
        self.outbox = outbox;
        self.outbox.settle(&self.timeline.position());
        self.confirm_shown();
    }

    /// Stored messages are being read: sends nothing until [`RoomClient::restore`].
    pub fn await_outbox(&mut self) {
        self.outbox_due = true;
    }

    /// Adds messages from storage: see [`Outbox::restore`].
    pub fn restore(&mut self, kept: Vec<(Pending, bool)>, now: u64) -> Vec<Effect> {
        self.outbox_due = false;
        for (item, mine) in kept {
            self.outbox.restore(item, mine);
        }
        self.confirm_shown();
        self.flush(now)
    }

    fn confirm_shown(&mut self) {
        for message in self.timeline.messages() {
            confirm(
                &mut self.outbox,
                self.you.as_ref(),
                &message.by,
                Some(&message.client_id),
            );
        }
    }

    /// The outbox's changes for storage: see [`Outbox::unsaved`].
    pub fn unsaved(&mut self) -> Vec<Unsaved> {
        self.outbox.unsaved()
    }

    /// The signed-in person.
    pub fn you(&self) -> Option<&Person> {
        self.you.as_ref()
    }

    /// There is a new connection: joins, and then sends unacknowledged messages again.
    pub fn connected(&mut self) -> Vec<Effect> {
        self.lost();
        let position = self.timeline.position();
        self.join(Some(position))
    }

    /// The connection is gone, and with it all outstanding answers.
    pub fn disconnected(&mut self) {
        self.lost();
    }

    fn lost(&mut self) {
        self.generation += 1;
        self.sync = SyncState::Away;
        self.loading_older = false;
        self.timeline.forget_older();
        self.outbox.unanswered();
        self.held.clear();
        self.held_roster = None;
        self.held_presence.clear();
        self.dropped = false;
        self.rejoin_at = None;
        self.refill_at = None;
        self.resend_at = None;
        self.typing_since = None;
    }

    fn join(&mut self, from: Option<protocol::Position>) -> Vec<Effect> {
        self.sync = SyncState::Joining;
        self.reset_meanwhile = false;
        // The answer's roster will be newer. After a refused `join`, changes since then did not even arrive.
        self.held_roster = None;
        self.held_presence.clear();
        self.rejoin_at = None;
        self.refill_at = None;
        let room = self.room.clone();
        vec![Effect::Join(Join { room, from })]
    }

    /// The server sent `reset`: loads the room again.
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

    /// Handles live events of any room.
    pub fn events(&mut self, packet: Events, now: u64) -> Vec<Effect> {
        let Events { events, people } = packet;
        if events.first().is_none_or(|first| first.room != self.room) {
            return Vec::new();
        }
        match self.sync {
            SyncState::Away => Vec::new(),
            SyncState::Joining | SyncState::Filling => {
                self.known.learn(people);
                self.hold(events);
                Vec::new()
            }
            SyncState::Live => self.take(events, people, now),
        }
    }

    fn hold(&mut self, events: Vec<LogEvent>) {
        for event in events {
            if self.held.len() < HELD {
                self.held.push(event);
            } else {
                self.dropped = true;
            }
        }
    }

    /// Applies events in order, up to the first that does not follow.
    fn take(&mut self, events: Vec<LogEvent>, people: Vec<Person>, now: u64) -> Vec<Effect> {
        self.known.learn(people);
        let effects = self.apply(events, now);
        self.window.settle(&self.timeline);
        let (messages, held) = (self.timeline.messages(), &self.held);
        self.known.tidy(|id| {
            messages.iter().any(|message| message.names(id)) || held.iter().any(|event| event.by == *id)
        });
        effects
    }

    fn apply(&mut self, events: Vec<LogEvent>, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut events = events.into_iter();
        while let Some(event) = events.next() {
            match self.timeline.apply(&event) {
                Applied::Duplicate => self.confirm(&event),
                Applied::Fresh(_) => {
                    self.confirm(&event);
                    self.fresh(event, &mut effects);
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

    /// Handles what an event changes beside the timeline.
    fn fresh(&mut self, event: LogEvent, effects: &mut Vec<Effect>) {
        match event.deed {
            Deed::Posted { text, .. } => {
                self.roster.stopped(&event.by);
                // An empty text: the message was deleted since.
                let others = self.you.as_ref().is_none_or(|you| you.id != event.by);
                if others && !text.as_str().is_empty() {
                    effects.push(Effect::News(self.known.person(&event.by), text));
                }
            }
            Deed::Deleted { .. } => effects.push(Effect::OldNews),
            Deed::Titled { title, .. } => self.title = title,
            _ => {}
        }
    }

    /// Removes an own item from the outbox when its event has arrived.
    fn confirm(&mut self, event: &LogEvent) {
        confirm(
            &mut self.outbox,
            self.you.as_ref(),
            &event.by,
            event.deed.client_id(),
        );
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

    /// Adds a message to the outbox and sends it as soon as possible.
    ///
    /// # Errors
    /// A sentence for the person, if the outbox is full.
    pub fn say(
        &mut self,
        client_id: ClientId,
        text: MessageText,
        now: u64,
    ) -> Result<Vec<Effect>, &'static str> {
        let message = Deed::Posted {
            client_id,
            text,
            reply_to: None,
        };
        self.act(message, now)
    }

    /// Adds any deed to the outbox and sends it as soon as possible.
    ///
    /// # Errors
    /// A sentence for the person, if the outbox is full.
    pub fn act(&mut self, deed: Deed, now: u64) -> Result<Vec<Effect>, &'static str> {
        let message = matches!(deed, Deed::Posted { .. });
        if !self.outbox.push(deed, self.timeline.epoch(), Timestamp(now)) {
            return Err("Too many unsent messages. Try again when you're back online.");
        }
        if message {
            // The message itself tells others that its author stopped typing.
            self.typing_since = None;
        }
        Ok(self.flush(now))
    }

    /// Sets the server's limits.
    pub fn limit(&mut self, limits: Limits) {
        self.outbox.limit(limits);
    }

    /// Checks a text against the server's limits.
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

    /// Removes a failed message and returns its text.
    pub fn discard(&mut self, client_id: &ClientId) -> Option<MessageText> {
        self.outbox.discard(client_id)
    }

    /// Does what is due. May be called at any time.
    pub fn tick(&mut self, now: u64) -> Vec<Effect> {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let mut effects = Vec::new();
        if due(self.rejoin_at) {
            let position = self.timeline.position();
            effects.extend(self.join(Some(position)));
        }
        // Clear every due time, even if nothing follows from it: a time in the past would wake us forever.
        if due(self.refill_at) {
            self.refill_at = None;
            if self.sync == SyncState::Filling {
                let after = self.timeline.position().seq;
                effects.push(self.fill(after));
            }
        }
        if due(self.event_due_at) {
            // The event may have been lost with no later one to reveal the hole.
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

    /// Sends the next command if that is allowed now.
    fn flush(&mut self, now: u64) -> Vec<Effect> {
        if self.sync != SyncState::Live
            || self.outbox_due
            || self.over.is_some()
            || self.resend_at.is_some_and(|at| now < at)
        {
            return Vec::new();
        }
        self.resend_at = None;
        let command = self.outbox.next_command(&self.room);
        command.map(Effect::Write).into_iter().collect()
    }

    /// The effect that calls [`RoomClient::tick`] next.
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

/// Removes an item from the outbox if it is yours and has this client id.
fn confirm(outbox: &mut Outbox, you: Option<&Person>, by: &PersonId, client_id: Option<&ClientId>) {
    if let Some(client_id) = client_id
        && you.is_some_and(|you| you.id == *by)
    {
        outbox.confirmed(client_id);
    }
}
