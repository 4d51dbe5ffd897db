//! What is kept on this machine for each person and room: unsent messages, [`draft`]s, and what others [`left`] here.

mod draft;
mod left;

use protocol::{ClientId, Person, PersonId, RoomSlug, Timestamp};

use super::json::Json;
use super::outbox::{Failed, Outbox, Pending, SendState, Unsaved};
use super::storage::{self, Fields, Shelf};
pub use draft::{Draft, draft, has_draft, keep_draft};
pub use left::{Left, left_by_others};

/// An unsent message that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Which tab sends it, as long as that tab lives.
    pub tab: String,
    /// Where it was said.
    pub room: RoomSlug,
    item: Pending,
}

impl KeptMessage {
    /// What was written by [`fields`]; nothing, if it is of another version.
    pub fn read(kept: &Json) -> Option<Self> {
        let order = kept.text("order")?.parse().ok()?;
        let item = Pending {
            client_id: kept.text("client_id")?.try_into().ok()?,
            text: kept.text("text")?.try_into().ok()?,
            at: Timestamp(order),
            order,
            state: kept.text("failed").map_or(SendState::Waiting, |why| {
                SendState::Failed(Failed {
                    why,
                    hopeless: kept.get("hopeless").is_some(),
                })
            }),
        };
        Some(Self {
            tab: kept.text("tab")?,
            room: kept.text("room")?.try_into().ok()?,
            item,
        })
    }

    /// Whether this tab is the one to send it. What belongs to a tab that is gone belongs to whoever finds it. Where
    /// nobody knows which tabs live, all send: the server stores it once.
    fn is_for(&self, tab: &str, living: Option<&[String]>) -> bool {
        self.tab == tab || living.is_none_or(|living| !living.contains(&self.tab))
    }
}

fn fields(person: &Person, room: &RoomSlug, key: &str, item: Pending) -> Fields {
    let mut fields = words(person, room, key);
    fields.extend([
        ("order", item.order.to_string()),
        ("client_id", item.client_id.to_string()),
        ("text", item.text.to_string()),
    ]);
    if let SendState::Failed(Failed { why, hopeless }) = item.state {
        fields.push(("failed", why));
        if hopeless {
            fields.push(("hopeless", String::new()));
        }
    }
    fields
}

/// What is kept of all words, whether they were said or not: whose they are, and where they belong.
fn words(person: &Person, room: &RoomSlug, key: &str) -> Fields {
    vec![
        ("key", key.to_owned()),
        ("name", person.name.to_string()),
        ("room", room.to_string()),
        ("tab", storage::tab()),
    ]
}

/// What this tab is to send of what was found: where, what, and whether this tab kept it itself.
pub fn own(found: Vec<KeptMessage>, tab: &str, living: Option<&[String]>) -> Vec<(RoomSlug, Pending, bool)> {
    let own = found.into_iter().filter(|kept| kept.is_for(tab, living));
    own.map(|kept| (kept.room, kept.item, kept.tab == tab)).collect()
}

/// Keeps what has changed in an outbox.
pub fn keep(person: &Person, room: &RoomSlug, outbox: &mut Outbox) {
    write(person, room, outbox.unsaved());
}

/// Writes what has changed.
pub fn write(person: &Person, room: &RoomSlug, changes: Vec<Unsaved>) {
    for change in changes {
        match change {
            Unsaved::Forget { order, client_id } => {
                storage::write(Shelf::Outbox, &key(&person.id, room, order, &client_id), None);
            }
            Unsaved::Keep(item) => {
                let key = key(&person.id, room, item.order, &item.client_id);
                storage::write(Shelf::Outbox, &key, Some(fields(person, room, &key, item)));
            }
        }
    }
}

/// Whether anything of this person is kept.
pub fn any(person: &PersonId, answer: impl FnOnce(bool) + 'static) {
    let prefix = format!("{person}/");
    storage::read(Shelf::Outbox, &prefix.clone(), move |unsent| {
        storage::read(Shelf::Drafts, &prefix, move |drafts| {
            answer(!(unsent.is_empty() && drafts.is_empty()));
        });
    });
}

/// Forgets everything of this person.
pub fn forget(person: &PersonId, done: impl FnOnce() + 'static) {
    let prefix = format!("{person}/");
    storage::clear(Shelf::Outbox, &prefix.clone(), move || {
        storage::clear(Shelf::Drafts, &prefix, done);
    });
}

/// In the order in which they are to be sent.
fn key(person: &PersonId, room: &RoomSlug, order: u64, client_id: &ClientId) -> String {
    format!("{person}/{room}/{order:016}/{client_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::samples::{id, text};

    #[test]
    fn a_message_is_sent_by_the_tab_that_wrote_it_or_by_an_heir() {
        let kept = |tab: &str| KeptMessage {
            tab: tab.to_owned(),
            room: RoomSlug::lobby(),
            item: Pending {
                client_id: id(tab),
                text: text("hello"),
                at: Timestamp(1),
                order: 1,
                state: SendState::Waiting,
            },
        };
        let names = |living: Option<&[String]>| -> Vec<(String, bool)> {
            let found = vec![kept("me"), kept("living"), kept("gone")];
            let own = own(found, "me", living).into_iter();
            own.map(|(_, item, mine)| (item.client_id.as_str().to_owned(), mine))
                .collect()
        };
        let living = ["living".to_owned(), "me".to_owned()];
        assert_eq!(
            names(Some(&living)),
            [("me".to_owned(), true), ("gone".to_owned(), false)]
        );
        assert_eq!(names(None).len(), 3, "nobody knows who lives");
    }

    #[test]
    fn keys_sort_as_the_messages_were_written() {
        let person = crate::client::samples::person("ada").id;
        let key = |order| key(&person, &RoomSlug::lobby(), order, &id("x"));
        assert!(key(9) < key(10) && key(10) < key(1_790_000_000_000));
    }
}
