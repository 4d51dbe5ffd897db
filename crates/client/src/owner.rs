//! Whose page this is, and whose connection. Messages are sent only if both belong to the same person.
//!
//! They differ after a person signs out, or signs in under another name, in another tab of the same browser: the next
//! connection has the new session.

use protocol::Person;

/// The person that the page was rendered for, and the person that the connection belongs to.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    page: Option<Person>,
    /// The outer `None`: the server has not said yet. The inner one: no person is signed in.
    connection: Option<Option<Person>>,
}

/// How the page's person and the connection's compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The server has not said yet.
    Unknown,
    /// The same person: messages may be sent.
    Same,
    /// Another person is signed in now.
    Other(Person),
    /// No person is signed in any more.
    Nobody,
}

impl Owner {
    /// The person whose page this is.
    pub fn page(&self) -> Option<&Person> {
        self.page.as_ref()
    }

    /// Sets the page's person. True if the page belonged to another person before.
    pub fn shows(&mut self, you: &Person) -> bool {
        let before = self.page.replace(you.clone());
        before.is_some_and(|before| before.id != you.id)
    }

    /// Sets the connection's person, from `welcome`.
    pub fn welcomed(&mut self, you: Option<Person>) -> Standing {
        self.connection = Some(you);
        self.standing()
    }

    /// The session has ended.
    pub fn signed_out(&mut self) {
        self.connection = Some(None);
    }

    /// The connection is gone. The next one may belong to another person.
    pub fn lost(&mut self) {
        self.connection = None;
    }

    /// Compares the page's person with the connection's.
    pub fn standing(&self) -> Standing {
        match &self.connection {
            None => Standing::Unknown,
            Some(None) => Standing::Nobody,
            Some(Some(you)) if self.page.as_ref().is_some_and(|page| page.id == you.id) => Standing::Same,
            Some(Some(you)) => Standing::Other(you.clone()),
        }
    }

    /// A sentence that says why this page sends nothing, and what to do.
    pub fn sentence(&self) -> Option<String> {
        let name = &self.page.as_ref()?.name;
        match self.standing() {
            Standing::Unknown | Standing::Same => None,
            Standing::Other(you) => Some(format!(
                "This browser is now signed in as {}. Reload to continue; unsent text stays with {name}.",
                you.name
            )),
            Standing::Nobody => Some(format!(
                "{name} was signed out in this browser. Reload to sign in again; unsent text stays on this device."
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::person;

    #[test]
    fn messages_are_sent_only_on_a_connection_of_their_author() {
        let mut owner = Owner::default();
        assert!(!owner.shows(&person("ada")));
        assert_eq!(owner.standing(), Standing::Unknown, "before `welcome`");
        assert_eq!(owner.welcomed(Some(person("ada"))), Standing::Same);
        assert_eq!(owner.sentence(), None);
        owner.lost();
        assert_eq!(
            owner.standing(),
            Standing::Unknown,
            "the next one may be another person's"
        );
        assert_eq!(owner.welcomed(Some(person("bo"))), Standing::Other(person("bo")));
        let sentence = owner.sentence().unwrap();
        assert!(sentence.contains("signed in as bo") && sentence.contains("stays with ada"));
        assert_eq!(owner.welcomed(None), Standing::Nobody);
        assert!(owner.sentence().unwrap().contains("ada was signed out"));
        owner.welcomed(Some(person("ada")));
        owner.signed_out();
        assert_eq!(owner.standing(), Standing::Nobody);
    }

    #[test]
    fn a_page_of_another_person_needs_another_connection() {
        let mut owner = Owner::default();
        owner.shows(&person("ada"));
        owner.welcomed(Some(person("ada")));
        assert!(!owner.shows(&person("ada")));
        assert!(owner.shows(&person("bo")));
        assert_eq!(
            owner.standing(),
            Standing::Other(person("ada")),
            "not on this connection"
        );
    }
}
