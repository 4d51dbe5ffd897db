//! Whose a session is, and how sessions end. Not asked by a caller: this is how callers are known.

use futures::stream::BoxStream;
use protocol::{Opaque, Person, SessionToken, Timestamp};

use super::Hub;
use crate::error::ChatError;
use crate::ports::SessionSignal;
use crate::session::{IDLE_MS, SessionDigest, Use, using};

/// Expired sessions that are forgotten at a time.
const FORGOTTEN: u32 = 200;

impl Hub {
    /// An id for a message whose client has none.
    pub fn fresh_id(&self) -> Opaque {
        Opaque::from_random(self.ids.random())
    }

    /// Who the session of this token belongs to.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn person(&self, token: &SessionToken) -> Result<Option<Person>, ChatError> {
        self.whose(&SessionDigest::of(token)).await
    }

    /// Who a session belongs to, unless it has ended or nobody has used it for 30 days. To ask is to use it, which is
    /// written down once a day.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn whose(&self, session: &SessionDigest) -> Result<Option<Person>, ChatError> {
        let Some(found) = self.accounts.session(session).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        match using(found.used_at, now) {
            Use::Expired => return Ok(None),
            // Whoever asks is who they are, also if this cannot be written: the next one who asks tries again.
            Use::Prolong => drop(self.accounts.prolong(session, now).await),
            Use::Fresh => {}
        }
        Ok(Some(found.person))
    }

    /// Ends a session, for every connection and every tab that shows it: see [`Hub::session_ends`].
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), ChatError> {
        Ok(self.accounts.end(&SessionDigest::of(token)).await?)
    }

    /// Which sessions end from now on.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn session_ends(&self) -> Result<BoxStream<'static, SessionSignal>, ChatError> {
        Ok(self.accounts.ends().await?)
    }

    /// Forgets some sessions that have expired, and guests who never wrote with them. Says whether there may be more.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn forget_expired(&self) -> Result<bool, ChatError> {
        let before = self.clock.now().0.saturating_sub(IDLE_MS);
        Ok(self.accounts.forget(Timestamp(before), FORGOTTEN).await? == FORGOTTEN)
    }
}
