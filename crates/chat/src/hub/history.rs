//! Stretches of a room's log: a page back, or what was missed.

use protocol::limits::{CATCH_UP_EVENTS, PAGE_EVENTS};
use protocol::{History, HistoryPage};

use super::Hub;
use crate::error::ChatError;

impl Hub {
    /// The page before a place, what follows a place, or the latest page.
    ///
    /// # Errors
    /// Refused if both directions are asked for; [`crate::StoreError::NoSuchRoom`]; or the backend does not answer.
    pub async fn history(&self, history: History) -> Result<HistoryPage, ChatError> {
        let History { room, before, after } = history;
        let page = match (before, after) {
            (Some(_), Some(_)) => {
                return Err(super::bad_request("ask for `before` or `after`, not for both"));
            }
            (before, None) => {
                let page = || self.log.page(&room, before, PAGE_EVENTS);
                self.with_lobby(&room, page).await?
            }
            (None, Some(after)) => {
                let read = || self.log.read(&room, after, CATCH_UP_EVENTS);
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
}
