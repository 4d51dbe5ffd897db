//! What makes something that stays, for whoever asks: a person, a room. Every door comes through here, so that the
//! rates of an address hold at all of them.

use std::time::Duration;

use chat::ChatError;
use protocol::{CreateRoom, DisplayName, ErrorCode, Refusal, RoomSummary, SignedIn};

use crate::proxies::ClientAddress;
use crate::state::State;

impl State {
    /// Makes a new person with a session.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`], or the storage does not answer.
    pub async fn sign_in(&self, address: ClientAddress, name: DisplayName) -> Result<SignedIn, ChatError> {
        let what = "too many people signed in from your address";
        self.gate.sign_in(address).map_err(|wait| refusal(what, wait))?;
        self.hub.sign_in(name).await
    }

    /// Creates a room.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`], [`ErrorCode::RoomExists`], or the storage does not answer.
    pub async fn create_room(
        &self,
        address: ClientAddress,
        command: CreateRoom,
    ) -> Result<RoomSummary, ChatError> {
        let what = "too many rooms were created from your address";
        self.gate.new_room(address).map_err(|wait| refusal(what, wait))?;
        self.hub.create_room(command).await
    }
}

fn refusal(what: &str, wait: Duration) -> Refusal {
    let seconds = wait.as_secs() + 1;
    let ms = u64::try_from(wait.as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let sentence = format!("{what}; try again in {seconds} s");
    Refusal::new(ErrorCode::RateLimited, sentence).retry_after_ms(ms)
}
