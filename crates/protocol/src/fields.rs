//! The fields that [`crate::read`] reads of the protocol's types. A test compares them with serde's.

use crate::error::{ErrorCode, Refusal};
use crate::event::{ComeBack, Events, PresenceUpdate, Reset, RosterUpdate, TypingUpdate};
use crate::ids::{ClientId, Epoch, PersonId, RoomSlug, Seq, Timestamp};
use crate::read;
use crate::read::{Json, Read, member};
use crate::text::{DisplayName, Emoji, MessageText, RoomTitle};
use crate::{
    Covers, EventStretch, Joined, Limits, Message, MessagePage, Person, Position, PresenceList, Reaction,
    Receipt, Receipts, RoomList, RoomSummary,
};

read! {
    Person { id, name }
    PresenceList { people, here, stale }
    PresenceUpdate { room, entered, left, here }
    RosterUpdate { room, roster }
    TypingUpdate { room, person, typing }
    Reset { room }
    ComeBack { after_ms }
    Limits { message_chars, command_bytes }
    Position { epoch, seq }
    Receipt { client_id, epoch, seq }
    Receipts { receipts }
    RoomSummary { room, title, here, last_at }
    RoomList { rooms, total }
    Refusal { code, message, retry_after_ms, room }
    Message { seq, rev, at, by, client_id, text, reply_to, edited_at, deleted, reactions }
    Covers { epoch, first, last }
    MessagePage { covers, head, messages, people, more }
    EventStretch { epoch, events, people, more }
    Events { events, people }
    Joined { room, title, head, page, events, people, more, roster }
}

impl Read for Reaction {
    fn read<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            emoji: member(json, "emoji")?,
            by: member(json, "by")?,
        })
    }

    fn absent_list() -> Option<Vec<Self>> {
        Some(Vec::new())
    }
}

macro_rules! simple {
    ($($type:ty: $json:ident => $value:expr;)+) => {
        $(impl Read for $type {
            fn read<J: Json>($json: &J) -> Option<Self> {
                $value
            }
        })+
    };
}

simple! {
    Seq: json => json.number()?.try_into().ok();
    Timestamp: json => json.number().map(Self);
    RoomSlug: json => json.text()?.try_into().ok();
    PersonId: json => json.text()?.try_into().ok();
    ClientId: json => json.text()?.try_into().ok();
    Epoch: json => json.text()?.try_into().ok();
    DisplayName: json => json.text().map(Self::kept);
    RoomTitle: json => json.text().map(Self::kept);
    MessageText: json => json.text().map(Self::kept);
    Emoji: json => json.text().map(Self::stored);
    ErrorCode: json => json.text().map(|name| Self::named(&name));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    impl Json for Value {
        fn get(&self, name: &str) -> Option<Self> {
            self.as_object()?
                .get(name)
                .filter(|value| !value.is_null())
                .cloned()
        }

        fn text(&self) -> Option<String> {
            self.as_str().map(ToOwned::to_owned)
        }

        fn number(&self) -> Option<u64> {
            self.as_u64()
        }

        fn bool(&self) -> Option<bool> {
            self.as_bool()
        }

        fn items(&self) -> Option<Vec<Self>> {
            self.as_array().cloned()
        }
    }

    #[test]
    fn what_serde_reads_is_read_alike() {
        let person = json!({"id": "p1", "name": "Ada"});
        let event = json!({"room": "lobby", "epoch": "e1", "seq": 2, "at": 5, "by": "p1", "type": "edited",
            "client_id": "c2", "of": 1, "text": "new"});
        let messages = json!([
            {"seq": 1, "rev": 2, "at": 5, "by": "p1", "client_id": "c1", "text": "hi", "edited_at": 6,
                "reply_to": 1, "reactions": [{"emoji": "👍", "by": ["p1"]}]},
            {"seq": 3, "rev": 4, "at": 7, "by": "p1", "client_id": "c3", "text": "", "deleted": true},
        ]);
        let page = json!({"covers": {"epoch": "e1", "first": 1, "last": 4}, "head": 4, "messages": messages,
            "people": [person], "more": true});
        let roster = json!({"people": [person], "here": 1});
        let head = json!({"epoch": "e1", "seq": 4});
        for page in [page, Value::Null] {
            let joined = json!({"room": "lobby", "title": "Lobby", "head": head, "page": page, "events": [event],
                "people": [person], "more": false, "roster": roster});
            let expected: Joined = serde_json::from_value(joined.clone()).unwrap();
            assert_eq!(Joined::read(&joined), Some(expected));
        }
        let list =
            json!({"rooms": [{"room": "lobby", "title": "Lobby", "here": 0, "last_at": null}], "total": 1});
        let expected: RoomList = serde_json::from_value(list.clone()).unwrap();
        assert_eq!(RoomList::read(&list), Some(expected));
        let unfit = json!({"rooms": [{"room": "not a slug", "title": "x", "here": 0}], "total": 1});
        assert_eq!(RoomList::read(&unfit), None);
    }

    #[test]
    fn a_receipt_is_not_taken_for_a_list_without_any() {
        let receipt = json!({"client_id": "c1", "epoch": "e1", "seq": 3});
        assert_eq!(Receipts::read(&receipt), None);
        assert!(Receipt::read(&receipt).is_some());
        assert!(serde_json::from_value::<Receipts>(receipt).is_err());
        let one = Receipts::read(&json!({"receipts": [{"client_id": "c1", "epoch": "e1", "seq": 3}]}));
        assert_eq!(one.map(|all| all.receipts.len()), Some(1));
    }

    #[test]
    fn every_code_has_its_name() {
        for name in [
            "bad_request",
            "room_not_found",
            "not_found",
            "forbidden",
            "gone",
            "internal",
            "reload",
        ] {
            let refusal = json!({"code": name, "message": "why", "retry_after_ms": 5});
            let expected: Refusal = serde_json::from_value(refusal.clone()).unwrap();
            assert_eq!(Refusal::read(&refusal), Some(expected));
        }
        // An older client shows the sentence, and does not try for ever.
        let later = Refusal::read(&json!({"code": "later", "message": "why"}));
        assert_eq!(later, Some(Refusal::new(ErrorCode::Internal, "why")));
    }
}
