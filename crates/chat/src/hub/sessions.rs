//! Look up and end sessions. These need no caller, because they are how callers are recognised.

use futures::stream::BoxStream;
use protocol::{Opaque, Person, SessionToken, Timestamp};

use super::Hub;
use crate::error::ChatError;
use crate::ports::SessionSignal;
use crate::session::{IDLE_MS, SessionDigest, Use, using};

/// The most expired sessions that one call forgets.
const FORGET_LIMIT: u32 = 200;

impl Hub {
    /// Makes an id for a message whose client sends none.
    pub fn fresh_id(&self) -> Opaque {
        Opaque::from_random(self.ids.random())
    }

    /// The person that this token's session belongs to.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn person(&self, token: &SessionToken) -> Result<Option<Person>, ChatError> {
        self.whose(&SessionDigest::of(token)).await
    }

    /// The person that a session belongs to. `None` if it has ended or has not been used for 30 days. This call counts
    /// as a use; it is stored once a day.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn whose(&self, session: &SessionDigest) -> Result<Option<Person>, ChatError> {
        let Some(found) = self.accounts.session(session).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        match using(found.used_at, now) {
            Use::Expired => return Ok(None),
            // The session is valid even if this cannot be stored. The next use tries again.
            Use::Prolong => drop(self.accounts.prolong(session, now).await),
            Use::Fresh => {}
        }
        Ok(Some(found.person))
    }

    /// Ends a session. Its connections learn of it by [`Hub::session_ends`].
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), ChatError> {
        Ok(self.accounts.end(&SessionDigest::of(token)).await?)
    }

    /// The sessions that end from now on.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn session_ends(&self) -> Result<BoxStream<'static, SessionSignal>, ChatError> {
        Ok(self.accounts.ends().await?)
    }

    /// Forgets some expired sessions, and those of their people who never wrote. Returns true if there may be more.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn forget_expired(&self) -> Result<bool, ChatError> {
        let before = self.clock.now().0.saturating_sub(IDLE_MS);
        Ok(self.accounts.forget(Timestamp(before), FORGET_LIMIT).await? == FORGET_LIMIT)
    }
}
