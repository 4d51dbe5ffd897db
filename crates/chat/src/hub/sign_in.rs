//! Sign in with a name; be recognised by a session; sign out.

use protocol::{DisplayName, Opaque, Person, PersonId, SessionToken, SignedIn};

use super::Hub;
use crate::error::ChatError;

impl Hub {
    /// Makes a new person of that name with a session of their own.
    ///
    /// # Errors
    /// If the session could not be stored.
    pub async fn sign_in(&self, name: DisplayName) -> Result<SignedIn, ChatError> {
        let you = self.guest(name);
        let token = SessionToken::from_random(self.ids.random());
        self.accounts.create(&you, &token, self.clock.now()).await?;
        Ok(SignedIn { you, token })
    }

    /// Somebody without a session: they exist as long as their connection does. Their messages stay.
    pub fn guest(&self, name: DisplayName) -> Person {
        Person {
            id: PersonId::from_random(self.ids.random()),
            name,
        }
    }

    /// An id for a message whose client has none.
    pub fn fresh_id(&self) -> Opaque {
        Opaque::from_random(self.ids.random())
    }

    /// Who a session belongs to.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn person(&self, session: &SessionToken) -> Result<Option<Person>, ChatError> {
        Ok(self.accounts.person(session).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn sign_out(&self, session: &SessionToken) -> Result<(), ChatError> {
        Ok(self.accounts.end(session).await?)
    }
}
