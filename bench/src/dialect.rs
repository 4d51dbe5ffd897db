//! What each server is told: the same things in its own protocol.

use serde_json::{Value, json};

/// Which protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Hubbub's `/chat`.
    Hubbub,
    /// `bench/peers`: rooms on the default namespace.
    Rooms,
    /// The public chat example, on the default namespace: one room, in which people do not receive their own messages.
    Example,
}

impl Dialect {
    /// The first packet of a connection.
    pub fn connect(self, name: &str, token: Option<&str>) -> String {
        match (self, token) {
            (Self::Hubbub, None) => r#"40/chat,{"protocol":2}"#.to_owned(),
            (Self::Hubbub, Some(token)) => format!("40/chat,{}", json!({ "protocol": 2, "token": token })),
            (Self::Rooms, _) => format!("40{}", json!({ "name": name })),
            (Self::Example, _) => "40".to_owned(),
        }
    }

    /// The beginning of the answer to it.
    pub fn connected(self) -> &'static [u8] {
        match self {
            Self::Hubbub => b"40/chat,",
            Self::Rooms | Self::Example => b"40{",
        }
    }

    /// A command with an acknowledgement.
    pub fn ask(self, id: u32, command: &str, argument: &Value) -> String {
        let event = json!([command, argument]);
        match self {
            Self::Hubbub => format!("42/chat,{id}{event}"),
            Self::Rooms | Self::Example => format!("42{id}{event}"),
        }
    }

    /// `join`, or whatever makes a person a member.
    pub fn join(self, id: u32, room: &str, name: &str) -> String {
        match self {
            Self::Hubbub => self.ask(id, "join", &json!({ "room": room })),
            Self::Rooms => self.ask(id, "join", &json!(room)),
            Self::Example => self.ask(id, "add user", &json!(name)),
        }
    }

    /// One message.
    pub fn message(self, id: u32, room: &str, client_id: &str, text: &str) -> String {
        // Formatted by hand because it runs thousands of times a second. No value in it needs escaping.
        match self {
            Self::Hubbub => format!(
                r#"42/chat,{id}["send",{{"room":"{room}","messages":[{{"client_id":"{client_id}","text":"{text}"}}]}}]"#
            ),
            Self::Example => format!(r#"42{id}["new message","{text}"]"#),
            Self::Rooms => {
                format!(r#"42{id}["message",{{"room":"{room}","client_id":"{client_id}","text":"{text}"}}]"#)
            }
        }
    }

    /// Parses a packet: the answer to a command, messages, or anything else.
    pub fn heard(self, text: &[u8]) -> Heard<'_> {
        let prefix: &[u8] = match self {
            Self::Hubbub => b"/chat,",
            Self::Rooms | Self::Example => b"",
        };
        let rest = |kind: &[u8]| text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(prefix));
        if let Some(answer) = rest(b"43") {
            let digits = answer.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let id = std::str::from_utf8(&answer[..digits])
                .ok()
                .and_then(|digits| digits.parse().ok());
            return id.map_or(Heard::Other, |id| Heard::Answer(id, &answer[digits..]));
        }
        match rest(b"42") {
            Some(event)
                if [&br#"["events""#[..], br#"["message""#, br#"["new message""#]
                    .iter()
                    .any(|name| event.starts_with(name)) =>
            {
                Heard::Messages(event)
            }
            _ => Heard::Other,
        }
    }
}

/// The contents of a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// The answer to the command with this number.
    Answer(u32, &'a [u8]),
    /// Messages in a room.
    Messages(&'a [u8]),
    /// Anything else.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        let hubbub = Dialect::Hubbub;
        assert_eq!(
            hubbub.heard(br#"43/chat,17[{"ok":1}]"#),
            Heard::Answer(17, br#"[{"ok":1}]"#)
        );
        assert_eq!(
            hubbub.heard(br#"42/chat,["events",[]]"#),
            Heard::Messages(br#"["events",[]]"#)
        );
        assert_eq!(hubbub.heard(br#"42/chat,["presence",{}]"#), Heard::Other);
        assert_eq!(
            Dialect::Rooms.heard(br#"42["message",{}]"#),
            Heard::Messages(br#"["message",{}]"#)
        );
        assert_eq!(Dialect::Rooms.heard(br#"431[{}]"#), Heard::Answer(1, b"[{}]"));
    }
}
