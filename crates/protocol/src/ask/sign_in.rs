//! `sign_in`: sign in with a name.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::SessionToken;
use crate::people::Person;
use crate::text::DisplayName;

/// Sign in with a name. Over Socket.IO, the connection then belongs to that person; the token identifies the same
/// person in later connections and requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// Your display name. Names are not unique.
    pub name: DisplayName,
}

impl Ask for SignIn {
    const NAME: &'static str = "sign_in";
    type Answer = SignedIn;
}

/// The person who signed in, and the session's token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The person that you are now.
    pub you: Person,
    /// The session's token. Send it as `auth: {token}` in a Socket.IO handshake or as `Authorization: Bearer` over
    /// HTTP. Keep it secret: anyone who has it can act as this person.
    pub token: SessionToken,
}
