//! `sign_in`: become somebody.

use protocol::{ErrorCode, Refusal, SignIn, SignedIn};

use super::connection::{Connection, parse, refuse};
use super::inbox::Payload;

/// A connection signs in once: its messages must not change their author in the middle.
pub async fn handle(connection: &mut Connection, payload: Payload) -> Result<SignedIn, Refusal> {
    let SignIn { name } = parse(payload)?;
    if let Ok(you) = connection.you() {
        return Err(Refusal::new(
            ErrorCode::BadRequest,
            format!("you are already signed in as {}", you.name),
        ));
    }
    let signed_in = connection
        .state
        .sign_in(connection.address, name)
        .await
        .map_err(refuse)?;
    connection.sign_in(&signed_in);
    Ok(signed_in)
}
