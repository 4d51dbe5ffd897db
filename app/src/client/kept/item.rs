//! One item of an outbox as it is stored: flat, with texts only.

use client::outbox::{Failed, Pending, SendState};
use protocol::{ClientId, Deed, Epoch, Person, RoomSlug, Timestamp};

use protocol::write::Write;

use super::common_fields;
use crate::client::json::Json;
use crate::client::storage::Fields;

/// An unsent message, or something else that is not stored yet, from this device's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    /// The tab that sends it, while that tab is open.
    pub tab: String,
    /// The room it is for.
    pub room: RoomSlug,
    /// The item.
    pub(super) item: Pending,
}

impl KeptMessage {
    /// Reads what [`fields`] wrote. Returns `None` if a later version wrote it.
    pub fn read(kept: &Json) -> Option<Self> {
        let text = |name: &str| kept.text(name);
        let order = text("order")?.parse().ok()?;
        let client_id: ClientId = text("client_id")?.try_into().ok()?;
        let item = Pending {
            deed: deed(client_id.clone(), text, |deed| Json::parse(deed)?.read())?,
            client_id,
            epoch: epoch(text),
            at: Timestamp(order),
            order,
            state: text("failed").map_or(SendState::Waiting, |why| {
                SendState::Failed(Failed {
                    why,
                    hopeless: kept.get("hopeless").is_some(),
                })
            }),
        };
        Some(Self {
            tab: text("tab")?,
            room: text("room")?.try_into().ok()?,
            item,
        })
    }

    /// True if this tab should send it: it wrote the message, or the tab that did is closed. If the browser cannot list
    /// open tabs, every tab sends it; the server stores it once.
    pub(super) fn is_for(&self, tab: &str, open: Option<&[String]>) -> bool {
        self.tab == tab || open.is_none_or(|open| !open.contains(&self.tab))
    }
}

/// The fields of an item.
pub fn fields(person: &Person, room: &RoomSlug, key: &str, item: Pending) -> Fields {
    let mut fields = common_fields(person, room, key);
    fields.push(("order", item.order.to_string()));
    fields.extend(deed_fields(item.deed, item.epoch));
    if let SendState::Failed(Failed { why, hopeless }) = item.state {
        fields.push(("failed", why));
        if hopeless {
            fields.push(("hopeless", String::new()));
        }
    }
    fields
}

/// The fields of a deed that was done in this epoch: of a message as in the first version, of anything else its JSON.
fn deed_fields(deed: Deed, epoch: Option<Epoch>) -> Fields {
    let mut fields: Fields = Vec::new();
    fields.extend(epoch.map(|epoch| ("epoch", epoch.to_string())));
    fields.extend(deed.client_id().map(|id| ("client_id", id.to_string())));
    if let Deed::Posted { text, reply_to, .. } = deed {
        fields.push(("text", text.to_string()));
        fields.extend(reply_to.map(|seq| ("reply_to", seq.to_string())));
    } else {
        fields.push(("deed", deed.json()));
    }
    fields
}

/// The epoch in which a deed was done. Earlier versions did not store it.
fn epoch(field: impl Fn(&str) -> Option<String>) -> Option<Epoch> {
    field("epoch")?.try_into().ok()
}

/// Reads what [`deed_fields`] wrote.
fn deed(
    client_id: ClientId,
    field: impl Fn(&str) -> Option<String>,
    parse: impl Fn(&str) -> Option<Deed>,
) -> Option<Deed> {
    match field("deed") {
        Some(deed) => parse(&deed).filter(|deed| deed.client_id() == Some(&client_id)),
        None => Some(Deed::Posted {
            client_id,
            text: field("text")?.try_into().ok()?,
            reply_to: field("reply_to").and_then(|seq| seq.parse::<u64>().ok()?.try_into().ok()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::samples::{self, id, seq, text};
    use protocol::Emoji;

    #[test]
    fn a_deed_is_read_as_it_was_written() {
        let client_id = || id("c1");
        for deed in [
            Deed::Posted {
                client_id: client_id(),
                text: text("hello"),
                reply_to: None,
            },
            Deed::Posted {
                client_id: client_id(),
                text: text("hello"),
                reply_to: Some(seq(3)),
            },
            Deed::Edited {
                client_id: client_id(),
                of: seq(3),
                text: text("hello"),
            },
            Deed::Deleted {
                client_id: client_id(),
                of: seq(3),
            },
            Deed::Reacted {
                client_id: client_id(),
                to: seq(3),
                emoji: Emoji::kept("👍".to_owned()),
                on: true,
            },
            Deed::Reacted {
                client_id: client_id(),
                to: seq(3),
                emoji: Emoji::kept("👍".to_owned()),
                on: false,
            },
            Deed::Titled {
                client_id: client_id(),
                title: "Night shift".to_owned().try_into().unwrap(),
            },
        ] {
            for seen in [None, Some(samples::epoch(1))] {
                let fields = deed_fields(deed.clone(), seen.clone());
                assert_eq!(read(&fields), Some((deed.clone(), seen)));
            }
        }
    }

    /// Reads a deed as storage holds it.
    fn read(fields: &[(&str, String)]) -> Option<(Deed, Option<Epoch>)> {
        let field = |name: &str| {
            fields
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone())
        };
        let deed = deed(field("client_id")?.try_into().ok()?, field, |deed| {
            serde_json::from_str(deed).ok()
        });
        Some((deed?, epoch(field)))
    }

    #[test]
    fn messages_of_the_first_version_are_read_and_items_of_later_ones_skipped() {
        let stored = |more: &[(&'static str, &str)]| {
            let first = [("client_id", "c1"), ("text", "hello"), ("order", "7")];
            let fields: Vec<_> = first
                .iter()
                .chain(more)
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect();
            read(&fields)
        };
        let expected = Deed::Posted {
            client_id: id("c1"),
            text: text("hello"),
            reply_to: None,
        };
        assert_eq!(stored(&[]), Some((expected, None)));
        let pinned = r#"{"type":"pinned","client_id":"c1","of":3}"#;
        assert_eq!(stored(&[("deed", pinned)]), None);
        assert_eq!(stored(&[("deed", "not JSON")]), None);
    }
}
