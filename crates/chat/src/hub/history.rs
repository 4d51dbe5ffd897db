//! `history`: stretches of a room's log, a page back or what was missed.

use protocol::policy::Action;
use protocol::{History, HistoryPage, RoomEvent, RoomSlug, Seq};

use super::Hub;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::Cost;
use crate::room::{Limit, Page};

impl UseCase for History {
    type Answer = HistoryPage;
    const ACTION: Action = Action::Read;

    /// The page before a place, what follows a place, or the latest page.
    async fn run(self, asked: Asked<'_>) -> Result<HistoryPage, ChatError> {
        asked.take(Cost::Read(0))?;
        let Self { room, before, after } = self;
        let page = match (before, after) {
            (Some(_), Some(_)) => {
                return Err(super::bad_request("set `before` or `after`, not both"));
            }
            (before, None) => asked.hub.page(&room, before, Limit::PAGE).await?,
            (None, Some(after)) => {
                let read = || asked.hub.log.read(&room, after, Limit::CATCH_UP);
                asked.hub.with_lobby(&room, read).await?
            }
        };
        let (epoch, more) = (page.head.epoch.clone(), page.more);
        let events = page.into_events();
        asked.has_read(events.iter().map(RoomEvent::bytes).sum());
        Ok(HistoryPage { epoch, events, more })
    }
}

impl Hub {
    /// The page that ends before a place, or the latest one.
    pub(super) async fn page(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Page, ChatError> {
        self.with_lobby(room, || self.log.page(room, before, limit)).await
    }
}
