//! The bus: carries what a truth has committed to followers.

use std::sync::Arc;

use async_trait::async_trait;
use chat::ports::{SessionSignal, Signal};
use chat::{Entry, SessionDigest, StoreError};
use futures::stream::BoxStream;
use protocol::RoomSlug;

/// Tells followers, in this process and in others, what was committed. It keeps nothing: what it loses, followers read
/// from the log.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Passes new events of a room to its followers. Called after the commit, in the order of `seq` within this process.
    /// An older event comes again if the process that stored it may have ended before it told anybody; followers drop
    /// what they have. Never blocks.
    fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]);

    /// Passes on that a session has ended. Never blocks.
    fn ended(&self, session: &SessionDigest);

    /// Every event committed after this call returned. The stream ends when the bus is closed. See
    /// [`chat::ports::RoomLog::follow`].
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;

    /// Every session that ends after this call returned. See [`chat::ports::Accounts::ends`].
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError>;
}
