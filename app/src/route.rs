//! The addresses of the pages, shared by server and browser.

use std::fmt;

use protocol::{RoomSlug, Seq};

/// Which page an address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Front,
    /// `/rooms/lobby`, or `/rooms/lobby?before=120` for the messages before seq 120.
    Room {
        /// The room.
        room: RoomSlug,
        /// Absent: the latest messages.
        before: Option<Seq>,
    },
    /// Any other address.
    NotFound,
}

/// The part of a URL after the host, without the fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `/rooms/lobby`
    pub path: String,
    /// `before=120`, without the question mark.
    pub query: String,
}

impl Address {
    /// The page at this address. An invalid `before` means the latest messages.
    pub fn route(&self) -> Route {
        if self.path == "/" {
            return Route::Front;
        }
        let slug = self.path.strip_prefix("/rooms/");
        // A refused message is answered at the address of the room's form.
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

    /// A value of the query. It is not decoded, because no value that pages use needs encoding.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The canonical address: without query values that do not change what is shown.
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
    fn addresses_lead_to_routes() {
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
