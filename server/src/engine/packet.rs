//! Parses the packets of Engine.IO and Socket.IO.

use base64::prelude::{BASE64_STANDARD, Engine};

/// The most digits of an acknowledgement id, which keeps it below 2^53.
const ACK_DIGITS: usize = 15;
/// The most attachments of a packet. No command takes any; a few are allowed so that they get an answer.
pub const ATTACHMENTS: usize = 4;
/// Characters of a namespace's name, without the slash.
const NAME: usize = 64;

/// A client's Engine.IO packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The client ends the session.
    Close,
    /// The answer to a ping.
    Pong,
    /// A Socket.IO packet.
    Message(&'a str),
    /// Binary data, encoded as Base64.
    Binary(&'a str),
    /// Without effect, but harmless.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads a packet. `None` for unknown types, and for types that clients may not send.
    pub fn read(text: &'a str) -> Option<Self> {
        match text.as_bytes() {
            [b'1'] => Some(Self::Close),
            [b'3', ..] => Some(Self::Pong),
            [b'4', ..] => Some(Self::Message(&text[1..])),
            [b'b', ..] => Some(Self::Binary(&text[1..])),
            [b'5' | b'6'] => Some(Self::Noop),
            _ => None,
        }
    }
}

/// The type of a Socket.IO packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connects to a namespace.
    Connect,
    /// Disconnects from a namespace.
    Disconnect,
    /// Carries an event.
    Event,
    /// Acknowledges an event of ours.
    Ack,
    /// Refuses a connection. Only servers may send it.
    ConnectError,
}

/// A Socket.IO packet, parsed except for its payload.
#[derive(Debug, PartialEq, Eq)]
pub struct ParsedPacket<'a> {
    pub kind: Kind,
    /// The number of binary messages that follow and belong to it.
    pub attachments: usize,
    /// The namespace, with its slash.
    pub namespace: &'a str,
    /// The digits of the acknowledgement id. Empty if there is none.
    pub ack: &'a str,
    pub payload: &'a str,
}

impl<'a> ParsedPacket<'a> {
    /// Parses a packet. `None` if it is malformed.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut chars = text.chars();
        let (kind, binary) = match chars.next()? {
            '0' => (Kind::Connect, false),
            '1' => (Kind::Disconnect, false),
            '2' => (Kind::Event, false),
            '3' => (Kind::Ack, false),
            '4' => (Kind::ConnectError, false),
            '5' => (Kind::Event, true),
            '6' => (Kind::Ack, true),
            _ => return None,
        };
        let mut rest = chars.as_str();
        let attachments = if binary {
            let (digits, after) = digits(rest);
            rest = after.strip_prefix('-')?;
            digits.parse().ok()?
        } else {
            0
        };
        let (namespace, rest) = match rest.strip_prefix('/') {
            Some(_) => rest.split_once(',').unwrap_or((rest, "")),
            None => ("/", rest),
        };
        let (ack, payload) = match kind {
            Kind::Event | Kind::Ack => digits(rest),
            _ => ("", rest),
        };
        (ack.len() <= ACK_DIGITS && attachments <= ATTACHMENTS).then_some(Self {
            kind,
            attachments,
            namespace,
            ack,
            payload,
        })
    }

    /// True if the payload starts like an event: an array whose first element is a name.
    pub fn has_a_name(&self) -> bool {
        let Some(array) = self.payload.strip_prefix('[') else {
            return false;
        };
        let name = array.trim_start_matches([' ', '\t', '\r', '\n']);
        name.starts_with(|first: char| first == '"' || first.is_ascii_digit())
    }
}

/// True if a namespace could have this name, so that it is safe to repeat in an answer.
pub fn is_name(namespace: &str) -> bool {
    namespace.strip_prefix('/').is_some_and(|name| {
        (1..=NAME).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte))
    })
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// The packets in the body of a POST.
pub fn split(payload: &str) -> impl Iterator<Item = &str> {
    payload.split('\x1e')
}

/// Decodes binary data from Base64.
pub fn binary(base64: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(base64).ok()
}

/// Encodes binary data as a Base64 packet.
pub fn in_base64(bytes: &[u8]) -> String {
    let mut packet = String::from("b");
    BASE64_STANDARD.encode_string(bytes, &mut packet);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(Kind, usize, &str, &str, &str)> {
        ParsedPacket::read(text).map(|parsed| {
            (
                parsed.kind,
                parsed.attachments,
                parsed.namespace,
                parsed.ack,
                parsed.payload,
            )
        })
    }

    #[test]
    fn packets_are_parsed() {
        for (text, expected) in [
            ("0", Some((Kind::Connect, 0, "/", "", ""))),
            ("0{\"a\":1}", Some((Kind::Connect, 0, "/", "", "{\"a\":1}"))),
            ("0/chat,{}", Some((Kind::Connect, 0, "/chat", "", "{}"))),
            ("0/chat", Some((Kind::Connect, 0, "/chat", "", ""))),
            ("1/chat,", Some((Kind::Disconnect, 0, "/chat", "", ""))),
            ("2[\"e\"]", Some((Kind::Event, 0, "/", "", "[\"e\"]"))),
            (
                "2/chat,12[\"e\"]",
                Some((Kind::Event, 0, "/chat", "12", "[\"e\"]")),
            ),
            (
                "2/\u{e9},1[\"\u{e9}\"]",
                Some((Kind::Event, 0, "/\u{e9}", "1", "[\"\u{e9}\"]")),
            ),
            (
                "51-/chat,7[\"e\"]",
                Some((Kind::Event, 1, "/chat", "7", "[\"e\"]")),
            ),
            ("61-7[]", Some((Kind::Ack, 1, "/", "7", "[]"))),
            ("5[\"e\"]", None),
            ("55-[\"e\"]", None),
            ("2999999999999999999[\"e\"]", None),
            ("7", None),
            ("", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn an_event_has_a_name() {
        for (text, expected) in [
            ("2[\"e\"]", true),
            ("2[ 7]", true),
            ("2[]", false),
            ("2{}", false),
            ("2[{}]", false),
            ("2abc[\"e\"]", false),
            ("2", false),
        ] {
            assert_eq!(ParsedPacket::read(text).unwrap().has_a_name(), expected, "{text}");
        }
    }

    #[test]
    fn only_plain_names_are_repeated() {
        assert!(is_name("/random") && is_name("/a-b_c/7"));
        assert!(!is_name("/") && !is_name("chat") && !is_name("/(window.x=1)") && !is_name("/\u{e9}"));
        assert!(!is_name(&format!("/{}", "x".repeat(65))));
    }
}
