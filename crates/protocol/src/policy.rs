//! Who may do what, as a table of values. The server decides by it, and a page can show what is possible.

use crate::error::{ErrorCode, Refusal};

/// Who can see a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Everybody.
    Public,
}

/// A person's role on this server. A caller who is not signed in has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Signed in with a name.
    Guest,
}

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Sign in.
    SignIn,
    /// Read the list of rooms, a log or a roster.
    Read,
    /// Appear in a room's roster, or as typing there.
    BePresent,
    /// Store messages in a room; edit and delete one's own.
    Write,
    /// React to a message.
    React,
    /// Change a room's title.
    SetTitle,
    /// Create a room.
    CreateRoom,
}

/// Why an action is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    /// The caller is not signed in.
    #[error("sign in first")]
    NotSignedIn,
}

/// Decides whether a caller with this role may do this in a room with this visibility.
///
/// # Errors
/// Says why not.
pub const fn may(room: Visibility, role: Option<Role>, action: Action) -> Result<(), Denied> {
    match (room, role, action) {
        (Visibility::Public, _, Action::Read | Action::SignIn)
        | (Visibility::Public, Some(Role::Guest), _) => Ok(()),
        (Visibility::Public, None, _) => Err(Denied::NotSignedIn),
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let code = match denied {
            Denied::NotSignedIn => ErrorCode::NotSignedIn,
        };
        Self::new(code, denied.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anyone_can_read_and_signed_in_people_can_write() {
        use Action::{BePresent, CreateRoom, React, Read, SetTitle, SignIn, Write};
        for action in [SignIn, Read, BePresent, Write, React, SetTitle, CreateRoom] {
            assert_eq!(may(Visibility::Public, Some(Role::Guest), action), Ok(()));
            let reads = matches!(action, SignIn | Read);
            let expected = if reads { Ok(()) } else { Err(Denied::NotSignedIn) };
            assert_eq!(may(Visibility::Public, None, action), expected, "{action:?}");
        }
    }
}
