//! Decides which of a client's packets reach the Socket.IO library, and in which form.
//!
//! The library has weaknesses that clients could exploit. It starts a task for every CONNECT, even one that it then
//! ignores. It echoes unknown names. An event name with an escape in it ends the connection. A CONNECT to a namespace
//! that it is still cleaning up is never answered. So every packet passes through here first. No I/O and no clock.

use super::frame::{self, Fault, Message};
use super::packet::{self, Kind, Packet, ParsedPacket};

/// The number of namespaces that a server may have.
pub const NAMESPACES: usize = 4;

/// How to treat clients' packets.
#[derive(Clone, Copy, Debug)]
pub enum Rules {
    /// As Socket.IO packets, for these namespaces.
    SocketIo(&'static [&'static str]),
    /// Pass every packet on without reading it.
    #[allow(
        dead_code,
        reason = "used by the echo server, for the official suite of Engine.IO"
    )]
    Raw,
}

/// The state of a namespace on one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    /// The library was sent a CONNECT and has not answered.
    Joining,
    Joined,
    /// The connection has ended, but the library may still be cleaning up.
    Leaving,
    /// The library refused, but may still be cleaning up.
    Refused,
}

/// What a packet results in.
#[derive(Debug, Default)]
pub struct Out {
    /// Frames for the library to read.
    pub library: Vec<u8>,
    /// Our own answers, as packets for the client.
    pub client: Vec<String>,
    /// A CONNECT that was passed on: the namespace, and the payload of the packet.
    pub connect: Option<(&'static str, Box<str>)>,
}

/// The namespaces of one session.
pub struct Gate {
    rules: Rules,
    states: [State; NAMESPACES],
    /// A CONNECT to a namespace that was connected before. Kept until it is answered, because the library may drop
    /// it.
    again: Option<Box<(usize, String)>>,
    /// Binary messages that still belong to the last packet…
    attachments: u8,
    /// …and whether that packet was passed on.
    passed: bool,
}

impl Gate {
    /// The gate of a new session.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            states: [State::default(); NAMESPACES],
            again: None,
            attachments: 0,
            passed: false,
        }
    }

    /// Handles a WebSocket message. Pings are answered elsewhere.
    ///
    /// # Errors
    /// If the session must end.
    pub fn message(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        match message {
            Message::Text(text) => self.packet(&text, out),
            Message::Binary(bytes) => self.binary(&bytes, out),
            Message::Close(_) => {
                frame::append_as_client(&mut out.library, frame::CLOSE, &[]);
                Ok(())
            }
            Message::Ping(_) | Message::Pong | Message::Part => Ok(()),
        }
    }

    /// Handles an Engine.IO packet.
    ///
    /// # Errors
    /// If the session must end.
    pub fn packet(&mut self, text: &str, out: &mut Out) -> Result<(), Fault> {
        match Packet::read(text) {
            Some(Packet::Close) => frame::append_as_client(&mut out.library, frame::TEXT, &[b"1"]),
            Some(Packet::Pong) => frame::append_as_client(&mut out.library, frame::TEXT, &[b"3"]),
            Some(Packet::Noop) => {}
            Some(Packet::Binary(base64)) => {
                let bytes = packet::binary(base64).ok_or(Fault::protocol("invalid Base64"))?;
                self.binary(&bytes, out)?;
            }
            Some(Packet::Message(message)) => match self.rules {
                Rules::Raw => frame::append_as_client(&mut out.library, frame::TEXT, &[text.as_bytes()]),
                Rules::SocketIo(namespaces) => self.socket_io(message, namespaces, out)?,
            },
            None => return Err(Fault::protocol("not an Engine.IO packet")),
        }
        Ok(())
    }

    /// True if nothing more may be taken until [`Gate::heard`] or [`Gate::release`], because a namespace is being
    /// connected.
    pub fn is_waiting(&self) -> bool {
        self.again.is_some() || self.states.contains(&State::Joining)
    }

    /// The namespace whose CONNECT waits until the library has cleaned up the previous connection.
    pub fn held(&self) -> Option<&'static str> {
        let (Some(again), Rules::SocketIo(namespaces)) = (&self.again, self.rules) else {
            return None;
        };
        let held = self.states[again.0] != State::Joining;
        namespaces.get(again.0).copied().filter(|_| held)
    }

    /// Passes on the CONNECT that was held, because the library has cleaned up.
    pub fn release(&mut self, out: &mut Out) {
        if let (Some(again), Some(namespace)) = (&self.again, self.held()) {
            self.states[again.0] = State::Joining;
            let payload = ParsedPacket::read(&again.1).map_or("", |parsed| parsed.payload);
            out.connect = Some((namespace, payload.into()));
        }
        self.repeat(out);
    }

    /// True if the library may have dropped the pending CONNECT, so that it must be repeated.
    pub fn is_uncertain(&self) -> bool {
        self.again.is_some()
    }

    /// Sends the library again the CONNECT that it may have dropped.
    pub fn repeat(&self, out: &mut Out) {
        if let Some(again) = &self.again {
            frame::append_as_client(&mut out.library, frame::TEXT, &[b"4", again.1.as_bytes()]);
        }
    }

    /// Tracks a packet from the library to the client.
    pub fn heard(&mut self, text: &[u8]) {
        let (state, rest) = match text {
            [b'4', b'0', rest @ ..] => (State::Joined, rest),
            [b'4', b'4', rest @ ..] => (State::Refused, rest),
            [b'4', b'1', rest @ ..] => (State::Leaving, rest),
            _ => return,
        };
        let Rules::SocketIo(namespaces) = self.rules else {
            return;
        };
        let name = match rest.first() {
            Some(b'/') => rest.split(|byte| *byte == b',').next().unwrap_or_default(),
            _ => b"/",
        };
        if let Some(namespace) = namespaces.iter().position(|known| known.as_bytes() == name) {
            self.states[namespace] = state;
            if state != State::Leaving {
                self.again.take_if(|again| again.0 == namespace);
            }
        }
    }

    fn binary(&mut self, bytes: &[u8], out: &mut Out) -> Result<(), Fault> {
        let passed = match (self.rules, self.attachments) {
            (Rules::Raw, _) => true,
            (Rules::SocketIo(_), 0) => return Err(Fault::protocol("binary data that belongs to no packet")),
            (Rules::SocketIo(_), _) => {
                self.attachments -= 1;
                self.passed
            }
        };
        if passed {
            frame::append_as_client(&mut out.library, frame::BINARY, &[bytes]);
        }
        Ok(())
    }

    fn socket_io(&mut self, text: &str, namespaces: &[&'static str], out: &mut Out) -> Result<(), Fault> {
        let parsed = ParsedPacket::read(text).ok_or(Fault::protocol("not a Socket.IO packet"))?;
        if self.attachments > 0 {
            return Err(Fault::protocol(
                "a packet before the attachments of the previous one",
            ));
        }
        let known = namespaces.iter().position(|known| *known == parsed.namespace);
        let Some(namespace) = known else {
            if parsed.kind == Kind::Connect && packet::is_name(parsed.namespace) {
                let name = parsed.namespace;
                out.client
                    .push(format!("44{name},{{\"message\":\"Invalid namespace\"}}"));
                return Ok(());
            }
            return Err(Fault::policy("no such namespace"));
        };
        let state = &mut self.states[namespace];
        let mut pass = |parts: &[&[u8]]| frame::append_as_client(&mut out.library, frame::TEXT, parts);
        let (packet, text) = (text, text.as_bytes());
        match (parsed.kind, *state) {
            (Kind::Connect, State::Free) => {
                *state = State::Joining;
                pass(&[b"4", text]);
                out.connect = Some((namespaces[namespace], parsed.payload.into()));
            }
            (Kind::Connect, State::Leaving | State::Refused) => {
                self.again = Some(Box::new((namespace, packet.to_owned())));
            }
            (Kind::Disconnect, State::Joined) => {
                *state = State::Leaving;
                pass(&[b"4", text]);
            }
            // Already in that state.
            (Kind::Connect, State::Joining | State::Joined) | (Kind::Disconnect, _) => {}
            (Kind::Event, _) if !parsed.has_a_name() => {
                return Err(Fault::protocol("an event without a name"));
            }
            (Kind::Event, State::Joined) => {
                // The library reads the first element as the event's name and supports only names without escapes.
                let payload = parsed.payload.as_bytes();
                let before = &text[..text.len() - payload.len()];
                if parsed.attachments > 0 {
                    pass(&[b"4", before, EVENT, payload, b"]"]);
                } else {
                    let after_kind = &before[before.len() - parsed.ack.len()..];
                    let name: &[u8] = if parsed.namespace == "/" {
                        b""
                    } else {
                        parsed.namespace.as_bytes()
                    };
                    let comma: &[u8] = if name.is_empty() { b"" } else { b"," };
                    pass(&[b"42", name, comma, after_kind, EVENT, payload, b"]"]);
                }
                self.expect(&parsed, true);
            }
            (Kind::Ack, State::Joined) if !parsed.ack.is_empty() => {
                pass(&[b"4", text]);
                self.expect(&parsed, true);
            }
            // Sent before the client learned that the connection ended.
            (Kind::Event | Kind::Ack, State::Leaving) => self.expect(&parsed, false),
            (Kind::Event | Kind::Ack, _) => {
                return Err(Fault::policy("an event for a namespace that is not connected"));
            }
            (Kind::ConnectError, _) => return Err(Fault::protocol("only servers may send CONNECT_ERROR")),
        }
        Ok(())
    }

    fn expect(&mut self, parsed: &ParsedPacket<'_>, passed: bool) {
        self.attachments = u8::try_from(parsed.attachments).unwrap_or_default();
        self.passed = passed;
    }
}

/// The event name that the library sees for every event. The client's array becomes its argument.
const EVENT: &[u8] = b"[\"e\",";

#[cfg(test)]
mod tests {
    use super::super::frame::Frames;
    use super::*;

    const RULES: Rules = Rules::SocketIo(&["/", "/chat"]);

    /// What the library and the client receive for these packets.
    fn pass(gate: &mut Gate, packets: &[&str]) -> Result<(Vec<String>, Vec<String>), Fault> {
        let mut out = Out::default();
        for packet in packets {
            gate.packet(packet, &mut out)?;
        }
        Ok((texts(&out.library), out.client))
    }

    fn texts(mut library: &[u8]) -> Vec<String> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        while let Some(message) = frames.next(&mut library, 1_000_000).unwrap() {
            all.push(match message {
                Message::Text(text) => text,
                other => format!("{other:?}"),
            });
        }
        assert!(!frames.is_incomplete(), "only whole frames");
        all
    }

    fn joined() -> Gate {
        let mut gate = Gate::new(RULES);
        pass(&mut gate, &["40/chat,{\"protocol\":2}"]).unwrap();
        gate.heard(b"40/chat,{\"sid\":\"a\"}");
        gate
    }

    #[test]
    fn a_connect_is_passed_on_once() {
        let mut gate = Gate::new(RULES);
        let (library, client) = pass(&mut gate, &["40/chat,", "40/chat,", "40/chat,"]).unwrap();
        assert_eq!(
            (library.as_slice(), client.len()),
            (&["40/chat,".to_owned()][..], 0)
        );
        assert!(gate.is_waiting());
        gate.heard(b"40/chat,{\"sid\":\"a\"}");
        assert!(!gate.is_waiting());
        assert!(pass(&mut gate, &["40/chat,"]).unwrap().0.is_empty());
        assert_eq!(pass(&mut gate, &["40"]).unwrap().0, ["40"], "another namespace");
    }

    #[test]
    fn a_refused_connect_can_be_tried_again() {
        let mut gate = Gate::new(RULES);
        pass(&mut gate, &["40/chat,"]).unwrap();
        gate.heard(b"44/chat,{\"message\":\"no\"}");
        assert!(pass(&mut gate, &["42/chat,[\"e\"]"]).is_err());
        assert!(
            pass(&mut gate, &["40/chat,"]).unwrap().0.is_empty(),
            "the library may still be cleaning up"
        );
        assert_eq!(gate.held(), Some("/chat"));
        let mut out = Out::default();
        gate.release(&mut out);
        assert_eq!(texts(&out.library), ["40/chat,"]);
    }

    #[test]
    fn a_reconnect_waits_for_the_end_of_the_previous_connection() {
        let mut gate = joined();
        let (library, _) = pass(&mut gate, &["41/chat,", "42/chat,[\"late\"]", "40/chat,{}"]).unwrap();
        assert_eq!(library, ["41/chat,"]);
        assert_eq!((gate.is_waiting(), gate.held()), (true, Some("/chat")));
        let mut out = Out::default();
        gate.release(&mut out);
        assert_eq!(texts(&out.library), ["40/chat,{}"]);
        assert_eq!(out.connect, Some(("/chat", "{}".into())));
        assert!(gate.is_waiting() && gate.held().is_none(), "until it is answered");
        let mut out = Out::default();
        gate.repeat(&mut out);
        assert_eq!(
            texts(&out.library),
            ["40/chat,{}"],
            "the library may have dropped it"
        );
        assert!(gate.is_uncertain() && out.connect.is_none());
        gate.heard(b"40/chat,{}");
        assert!(!gate.is_waiting() && !gate.is_uncertain());
    }

    #[test]
    fn the_library_sees_one_name_for_every_event() {
        let mut gate = joined();
        for (packet, expected) in [
            ("42/chat,7[\"send\",{}]", "42/chat,7[\"e\",[\"send\",{}]]"),
            (
                "42/chat,[\"say \\\"hi\\\"\"]",
                "42/chat,[\"e\",[\"say \\\"hi\\\"\"]]",
            ),
            ("42/chat,[\"\\ud800\"]", "42/chat,[\"e\",[\"\\ud800\"]]"),
            ("450-/chat,7[\"send\"]", "42/chat,7[\"e\",[\"send\"]]"),
        ] {
            assert_eq!(pass(&mut gate, &[packet]).unwrap().0, [expected]);
        }
        let (library, _) = pass(&mut gate, &["451-/chat,7[\"send\",{}]", "bAQI="]).unwrap();
        assert_eq!(library, ["451-/chat,7[\"e\",[\"send\",{}]]", "Binary([1, 2])"]);
    }

    #[test]
    fn packets_for_unknown_namespaces_are_refused_or_end_the_session() {
        let mut gate = joined();
        let (library, client) = pass(&mut gate, &["40/random,"]).unwrap();
        assert!(library.is_empty());
        assert_eq!(client, ["44/random,{\"message\":\"Invalid namespace\"}"]);
        for packet in [
            "40/(window.x=1),",
            "42/random,[\"e\"]",
            "42[\"e\"]",
            "42/chat,{}",
            "44/chat,",
            "4",
            "47",
            "",
            "9",
            "2",
        ] {
            assert!(pass(&mut joined(), &[packet]).is_err(), "{packet}");
        }
        assert!(pass(&mut joined(), &["bAQI="]).is_err(), "bytes without a packet");
        assert!(pass(&mut joined(), &["451-/chat,[\"e\"]", "42/chat,[\"e\"]"]).is_err());
    }

    #[test]
    fn a_raw_server_passes_everything_on() {
        let mut gate = Gate::new(Rules::Raw);
        let (library, _) = pass(&mut gate, &["4hello", "bAQI=", "3", "6", "1"]).unwrap();
        assert_eq!(library, ["4hello", "Binary([1, 2])", "3", "1"]);
    }

    #[test]
    fn random_packets_are_handled() {
        let mut random = fastrand::Rng::with_seed(12);
        let words = [
            "40",
            "41",
            "42",
            "43",
            "44",
            "45",
            "46",
            "1-",
            "9-",
            "/chat",
            "/",
            ",",
            "[",
            "]",
            "\"e\"",
            "{}",
            "7",
            "\\ud800",
            "\u{e9}",
            "b",
            "AQI=",
            "1",
            "2",
            "3",
            "5",
            "6",
            "\u{0}",
            "99999999999999999999",
        ];
        let (mut faults, mut passed) = (0, 0);
        let mut gate = joined();
        for _ in 0..200_000 {
            let packet: String = (0..random.usize(0..7))
                .map(|_| words[random.usize(0..words.len())])
                .collect();
            let mut out = Out::default();
            match gate.packet(&packet, &mut out) {
                Ok(()) => passed += usize::from(!out.library.is_empty() || !out.client.is_empty()),
                Err(_) => {
                    faults += 1;
                    gate = joined();
                }
            }
            texts(&out.library);
            if gate.is_waiting() {
                gate.release(&mut out);
                gate.heard(b"40");
                gate.heard(b"40/chat,");
            }
        }
        assert!(faults > 1_000 && passed > 1_000, "{faults} {passed}");
    }
}
