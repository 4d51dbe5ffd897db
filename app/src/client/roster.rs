//! Who is in the room, who writes, and who came and went while one was looking.

use protocol::limits::ROSTER_PEOPLE;
use protocol::{Person, PersonId, PresenceList, PresenceUpdate, Seq, TypingUpdate};

use super::names::isolated;
use super::platform;

/// After so many milliseconds without news, somebody is not writing any more.
pub const TYPING_MS: u64 = 6_000;

/// Comings and goings remembered at most.
const NOTES: usize = 400;

/// Somebody came or went, after that event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The newest event at that moment.
    pub after: Seq,
    /// Who.
    pub person: Person,
    /// Came (or went).
    pub entered: bool,
}

/// The people of a room, as far as the client knows them.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    list: PresenceList,
    typing: Vec<(Person, u64)>,
    notes: Vec<Note>,
}

impl Roster {
    /// Starts from what a page or an answer to `join` says.
    pub fn new(list: PresenceList) -> Self {
        Self {
            list,
            ..Self::default()
        }
    }

    /// The people by name, and how many there are.
    pub fn list(&self) -> &PresenceList {
        &self.list
    }

    /// Comings and goings, oldest first.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Replaces the list, without a word about who came and went.
    pub fn replace(&mut self, list: PresenceList) {
        self.list = list;
        self.typing.clear();
    }

    /// Takes a change. Only what changes something leaves a note, and nothing about `you` does.
    pub fn apply(&mut self, update: PresenceUpdate, you: &PersonId, after: Seq) {
        let all_named = self.list.people.len() as u32 == self.list.here;
        let changes = (update.left.into_iter().map(|person| (person, false)))
            .chain(update.entered.into_iter().map(|person| (person, true)));
        for (person, entered) in changes {
            let known = self.list.people.iter().position(|known| known.id == person.id);
            match (known, entered) {
                (None, true) => self.insert(person.clone()),
                (Some(at), false) => {
                    self.list.people.remove(at);
                    self.stopped(&person.id);
                }
                (Some(_), true) => continue,
                (None, false) if all_named => continue,
                (None, false) => {}
            }
            if person.id != *you {
                self.notes.push(Note {
                    after,
                    person,
                    entered,
                });
            }
        }
        let surplus = self.notes.len().saturating_sub(NOTES);
        self.notes.drain(..surplus);
        self.list.here = update.here;
    }

    fn insert(&mut self, person: Person) {
        if self.list.people.len() < ROSTER_PEOPLE as usize {
            let name = folded(&person);
            let at = (self.list.people).partition_point(|known| folded(known) <= name);
            self.list.people.insert(at, person);
        }
    }

    /// Somebody writes, or stopped.
    pub fn typing(&mut self, update: TypingUpdate, now: u64) {
        self.stopped(&update.person.id);
        if update.typing {
            self.typing.push((update.person, now + TYPING_MS));
        }
    }

    /// Whoever has said something is done writing it.
    pub fn stopped(&mut self, person: &PersonId) {
        self.typing.retain(|(known, _)| known.id != *person);
    }

    /// Forgets who has not been heard of; says when to look again.
    pub fn expire(&mut self, now: u64) -> Option<u64> {
        self.typing.retain(|(_, until)| *until > now);
        self.typing.iter().map(|(_, until)| *until).min()
    }

    /// "Ada is typing…" with the name marked (see [`super::names`]), or nothing.
    pub fn typing_line(&self) -> String {
        match self.typing.as_slice() {
            [] => String::new(),
            [(one, _)] => format!("{} is typing…", isolated(&one.name)),
            [(one, _), (two, _)] => {
                format!("{} and {} are typing…", isolated(&one.name), isolated(&two.name))
            }
            _ => "Several people are typing…".to_owned(),
        }
    }
}

/// A name as lists are ordered by it.
fn folded(person: &Person) -> String {
    platform::lower(person.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::samples::{person, seq};
    use protocol::RoomSlug;

    fn update(entered: &[&str], left: &[&str], here: u32) -> PresenceUpdate {
        PresenceUpdate {
            room: RoomSlug::lobby(),
            entered: entered.iter().map(|name| person(name)).collect(),
            left: left.iter().map(|name| person(name)).collect(),
            here,
        }
    }

    fn typing(name: &str, typing: bool) -> TypingUpdate {
        TypingUpdate {
            room: RoomSlug::lobby(),
            person: person(name),
            typing,
        }
    }

    fn names(roster: &Roster) -> Vec<&str> {
        roster
            .list()
            .people
            .iter()
            .map(|person| person.name.as_str())
            .collect()
    }

    #[test]
    fn people_come_and_go_by_name_and_the_count_is_the_servers() {
        let you = person("you").id;
        let mut roster = Roster::default();
        roster.apply(update(&["you", "Cleo", "ada", "Bob"], &[], 4), &you, seq(3));
        assert_eq!(names(&roster), ["ada", "Bob", "Cleo", "you"]);
        roster.apply(update(&["Bob"], &["Cleo", "Dan"], 3), &you, seq(4));
        assert_eq!(names(&roster), ["ada", "Bob", "you"]);
        assert_eq!(roster.list().here, 3);
        let notes: Vec<_> = (roster.notes().iter())
            .map(|note| (note.person.name.as_str(), note.entered, note.after.get()))
            .collect();
        assert_eq!(
            notes,
            [
                ("Cleo", true, 3),
                ("ada", true, 3),
                ("Bob", true, 3),
                ("Cleo", false, 4)
            ],
            "neither Bob, who was here, nor Dan, who was not"
        );
    }

    #[test]
    fn beyond_the_named_people_everybody_who_leaves_is_news() {
        let mut roster = Roster::new(PresenceList {
            people: vec![person("ada")],
            here: 300,
        });
        roster.apply(update(&[], &["zoe"], 299), &person("you").id, seq(1));
        assert_eq!(roster.notes().len(), 1);
    }

    #[test]
    fn writing_is_forgotten_by_itself() {
        let mut roster = Roster::default();
        roster.typing(typing("Ada", true), 1_000);
        roster.typing(typing("Bob", true), 2_000);
        assert_eq!(
            roster.typing_line(),
            "\u{2068}Ada\u{2069} and \u{2068}Bob\u{2069} are typing…"
        );
        assert_eq!(roster.expire(2_500), Some(7_000));
        roster.typing(typing("Ada", true), 3_000);
        assert_eq!(roster.expire(8_500), Some(9_000), "Ada went on, Bob did not");
        assert_eq!(roster.typing_line(), "\u{2068}Ada\u{2069} is typing…");
        roster.typing(typing("Ada", false), 8_600);
        assert_eq!(roster.typing_line(), "");
        for name in ["a", "b", "c"] {
            roster.typing(typing(name, true), 1);
        }
        assert_eq!(roster.typing_line(), "Several people are typing…");
    }
}
