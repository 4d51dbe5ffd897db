//! Why a command fails: a code and a sentence for the caller. The cause stays on the server.

use protocol::{ErrorCode, Refusal, RoomSlug};

/// Why a deed cannot be done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Misfit {
    /// The room has no such message.
    #[error("this room has no such message")]
    Missing,
    /// It is another person's.
    #[error("this message is another person's")]
    Foreign,
    /// It was deleted.
    #[error("this message was deleted")]
    Deleted,
    /// It is of an earlier epoch.
    #[error("this room was emptied since then, and the message is gone")]
    Replaced,
    /// It has as many reactions as it can have.
    #[error("this message has as many reactions as it can have")]
    Full,
    /// It was edited as often as it can be.
    #[error("this message was edited as often as it can be")]
    Edited,
}

/// Why a port could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The room does not exist.
    #[error("no room {0}")]
    NoSuchRoom(RoomSlug),
    /// This room already exists, at that address or with that title. Nothing was changed.
    #[error("room {0} exists")]
    RoomExists(RoomSlug),
    /// A deed does not fit the message that it is about. Nothing was changed.
    #[error("{0}")]
    Unfit(Misfit),
    /// A bounded queue is full. Nothing was changed.
    #[error("the storage's queue is full")]
    Busy,
    /// Part of a room's log is missing or cannot be read. Nothing was changed, and trying again does not help.
    #[error("a log is damaged: {0}")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The storage failed. Whether the change was made is unknown; it is safe to send it again.
    #[error("the storage failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Wraps an error of a backend's library.
    pub fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(cause.into())
    }

    /// Says what is wrong with a log.
    pub fn damaged(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Damaged(cause.into())
    }
}

/// Why a use case was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// A rule of the chat refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A port could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long a client waits before it repeats a write that the storage refused or failed, in milliseconds.
const RETRY_STORE_MS: u64 = 500;

impl From<&ChatError> for Refusal {
    fn from(error: &ChatError) -> Self {
        match error {
            ChatError::Refused(refusal) => refusal.clone(),
            ChatError::Store(StoreError::NoSuchRoom(room)) => {
                Self::new(ErrorCode::RoomNotFound, format!("there is no room \"{room}\""))
            }
            ChatError::Store(StoreError::RoomExists(room)) => Self::new(
                ErrorCode::RoomExists,
                format!("a room with the address \"{room}\" already exists"),
            )
            .about(room.clone()),
            ChatError::Store(StoreError::Unfit(why)) => {
                let code = match why {
                    Misfit::Missing => ErrorCode::NotFound,
                    Misfit::Foreign => ErrorCode::Forbidden,
                    Misfit::Deleted | Misfit::Replaced => ErrorCode::Gone,
                    Misfit::Full | Misfit::Edited => ErrorCode::BadRequest,
                };
                Self::new(code, why.to_string())
            }
            ChatError::Store(StoreError::Busy) => {
                Self::new(ErrorCode::Busy, "the server is busy; try again in a moment")
                    .retry_after_ms(RETRY_STORE_MS)
            }
            ChatError::Store(StoreError::Damaged(_)) => Self::new(
                ErrorCode::Internal,
                "part of this room's log is damaged; see the server's log",
            ),
            ChatError::Store(StoreError::Failed(_)) => Self::new(
                ErrorCode::Unavailable,
                "the server cannot reach its storage; try again in a moment",
            )
            .retry_after_ms(RETRY_STORE_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stays_on_the_server() {
        let error = ChatError::Store(StoreError::failed("disk /dev/sda1 is on fire"));
        let refusal = Refusal::from(&error);
        assert_eq!(refusal.code, ErrorCode::Unavailable);
        assert!(!refusal.message.contains("fire"));
        assert!(error.to_string().contains("fire"), "but the log has it");
    }
}
