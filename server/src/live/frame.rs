//! Socket.IO packets as complete WebSocket frames, for everything that bypasses the library.

use std::io::Write;

use bytes::Bytes;
use serde::Serialize;

use super::facts::{ACK, EVENT, TEXT, UNNAMED};

/// The namespace of the app's protocol.
pub const CHAT: &str = "/chat";
/// The namespace of the public example.
pub const EXAMPLE: &str = "/";

/// Bytes reserved for the longest header of a frame.
const HEADER: usize = 10;

pub fn event<T: Serialize>(namespace: &str, name: &str, data: &T) -> serde_json::Result<Bytes> {
    let mut frame = begin(EVENT, namespace);
    serde_json::to_writer(&mut frame, &(name, data))?;
    Ok(finish(frame))
}

/// Encodes the answer to the command with this acknowledgement id.
pub fn ack<T: Serialize>(namespace: &str, id: i64, answer: &T) -> serde_json::Result<Bytes> {
    let mut frame = begin(ACK, namespace);
    write!(frame, "{id}").map_err(serde_json::Error::io)?;
    serde_json::to_writer(&mut frame, &[answer])?;
    Ok(finish(frame))
}

fn begin(kind: &str, namespace: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(512);
    frame.resize(HEADER, 0);
    frame.extend_from_slice(kind.as_bytes());
    if namespace != UNNAMED {
        frame.extend_from_slice(namespace.as_bytes());
        frame.push(b',');
    }
    frame
}

/// Writes the header of a text frame right before the text. Servers do not mask their frames.
fn finish(mut frame: Vec<u8>) -> Bytes {
    let length = frame.len() - HEADER;
    let long = (length as u64).to_be_bytes();
    let (kind, width) = match length {
        0..=125 => (u8::try_from(length).unwrap_or(0), 0),
        126..=0xffff => (126, 2),
        _ => (127, 8),
    };
    let start = HEADER - 2 - width;
    frame[start..start + 2].copy_from_slice(&[TEXT, kind]);
    frame[start + 2..HEADER].copy_from_slice(&long[8 - width..]);
    Bytes::from(frame).slice(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_length_in_its_header() {
        let of = |length: usize| event("/chat", "e", &"x".repeat(length)).unwrap();
        assert_eq!(&of(1)[..], b"\x81\x1142/chat,[\"e\",\"x\"]");
        assert_eq!(of(109)[1], 125);
        assert_eq!(of(110)[1..4], [126, 0, 126]);
        assert_eq!(of(65_519)[1..4], [126, 0xff, 0xff]);
        let long = of(65_520);
        assert_eq!(long[1], 127);
        assert_eq!(long[2..10], 65_536_u64.to_be_bytes());
        assert_eq!(long.len(), 65_546);
    }

    #[test]
    fn an_answer_has_the_id_of_its_command() {
        assert_eq!(&ack("/chat", 12, &7).unwrap()[2..], b"43/chat,12[7]");
        assert_eq!(&ack("/", 12, &7).unwrap()[2..], b"4312[7]");
    }
}
