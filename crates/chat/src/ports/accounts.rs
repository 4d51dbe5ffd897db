//! People and their sessions.

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Person, Timestamp};

use crate::error::StoreError;
use crate::session::{Session, SessionDigest};

/// A change of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSignal {
    /// This session has ended.
    Ended(SessionDigest),
    /// Some may have ended unnoticed: look up the sessions that matter.
    Unsure,
}

/// People and their sessions. The backend never sees a session's token, only its digest.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds a person with one session, last used `at`.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn create(&self, person: &Person, session: &SessionDigest, at: Timestamp)
    -> Result<(), StoreError>;

    /// Looks up a session. `None` if it does not exist or has ended. The caller decides whether it was idle too long.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError>;

    /// Stores that a session was used. A session that has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session and announces it on [`Accounts::ends`]. Does nothing if the session does not exist. If its person
    /// has no other session and never wrote anything, the person may be forgotten.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError>;

    /// Forgets up to `limit` sessions that were last used before this time, as if they had ended. Returns their number.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Every session that [`Accounts::end`] ends after this call returned, in any process that shares the storage, or
    /// [`SessionSignal::Unsure`]. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError>;
}
