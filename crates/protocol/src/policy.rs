//! Who may do what. Values only: the server decides by this table, and a page can show by it what is possible.

use crate::error::{ErrorCode, Refusal};

/// Who sees a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Everybody.
    Public,
}

/// What somebody is on this server. Who is not signed in has no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Signed in with a name.
    Guest,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Become somebody.
    SignIn,
    /// Read the list of rooms, a log, or who is there.
    Read,
    /// Be seen in a room, or as writing there.
    BePresent,
    /// Store messages in a room.
    Write,
    /// Open a room.
    CreateRoom,
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    /// Nobody is signed in.
    #[error("sign in first")]
    NotSignedIn,
}

/// Whether somebody with this role may do this in a room that is so visible.
///
/// # Errors
/// Why not.
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
    fn everybody_reads_and_who_is_signed_in_writes() {
        use Action::{BePresent, CreateRoom, Read, SignIn, Write};
        for action in [SignIn, Read, BePresent, Write, CreateRoom] {
            assert_eq!(may(Visibility::Public, Some(Role::Guest), action), Ok(()));
            let reads = matches!(action, SignIn | Read);
            let stranger = if reads { Ok(()) } else { Err(Denied::NotSignedIn) };
            assert_eq!(may(Visibility::Public, None, action), stranger, "{action:?}");
        }
    }
}
