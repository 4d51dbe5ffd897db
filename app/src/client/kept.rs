//! What is kept on this machine for each person and room: unsent messages and drafts, and how it is written there.

use protocol::{ClientId, PersonId, RoomSlug, Timestamp};

use super::json::Json;
use super::outbox::{Outbox, Pending, Stage, Unsaved};
use super::storage::{self, Fields, Shelf};

/// An unsent message that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// Which tab sends it, as long as that tab lives.
    pub tab: String,
    /// Where it was said.
    pub room: RoomSlug,
    item: Pending,
}

/// What was written and not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// Where the selection begins and ends: the same, if it is only a cursor.
    pub selection: (u32, u32),
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
            stage: kept.text("failed").map_or(Stage::Waiting, Stage::Failed),
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

fn fields(room: &RoomSlug, item: Pending) -> Fields {
    let mut fields = vec![
        ("tab", storage::tab()),
        ("room", room.to_string()),
        ("order", item.order.to_string()),
        ("client_id", item.client_id.to_string()),
        ("text", item.text.to_string()),
    ];
    if let Stage::Failed(why) = item.stage {
        fields.push(("failed", why));
    }
    fields
}

/// What this tab is to send of what was found: where, what, and whether this tab kept it itself.
pub fn own(found: Vec<KeptMessage>, tab: &str, living: Option<&[String]>) -> Vec<(RoomSlug, Pending, bool)> {
    let own = found.into_iter().filter(|kept| kept.is_for(tab, living));
    own.map(|kept| (kept.room, kept.item, kept.tab == tab)).collect()
}

/// Keeps what has changed in an outbox.
pub fn keep(person: &PersonId, room: &RoomSlug, outbox: &mut Outbox) {
    write(person, room, outbox.unsaved());
}

/// Writes what has changed.
pub fn write(person: &PersonId, room: &RoomSlug, changes: Vec<Unsaved>) {
    for change in changes {
        match change {
            Unsaved::Forget { order, client_id } => {
                storage::write(Shelf::Outbox, &key(person, room, order, &client_id), None);
            }
            Unsaved::Keep(item) => {
                let key = key(person, room, item.order, &item.client_id);
                storage::write(Shelf::Outbox, &key, Some(fields(room, item)));
            }
        }
    }
}

/// In the order in which they are to be sent.
fn key(person: &PersonId, room: &RoomSlug, order: u64, client_id: &ClientId) -> String {
    format!("{person}/{room}/{order:016}/{client_id}")
}

/// Keeps what is written, or forgets what was if that is nothing.
pub fn keep_draft(person: &PersonId, room: &RoomSlug, draft: Draft) {
    let fields = vec![
        ("room", room.to_string()),
        ("start", draft.selection.0.to_string()),
        ("end", draft.selection.1.to_string()),
        ("text", draft.text),
    ];
    let kept = fields.last().is_some_and(|(_, text)| !text.is_empty());
    storage::write(Shelf::Drafts, &draft_key(person, room), kept.then_some(fields));
}

fn draft_key(person: &PersonId, room: &RoomSlug) -> String {
    format!("{person}/{room}/")
}

/// The draft of a room, if there is one.
pub fn draft(person: &PersonId, room: &RoomSlug, show: impl FnOnce(Draft) + 'static) {
    let read = |kept: &Json| {
        let at = |name| kept.text(name)?.parse().ok();
        Some(Draft {
            text: kept.text("text")?,
            selection: (at("start")?, at("end")?),
        })
    };
    storage::read(Shelf::Drafts, &draft_key(person, room), move |found| {
        if let Some(draft) = found.first().and_then(read) {
            show(draft);
        }
    });
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
                stage: Stage::Waiting,
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
