//! `sign_in`: become somebody, with a session or without.

use protocol::policy::Action;
use protocol::{DisplayName, Person, PersonId, SessionToken, SignIn, SignedIn};

use super::Hub;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::ports::Cost;
use crate::session::SessionDigest;

impl UseCase for SignIn {
    type Answer = SignedIn;
    const ACTION: Action = Action::SignIn;

    /// Makes a new person of that name with a session of their own. Who is somebody stays that: the author of their
    /// messages must not change in the middle.
    async fn run(self, asked: Asked<'_>) -> Result<SignedIn, ChatError> {
        if let Some(you) = asked.caller.person {
            let sentence = format!("you are already signed in as {}", you.name);
            return Err(super::bad_request(sentence));
        }
        asked.take(Cost::Person)?;
        let hub = asked.hub;
        let you = hub.somebody(self.name);
        let token = SessionToken::from_random(hub.ids.random());
        let digest = SessionDigest::of(&token);
        hub.accounts.create(&you, &digest, hub.clock.now()).await?;
        Ok(SignedIn { you, token })
    }
}

/// Become somebody without a session: they exist as long as their connection does. Their messages stay.
pub struct Visit {
    /// What they are called.
    pub name: DisplayName,
}

impl UseCase for Visit {
    type Answer = Person;
    const ACTION: Action = Action::SignIn;

    async fn run(self, asked: Asked<'_>) -> Result<Person, ChatError> {
        asked.take(Cost::Guest)?;
        Ok(asked.hub.somebody(self.name))
    }
}

impl Hub {
    fn somebody(&self, name: DisplayName) -> Person {
        Person {
            id: PersonId::from_random(self.ids.random()),
            name,
        }
    }
}
