//! What this device keeps for each person and room: the [`outbox`](item), [`draft`]s, and what other people [`left`]
//! here.

mod draft;
mod item;
mod left;

use client::outbox::{Outbox, Pending, Unsaved};
use protocol::{ClientId, Person, PersonId, RoomSlug};

use super::platform;
use super::storage::{self, Fields, Shelf};
pub use draft::{Draft, Taken, draft, has_draft, keep_draft};
pub use item::KeptMessage;
use item::fields;
pub use left::{Left, left_by_others};

/// The fields that messages and drafts share: whose they are, and which room and tab they belong to.
fn common_fields(person: &Person, room: &RoomSlug, key: &str) -> Fields {
    vec![
        ("key", key.to_owned()),
        ("name", person.name.to_string()),
        ("room", room.to_string()),
        ("tab", storage::tab()),
    ]
}

/// The messages that this tab should send: room, message, and whether this tab wrote it.
pub fn own(found: Vec<KeptMessage>, tab: &str, open: Option<&[String]>) -> Vec<(RoomSlug, Pending, bool)> {
    let own = found.into_iter().filter(|kept| kept.is_for(tab, open));
    own.map(|kept| (kept.room, kept.item, kept.tab == tab)).collect()
}

/// Stores the outbox's changes.
pub fn keep(person: &Person, room: &RoomSlug, outbox: &mut Outbox) {
    write(person, room, outbox.unsaved());
}

/// Stores these changes.
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

/// Reports whether this device keeps any message or draft of this person.
pub fn any(person: &PersonId, answer: impl FnOnce(bool) + 'static) {
    let prefix = format!("{person}/");
    storage::read(Shelf::Outbox, &prefix.clone(), move |unsent| {
        storage::read(Shelf::Drafts, &prefix, move |drafts| {
            answer(!(unsent.is_empty() && drafts.is_empty()));
        });
    });
}

/// Deletes everything that this device keeps of this person; if `for_good`, no tab keeps anything of them again. Then
/// loads a page.
pub fn forget(person: &PersonId, for_good: bool, next: String) {
    if for_good {
        storage::refuse(person.as_str());
    }
    let prefix = format!("{person}/");
    storage::clear(Shelf::Outbox, &prefix.clone(), move || {
        storage::clear(Shelf::Drafts, &prefix, move || platform::load(&next));
    });
}

/// Keys sort in the order in which the messages are to be sent.
fn key(person: &PersonId, room: &RoomSlug, order: u64, client_id: &ClientId) -> String {
    format!("{person}/{room}/{order:016}/{client_id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::outbox::SendState;
    use client::samples::{id, seq};
    use protocol::{Deed, Timestamp};

    #[test]
    fn a_message_is_sent_by_its_tab_or_by_another_once_that_is_closed() {
        let kept = |tab: &str| KeptMessage {
            tab: tab.to_owned(),
            room: RoomSlug::lobby(),
            item: Pending {
                client_id: id(tab),
                deed: Deed::Deleted {
                    client_id: id(tab),
                    of: seq(1),
                },
                epoch: None,
                at: Timestamp(1),
                order: 1,
                state: SendState::Waiting,
            },
        };
        let names = |open: Option<&[String]>| -> Vec<(String, bool)> {
            let found = vec![kept("me"), kept("open"), kept("closed")];
            let own = own(found, "me", open).into_iter();
            own.map(|(_, item, mine)| (item.client_id.as_str().to_owned(), mine))
                .collect()
        };
        let open = ["open".to_owned(), "me".to_owned()];
        assert_eq!(
            names(Some(&open)),
            [("me".to_owned(), true), ("closed".to_owned(), false)]
        );
        assert_eq!(names(None).len(), 3, "open tabs are unknown");
    }

    #[test]
    fn keys_sort_as_the_messages_were_written() {
        let person = client::samples::person("ada").id;
        let key = |order| key(&person, &RoomSlug::lobby(), order, &id("x"));
        assert!(key(9) < key(10) && key(10) < key(1_790_000_000_000));
    }
}
