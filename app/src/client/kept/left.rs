//! Words of somebody who cannot be signed in here any more: the session has ended, and whoever signs in is another
//! person. They are offered to whoever uses this browser next, and never sent by themselves.

use protocol::{Person, RoomSlug};

use crate::client::json::Json;
use crate::client::storage::{self, Shelf};

/// A message that was not sent, or a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    shelf: Shelf,
    key: String,
    name: String,
    tab: String,
    room: RoomSlug,
    text: String,
}

impl Words {
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

/// All that one person left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What that person was called.
    pub name: String,
    words: Vec<Words>,
}

impl Left {
    /// What the first other person left whose tabs are gone. Where nobody knows which tabs live, all may be.
    fn of(mut found: Vec<Words>, you: &str, living: Option<&[String]>) -> Option<Self> {
        let lives = |words: &Words| living.is_some_and(|living| living.contains(&words.tab));
        found.retain(|words| words.author() != you && !lives(words));
        let first = found.first()?;
        let (author, name) = (first.author().to_owned(), first.name.clone());
        found.retain(|words| words.author() == author);
        Some(Self { name, words: found })
    }

    /// All of it as one text: what was said, and then the drafts.
    pub fn text(&self) -> String {
        let texts = self.words.iter().map(|words| words.text.clone());
        let all = texts.reduce(|all, text| format!("{all}\n\n{text}"));
        all.unwrap_or_default()
    }

    /// Forgets them.
    pub fn discard(&self) {
        for words in &self.words {
            storage::write(words.shelf, &words.key, None);
        }
    }
}

/// Looks for what others left here.
pub fn left_by_others(you: &Person, show: impl FnOnce(Left) + 'static) {
    let you = you.id.to_string();
    storage::read(Shelf::Outbox, "", move |unsent| {
        let read = |shelf, found: &[Json]| -> Vec<Words> {
            found.iter().filter_map(|kept| Words::read(shelf, kept)).collect()
        };
        let mut found = read(Shelf::Outbox, &unsent);
        storage::read(Shelf::Drafts, "", move |drafts| {
            found.extend(read(Shelf::Drafts, &drafts));
            if found.iter().all(|words| words.author() == you) {
                return;
            }
            storage::living_tabs(move |living| {
                if let Some(left) = Left::of(found, &you, living.as_deref()) {
                    show(left);
                }
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(author: &str, room: &str, tab: &str, text: &str) -> Words {
        Words {
            shelf: Shelf::Outbox,
            key: format!("{author}/{room}/{text}"),
            name: author.to_uppercase(),
            tab: tab.to_owned(),
            room: room.to_owned().try_into().unwrap(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_somebody_left_is_offered_and_what_a_living_tab_holds_is_not() {
        let found = vec![
            words("ada", "lobby", "gone", "one"),
            words("ada", "night", "gone", "two"),
            words("you", "lobby", "gone", "mine"),
            words("bo", "lobby", "gone", "bo's"),
            words("cleo", "lobby", "living", "hers"),
            words("ada", "lobby", "gone", "three"),
        ];
        let living = ["living".to_owned()];
        let left = Left::of(found.clone(), "you", Some(&living)).unwrap();
        assert_eq!(left.name, "ADA");
        assert_eq!(left.text(), "one\n\ntwo\n\nthree");
        assert_eq!(Left::of(found[4..5].to_vec(), "you", Some(&living)), None);
        assert_eq!(Left::of(found[2..3].to_vec(), "you", None), None);
    }
}
