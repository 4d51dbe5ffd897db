//! `sign_in`: become a person.

use protocol::{Refusal, SignIn, SignedIn};

use super::connection::Connection;
use crate::commands::Command;

impl Command for SignIn {
    /// Also signs this connection in.
    async fn on(self, connection: &mut Connection) -> Result<SignedIn, Refusal> {
        let signed_in = connection.ask(self).await?;
        connection.sign_in(&signed_in);
        Ok(signed_in)
    }
}
