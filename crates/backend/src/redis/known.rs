//! The roster of a room as Redis last told it, for the time when Redis is away.

use chat::ports::PresenceChange;
use protocol::{Person, PresenceList};

/// The most people that are kept: as many as a roster shows.
const PEOPLE: usize = protocol::limits::ROSTER_PEOPLE as usize;

/// The last roster, kept up to date by the changes after it.
#[derive(Default)]
pub struct Known(PresenceList);

impl Known {
    /// Replaces it. A roster without people only tells the count.
    pub fn learn(&mut self, roster: &PresenceList) {
        self.0.here = roster.here;
        if !roster.people.is_empty() || roster.here == 0 {
            self.0.people.clone_from(&roster.people);
        }
    }

    /// Takes a change.
    pub fn change(&mut self, change: &PresenceChange) {
        match change {
            PresenceChange::Entered(person, here) => {
                self.0.here = *here;
                if self.0.people.len() < PEOPLE && !self.lists(person) {
                    self.0.people.push(person.clone());
                }
            }
            PresenceChange::Left(person, here) => {
                self.0.here = *here;
                self.0.people.retain(|known| known.id != person.id);
            }
            PresenceChange::Typing(..) | PresenceChange::Unsure => {}
        }
    }

    fn lists(&self, person: &Person) -> bool {
        self.0.people.iter().any(|known| known.id == person.id)
    }

    /// What is known. The people are in no order.
    pub fn list(&self) -> PresenceList {
        self.0.clone()
    }
}

/// Adds people who are certainly present to what is known, and sorts as Redis does.
pub fn with(mut known: PresenceList, present: Vec<Person>, limit: usize) -> PresenceList {
    // If some are not listed, those present may be among them.
    let complete = known.people.len() == usize::try_from(known.here).unwrap_or(usize::MAX);
    for person in present {
        if !known.people.iter().any(|one| one.id == person.id) {
            known.here += u32::from(complete);
            known.people.push(person);
        }
    }
    let listed = u32::try_from(known.people.len()).unwrap_or(u32::MAX);
    known.here = known.here.max(listed);
    known
        .people
        .sort_by_cached_key(|person| (person.name.as_str().to_lowercase(), person.id.clone()));
    known.people.truncate(limit);
    known
}

#[cfg(test)]
mod tests {
    use protocol::{DisplayName, PersonId};

    use super::*;

    fn person(name: &str) -> Person {
        Person {
            id: PersonId::try_from(name.to_lowercase()).unwrap(),
            name: DisplayName::try_from(name.to_owned()).unwrap(),
        }
    }

    fn list(names: &[&str], here: u32) -> PresenceList {
        PresenceList {
            people: names.iter().copied().map(person).collect(),
            here,
            stale: false,
        }
    }

    #[test]
    fn changes_keep_it_up_to_date() {
        let mut known = Known::default();
        known.learn(&list(&["Ada", "Bob"], 2));
        known.change(&PresenceChange::Entered(person("Cleo"), 3));
        known.change(&PresenceChange::Left(person("Ada"), 2));
        known.change(&PresenceChange::Typing(person("Eve"), true));
        assert_eq!(known.list(), list(&["Bob", "Cleo"], 2));
        known.learn(&list(&[], 7));
        assert_eq!(
            known.list(),
            list(&["Bob", "Cleo"], 7),
            "only the count was asked for"
        );
        known.learn(&list(&[], 0));
        assert_eq!(known.list(), list(&[], 0));
    }

    #[test]
    fn those_present_are_added() {
        let here = |names: &[&str]| names.iter().copied().map(person).collect();
        let known = list(&["Bob", "ada"], 2);
        assert_eq!(
            with(known.clone(), here(&["Cleo", "Bob"]), 200),
            list(&["ada", "Bob", "Cleo"], 3)
        );
        assert_eq!(with(known, here(&["Cleo"]), 1), list(&["ada"], 3));
        let partly = list(&["Bob"], 300);
        assert_eq!(with(partly, here(&["Cleo"]), 200), list(&["Bob", "Cleo"], 300));
        assert_eq!(
            with(PresenceList::default(), here(&["Ada"]), 200),
            list(&["Ada"], 1)
        );
    }
}
