//! What the answers to a room's effects mean. Answers of an earlier connection mean nothing.

use protocol::{ErrorCode, HistoryAnswer, Joined, Receipts, Refusal};

use super::{EVENT_DUE_MS, Effect, Failure, Generation, Outcome, RoomClient, SyncState};
use crate::client::outbox::Failed;
use crate::client::timeline::Timeline;

impl RoomClient {
    /// The answer to `join`.
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
            Err(Failure::Refused(refusal)) => match passes(&refusal) {
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
        let first = joined.events.first().map(|event| event.seq);
        // Not only the flag: an answer to `join` without `from` is a whole page as well, and it replaces too,
        // unless it is plainly what follows the timeline.
        let continues = !joined.reset
            && joined.head.epoch == mine.epoch
            && first.is_none_or(|first| first <= mine.seq.next())
            && joined.head.seq >= mine.seq;
        self.over = None;
        self.backoff.worked();
        // A whole list that came meanwhile is what the changes after it build on, whether it is newer or not.
        self.roster
            .replace(self.held_roster.take().unwrap_or(joined.roster));
        if let Some(you) = self.you.as_ref() {
            for update in std::mem::take(&mut self.held_presence) {
                self.roster.apply(update, &you.id, joined.head.seq);
            }
        }
        let mut effects = Vec::new();
        self.sync = SyncState::Live;
        if continues {
            let head = joined.head.seq;
            effects.extend(self.take(joined.events, now));
            let position = self.timeline.position().seq;
            if self.sync == SyncState::Live && position < head {
                // What was missed is large: this is the first page of it.
                effects.push(self.fill(position));
            }
        } else {
            self.replace(Timeline::new(joined.head, joined.events, joined.more));
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

    fn replace(&mut self, timeline: Timeline) {
        (self.loading_older, self.older_wanted) = (false, false);
        self.timeline = timeline;
        self.want_newest();
        self.confirm_shown();
        self.outbox.settle(&self.timeline.position());
    }

    /// Lets what was held follow, and asks for what had to be let go.
    fn release(&mut self, now: u64) -> Vec<Effect> {
        let held = std::mem::take(&mut self.held);
        let mut effects = self.take(held, now);
        if self.sync == SyncState::Live && std::mem::take(&mut self.let_go) {
            let after = self.timeline.position().seq;
            effects.push(self.fill(after));
        }
        effects
    }

    /// The answer to `history {after}`.
    pub fn newer(&mut self, of: Generation, outcome: Outcome<HistoryAnswer>, now: u64) -> Vec<Effect> {
        if of != self.generation || self.sync != SyncState::Filling {
            return Vec::new();
        }
        let page = match outcome {
            Ok(page) => page,
            Err(failure) => {
                let hint = match &failure {
                    Failure::Refused(refusal) => passes(refusal).flatten(),
                    Failure::Unknown => None,
                };
                let ms = self.backoff.next_ms(hint);
                self.refill_at = Some(now + ms);
                return vec![Effect::Wake(ms)];
            }
        };
        let before = self.timeline.position();
        if page.epoch != before.epoch {
            self.held.clear();
            return self.join(None);
        }
        self.sync = SyncState::Live;
        let mut effects = self.take(page.events, now);
        if self.sync != SyncState::Live {
            return effects;
        }
        let position = self.timeline.position();
        match (page.more, position.seq > before.seq) {
            (true, true) => effects.push(self.fill(position.seq)),
            // More, but nothing that follows: this answer and this timeline do not belong together.
            (true, false) => effects.extend(self.join(None)),
            (false, _) if self.held_does_not_follow(position.seq) => {
                // What was held is ahead of what the log admits to: look again, but not at once.
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

    /// The answer to `history {before}`.
    pub fn older(&mut self, of: Generation, outcome: Outcome<HistoryAnswer>) -> Vec<Effect> {
        if of != self.generation || !self.loading_older {
            return Vec::new();
        }
        self.loading_older = false;
        match outcome {
            Ok(page) if page.epoch != self.timeline.position().epoch => self.reset(),
            Ok(page) => {
                // One that does not fit was asked for before the timeline was replaced; scrolling asks again.
                self.timeline.prepend(page);
                self.window.settle(&self.timeline);
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The answer to `send`.
    pub fn sent(&mut self, of: Generation, outcome: Outcome<Receipts>, now: u64) -> Vec<Effect> {
        if of != self.generation {
            return Vec::new();
        }
        match outcome {
            Ok(receipts) => {
                self.backoff.worked();
                self.outbox.stored(&receipts.receipts);
                let epoch = self.timeline.position().epoch;
                if receipts.receipts.iter().all(|receipt| receipt.epoch == epoch) {
                    self.outbox.settle(&self.timeline.position());
                }
                if self.outbox.awaits_event() {
                    self.event_due_at = Some(now + EVENT_DUE_MS);
                }
            }
            Err(Failure::Unknown) => self.resend(None, now),
            // They wait for a connection that belongs to their author.
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::NotSignedIn => {
                self.outbox.unanswered();
                self.sync = SyncState::Away;
            }
            Err(Failure::Refused(refusal)) => match passes(&refusal) {
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

/// Whether a refused command may succeed later, and when if the server says so.
pub fn passes(refusal: &Refusal) -> Option<Option<u64>> {
    let passes = matches!(
        refusal.code,
        ErrorCode::RateLimited | ErrorCode::Busy | ErrorCode::Unavailable
    );
    let hint = refusal.retry_after_ms;
    (passes || hint.is_some()).then_some(hint)
}

/// What a refusal for good does to a message.
pub fn failed(refusal: &Refusal) -> Failed {
    Failed {
        why: sentence(refusal),
        hopeless: matches!(refusal.code, ErrorCode::BadRequest | ErrorCode::TooLarge),
    }
}

/// A refusal for people.
fn sentence(refusal: &Refusal) -> String {
    match refusal.code {
        ErrorCode::Reload => "Hubbub was updated. Reload to continue.".to_owned(),
        _ => {
            let mut chars = refusal.message.chars();
            let first: String = chars
                .next()
                .map(|c| c.to_uppercase().collect())
                .unwrap_or_default();
            format!("{first}{}.", chars.as_str().trim_end_matches('.'))
        }
    }
}
