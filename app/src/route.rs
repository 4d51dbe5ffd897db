//! The addresses of the pages. The server and the browser read them alike.

use std::fmt;

use protocol::{RoomSlug, Seq};

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Front,
    /// `/rooms/lobby`, and `/rooms/lobby?before=120` for what was said before message 120.
    Room {
        /// Which.
        room: RoomSlug,
        /// Absent: the latest messages.
        before: Option<Seq>,
    },
    /// Any other address.
    NotFound,
}

/// What stands in the address bar behind the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `/rooms/lobby`
    pub path: String,
    /// `before=120`, without the question mark.
    pub query: String,
}

impl Address {
    /// The page there. A `before` that is no place in a log means the latest messages.
    pub fn route(&self) -> Route {
        if self.path == "/" {
            return Route::Front;
        }
        let slug = self.path.strip_prefix("/rooms/");
        // Where the form of the room leads if its message is refused.
        let slug = slug.map(|slug| slug.strip_suffix("/messages").unwrap_or(slug));
        match slug.and_then(|slug| RoomSlug::try_from(slug.to_owned()).ok()) {
            Some(room) => Route::Room {
                room,
                before: self
                    .value("before")
                    .and_then(|seq| Seq::try_from(seq.parse::<u64>().ok()?).ok()),
            },
            None => Route::NotFound,
        }
    }

    /// A value of the query. Those that pages know have no character that would have to be encoded.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The address without what does not matter for what is shown.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front => f.write_str("/"),
            Self::Room { room, before: None } => write!(f, "/rooms/{room}"),
            Self::Room {
                room,
                before: Some(before),
            } => write!(f, "/rooms/{room}?before={before}"),
            Self::NotFound => f.write_str("/nowhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str, query: &str) -> String {
        let address = Address {
            path: path.to_owned(),
            query: query.to_owned(),
        };
        address.route().to_string()
    }

    #[test]
    fn addresses_lead_to_places() {
        for (path, query, expected) in [
            ("/", "", "/"),
            ("/", "problem=name", "/"),
            ("/rooms/lobby", "", "/rooms/lobby"),
            (
                "/rooms/lobby",
                "problem=message&before=7",
                "/rooms/lobby?before=7",
            ),
            ("/rooms/lobby", "before=x", "/rooms/lobby"),
            ("/rooms/lobby", "beforehand=7", "/rooms/lobby"),
            ("/rooms/lobby/messages", "", "/rooms/lobby"),
            ("/rooms/Lobby", "", "/nowhere"),
            ("/rooms/", "", "/nowhere"),
            ("/rooms/a/b", "", "/nowhere"),
            ("/metrics", "", "/nowhere"),
        ] {
            assert_eq!(route(path, query), expected, "{path}?{query}");
        }
    }
}
