//! Unsent text of people whose session has ended; signing in again creates another person. The page offers it to the
//! next person in this browser and never sends it by itself.

use protocol::{Person, RoomSlug};

use crate::client::json::Json;
use crate::client::storage::{self, Shelf};

/// An unsent message or a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
struct UnsentText {
    shelf: Shelf,
    key: String,
    name: String,
    tab: String,
    room: RoomSlug,
    text: String,
}

impl UnsentText {
    fn read(shelf: Shelf, kept: &Json) -> Option<Self> {
        Some(Self {
            shelf,
            key: kept.text("key")?,
            name: kept.text("name")?,
            tab: kept.text("tab")?,
            room: kept.text("room")?.try_into().ok()?,
            text: kept.text("text")?,
        })
    }

    fn author(&self) -> &str {
        self.key.split('/').next().unwrap_or_default()
    }
}

/// All unsent text of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// That person's name.
    pub name: String,
    texts: Vec<UnsentText>,
}

impl Left {
    /// The unsent text of the first other person, without that of open tabs. If the browser cannot list open tabs,
    /// every tab counts as closed.
    fn of(mut found: Vec<UnsentText>, you: &str, open: Option<&[String]>) -> Option<Self> {
        let is_open = |one: &UnsentText| open.is_some_and(|open| open.contains(&one.tab));
        found.retain(|one| one.author() != you && !is_open(one));
        let first = found.first()?;
        let (author, name) = (first.author().to_owned(), first.name.clone());
        found.retain(|one| one.author() == author);
        Some(Self { name, texts: found })
    }

    /// All of it as one text: messages first, then drafts.
    pub fn text(&self) -> String {
        let texts = self.texts.iter().map(|one| one.text.clone());
        let all = texts.reduce(|all, text| format!("{all}\n\n{text}"));
        all.unwrap_or_default()
    }

    /// Deletes it from this device.
    pub fn discard(&self) {
        for one in &self.texts {
            storage::write(one.shelf, &one.key, None);
        }
    }
}

/// Looks for unsent text of other people and passes one person's to `show`.
pub fn left_by_others(you: &Person, show: impl FnOnce(Left) + 'static) {
    let you = you.id.to_string();
    storage::read(Shelf::Outbox, "", move |unsent| {
        let read = |shelf, found: &[Json]| -> Vec<UnsentText> {
            found
                .iter()
                .filter_map(|kept| UnsentText::read(shelf, kept))
                .collect()
        };
        let mut found = read(Shelf::Outbox, &unsent);
        storage::read(Shelf::Drafts, "", move |drafts| {
            found.extend(read(Shelf::Drafts, &drafts));
            if found.iter().all(|one| one.author() == you) {
                return;
            }
            storage::open_tabs(move |open| {
                if let Some(left) = Left::of(found, &you, open.as_deref()) {
                    show(left);
                }
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(author: &str, room: &str, tab: &str, text: &str) -> UnsentText {
        UnsentText {
            shelf: Shelf::Outbox,
            key: format!("{author}/{room}/{text}"),
            name: author.to_uppercase(),
            tab: tab.to_owned(),
            room: room.to_owned().try_into().unwrap(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn unsent_text_of_closed_tabs_is_offered_and_that_of_open_tabs_is_not() {
        let found = vec![
            unsent("ada", "lobby", "closed", "one"),
            unsent("ada", "night", "closed", "two"),
            unsent("you", "lobby", "closed", "mine"),
            unsent("bo", "lobby", "closed", "bo's"),
            unsent("cleo", "lobby", "open", "hers"),
            unsent("ada", "lobby", "closed", "three"),
        ];
        let open = ["open".to_owned()];
        let left = Left::of(found.clone(), "you", Some(&open)).unwrap();
        assert_eq!(left.name, "ADA");
        assert_eq!(left.text(), "one\n\ntwo\n\nthree");
        assert_eq!(Left::of(found[4..5].to_vec(), "you", Some(&open)), None);
        assert_eq!(Left::of(found[2..3].to_vec(), "you", None), None);
    }
}
