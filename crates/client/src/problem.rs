//! Why something was refused, in sentences for the page.

use protocol::{ErrorCode, Refusal};

/// Shown if a form cannot be sent because there is no network.
pub const OFFLINE: &str = "You're offline. Try again when you're back online.";

/// Shown if there is a network, but the server does not answer.
pub const UNREACHABLE: &str = "Can't reach the server. Wait a moment and try again.";

/// A sentence as the page shows it: with a capital letter and a full stop.
pub fn shown(sentence: &str) -> String {
    let mut chars = sentence.chars();
    // Our sentences are English. The table of other capital letters would add 1.9 KB to the page.
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    let first = first.map(String::from).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

/// A refusal as a sentence for people: the server's own, unless the page knows better what to do.
pub fn sentence(refusal: &Refusal) -> String {
    shown(match refusal.code {
        ErrorCode::Reload => "Hubbub was updated. Reload to continue",
        ErrorCode::NotSignedIn => "You've been signed out. Sign in and try again",
        // A link to the room follows.
        ErrorCode::RoomExists => "A room with that name already exists",
        _ => &refusal.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence() {
        let refusal = |code, message: &str| sentence(&Refusal::new(code, message));
        assert_eq!(
            refusal(ErrorCode::RateLimited, "too many; wait"),
            "Too many; wait."
        );
        assert_eq!(refusal(ErrorCode::Internal, "a lion…."), "A lion….");
        assert_eq!(refusal(ErrorCode::Internal, ""), ".");
        let exists = refusal(ErrorCode::RoomExists, "it is at /rooms/x");
        assert!(exists.ends_with("already exists."), "{exists}");
    }
}
