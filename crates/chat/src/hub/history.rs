//! `history`: read older messages, or newer events.

use protocol::policy::Action;
use protocol::{EventStretch, History, HistoryAnswer, MessagePage, RoomSlug, Seq};

use super::Hub;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::Cost;
use crate::room::{Limit, Opened};

impl UseCase for History {
    type Answer = HistoryAnswer;
    const ACTION: Action = Action::Read;

    /// Reads the messages before a position or the latest ones, or the events after a position.
    async fn run(self, asked: Asked<'_>) -> Result<HistoryAnswer, ChatError> {
        asked.take(Cost::Read(0))?;
        let Self { room, before, after } = self;
        let Some(after) = after else {
            let page = asked.hub.open_room(&room, before, Limit::HISTORY).await?.page;
            asked.has_read(bytes(&page));
            return Ok(HistoryAnswer::Page(page));
        };
        if before.is_some() {
            return Err(super::bad_request("set `before` or `after`, not both"));
        }
        let read = || asked.hub.log.read(&room, after, Limit::CATCH_UP);
        let stretch = asked.hub.with_lobby(&room, read).await?;
        asked.has_read(stretch.bytes());
        let (epoch, more) = (stretch.head.epoch.clone(), stretch.more);
        let (events, people) = stretch.into_parts();
        Ok(HistoryAnswer::Events(EventStretch {
            epoch,
            events,
            people,
            more,
        }))
    }
}

/// An upper bound of the size of a page's messages as JSON, in bytes.
pub(super) fn bytes(page: &MessagePage) -> usize {
    page.messages.iter().map(protocol::Message::bytes).sum()
}

impl Hub {
    /// Reads a room and the messages before a `seq`, or the latest ones.
    pub(super) async fn open_room(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Opened, ChatError> {
        self.with_lobby(room, || self.log.open(room, before, limit)).await
    }
}
