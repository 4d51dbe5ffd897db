//! Why a form was refused: a code in the URL of the redirect, and a sentence on the page.

use std::str::FromStr;

use protocol::ErrorCode;

/// Shown if a form cannot be sent because there is no network.
pub const OFFLINE: &str = "You're offline. Try again when you're back online.";

/// The value of `?problem=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The person's name is not valid.
    Name,
    /// The room's title is not valid.
    Title,
    /// The message is not valid.
    Message,
    /// The form is malformed.
    BadRequest,
    /// The form is too large.
    TooLarge,
    /// There is no session, or it has ended.
    NotSignedIn,
    /// The form was rendered for another person.
    OtherPerson,
    /// The room does not exist.
    RoomNotFound,
    /// The room exists already.
    RoomExists,
    /// Too many forms in a short time.
    RateLimited,
    /// The server has too much to do.
    Busy,
    /// The storage does not answer.
    Unavailable,
    /// Everything else.
    Internal,
}

impl Problem {
    const ALL: [Self; 13] = [
        Self::Name,
        Self::Title,
        Self::Message,
        Self::BadRequest,
        Self::TooLarge,
        Self::NotSignedIn,
        Self::OtherPerson,
        Self::RoomNotFound,
        Self::RoomExists,
        Self::RateLimited,
        Self::Busy,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The code in the URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Message => "message",
            Self::BadRequest => "bad_request",
            Self::TooLarge => "too_large",
            Self::NotSignedIn => "not_signed_in",
            Self::OtherPerson => "other_person",
            Self::RoomNotFound => "room_not_found",
            Self::RoomExists => "room_exists",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The problem as a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Name => "Choose a name with 1 to 32 visible characters, on one line.",
            Self::Title => "Choose a room name with 1 to 60 visible characters, on one line.",
            Self::Message => "A message needs 1 to 8,000 characters, at least one of them visible.",
            Self::BadRequest => "Something was missing in that form. Please try again.",
            Self::TooLarge => "That message is too long. Send it in parts.",
            Self::NotSignedIn => "You've been signed out. Sign in and try again.",
            Self::OtherPerson => "You are now signed in under another name, so nothing was sent.",
            Self::RoomNotFound => "That room does not exist.",
            Self::RoomExists => "A room with that name already exists.",
            Self::RateLimited => "You're doing that too fast. Wait a moment and try again.",
            Self::Busy => "The server is busy. Wait a moment and try again.",
            Self::Unavailable => "The server cannot reach its storage. Wait a moment and try again.",
            Self::Internal => "Something went wrong on the server. Please try again.",
        }
    }
}

impl FromStr for Problem {
    type Err = std::convert::Infallible;

    /// An unknown code counts as [`Problem::Internal`].
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|problem| problem.as_str() == code);
        Ok(known.unwrap_or(Self::Internal))
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::BadRequest => Self::BadRequest,
            ErrorCode::TooLarge => Self::TooLarge,
            ErrorCode::NotSignedIn => Self::NotSignedIn,
            ErrorCode::RoomNotFound => Self::RoomNotFound,
            ErrorCode::RoomExists => Self::RoomExists,
            ErrorCode::RateLimited => Self::RateLimited,
            ErrorCode::Busy => Self::Busy,
            ErrorCode::Unavailable => Self::Unavailable,
            // The others concern connections and cannot happen to a form.
            ErrorCode::UnknownCommand
            | ErrorCode::NotInRoom
            | ErrorCode::TooManyRooms
            | ErrorCode::Reload
            | ErrorCode::Internal => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_parse_back_to_their_problems() {
        for problem in Problem::ALL {
            assert_eq!(problem.as_str().parse(), Ok(problem));
            assert!(problem.sentence().ends_with('.'));
        }
        assert_eq!("nonsense".parse(), Ok(Problem::Internal));
    }

    #[test]
    fn protocol_codes_are_problem_codes() {
        for code in [
            ErrorCode::NotSignedIn,
            ErrorCode::RoomExists,
            ErrorCode::RateLimited,
            ErrorCode::TooLarge,
        ] {
            let name = serde_json::to_value(code).unwrap();
            let name = name.as_str().unwrap();
            assert_eq!(name.parse(), Ok(Problem::from(code)));
            assert_eq!(Problem::from(code).as_str(), name);
        }
    }
}
