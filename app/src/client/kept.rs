//! What this device keeps for each person and room: unsent messages, [`draft`]s, and what other people [`left`] here.

mod draft;
mod left;

use client::outbox::{Failed, Outbox, Pending, SendState, Unsaved};
use protocol::{ClientId, Person, PersonId, RoomSlug, Timestamp};

use super::json::Json;
use super::platform;
use super::storage::{self, Fields, Shelf};
pub use draft::{Draft, draft, has_draft, keep_draft};
pub use left::{Left, left_by_others};

/// An unsent message from storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// The tab that sends it, while that tab is open.
    pub tab: String,
    /// The room it is for.
    pub room: RoomSlug,
    item: Pending,
}

impl KeptMessage {
    /// Reads what [`fields`] wrote. Returns `None` if another version wrote it.
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

    /// True if this tab should send it: it wrote the message, or the tab that did is closed. If the browser cannot list
    /// open tabs, every tab sends it; the server stores it once.
    fn is_for(&self, tab: &str, open: Option<&[String]>) -> bool {
        self.tab == tab || open.is_none_or(|open| !open.contains(&self.tab))
    }
}

fn fields(person: &Person, room: &RoomSlug, key: &str, item: Pending) -> Fields {
    let mut fields = common_fields(person, room, key);
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
    use client::samples::{id, text};

    #[test]
    fn a_message_is_sent_by_its_tab_or_by_another_once_that_is_closed() {
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
