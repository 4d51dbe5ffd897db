//! Packets: Engine.IO's by their first character, and the heads of Socket.IO's.

use base64::prelude::{BASE64_STANDARD, Engine};

/// Digits of an acknowledgement id, at most: it stays below 2^53.
const ACK_DIGITS: usize = 15;
/// Attachments of a packet, at most. No command takes any; a few are let in so that they can be answered.
pub const ATTACHMENTS: usize = 4;
/// Characters of a namespace's name, without its slash.
const NAME: usize = 64;

/// A client's Engine.IO packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The session ends.
    Close,
    /// The client lives.
    Pong,
    /// For Socket.IO.
    Message(&'a str),
    /// Bytes that travelled as text.
    Binary(&'a str),
    /// Without meaning at this place, but harmless.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads a packet. Nothing if there is no such packet, or no client may send it.
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

/// What a Socket.IO packet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Be connected to a namespace.
    Connect,
    /// Leave it.
    Disconnect,
    /// Something happened.
    Event,
    /// An answer to an event of ours.
    Ack,
    /// We do not let it in.
    ConnectError,
}

/// A Socket.IO packet, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// What it is about.
    pub kind: Kind,
    /// Binary messages that follow and belong to it.
    pub attachments: usize,
    /// With its slash.
    pub namespace: &'a str,
    /// The digits of its acknowledgement id; none are no id.
    pub ack: &'a str,
    /// The rest.
    pub payload: &'a str,
}

impl<'a> Head<'a> {
    /// Reads the head of a packet. Nothing if there is no such packet.
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

    /// Whether the payload begins as an event must: an array, and in it a name.
    pub fn has_a_name(&self) -> bool {
        let Some(array) = self.payload.strip_prefix('[') else {
            return false;
        };
        let name = array.trim_start_matches([' ', '\t', '\r', '\n']);
        name.starts_with(|first: char| first == '"' || first.is_ascii_digit())
    }
}

/// Whether a namespace could have this name, so that it may be repeated in an answer.
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

/// The packets of a POST's body.
pub fn split(payload: &str) -> impl Iterator<Item = &str> {
    payload.split('\x1e')
}

/// Bytes that travelled as text.
pub fn binary(base64: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(base64).ok()
}

/// Bytes as a packet that travels as text.
pub fn in_base64(bytes: &[u8]) -> String {
    let mut packet = String::from("b");
    BASE64_STANDARD.encode_string(bytes, &mut packet);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<(Kind, usize, &str, &str, &str)> {
        Head::read(text).map(|head| {
            (
                head.kind,
                head.attachments,
                head.namespace,
                head.ack,
                head.payload,
            )
        })
    }

    #[test]
    fn heads_are_read_as_the_protocol_has_them() {
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
            assert_eq!(head(text), expected, "{text}");
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
            assert_eq!(Head::read(text).unwrap().has_a_name(), expected, "{text}");
        }
    }

    #[test]
    fn only_plain_names_are_repeated() {
        assert!(is_name("/random") && is_name("/a-b_c/7"));
        assert!(!is_name("/") && !is_name("chat") && !is_name("/(window.x=1)") && !is_name("/\u{e9}"));
        assert!(!is_name(&format!("/{}", "x".repeat(65))));
    }
}
