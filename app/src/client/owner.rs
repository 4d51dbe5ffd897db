//! Whose page this is and whose connection: words go out only where both belong to the same person.
//!
//! They differ when somebody signs out, or signs in under another name, in another tab of the same browser: the next
//! connection has the new session.

use protocol::Person;

/// Who the page was made for, and who the server says that the connection belongs to.
#[derive(Clone, Debug, Default)]
pub struct Owner {
    page: Option<Person>,
    /// Nothing before the server has said so.
    connection: Option<Option<Person>>,
}

/// How the two compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The server has not said yet.
    Unknown,
    /// Both are the same person: words may go out.
    Same,
    /// Somebody else is signed in now.
    Other(Person),
    /// Nobody is signed in any more.
    Nobody,
}

impl Owner {
    /// Whose words this page takes.
    pub fn page(&self) -> Option<&Person> {
        self.page.as_ref()
    }

    /// The page on screen belongs to this person. True if it belonged to another one before.
    pub fn shows(&mut self, you: &Person) -> bool {
        let before = self.page.replace(you.clone());
        before.is_some_and(|before| before.id != you.id)
    }

    /// The server says who the connection belongs to.
    pub fn welcomed(&mut self, you: Option<Person>) -> Standing {
        self.connection = Some(you);
        self.standing()
    }

    /// The session has ended.
    pub fn signed_out(&mut self) {
        self.connection = Some(None);
    }

    /// There is no connection any more. Whoever the next one belongs to is to be seen.
    pub fn lost(&mut self) {
        self.connection = None;
    }

    /// How page and connection compare.
    pub fn standing(&self) -> Standing {
        match &self.connection {
            None => Standing::Unknown,
            Some(None) => Standing::Nobody,
            Some(Some(you)) if self.page.as_ref().is_some_and(|page| page.id == you.id) => Standing::Same,
            Some(Some(you)) => Standing::Other(you.clone()),
        }
    }

    /// Why nothing goes out here, and what to do.
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
    use crate::client::samples::person;

    #[test]
    fn words_go_out_only_on_a_connection_of_their_author() {
        let mut owner = Owner::default();
        assert!(!owner.shows(&person("ada")));
        assert_eq!(
            owner.standing(),
            Standing::Unknown,
            "before the server has said who it is"
        );
        assert_eq!(owner.welcomed(Some(person("ada"))), Standing::Same);
        assert_eq!(owner.sentence(), None);
        owner.lost();
        assert_eq!(
            owner.standing(),
            Standing::Unknown,
            "the next one may be somebody else's"
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
