//! One address for each room: `/rooms/Lobby`, `/rooms/lobby/` and `/rooms/l%6fbby` redirect to `/rooms/lobby`.

use http::Uri;
use percent_encoding::percent_decode_str;
use protocol::RoomSlug;

/// The canonical address of a room, if this one is a variant of it.
pub fn address(uri: &Uri) -> Option<String> {
    let path = percent_decode_str(uri.path()).decode_utf8().ok()?;
    let name = path.strip_prefix("/rooms/")?;
    let known = name.strip_suffix('/').unwrap_or(name).to_ascii_lowercase();
    if known == name && !name.is_empty() && path == uri.path() {
        return None;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    if known.is_empty() {
        return Some(format!("/{query}"));
    }
    RoomSlug::try_from(known)
        .ok()
        .map(|room| format!("/rooms/{room}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_an_address_lead_to_it() {
        for (path, expected) in [
            ("/rooms/lobby", None),
            ("/rooms/Lobby", Some("/rooms/lobby")),
            ("/rooms/lobby/", Some("/rooms/lobby")),
            ("/rooms/LOBBY/?before=3", Some("/rooms/lobby?before=3")),
            ("/rooms/", Some("/")),
            ("/rooms//", Some("/")),
            ("/rooms/-", None),
            ("/rooms/a%20b", None),
            ("/rooms/l%6fbby", Some("/rooms/lobby")),
            ("/rooms/%4Cobby?before=3", Some("/rooms/lobby?before=3")),
            ("/%72ooms%2flobby%2F", Some("/rooms/lobby")),
            ("/rooms/l%256fbby", None),
            ("/rooms/%ff", None),
            ("/rooms/%00", None),
            ("/rooms/%2f/evil.example", None),
            ("/rooms/%", None),
            ("/rooms//evil.example", None),
            ("/Rooms/lobby", None),
        ] {
            let uri: Uri = path.parse().unwrap();
            assert_eq!(address(&uri).as_deref(), expected, "{path}");
        }
    }
}
