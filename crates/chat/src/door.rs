//! The one door: whatever reads or changes the chat is asked here, by a caller.

use std::time::Duration;

use protocol::policy::{Action, Visibility, may};
use protocol::{ErrorCode, Refusal};

use crate::caller::Caller;
use crate::error::ChatError;
use crate::hub::Hub;
use crate::ports::Cost;
use crate::room::ConnectionId;

/// Something that can be asked for. The commands of [`protocol::ask`] are, and a few things that only the server asks.
pub trait UseCase: Sized {
    /// What it is answered.
    type Answer;

    /// What the policy decides by.
    const ACTION: Action;

    /// Does it, for whoever may.
    fn run(self, asked: Asked<'_>) -> impl Future<Output = Result<Self::Answer, ChatError>> + Send;
}

/// Who asks what. Only the door makes one, so nothing runs that was not decided.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) caller: &'a Caller<'a>,
}

impl Hub {
    /// Does what is asked for, if the caller may.
    ///
    /// # Errors
    /// The policy, a limit or a rule says no, or the backend does not answer.
    pub async fn ask<C: UseCase>(&self, caller: &Caller<'_>, command: C) -> Result<C::Answer, ChatError> {
        let asked = self.decide(caller, C::ACTION)?;
        command.run(asked).await
    }

    pub(crate) fn decide<'a>(&'a self, caller: &'a Caller<'a>, action: Action) -> Result<Asked<'a>, Refusal> {
        may(Visibility::Public, caller.role(), action)?;
        Ok(Asked { hub: self, caller })
    }
}

impl<'a> Asked<'a> {
    /// The connection of whoever asks something that only means something with one.
    pub(crate) fn connection(&self) -> Result<&'a ConnectionId, Refusal> {
        let needed = || Refusal::new(ErrorCode::BadRequest, "this needs a connection");
        self.caller.connection.ok_or_else(needed)
    }

    /// Counts what the caller's address does.
    pub(crate) fn take(&self, cost: Cost) -> Result<(), Refusal> {
        let taken = self.hub.rates.take(self.caller.address, cost);
        taken.map_err(|wait| too_much(cost, wait))
    }

    /// Counts what has been read. Others of the address may have read too much meanwhile. Then the next one waits.
    pub(crate) fn has_read(&self, bytes: usize) {
        let _ = self.take(Cost::Read(bytes));
    }
}

/// A few milliseconds would only make the client knock again at once.
const LEAST_WAIT: Duration = Duration::from_millis(200);

/// The time is rounded up: a client that keeps to it is not early.
fn too_much(cost: Cost, wait: Duration) -> Refusal {
    let (what, wait) = match cost {
        Cost::Person => ("too many people signed in from your address", wait),
        Cost::Guest => ("too many people came from your address", wait),
        Cost::Room => ("too many rooms were created from your address", wait),
        Cost::Stored(_) => ("your address has sent too many bytes", wait.max(LEAST_WAIT)),
        Cost::Read(_) => ("your address has read too many bytes", wait),
    };
    let ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    let sentence = format!("{what}; try again in {} s", ms.div_ceil(1_000));
    Refusal::new(ErrorCode::RateLimited, sentence).retry_after_ms(ms)
}
