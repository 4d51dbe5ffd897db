//! The answer to a command: `{ok: …}` or `{error: {code, message, retry_after_ms?}}`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::RoomSlug;

/// Why a command was refused. Codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The command does not have the documented shape, or one of its values is not allowed.
    BadRequest,
    /// The command is longer than 64 KiB.
    TooLarge,
    /// This namespace has no such command.
    UnknownCommand,
    /// Sign in first.
    NotSignedIn,
    /// No room has this address.
    RoomNotFound,
    /// A room with this title or address already exists.
    RoomExists,
    /// The room has no such message.
    NotFound,
    /// You may not do this, for instance because the message is another person's.
    Forbidden,
    /// The message was deleted.
    Gone,
    /// Join the room first.
    NotInRoom,
    /// This connection is in as many rooms as it can be.
    TooManyRooms,
    /// Too many commands, or too much from this IP address; `retry_after_ms` says when to try again.
    RateLimited,
    /// The server is overloaded; `retry_after_ms` says when to try again.
    Busy,
    /// The storage does not answer. What was not acknowledged may or may not be stored: send the same again.
    Unavailable,
    /// Client and server speak different versions of the protocol; reload the page.
    Reload,
    /// A fault of the server, which is in its log. Whether the command had an effect is unknown.
    Internal,
}

impl ErrorCode {
    /// The code with this name on the wire. One that this build does not know is like [`ErrorCode::Internal`]: trying the
    /// same again is up to the person, who reads the server's sentence.
    pub fn named(name: &str) -> Self {
        match name {
            "bad_request" => Self::BadRequest,
            "too_large" => Self::TooLarge,
            "unknown_command" => Self::UnknownCommand,
            "not_signed_in" => Self::NotSignedIn,
            "room_not_found" => Self::RoomNotFound,
            "room_exists" => Self::RoomExists,
            "not_found" => Self::NotFound,
            "forbidden" => Self::Forbidden,
            "gone" => Self::Gone,
            "not_in_room" => Self::NotInRoom,
            "too_many_rooms" => Self::TooManyRooms,
            "rate_limited" => Self::RateLimited,
            "busy" => Self::Busy,
            "unavailable" => Self::Unavailable,
            "reload" => Self::Reload,
            _ => Self::Internal,
        }
    }
}

/// Why a command was not carried out: a code for programs, a sentence for people, and when to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[error("{message}")]
pub struct Refusal {
    /// The reason, for programs.
    pub code: ErrorCode,
    /// The reason as a sentence for people. It can change at any time.
    pub message: String,
    /// Milliseconds after which the same command may succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// With `room_exists`: the address of the existing room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomSlug>,
}

impl Refusal {
    /// A refusal without a time to try again.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
            room: None,
        }
    }

    /// A refusal for a rate: `what` says who exceeded which. Rounds the time up, so that a client that waits exactly
    /// this long is not early.
    pub fn rate_limited(what: &str, wait: Duration) -> Self {
        let ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let sentence = format!("{what}; try again in {}", in_words(ms.div_ceil(1_000)));
        Self::new(ErrorCode::RateLimited, sentence).retry_after_ms(ms)
    }

    /// Names the existing room that caused the refusal.
    #[must_use]
    pub fn about(mut self, room: RoomSlug) -> Self {
        self.room = Some(room);
        self
    }

    /// Says that the same command may succeed after this many milliseconds.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

fn in_words(seconds: u64) -> String {
    match seconds {
        0 | 1 => "1 second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The content of an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<T> {
    /// The command was carried out. For `send` that means: stored.
    Ok(T),
    /// The command was refused. Nothing changed, except that after [`ErrorCode::Unavailable`] and
    /// [`ErrorCode::Internal`] that is unknown.
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
    fn a_rate_says_when_to_try_again() {
        for (us, ms, words) in [
            (1, 1, "1 second"),
            (1_000_001, 1_001, "2 seconds"),
            (119_000_000, 119_000, "119 seconds"),
            (119_001_000, 119_001, "2 minutes"),
            (225_000_000, 225_000, "4 minutes"),
        ] {
            let refusal = Refusal::rate_limited("too many", Duration::from_micros(us));
            assert_eq!(refusal.retry_after_ms, Some(ms));
            assert_eq!(refusal.message, format!("too many; try again in {words}"));
        }
    }

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
