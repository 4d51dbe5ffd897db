//! What of a client's packets reaches the Socket.IO library, and in which form.
//!
//! The library starts a task for each CONNECT, also for one that it then ignores; it repeats names that it does not
//! know; an event name with an escape in it ends the connection; and a namespace that is connected again before the
//! library is done with its last life is never answered. So each packet passes here first. No I/O and no clock.

use super::frame::{self, Fault, Message};
use super::packet::{self, Head, Kind, Packet};

/// Namespaces that a server may have.
pub const NAMESPACES: usize = 4;

/// How the packets of a server's clients are understood.
#[derive(Clone, Copy, Debug)]
pub enum Rules {
    /// As Socket.IO's, for these namespaces.
    SocketIo(&'static [&'static str]),
    /// They are not: whatever comes is passed on.
    #[allow(
        dead_code,
        reason = "for servers that are not Socket.IO's: the official suite of Engine.IO"
    )]
    Raw,
}

/// How a namespace stands on one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Free,
    /// The library was told and has not answered.
    Joining,
    Joined,
    /// It has ended, but the library may still know it.
    Leaving,
    /// The library said no, but may not be done.
    Refused,
}

/// What comes of a packet.
#[derive(Debug, Default)]
pub struct Out {
    /// Frames for the library to read.
    pub library: Vec<u8>,
    /// Answers of our own, as packets for the client.
    pub client: Vec<String>,
    /// The namespace that the library is asked to connect now, and the payload of that packet.
    pub connect: Option<(&'static str, Box<str>)>,
}

/// One session's namespaces.
pub struct Gate {
    rules: Rules,
    lives: [Life; NAMESPACES],
    /// A CONNECT to this namespace, which has had a life. It is kept until it is answered: the library may drop it.
    again: Option<Box<(usize, String)>>,
    /// Binary messages that belong to the last packet…
    attachments: u8,
    /// …which is passed on.
    passed: bool,
}

impl Gate {
    /// For a new session.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            lives: [Life::default(); NAMESPACES],
            again: None,
            attachments: 0,
            passed: false,
        }
    }

    /// Takes what came in a WebSocket message, except pings.
    ///
    /// # Errors
    /// The session has to end.
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

    /// Takes an Engine.IO packet.
    ///
    /// # Errors
    /// The session has to end.
    pub fn packet(&mut self, text: &str, out: &mut Out) -> Result<(), Fault> {
        match Packet::read(text) {
            Some(Packet::Close) => frame::append_as_client(&mut out.library, frame::TEXT, &[b"1"]),
            Some(Packet::Pong) => frame::append_as_client(&mut out.library, frame::TEXT, &[b"3"]),
            Some(Packet::Noop) => {}
            Some(Packet::Binary(base64)) => {
                let bytes = packet::binary(base64).ok_or(Fault::protocol("not base64"))?;
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

    /// Whether nothing more may be taken until [`Gate::heard`] or [`Gate::release`]: a namespace is on its way in.
    pub fn is_waiting(&self) -> bool {
        self.again.is_some() || self.lives.contains(&Life::Joining)
    }

    /// The namespace whose CONNECT waits for the library to let go of its last life.
    pub fn held(&self) -> Option<&'static str> {
        let (Some(again), Rules::SocketIo(namespaces)) = (&self.again, self.rules) else {
            return None;
        };
        let held = self.lives[again.0] != Life::Joining;
        namespaces.get(again.0).copied().filter(|_| held)
    }

    /// The library has let go of the namespace that was waited for.
    pub fn release(&mut self, out: &mut Out) {
        if let (Some(again), Some(namespace)) = (&self.again, self.held()) {
            self.lives[again.0] = Life::Joining;
            let payload = Head::read(&again.1).map_or("", |head| head.payload);
            out.connect = Some((namespace, payload.into()));
        }
        self.repeat(out);
    }

    /// Whether the library may have dropped the CONNECT that is waited for, so that it has to be repeated.
    pub fn is_uncertain(&self) -> bool {
        self.again.is_some()
    }

    /// Says to the library once more what it may have dropped.
    pub fn repeat(&self, out: &mut Out) {
        if let Some(again) = &self.again {
            frame::append_as_client(&mut out.library, frame::TEXT, &[b"4", again.1.as_bytes()]);
        }
    }

    /// Notes what the library says to the client.
    pub fn heard(&mut self, text: &[u8]) {
        let (life, rest) = match text {
            [b'4', b'0', rest @ ..] => (Life::Joined, rest),
            [b'4', b'4', rest @ ..] => (Life::Refused, rest),
            [b'4', b'1', rest @ ..] => (Life::Leaving, rest),
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
            self.lives[namespace] = life;
            if life != Life::Leaving {
                self.again.take_if(|again| again.0 == namespace);
            }
        }
    }

    fn binary(&mut self, bytes: &[u8], out: &mut Out) -> Result<(), Fault> {
        let passed = match (self.rules, self.attachments) {
            (Rules::Raw, _) => true,
            (Rules::SocketIo(_), 0) => return Err(Fault::protocol("bytes that belong to no packet")),
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
        let head = Head::read(text).ok_or(Fault::protocol("not a Socket.IO packet"))?;
        if self.attachments > 0 {
            return Err(Fault::protocol("a packet between another and its attachments"));
        }
        let known = namespaces.iter().position(|known| *known == head.namespace);
        let Some(namespace) = known else {
            if head.kind == Kind::Connect && packet::is_name(head.namespace) {
                let name = head.namespace;
                out.client
                    .push(format!("44{name},{{\"message\":\"Invalid namespace\"}}"));
                return Ok(());
            }
            return Err(Fault::policy("no such namespace"));
        };
        let life = &mut self.lives[namespace];
        let mut pass = |parts: &[&[u8]]| frame::append_as_client(&mut out.library, frame::TEXT, parts);
        let (packet, text) = (text, text.as_bytes());
        match (head.kind, *life) {
            (Kind::Connect, Life::Free) => {
                *life = Life::Joining;
                pass(&[b"4", text]);
                out.connect = Some((namespaces[namespace], head.payload.into()));
            }
            (Kind::Connect, Life::Leaving | Life::Refused) => {
                self.again = Some(Box::new((namespace, packet.to_owned())));
            }
            (Kind::Disconnect, Life::Joined) => {
                *life = Life::Leaving;
                pass(&[b"4", text]);
            }
            // It is so already.
            (Kind::Connect, Life::Joining | Life::Joined) | (Kind::Disconnect, _) => {}
            (Kind::Event, _) if !head.has_a_name() => {
                return Err(Fault::protocol("an event without a name"));
            }
            (Kind::Event, Life::Joined) => {
                // The library reads the first element as the name, and only understands names without escapes.
                let payload = head.payload.as_bytes();
                let before = &text[..text.len() - payload.len()];
                if head.attachments > 0 {
                    pass(&[b"4", before, EVENT, payload, b"]"]);
                } else {
                    let after_kind = &before[before.len() - head.ack.len()..];
                    let name: &[u8] = if head.namespace == "/" {
                        b""
                    } else {
                        head.namespace.as_bytes()
                    };
                    let comma: &[u8] = if name.is_empty() { b"" } else { b"," };
                    pass(&[b"42", name, comma, after_kind, EVENT, payload, b"]"]);
                }
                self.expect(&head, true);
            }
            (Kind::Ack, Life::Joined) if !head.ack.is_empty() => {
                pass(&[b"4", text]);
                self.expect(&head, true);
            }
            // On its way when the namespace ended.
            (Kind::Event | Kind::Ack, Life::Leaving) => self.expect(&head, false),
            (Kind::Event | Kind::Ack, _) => {
                return Err(Fault::policy("an event for a namespace that is not connected"));
            }
            (Kind::ConnectError, _) => return Err(Fault::protocol("only servers refuse")),
        }
        Ok(())
    }

    fn expect(&mut self, head: &Head<'_>, passed: bool) {
        self.attachments = u8::try_from(head.attachments).unwrap_or_default();
        self.passed = passed;
    }
}

/// What every event is called for the library; the client's array is its argument.
const EVENT: &[u8] = b"[\"e\",";

#[cfg(test)]
mod tests {
    use super::super::frame::Frames;
    use super::*;

    const RULES: Rules = Rules::SocketIo(&["/", "/chat"]);

    /// What the library and the client hear of these packets.
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
        assert!(!frames.is_within(), "only whole frames");
        all
    }

    fn joined() -> Gate {
        let mut gate = Gate::new(RULES);
        pass(&mut gate, &["40/chat,{\"protocol\":1}"]).unwrap();
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
            "the library may not be done"
        );
        assert_eq!(gate.held(), Some("/chat"));
        let mut out = Out::default();
        gate.release(&mut out);
        assert_eq!(texts(&out.library), ["40/chat,"]);
    }

    #[test]
    fn a_second_life_waits_for_the_end_of_the_first() {
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
    fn names_of_events_do_not_matter_to_the_library() {
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
    fn unknown_namespaces_cost_an_answer_or_the_connection() {
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
    fn a_raw_server_takes_what_comes() {
        let mut gate = Gate::new(Rules::Raw);
        let (library, _) = pass(&mut gate, &["4hello", "bAQI=", "3", "6", "1"]).unwrap();
        assert_eq!(library, ["4hello", "Binary([1, 2])", "3", "1"]);
    }

    #[test]
    fn nothing_that_comes_is_too_much() {
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
