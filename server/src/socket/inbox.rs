//! Puts a connection's commands into its line, in the order of arrival.
//!
//! The library calls a handler in its read loop and spawns the future that it returns. So the position in the line is
//! decided in the call itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, Refusal};
use serde_json::value::RawValue;
use socketioxide::adapter::LocalAdapter;
use socketioxide::handler::MessageHandler;
use socketioxide::socket::Socket;
use socketioxide_core::Value;

use super::ack::Ack;
use super::line::{Line, Worker};
pub use super::queued::{Payload, Queued, ReceivedCommand};
use super::slow;
use crate::limits::ConnectionGate;
use crate::refusals::too_many_commands;

/// When a client may try again after its line was full.
const FULL_WAIT: Duration = Duration::from_millis(500);

/// What to do with a command that is refused because of its rate or a full line.
pub enum WhenRefused {
    /// Answer it: the client expects an acknowledgement.
    Answer(ConnectionGate),
    /// Close the connection: its protocol has no acknowledgements. The line has a brake, so this is rare.
    Close,
}

/// Puts every event of a socket into its line.
pub struct Inbox<W> {
    line: Arc<Line<W>>,
    refused: WhenRefused,
}

impl<W: Worker> Inbox<W> {
    pub fn new(line: &Arc<Line<W>>, refused: WhenRefused) -> Self {
        Self {
            line: Arc::clone(line),
            refused,
        }
    }

    fn admit(&self) -> Result<(), Refusal> {
        let WhenRefused::Answer(gate) = &self.refused else {
            return Ok(());
        };
        gate.command(Instant::now()).map_err(too_many_commands)
    }

    fn full(&self) -> Refusal {
        let wait = match &self.refused {
            WhenRefused::Answer(gate) => gate.close(Instant::now(), FULL_WAIT),
            WhenRefused::Close => FULL_WAIT,
        };
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Refusal::new(
            ErrorCode::Busy,
            "too much is waiting on this connection; wait for answers",
        )
        .retry_after_ms(ms)
    }

    fn enqueue(&self, name: String, payload: Payload, ack: Ack, bytes: usize) -> Result<(), (Refusal, Ack)> {
        if let Err(refusal) = self.admit() {
            return Err((refusal, ack));
        }
        let command = ReceivedCommand { name, payload, ack };
        self.line.push(Queued { command, bytes }).map_err(|queued| {
            // Or the connection is ending, and the answer goes nowhere.
            (self.full(), queued.command.ack)
        })
    }
}

impl<W: Worker> MessageHandler<LocalAdapter, ()> for Inbox<W> {
    fn call(&self, socket: Arc<Socket<LocalAdapter>>, value: Value, ack_id: Option<i64>) {
        let ack = Ack::new(&socket, self.line.wire(), ack_id);
        let state = self.line.state();
        let limit = state.gate.limits().frame_bytes;
        let (name, payload) = read(&value, limit);
        let bytes = value.len().min(limit);
        if let Err((refusal, ack)) = self.enqueue(name, payload, ack, bytes) {
            match self.refused {
                WhenRefused::Answer(_) => ack.reply::<()>(state, Err(refusal)),
                WhenRefused::Close => {
                    tracing::info!("closing a connection that sends faster than its events can wait");
                    slow::disconnect(state, &socket.into());
                }
            }
        }
    }
}

/// Characters of a name that are kept. No event's name is as long, and names are repeated in answers.
const NAME: usize = 64;

/// The event's name and its first argument: `["name", {…}]`, as `engine/gate.rs` wraps it.
fn read(value: &Value, limit: usize) -> (String, Payload) {
    let bad = |message: &str| Err(Refusal::new(ErrorCode::BadRequest, message));
    let (text, attachments) = match value {
        Value::Str(text, attachments) => (text.as_str(), attachments.as_ref().is_some_and(|a| !a.is_empty())),
        Value::Bytes(_) => return (String::new(), bad("binary events are not supported")),
    };
    let text = text
        .strip_prefix("[\"e\",")
        .and_then(|text| text.strip_suffix(']'));
    let text = text.unwrap_or_default();
    let Ok(Parts(Name(name), payload)) = serde_json::from_str(text) else {
        return (String::new(), bad("an event must be a name and one argument"));
    };
    if attachments {
        return (name, bad("binary attachments are not supported"));
    }
    if text.len() > limit {
        let message = format!("this command has {} bytes; the limit is {limit}", text.len());
        return (name, Err(Refusal::new(ErrorCode::TooLarge, message)));
    }
    let payload = payload.ok_or_else(|| Refusal::new(ErrorCode::BadRequest, "this command needs a payload"));
    (name, payload)
}

/// An event's name, with any escapes. Half a surrogate pair is not a character and gets replaced.
struct Name(String);

impl<'de> serde::Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Name;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of an event")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Name, E> {
                Ok(Name(String::from_utf8_lossy(bytes).chars().take(NAME).collect()))
            }
        }

        // A string would be refused for half a surrogate pair.
        deserializer.deserialize_bytes(Visitor)
    }
}

/// An event as its client sent it: its name and its first argument. Further arguments are ignored.
struct Parts(Name, Option<Box<RawValue>>);

impl<'de> serde::Deserialize<'de> for Parts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Parts;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of an event name and its argument")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Parts, A::Error> {
                let name = seq
                    .next_element()?
                    .ok_or_else(|| serde::de::Error::invalid_length(0, &self))?;
                let payload = seq.next_element()?;
                while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Parts(name, payload))
            }
        }

        deserializer.deserialize_seq(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> (String, Result<String, ErrorCode>) {
        let text = format!("[\"e\",{text}]");
        let (name, payload) = read(&Value::Str(text.into(), None), 100);
        (
            name,
            payload
                .map(|json| json.get().to_owned())
                .map_err(|refusal| refusal.code),
        )
    }

    #[test]
    fn an_event_is_a_name_and_one_argument() {
        assert_eq!(
            event(r#"["send",{"a":1}]"#),
            ("send".to_owned(), Ok(r#"{"a":1}"#.to_owned()))
        );
        assert_eq!(
            event(r#"["send",{"a":1},2,3]"#),
            ("send".to_owned(), Ok(r#"{"a":1}"#.to_owned()))
        );
        assert_eq!(
            event(r#"["send"]"#),
            ("send".to_owned(), Err(ErrorCode::BadRequest))
        );
        for (text, name) in [
            (r#"["say \"hi\"",1]"#, "say \"hi\""),
            (r#"["gr\u00fc\u00dfe",1]"#, "gr\u{fc}\u{df}e"),
            (r#"["half \ud800",1]"#, "half \u{fffd}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(event(text), (name.to_owned(), Ok("1".to_owned())), "{text}");
        }
        assert_eq!(event(r"[7]").1, Err(ErrorCode::BadRequest));
        assert_eq!(event(r"[]").1, Err(ErrorCode::BadRequest));
        assert_eq!(event(r#"{"a":1}"#).1, Err(ErrorCode::BadRequest));
        assert_eq!(
            event(&format!(r#"["send","{}"]"#, "x".repeat(100))).1,
            Err(ErrorCode::TooLarge)
        );
    }
}
