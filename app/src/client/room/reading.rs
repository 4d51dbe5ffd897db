//! What of the room is in the page, and where in it the reader is.

use protocol::{History, RoomEvent, Seq};

use super::{Effect, RoomClient, SyncState};
use crate::client::rows::{Row, Wall, rows};
use crate::client::window::Window;

/// What there is above the first message in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// Nothing.
    None,
    /// Older messages.
    More,
    /// Older messages, which are being loaded.
    Loading,
    /// Older messages, for which there is no room here: they have pages of their own.
    Elsewhere,
}

impl RoomClient {
    /// The lines are about to be shown.
    pub fn show(&mut self) {
        self.window.show();
    }

    /// The lines to show.
    pub fn rows(&self, wall: &Wall<'_>) -> Vec<Row> {
        let unsent = self.window.is_newest().then_some(&self.outbox);
        rows(self.shown(), unsent, self.roster.notes(), self.you.as_ref(), wall)
    }

    fn shown(&self) -> &[RoomEvent] {
        &self.timeline.events()[self.window.range(&self.timeline)]
    }

    /// The first message in the page.
    pub fn first_shown(&self) -> Option<Seq> {
        self.shown().first().map(|event| event.seq)
    }

    /// Whether the newest message is in the page.
    pub fn shows_newest(&self) -> bool {
        self.window.is_newest()
    }

    /// Whether the reader is at the bottom.
    pub fn at_bottom(&self) -> bool {
        self.window.at_bottom
    }

    /// The reader has scrolled.
    pub fn reader_at_bottom(&mut self, at_bottom: bool) {
        // The page may be a frame behind: its last line need not be the newest any more.
        self.window.at_bottom = at_bottom && self.window.is_newest();
    }

    /// Whether there is more above.
    pub fn older_state(&self) -> Older {
        if self.first_shown() != self.timeline.first() {
            return Older::More;
        }
        match (self.timeline.more(), self.loading_older) {
            (false, _) => Older::None,
            (true, true) => Older::Loading,
            (true, false) if self.timeline.is_full() => Older::Elsewhere,
            (true, false) => Older::More,
        }
    }

    /// The reader is near the top: show what is above, or load it.
    pub fn want_older(&mut self) -> Vec<Effect> {
        if self.window.up(&self.timeline) || self.older_state() != Older::More {
            return Vec::new();
        }
        self.older_wanted = self.sync != SyncState::Live;
        if self.older_wanted {
            return Vec::new();
        }
        self.loading_older = true;
        vec![Effect::Older(History {
            room: self.room.clone(),
            before: self
                .timeline
                .first()
                .or(Some(self.timeline.position().seq.next())),
            after: None,
        })]
    }

    /// The reader is near the bottom: show what is below.
    pub fn want_newer(&mut self) {
        self.window.down(&self.timeline);
    }

    /// The reader wants to be at the bottom, or what was in the page is gone.
    pub fn want_newest(&mut self) {
        let at_bottom = self.window.at_bottom;
        self.window = Window::default();
        self.window.at_bottom = at_bottom;
        self.window.settle(&self.timeline);
    }
}
