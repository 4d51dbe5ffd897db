//! The one door: everything that reads or changes the chat enters through [`Hub::ask`], with a caller.

use std::time::Duration;

use protocol::policy::{Action, Visibility, may};
use protocol::{ErrorCode, Refusal};

use crate::caller::Caller;
use crate::error::ChatError;
use crate::hub::Hub;
use crate::ports::Cost;
use crate::room::ConnectionId;

/// Something that a caller can ask for: the commands of [`protocol::ask`], and a few that only the server uses.
pub trait UseCase: Sized {
    /// The answer if it succeeds.
    type Answer;

    /// The action that the policy decides on.
    const ACTION: Action;

    /// Carries it out. The policy has allowed it.
    fn run(self, asked: Asked<'_>) -> impl Future<Output = Result<Self::Answer, ChatError>> + Send;
}

/// Proof that the policy allowed a use case. Only the door makes one.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) caller: &'a Caller<'a>,
}

impl Hub {
    /// Carries out a command if the policy allows it.
    ///
    /// # Errors
    /// The policy, a limit or a rule refuses it, or the backend does not answer.
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
    /// The caller's connection, for use cases that need one.
    pub(crate) fn connection(&self) -> Result<&'a ConnectionId, Refusal> {
        let needed = || Refusal::new(ErrorCode::BadRequest, "this needs a connection");
        self.caller.connection.ok_or_else(needed)
    }

    /// Charges a cost to the caller's address.
    pub(crate) fn take(&self, cost: Cost) -> Result<(), Refusal> {
        let taken = self.hub.rates.take(self.caller.address, cost);
        taken.map_err(|wait| too_much(cost, wait))
    }

    /// Charges bytes that have been read. If that is too much for the address, its next read is refused.
    pub(crate) fn has_read(&self, bytes: usize) {
        let _ = self.take(Cost::Read(bytes));
    }
}

/// The shortest wait: after a few milliseconds the client would only be refused again.
const LEAST_WAIT: Duration = Duration::from_millis(200);

/// The refusal for a rate that was exceeded.
fn too_much(cost: Cost, wait: Duration) -> Refusal {
    let (what, wait) = match cost {
        Cost::Person => ("too many people have signed in from your network", wait),
        Cost::Guest => ("too many people have come from your network", wait),
        Cost::Room => ("too many rooms have been created from your network", wait),
        Cost::Stored(_) => ("too much has been sent from your network", wait.max(LEAST_WAIT)),
        Cost::Read(_) => ("too much has been read from your network", wait),
    };
    Refusal::rate_limited(what, wait)
}
