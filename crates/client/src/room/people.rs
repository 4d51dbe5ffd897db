//! Presence: who is in the room, who came and went, and who is typing. None of it is in the log.

use protocol::{PresenceUpdate, RosterUpdate, Typing, TypingUpdate};

use super::{Effect, HELD, RoomClient, SyncState};

/// While the person types, `typing` is repeated after this many milliseconds.
const TYPING_AGAIN_MS: u64 = 3_000;
/// Typing ends this many milliseconds after the last key.
const TYPING_STOP_MS: u64 = 4_000;
/// In a room with more people than this, typing is not reported.
const TYPING_PEOPLE: u32 = 50;

impl RoomClient {
    /// People came and went. While `join` is unanswered the update waits: the answer's roster may be older or newer.
    pub fn presence(&mut self, update: PresenceUpdate) {
        if update.room != self.room {
            return;
        }
        match (self.sync, &self.you) {
            (SyncState::Away, _) | (_, None) => {}
            (SyncState::Joining, _) if self.held_presence.len() < HELD => self.held_presence.push(update),
            (_, Some(you)) => self.roster.apply(update, &you.id, self.timeline.position().seq),
        }
    }

    /// A whole roster, which replaces the known one. Earlier changes may have been missed; later ones follow.
    pub fn whole_roster(&mut self, update: RosterUpdate) {
        if update.room != self.room || self.you.is_none() {
            return;
        }
        match self.sync {
            SyncState::Away => {}
            SyncState::Joining => {
                self.held_presence.clear();
                self.held_roster = Some(update.roster);
            }
            SyncState::Filling | SyncState::Live => self.roster.replace(update.roster),
        }
    }

    /// A person started or stopped typing.
    pub fn typing(&mut self, update: TypingUpdate, now: u64) -> Vec<Effect> {
        let about_you = self.you.as_ref().is_some_and(|you| you.id == update.person.id);
        if update.room != self.room || about_you || self.sync == SyncState::Away {
            return Vec::new();
        }
        self.roster.typing(update, now);
        self.wake(now)
    }

    /// The composer's text changed. `empty` is true if nothing is left in it.
    pub fn typed(&mut self, empty: bool, now: u64) -> Vec<Effect> {
        if self.sync != SyncState::Live || self.roster.list().here > TYPING_PEOPLE {
            return Vec::new();
        }
        self.last_key_at = now;
        match (self.typing_since, empty) {
            (None, true) => Vec::new(),
            (Some(_), true) => self.stop_typing(),
            (Some(since), false) if now < since + TYPING_AGAIN_MS => Vec::new(),
            (_, false) => {
                self.typing_since = Some(now);
                let mut effects = vec![self.say_typing(true)];
                effects.extend(self.wake(now));
                effects
            }
        }
    }

    /// When typing ends if no further key is pressed.
    pub(super) fn typing_ends_at(&self) -> Option<u64> {
        self.typing_since.map(|_| self.last_key_at + TYPING_STOP_MS)
    }

    pub(super) fn stop_typing(&mut self) -> Vec<Effect> {
        self.typing_since = None;
        vec![self.say_typing(false)]
    }

    fn say_typing(&self, typing: bool) -> Effect {
        Effect::Typing(Typing {
            room: self.room.clone(),
            typing,
        })
    }
}
