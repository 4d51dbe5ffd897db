//! The names of the people in a room's messages. Events and messages name people by id.

use protocol::{DisplayName, Person, PersonId};

/// Maximum number of people remembered. Beyond it, those whom nothing names any more are forgotten.
const PEOPLE: usize = 5_000;

/// The name of a person whom the server did not name.
const NAMELESS: &str = "Unknown";

/// People by id.
#[derive(Clone, Debug, Default)]
pub struct Known {
    people: Vec<Person>,
    /// How many stayed when people were forgotten last.
    stayed: usize,
}

impl Known {
    /// Remembers people, under their latest names.
    pub fn learn(&mut self, people: Vec<Person>) {
        for person in people {
            match self.find(&person.id) {
                Ok(at) => self.people[at] = person,
                Err(at) => self.people.insert(at, person),
            }
        }
    }

    /// The person with this id.
    pub fn person(&self, id: &PersonId) -> Person {
        match self.find(id) {
            Ok(at) => self.people[at].clone(),
            Err(_) => Person {
                id: id.clone(),
                name: DisplayName::kept(NAMELESS.to_owned()),
            },
        }
    }

    /// Forgets people whom nothing names, if there are too many. If most are named, waits until there are twice as many:
    /// looking for their names takes long.
    pub fn tidy(&mut self, named: impl Fn(&PersonId) -> bool) {
        if self.people.len() > PEOPLE.max(2 * self.stayed) {
            self.people.retain(|person| named(&person.id));
            self.stayed = self.people.len();
        }
    }

    fn find(&self, id: &PersonId) -> Result<usize, usize> {
        self.people.binary_search_by(|known| known.id.cmp(id))
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
        assert_eq!(known.people.len(), 2, "few enough");
        known.learn((0..PEOPLE).map(|n| person(&format!("p{n}"))).collect());
        known.tidy(|id| id.as_str() == "ada");
        assert_eq!(known.people, [renamed]);
    }

    #[test]
    fn people_who_are_all_named_are_not_looked_for_again_and_again() {
        let mut known = Known::default();
        let looks = std::cell::Cell::new(0);
        for n in 0..3 * PEOPLE {
            known.learn(vec![person(&format!("p{n}"))]);
            known.tidy(|_| {
                looks.set(looks.get() + 1);
                true
            });
        }
        assert_eq!(known.people.len(), 3 * PEOPLE);
        assert!(looks.get() <= 4 * PEOPLE, "{}", looks.get());
    }
}
