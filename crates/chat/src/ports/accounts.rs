//! People and their sessions.

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Person, Timestamp};

use crate::error::StoreError;
use crate::session::{Session, SessionDigest};

/// What is told of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSignal {
    /// This one has ended.
    Ended(SessionDigest),
    /// Some may have ended unnoticed: look those up that matter.
    Unsure,
}

/// People and their sessions. A session's token is never seen here, only its digest.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds a person with one session, last used `at`.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn create(&self, person: &Person, session: &SessionDigest, at: Timestamp)
    -> Result<(), StoreError>;

    /// A session, if it is one and has not ended. Whether it was idle for too long is not judged here.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError>;

    /// Writes down that a session was used. One that has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session and tells so. Ending it again, or one that never was, does no harm. If its person has no other
    /// session and never wrote anything, they may be forgotten.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError>;

    /// Forgets up to `limit` sessions that were last used before this time, as if they had ended, and says how many
    /// there were.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Every session that ends by [`Accounts::end`] after this call returned, in any process that shares the storage,
    /// or [`SessionSignal::Unsure`]. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError>;
}
