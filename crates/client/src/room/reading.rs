//! Which messages are in the page, and where the reader is.

use protocol::{History, Message, MessageText, Seq};

use super::{Effect, RoomClient, SyncState};
use crate::outbox::{Outbox, SendState};
use crate::window::Window;

/// What is above the first message in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// Nothing.
    None,
    /// Older messages.
    More,
    /// Older messages that are being loaded.
    Loading,
    /// Older messages that no longer fit; they have pages of their own.
    Elsewhere,
}

impl RoomClient {
    /// Called before the lines are shown.
    pub fn show(&mut self) {
        self.window.show(&self.timeline);
    }

    /// The unsent messages at the end of the page: none if the page ends before the newest message.
    pub fn unsent(&self) -> Option<&Outbox> {
        self.window.is_newest().then_some(&self.outbox)
    }

    /// The messages in the page.
    pub fn shown(&self) -> &[Message] {
        &self.timeline.messages()[self.window.range(&self.timeline)]
    }

    /// A message with the reader's own changes that are not stored yet, and how far the last of them has come. `None` if
    /// there are no such changes.
    pub fn expected(&self, message: &Message) -> Option<(Message, &SendState)> {
        let you = self.you.as_ref()?;
        let mut expected = None;
        for item in self.outbox.about(message.seq, self.timeline.epoch()) {
            let (message, state) = expected.get_or_insert_with(|| (message.clone(), &item.state));
            *state = &item.state;
            message.change(&item.deed, item.at, &you.id);
        }
        expected
    }

    /// True if the newest of the reader's own messages in the page has this text.
    pub fn said_last(&self, text: &str) -> bool {
        let own = |message: &&Message| self.you.as_ref().is_some_and(|you| you.id == message.by);
        let last = self.shown().iter().rev().find(own);
        last.is_some_and(|last| MessageText::try_from(text.to_owned()).is_ok_and(|text| text == last.text))
    }

    /// The first message in the page.
    pub fn first_shown(&self) -> Option<Seq> {
        self.shown().first().map(|message| message.seq)
    }

    /// True if the newest message is in the page.
    pub fn shows_newest(&self) -> bool {
        self.window.is_newest()
    }

    /// True if the reader is at the bottom.
    pub fn at_bottom(&self) -> bool {
        self.window.at_bottom
    }

    /// Called when the reader has scrolled.
    pub fn reader_at_bottom(&mut self, at_bottom: bool) {
        // The page may be a frame behind, so its last line may no longer be the newest.
        self.window.at_bottom = at_bottom && self.window.is_newest();
    }

    /// What is above the first message in the page.
    pub fn older_state(&self) -> Older {
        if self.first_shown() != self.timeline.messages().first().map(|first| first.seq) {
            return Older::More;
        }
        match (self.timeline.more(), self.loading_older) {
            (false, _) => Older::None,
            (true, true) => Older::Loading,
            (true, false) if self.timeline.is_full() => Older::Elsewhere,
            (true, false) => Older::More,
        }
    }

    /// The reader is near the top: shows older messages, or loads them.
    pub fn want_older(&mut self) -> Vec<Effect> {
        if self.window.up(&self.timeline) || self.older_state() != Older::More {
            return Vec::new();
        }
        self.older_wanted = self.sync != SyncState::Live;
        if self.older_wanted {
            return Vec::new();
        }
        vec![self.load_older()]
    }

    pub(super) fn load_older(&mut self) -> Effect {
        self.loading_older = true;
        Effect::Older(History {
            room: self.room.clone(),
            before: Some(self.timeline.await_older()),
            after: None,
        })
    }

    /// The reader is near the bottom: shows newer messages.
    pub fn want_newer(&mut self) {
        self.window.down(&self.timeline);
    }

    /// Shows the newest messages: the reader goes to the bottom, or the messages in the page are gone.
    pub fn want_newest(&mut self) {
        let at_bottom = self.window.at_bottom;
        self.window = Window::default();
        self.window.at_bottom = at_bottom;
        self.window.settle(&self.timeline);
    }
}
