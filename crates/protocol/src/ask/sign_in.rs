//! `sign_in`: become somebody.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::event::Person;
use crate::ids::SessionToken;
use crate::text::DisplayName;

/// Become somebody: for as long as this connection lives, and with the token for longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// What you are called.
    pub name: DisplayName,
}

impl Ask for SignIn {
    const NAME: &'static str = "sign_in";
    type Answer = SignedIn;
}

/// Who one is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// Who you are now.
    pub you: Person,
    /// Shown as `auth: {token}` in a later handshake, it means the same person. Keep it secret.
    pub token: SessionToken,
}
