//! How a command is answered: `{ok: …}` or `{error: {code, message, retry_after_ms?}}`.

use serde::{Deserialize, Serialize};

use crate::ids::RoomSlug;

/// Why a command was refused. Codes are stable; sentences are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The command is not shaped as documented, or a value in it is not allowed.
    BadRequest,
    /// The command is longer than 64 KiB.
    TooLarge,
    /// No such command in this namespace.
    UnknownCommand,
    /// Sign in first.
    NotSignedIn,
    /// No room has that address.
    RoomNotFound,
    /// A room has that address already.
    RoomExists,
    /// Join the room first.
    NotInRoom,
    /// This connection is in as many rooms as it may be.
    TooManyRooms,
    /// Too many commands; `retry_after_ms` says when to try again.
    RateLimited,
    /// The server has too much to do; `retry_after_ms` says when to try again.
    Busy,
    /// The storage does not answer. Nothing was changed that was not acknowledged.
    Unavailable,
    /// Client and server were built for different versions of the protocol; reload.
    Reload,
    /// A fault of the server. It is in its log.
    Internal,
}

/// A refusal as it travels: a code for programs, a sentence for people, and when to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// Milliseconds after which the same command may succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The room that is in the way, with [`ErrorCode::RoomExists`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomSlug>,
}

impl Refusal {
    /// A refusal that trying again does not change.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
            room: None,
        }
    }

    /// The same, naming the room that is in the way.
    #[must_use]
    pub fn about(mut self, room: RoomSlug) -> Self {
        self.room = Some(room);
        self
    }

    /// The same, worth trying again after so many milliseconds.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

/// What an acknowledgement holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<T> {
    /// Done; for `send` that means: stored.
    Ok(T),
    /// Not done; nothing was changed.
    Error(Refusal),
}

impl<T> From<Result<T, Refusal>> for Reply<T> {
    fn from(result: Result<T, Refusal>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(refusal) => Self::Error(refusal),
        }
    }
}

impl<T> From<Reply<T>> for Result<T, Refusal> {
    fn from(reply: Reply<T>) -> Self {
        match reply {
            Reply::Ok(value) => Ok(value),
            Reply::Error(refusal) => Err(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_plain_objects() {
        let ok: Reply<u8> = Ok(7).into();
        assert_eq!(serde_json::to_string(&ok).unwrap(), r#"{"ok":7}"#);
        let error: Reply<u8> =
            Err(Refusal::new(ErrorCode::RateLimited, "slow down").retry_after_ms(250)).into();
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"error":{"code":"rate_limited","message":"slow down","retry_after_ms":250}}"#
        );
    }
}
