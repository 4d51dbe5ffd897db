//! The names of the people in a room's messages. Events and messages name people by id.

use protocol::{DisplayName, Person, PersonId};

/// Maximum number of people remembered. Beyond it, those whom nothing names any more are forgotten.
const PEOPLE: usize = 5_000;

/// The name of a person whom the server did not name.
const NAMELESS: &str = "Unknown";

/// People by id.
#[derive(Clone, Debug, Default)]
pub struct Known(Vec<Person>);

impl Known {
    /// Remembers people, under their latest names.
    pub fn learn(&mut self, people: Vec<Person>) {
        for person in people {
            match self.find(&person.id) {
                Ok(at) => self.0[at] = person,
                Err(at) => self.0.insert(at, person),
            }
        }
    }

    /// The person with this id.
    pub fn person(&self, id: &PersonId) -> Person {
        match self.find(id) {
            Ok(at) => self.0[at].clone(),
            Err(_) => Person {
                id: id.clone(),
                name: DisplayName::kept(NAMELESS.to_owned()),
            },
        }
    }

    /// Forgets people whom nothing names, if there are too many.
    pub fn tidy(&mut self, named: impl Fn(&PersonId) -> bool) {
        if self.0.len() > PEOPLE {
            self.0.retain(|person| named(&person.id));
        }
    }

    fn find(&self, id: &PersonId) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.id.cmp(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::person;

    #[test]
    fn people_are_known_by_their_latest_name_until_nothing_names_them() {
        let mut known = Known::default();
        known.learn(vec![person("bob"), person("ada"), person("ada")]);
        let mut renamed = person("ada");
        renamed.name = person("Lovelace").name;
        known.learn(vec![renamed.clone()]);
        assert_eq!(known.person(&person("ada").id), renamed);
        assert_eq!(known.person(&person("cleo").id).name.as_str(), NAMELESS);
        known.tidy(|_| false);
        assert_eq!(known.0.len(), 2, "few enough");
        known.learn((0..PEOPLE).map(|n| person(&format!("p{n}"))).collect());
        known.tidy(|id| id.as_str() == "ada");
        assert_eq!(known.0, [renamed]);
    }
}
