//! Who is in the room, who is typing, and who came and went while the page was open.

use protocol::limits::ROSTER_PEOPLE;
use protocol::{Person, PersonId, PresenceList, PresenceUpdate, Seq, TypingUpdate};

use super::names::isolated;

/// Typing expires after this many milliseconds without an update.
pub const TYPING_MS: u64 = 6_000;

/// Maximum number of arrivals and departures remembered.
const NOTES: usize = 400;

/// A person entered or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The newest event of the log at that moment.
    pub after: Seq,
    /// The person.
    pub person: Person,
    /// True if the person entered, false if they left.
    pub entered: bool,
}

/// The people of a room, as far as the client knows.
#[derive(Clone, Debug)]
pub struct Roster {
    list: PresenceList,
    typing: Vec<(Person, u64)>,
    notes: Vec<Note>,
    lower: fn(&str) -> String,
}

impl Roster {
    /// Starts from the list in a page or in the answer to `join`. `lower` converts names to lower case, to sort by: the
    /// browser has the Unicode tables for it.
    pub fn new(list: PresenceList, lower: fn(&str) -> String) -> Self {
        Self {
            list,
            typing: Vec::new(),
            notes: Vec::new(),
            lower,
        }
    }

    /// The people, ordered by name, and their count.
    pub fn list(&self) -> &PresenceList {
        &self.list
    }

    /// Arrivals and departures, oldest first.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Replaces the list without notes about the difference.
    pub fn replace(&mut self, list: PresenceList) {
        self.list = list;
        self.typing.clear();
    }

    /// Applies an update. Adds a note for each person who entered or left, but not for `you`.
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
            let name = self.sort_key(&person);
            let at = (self.list.people).partition_point(|known| self.sort_key(known) <= name);
            self.list.people.insert(at, person);
        }
    }

    /// The sort key of a name.
    fn sort_key(&self, person: &Person) -> String {
        (self.lower)(person.name.as_str())
    }

    /// A person started or stopped typing.
    pub fn typing(&mut self, update: TypingUpdate, now: u64) {
        self.stopped(&update.person.id);
        if update.typing {
            self.typing.push((update.person, now + TYPING_MS));
        }
    }

    /// The person stopped typing, or sent the message.
    pub fn stopped(&mut self, person: &PersonId) {
        self.typing.retain(|(known, _)| known.id != *person);
    }

    /// Removes expired entries, and returns when the next one expires.
    pub fn expire(&mut self, now: u64) -> Option<u64> {
        self.typing.retain(|(_, until)| *until > now);
        self.typing.iter().map(|(_, until)| *until).min()
    }

    /// "Ada is typing…", with the name marked (see [`super::names`]). Empty if no person is typing.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{person, seq};
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

    fn empty() -> Roster {
        Roster::new(PresenceList::default(), str::to_lowercase)
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
        let mut roster = empty();
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
    fn people_beyond_the_named_ones_leave_a_note_too() {
        let list = PresenceList {
            people: vec![person("ada")],
            here: 300,
            stale: false,
        };
        let mut roster = Roster::new(list, str::to_lowercase);
        roster.apply(update(&[], &["zoe"], 299), &person("you").id, seq(1));
        assert_eq!(roster.notes().len(), 1);
    }

    #[test]
    fn typing_expires() {
        let mut roster = empty();
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
