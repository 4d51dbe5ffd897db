//! What a request asks for, and how it is refused: with the error codes of Node.js.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, Uri, header};

/// The transport of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// HTTP long polling.
    Polling,
    /// A WebSocket, or an upgrade to one.
    WebSocket,
}

/// The query of a request. If a name occurs twice, the first one counts.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    pub transport: Transport,
    /// The session's id. `None` for a new session.
    pub sid: Option<Box<str>>,
    /// True if the client speaks our version of the protocol.
    pub known: bool,
}

impl Query {
    /// Reads the query.
    ///
    /// # Errors
    /// If it names no known transport.
    pub fn read(uri: &Uri) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let transport = match value("transport") {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err(Problem::Transport),
        };
        Ok(Self {
            transport,
            sid: value("sid").map(Into::into),
            known: value("EIO") == Some("4"),
        })
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    Transport,
    UnknownSession,
    /// A session cannot be opened with this method.
    Method,
    /// Not possible now, or not over this transport.
    Request,
    /// A version that we do not speak.
    Version,
    /// Larger than a message may be.
    TooLarge,
    /// The address has too many sessions.
    TooMany(Duration),
    /// Not a valid WebSocket handshake.
    NoHandshake(&'static str),
    /// Not a WebSocket upgrade that we support. The header names what we expect.
    NoUpgrade(&'static str, header::HeaderName, &'static str),
}

impl Problem {
    pub fn answer(self) -> Response {
        let (code, sentence) = match self {
            Self::Transport => (0, "Transport unknown"),
            Self::UnknownSession => (1, "Session ID unknown"),
            Self::Method => (2, "Bad handshake method"),
            Self::Request => (3, "Bad request"),
            Self::Version => (5, "Unsupported protocol version"),
            Self::TooLarge => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Self::TooMany(after) => {
                let seconds = after.as_secs().max(1);
                let headers = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
                let sentence = "too many sessions from this address; try again later\n";
                return (StatusCode::TOO_MANY_REQUESTS, headers, sentence).into_response();
            }
            Self::NoHandshake(sentence) => {
                return (StatusCode::BAD_REQUEST, format!("{sentence}\n")).into_response();
            }
            Self::NoUpgrade(sentence, name, value) => {
                let headers = [(name, HeaderValue::from_static(value))];
                return (StatusCode::UPGRADE_REQUIRED, headers, format!("{sentence}\n")).into_response();
            }
        };
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let body = format!("{{\"code\":{code},\"message\":\"{sentence}\"}}");
        (StatusCode::BAD_REQUEST, json, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_each_name_counts() {
        let read = |uri: &'static str| Query::read(&Uri::from_static(uri));
        let query = read("/socket.io/?EIO=4&sid=&transport=polling&EIO=3&sid=b").unwrap();
        assert_eq!(query.transport, Transport::Polling);
        assert_eq!((query.sid.as_deref(), query.known), (Some(""), true));
        assert!(!read("/socket.io/?transport=websocket&EIO=40").unwrap().known);
        assert_eq!(read("/socket.io/"), Err(Problem::Transport));
        assert_eq!(read("/socket.io/?transport=smoke"), Err(Problem::Transport));
    }
}
