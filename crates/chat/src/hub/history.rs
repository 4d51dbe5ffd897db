//! `history`: read a stretch of a room's log.

use protocol::policy::Action;
use protocol::{History, HistoryAnswer, RoomEvent, RoomSlug, Seq};

use super::Hub;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::Cost;
use crate::room::{Limit, Stretch};

impl UseCase for History {
    type Answer = HistoryAnswer;
    const ACTION: Action = Action::Read;

    /// Reads the stretch before a position, the one after a position, or the latest one.
    async fn run(self, asked: Asked<'_>) -> Result<HistoryAnswer, ChatError> {
        asked.take(Cost::Read(0))?;
        let Self { room, before, after } = self;
        let stretch = match (before, after) {
            (Some(_), Some(_)) => {
                return Err(super::bad_request("set `before` or `after`, not both"));
            }
            (before, None) => asked.hub.read_before(&room, before, Limit::HISTORY).await?,
            (None, Some(after)) => {
                let read = || asked.hub.log.read(&room, after, Limit::CATCH_UP);
                asked.hub.with_lobby(&room, read).await?
            }
        };
        let (epoch, more) = (stretch.head.epoch.clone(), stretch.more);
        let events = stretch.into_events();
        asked.has_read(events.iter().map(RoomEvent::bytes).sum());
        Ok(HistoryAnswer { epoch, events, more })
    }
}

impl Hub {
    /// Reads the stretch that ends before a `seq`, or the latest one.
    pub(super) async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, ChatError> {
        self.with_lobby(room, || self.log.read_before(room, before, limit))
            .await
    }
}
