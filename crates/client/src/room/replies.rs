//! Handles the answers to a room's commands. Answers from an earlier connection are ignored.

use protocol::{ErrorCode, EventStretch, Joined, MessagePage, Receipt, Refusal};

use super::{EVENT_DUE_MS, Effect, Failure, Generation, Outcome, RoomClient, SyncState};
use crate::outbox::Failed;
use crate::problem::sentence;
use crate::timeline::{Prepended, Timeline};

impl RoomClient {
    /// Handles the answer to `join`.
    pub fn joined(&mut self, of: Generation, outcome: Outcome<Joined>, now: u64) -> Vec<Effect> {
        if of != self.generation || self.sync != SyncState::Joining {
            return Vec::new();
        }
        match outcome {
            Ok(_) if self.reset_meanwhile => {
                self.held.clear();
                self.join(None)
            }
            Ok(joined) => self.enter(joined, now),
            Err(Failure::Unknown) => self.rejoin(None, now),
            Err(Failure::Refused(refusal)) => match retry_hint(&refusal) {
                Some(hint) => self.rejoin(hint, now),
                None => {
                    self.over = Some(sentence(&refusal));
                    Vec::new()
                }
            },
        }
    }

    fn rejoin(&mut self, hint: Option<u64>, now: u64) -> Vec<Effect> {
        let ms = self.backoff.next_ms(hint);
        self.rejoin_at = Some(now + ms);
        vec![Effect::Wake(ms)]
    }

    fn enter(&mut self, joined: Joined, now: u64) -> Vec<Effect> {
        let mine = self.timeline.position();
        self.over = None;
        self.backoff.worked();
        self.title = joined.title;
        // Held changes build on a whole roster that came meanwhile, whether that is newer than the answer's or not.
        self.roster
            .replace(self.held_roster.take().unwrap_or(joined.roster));
        if let Some(you) = self.you.as_ref() {
            for update in std::mem::take(&mut self.held_presence) {
                self.roster.apply(update, &you.id, joined.head.seq);
            }
        }
        let mut effects = Vec::new();
        self.sync = SyncState::Live;
        match joined.page {
            Some(page) => self.replace(page),
            None if joined.head.epoch != mine.epoch => effects.extend(self.join(None)),
            None => {
                let head = joined.head.seq;
                effects.extend(self.take(joined.events, joined.people, now));
                let position = self.timeline.position().seq;
                if self.sync == SyncState::Live && position < head {
                    // More was missed than fits into one answer: this is the first stretch.
                    effects.push(self.fill(position));
                }
            }
        }
        if self.sync == SyncState::Live {
            effects.extend(self.release(now));
            if std::mem::take(&mut self.older_wanted) {
                effects.extend(self.want_older());
            }
        }
        effects.extend(self.wake(now));
        effects
    }

    fn replace(&mut self, mut page: MessagePage) {
        (self.loading_older, self.older_wanted) = (false, false);
        self.known.learn(std::mem::take(&mut page.people));
        self.timeline = Timeline::new(page);
        self.want_newest();
        self.confirm_shown();
        self.outbox.settle(&self.timeline.position());
    }

    /// Applies the events that were held, and requests those that were dropped. What is of another epoch is of an earlier
    /// one: a later one would have announced itself by a reset.
    fn release(&mut self, now: u64) -> Vec<Effect> {
        let mut held = std::mem::take(&mut self.held);
        let epoch = self.timeline.position().epoch;
        held.retain(|event| event.epoch == epoch);
        let mut effects = self.take(held, Vec::new(), now);
        if self.sync == SyncState::Live && std::mem::take(&mut self.dropped) {
            let after = self.timeline.position().seq;
            effects.push(self.fill(after));
        }
        effects
    }

    /// Handles the answer to `history {after}`.
    pub fn newer(&mut self, of: Generation, outcome: Outcome<EventStretch>, now: u64) -> Vec<Effect> {
        if of != self.generation || self.sync != SyncState::Filling {
            return Vec::new();
        }
        let stretch = match outcome {
            Ok(stretch) => stretch,
            Err(failure) => {
                let hint = match &failure {
                    Failure::Refused(refusal) => retry_hint(refusal).flatten(),
                    Failure::Unknown => None,
                };
                let ms = self.backoff.next_ms(hint);
                self.refill_at = Some(now + ms);
                return vec![Effect::Wake(ms)];
            }
        };
        let before = self.timeline.position();
        if stretch.epoch != before.epoch {
            self.held.clear();
            return self.join(None);
        }
        self.sync = SyncState::Live;
        let mut effects = self.take(stretch.events, stretch.people, now);
        if self.sync != SyncState::Live {
            return effects;
        }
        let position = self.timeline.position();
        match (stretch.more, position.seq > before.seq) {
            (true, true) => effects.push(self.fill(position.seq)),
            // More events, but none that follow: the answer does not belong to this timeline.
            (true, false) => effects.extend(self.join(None)),
            (false, _) if self.held_does_not_follow(position.seq) => {
                // The held events are ahead of the log's answer: ask again, but not at once.
                self.sync = SyncState::Filling;
                self.refill_at = Some(now + self.backoff.next_ms(None));
            }
            (false, _) => effects.extend(self.release(now)),
        }
        effects.extend(self.wake(now));
        effects
    }

    fn held_does_not_follow(&self, last: protocol::Seq) -> bool {
        let next = self.held.iter().find(|event| event.seq > last);
        next.is_some_and(|event| event.epoch == self.timeline.position().epoch && event.seq > last.next())
    }

    /// Handles the answer to `history {before}`.
    pub fn older(&mut self, of: Generation, outcome: Outcome<MessagePage>) -> Vec<Effect> {
        if of != self.generation || !self.loading_older {
            return Vec::new();
        }
        self.loading_older = false;
        let Ok(mut page) = outcome else {
            self.timeline.forget_older();
            return Vec::new();
        };
        if page.covers.epoch != self.timeline.position().epoch {
            return self.reset();
        }
        let people = std::mem::take(&mut page.people);
        match self.timeline.prepend(page) {
            Prepended::Added => {
                self.known.learn(people);
                self.window.settle(&self.timeline);
                Vec::new()
            }
            // It was requested before the timeline was replaced. Scrolling requests it again.
            Prepended::Misplaced => Vec::new(),
            Prepended::Stale => vec![self.load_older()],
        }
    }

    /// Handles the receipts for an [`Effect::Write`].
    pub fn stored(&mut self, of: Generation, outcome: Outcome<Vec<Receipt>>, now: u64) -> Vec<Effect> {
        if of != self.generation {
            return Vec::new();
        }
        match outcome {
            Ok(receipts) => {
                self.backoff.worked();
                self.outbox.stored(&receipts);
                let epoch = self.timeline.position().epoch;
                if receipts.iter().all(|receipt| receipt.epoch == epoch) {
                    self.outbox.settle(&self.timeline.position());
                }
                if self.outbox.awaits_event() {
                    self.event_due_at = Some(now + EVENT_DUE_MS);
                }
            }
            Err(Failure::Unknown) => self.resend(None, now),
            // The messages wait for a connection that belongs to their author.
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::NotSignedIn => {
                self.outbox.unanswered();
                self.sync = SyncState::Away;
            }
            Err(Failure::Refused(refusal)) => match retry_hint(&refusal) {
                Some(hint) => self.resend(hint, now),
                None => self.outbox.refused(&failed(&refusal)),
            },
        }
        let mut effects = self.flush(now);
        effects.extend(self.wake(now));
        effects
    }

    fn resend(&mut self, hint: Option<u64>, now: u64) {
        self.outbox.unanswered();
        self.resend_at = Some(now + self.backoff.next_ms(hint));
    }
}

/// `Some` if a refused command may succeed later. The inner value is the server's hint in milliseconds, if any.
pub fn retry_hint(refusal: &Refusal) -> Option<Option<u64>> {
    let may_succeed = matches!(
        refusal.code,
        ErrorCode::RateLimited | ErrorCode::Busy | ErrorCode::Unavailable
    );
    let hint = refusal.retry_after_ms;
    (may_succeed || hint.is_some()).then_some(hint)
}

/// The state of a message that was refused permanently.
pub fn failed(refusal: &Refusal) -> Failed {
    Failed {
        why: sentence(refusal),
        hopeless: matches!(
            refusal.code,
            ErrorCode::BadRequest
                | ErrorCode::TooLarge
                | ErrorCode::NotFound
                | ErrorCode::Forbidden
                | ErrorCode::Gone
        ),
    }
}
