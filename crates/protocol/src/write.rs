//! Writes commands as JSON without serde, for the browser: see [`crate::read`].

use crate::ids::{ClientId, Epoch, RoomSlug, Seq};
use crate::log::Deed;
use crate::text::{Emoji, MessageText, RoomTitle};
use crate::{CreateRoom, History, Join, Leave, ListRooms, Outgoing, Position, Send, Typing};

/// A value that can be written as JSON.
pub trait Write {
    /// Appends the value.
    fn write(&self, json: &mut String);

    /// True if it is left out of an object.
    fn is_absent(&self) -> bool {
        false
    }

    /// The value as JSON.
    fn json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }
}

/// Appends an object with these members.
fn object(json: &mut String, members: &[(&str, &dyn Write)]) {
    let mut before = '{';
    for (name, value) in members.iter().filter(|(_, value)| !value.is_absent()) {
        json.push(before);
        text(json, name);
        json.push(':');
        value.write(json);
        before = ',';
    }
    json.push_str(if before == '{' { "{}" } else { "}" });
}

fn text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            // Nothing that is sent has other control characters.
            _ if c.is_control() => json.push(' '),
            _ => json.push(c),
        }
    }
    json.push('"');
}

macro_rules! write {
    ($($type:ident { $($field:ident),* })+) => {
        $(impl Write for $type {
            fn write(&self, json: &mut String) {
                object(json, &[$((stringify!($field), &self.$field)),*]);
            }
        })+
    };
}

write! {
    Join { room, from }
    Leave { room }
    Typing { room, typing }
    History { room, before, after }
    CreateRoom { title }
    ListRooms { }
    Send { room, messages }
    Outgoing { client_id, text, reply_to, epoch }
    Position { epoch, seq }
}

macro_rules! texts {
    ($($type:ident)+) => {
        $(impl Write for $type {
            fn write(&self, json: &mut String) {
                text(json, self.as_str());
            }
        })+
    };
}

texts! { RoomSlug ClientId Epoch RoomTitle MessageText Emoji }

impl Write for &str {
    fn write(&self, json: &mut String) {
        text(json, self);
    }
}

impl Write for Seq {
    fn write(&self, json: &mut String) {
        json.push_str(&self.get().to_string());
    }
}

impl Write for bool {
    fn write(&self, json: &mut String) {
        json.push_str(if *self { "true" } else { "false" });
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, json: &mut String) {
        if let Some(value) = self {
            value.write(json);
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, json: &mut String) {
        let mut before = '[';
        for value in self {
            json.push(before);
            value.write(json);
            before = ',';
        }
        json.push_str(if before == '[' { "[]" } else { "]" });
    }
}

impl Write for Deed {
    fn write(&self, json: &mut String) {
        deed(json, None, None, self);
    }
}

/// The payload of the command for a deed: the deed itself, with its room and the epoch in which it was done. Servers
/// ignore that it has a `type`, too.
pub fn command(room: &RoomSlug, epoch: Option<&Epoch>, what: &Deed) -> String {
    let mut json = String::new();
    deed(&mut json, Some(room), epoch, what);
    json
}

fn deed(json: &mut String, room: Option<&RoomSlug>, epoch: Option<&Epoch>, deed: &Deed) {
    let room: &dyn Write = &room.cloned();
    let epoch: &dyn Write = &epoch.cloned();
    let kind = |kind: &'static str| kind;
    let id: &dyn Write = &deed.client_id().cloned();
    let mut whole = |name: &'static str, more: &[(&str, &dyn Write)]| {
        let name = kind(name);
        let mut members: Vec<(&str, &dyn Write)> = vec![
            ("room", room),
            ("epoch", epoch),
            ("type", &name),
            ("client_id", id),
        ];
        members.extend(more);
        object(json, &members);
    };
    match deed {
        Deed::Posted { text, reply_to, .. } => whole("posted", &[("text", text), ("reply_to", reply_to)]),
        Deed::Edited { of, text, .. } => whole("edited", &[("of", of), ("text", text)]),
        Deed::Deleted { of, .. } => whole("deleted", &[("of", of)]),
        Deed::Reacted { to, emoji, on, .. } => whole("reacted", &[("to", to), ("emoji", emoji), ("on", on)]),
        Deed::Titled { title, .. } => whole("titled", &[("title", title)]),
        Deed::Unknown => whole("unknown", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_serde_writes() {
        let room = RoomSlug::lobby();
        let seq = |n: u64| Seq::try_from(n).unwrap();
        let id = || ClientId::try_from("c1".to_owned()).unwrap();
        let text = || MessageText::try_from("\"a\\b\"\n\tü🦉".to_owned()).unwrap();
        let from = Position {
            epoch: Epoch::from_random(1),
            seq: seq((1 << 53) - 1),
        };
        macro_rules! alike {
            ($($value:expr),+ $(,)?) => {
                $(assert_eq!($value.json(), serde_json::to_string(&$value).unwrap());)+
            };
        }
        let message = |reply_to: Option<Seq>| Outgoing {
            client_id: id(),
            text: text(),
            epoch: reply_to.map(|_| from.epoch.clone()),
            reply_to,
        };
        alike!(
            Join {
                room: room.clone(),
                from: Some(from.clone())
            },
            Join {
                room: room.clone(),
                from: None
            },
            Leave { room: room.clone() },
            Typing {
                room: room.clone(),
                typing: true
            },
            History {
                room: room.clone(),
                before: None,
                after: Some(seq(0))
            },
            CreateRoom {
                title: RoomTitle::try_from("\"x\"".to_owned()).unwrap()
            },
            ListRooms {},
            Send {
                room: room.clone(),
                messages: vec![message(None), message(Some(seq(3)))]
            },
            Send {
                room: room.clone(),
                messages: vec![]
            },
        );
        let emoji = Emoji::try_from("👍".to_owned()).unwrap();
        let title = RoomTitle::try_from("Night shift".to_owned()).unwrap();
        for deed in [
            Deed::Posted {
                client_id: id(),
                text: text(),
                reply_to: Some(seq(3)),
            },
            Deed::Edited {
                client_id: id(),
                of: seq(3),
                text: text(),
            },
            Deed::Deleted {
                client_id: id(),
                of: seq(3),
            },
            Deed::Reacted {
                client_id: id(),
                to: seq(3),
                emoji,
                on: false,
            },
            Deed::Titled {
                client_id: id(),
                title,
            },
        ] {
            alike!(deed);
            let with = |first: &str| deed.json().replacen('{', first, 1);
            assert_eq!(command(&room, None, &deed), with("{\"room\":\"lobby\","));
            let epoch = Epoch::try_from("e1".to_owned()).unwrap();
            let expected = with("{\"room\":\"lobby\",\"epoch\":\"e1\",");
            assert_eq!(command(&room, Some(&epoch), &deed), expected);
        }
    }
}
