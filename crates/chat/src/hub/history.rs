//! Stretches of a room's log: a page back, or what was missed.

use protocol::{History, HistoryPage, RoomSlug, Seq};

use super::Hub;
use crate::error::ChatError;
use crate::room::{Limit, Page};

impl Hub {
    /// The page before a place, what follows a place, or the latest page.
    ///
    /// # Errors
    /// Refused if both directions are asked for; [`crate::StoreError::NoSuchRoom`]; or the backend does not answer.
    pub async fn history(&self, history: History) -> Result<HistoryPage, ChatError> {
        let History { room, before, after } = history;
        let page = match (before, after) {
            (Some(_), Some(_)) => {
                return Err(super::bad_request("set `before` or `after`, not both"));
            }
            (before, None) => self.page(&room, before, Limit::PAGE).await?,
            (None, Some(after)) => {
                let read = || self.log.read(&room, after, Limit::CATCH_UP);
                self.with_lobby(&room, read).await?
            }
        };
        let (epoch, more) = (page.head.epoch.clone(), page.more);
        Ok(HistoryPage {
            epoch,
            events: page.into_events(),
            more,
        })
    }
    /// The page that ends before a place, or the latest one.
    ///
    /// # Errors
    /// [`crate::StoreError::NoSuchRoom`], or the backend does not answer.
    pub async fn page(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Page, ChatError> {
        self.with_lobby(room, || self.log.page(room, before, limit)).await
    }
}
