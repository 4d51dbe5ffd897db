//! `sign_in`: become a person, with or without a session.

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

    /// Creates a person with this name, and a session. Refuses a caller who is signed in already, because the author of
    /// a connection's messages must not change.
    async fn run(self, asked: Asked<'_>) -> Result<SignedIn, ChatError> {
        if let Some(you) = asked.caller.person {
            let sentence = format!("you are already signed in as {}", you.name);
            return Err(super::bad_request(sentence));
        }
        asked.take(Cost::Person)?;
        let hub = asked.hub;
        let you = hub.new_person(self.name);
        let token = SessionToken::from_random(hub.ids.random());
        let digest = SessionDigest::of(&token);
        hub.accounts.create(&you, &digest, hub.clock.now()).await?;
        Ok(SignedIn { you, token })
    }
}

/// Become a guest: a person without a session, who exists as long as the connection. The guest's messages stay.
pub struct Visit {
    /// The guest's name.
    pub name: DisplayName,
}

impl UseCase for Visit {
    type Answer = Person;
    const ACTION: Action = Action::SignIn;

    async fn run(self, asked: Asked<'_>) -> Result<Person, ChatError> {
        asked.take(Cost::Guest)?;
        Ok(asked.hub.new_person(self.name))
    }
}

impl Hub {
    fn new_person(&self, name: DisplayName) -> Person {
        Person {
            id: PersonId::from_random(self.ids.random()),
            name,
        }
    }
}
