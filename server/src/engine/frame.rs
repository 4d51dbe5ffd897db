//! WebSocket frames: parses those of a client, within a limit, and builds ours.
//!
//! Pure functions of bytes, without I/O or a clock.

use bytes::Bytes;

/// The longest payload of a control frame.
const CONTROL: usize = 125;
/// The longest header of a client's frame.
const HEAD: usize = 14;

/// Why a connection is closed, with the code for the close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The close code of RFC 6455.
    pub code: u16,
    /// The reason, for the log.
    pub why: &'static str,
}

impl Fault {
    /// A violation of the protocol.
    pub const fn protocol(why: &'static str) -> Self {
        Self { code: 1002, why }
    }

    /// Allowed by the protocol, but not here: too much, too slow, or at the wrong time.
    pub const fn policy(why: &'static str) -> Self {
        Self { code: 1008, why }
    }
}

/// The result of a client's frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A complete text message.
    Text(String),
    /// A complete binary message.
    Binary(Vec<u8>),
    /// A ping with its payload, to be returned in a pong.
    Ping(Vec<u8>),
    Pong,
    /// The close frame, with the client's code if it gave one.
    Close(Option<u16>),
    /// A fragment of a message that is not complete.
    Part,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Kind {
    Continued,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The frame that is being read.
#[derive(Clone, Copy)]
struct Frame {
    kind: Kind,
    last: bool,
    mask: [u8; 4],
    left: usize,
}

/// Parses the frames of one client. Holds no memory between messages.
#[derive(Default)]
pub struct Frames(Option<Box<Partial>>);

/// An incomplete frame or message.
#[derive(Default)]
struct Partial {
    head: [u8; HEAD],
    have: u8,
    frame: Option<Frame>,
    /// The kind of the message in progress.
    kind: Option<Kind>,
    message: Vec<u8>,
    control: Vec<u8>,
}

impl Frames {
    /// Consumes `input` up to the end of the next frame, or all of it if no frame ends there.
    ///
    /// # Errors
    /// If the client broke the protocol, or its message is longer than `limit`. Nothing may be read afterwards.
    pub fn next(&mut self, input: &mut &[u8], limit: usize) -> Result<Option<Message>, Fault> {
        // Most messages arrive whole. Only the others need memory between reads.
        let Some(partial) = &mut self.0 else {
            let mut partial = Partial::default();
            let next = partial.next(input, limit);
            if partial.is_incomplete() {
                self.0 = Some(Box::new(partial));
            }
            return next;
        };
        let next = partial.next(input, limit);
        if !partial.is_incomplete() {
            self.0 = None;
        }
        next
    }

    /// True if a frame or a message has started and is not complete.
    pub fn is_incomplete(&self) -> bool {
        self.0.is_some()
    }

    /// Bytes held for an incomplete frame or message.
    pub fn held(&self) -> usize {
        self.0.as_ref().map_or(0, |partial| {
            partial.message.capacity() + partial.control.capacity()
        })
    }
}

impl Partial {
    fn next(&mut self, input: &mut &[u8], limit: usize) -> Result<Option<Message>, Fault> {
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.read_head(input, limit)? {
                    return Ok(None);
                }
                continue;
            };
            let (now, later) = input.split_at(frame.left.min(input.len()));
            *input = later;
            frame.left -= now.len();
            let into = if frame.kind >= Kind::Close {
                &mut self.control
            } else {
                &mut self.message
            };
            unmask(into, now, frame.mask);
            // The next part continues the mask where this one ends.
            frame.mask.rotate_left(now.len() % 4);
            if frame.left > 0 {
                return Ok(None);
            }
            let Frame { kind, last, .. } = *frame;
            self.frame = None;
            return self.finish(kind, last).map(Some);
        }
    }

    fn is_incomplete(&self) -> bool {
        self.have > 0 || self.frame.is_some() || self.kind.is_some()
    }

    /// Reads the header. Returns true once it is complete.
    fn read_head(&mut self, input: &mut &[u8], limit: usize) -> Result<bool, Fault> {
        loop {
            let have = usize::from(self.have);
            let need = match (have, self.head[1] & 0x7f) {
                (0 | 1, _) => 2,
                (_, 126) => 8,
                (_, 127) => HEAD,
                _ => 6,
            };
            if have >= 2 {
                self.check_head()?;
            }
            if have == need && have > 2 {
                self.have = 0;
                self.frame = Some(self.begin(need, limit)?);
                return Ok(true);
            }
            let (now, later) = input.split_at((need - have).min(input.len()));
            if now.is_empty() {
                return Ok(false);
            }
            self.head[have..have + now.len()].copy_from_slice(now);
            self.have += u8::try_from(now.len()).unwrap_or_default();
            *input = later;
        }
    }

    /// Checks the first two bytes of the header.
    fn check_head(&self) -> Result<(), Fault> {
        let [first, second, ..] = self.head;
        if first & 0x70 != 0 {
            return Err(Fault::protocol("a reserved bit is set"));
        }
        if second & 0x80 == 0 {
            return Err(Fault::protocol("a frame is not masked"));
        }
        let control = first & 0x08 != 0;
        if control && (first & 0x80 == 0 || usize::from(second & 0x7f) > CONTROL) {
            return Err(Fault::protocol("a control frame is fragmented or too long"));
        }
        Ok(())
    }

    fn begin(&mut self, head: usize, limit: usize) -> Result<Frame, Fault> {
        let kind = match self.head[0] & 0x0f {
            0 => Kind::Continued,
            1 => Kind::Text,
            2 => Kind::Binary,
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            _ => return Err(Fault::protocol("an unknown kind of frame")),
        };
        match (kind, self.kind) {
            (Kind::Text | Kind::Binary, None) => self.kind = Some(kind),
            (Kind::Text | Kind::Binary, Some(_)) | (Kind::Continued, None) => {
                return Err(Fault::protocol("a fragment out of order"));
            }
            _ => {}
        }
        let length = match head {
            6 => u64::from(self.head[1] & 0x7f),
            8 => u64::from(u16::from_be_bytes([self.head[2], self.head[3]])),
            _ => {
                let mut long = [0; 8];
                long.copy_from_slice(&self.head[2..10]);
                u64::from_be_bytes(long)
            }
        };
        let left = usize::try_from(length).unwrap_or(usize::MAX);
        if kind < Kind::Close && left > limit.saturating_sub(self.message.len()) {
            return Err(Fault {
                code: 1009,
                why: "a message is too long",
            });
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.head[head - 4..head]);
        Ok(Frame {
            kind,
            last: self.head[0] & 0x80 != 0,
            mask,
            left,
        })
    }

    fn finish(&mut self, kind: Kind, last: bool) -> Result<Message, Fault> {
        let utf8 = |_| Fault {
            code: 1007,
            why: "a text is not UTF-8",
        };
        match kind {
            Kind::Ping => return Ok(Message::Ping(std::mem::take(&mut self.control))),
            Kind::Pong => {
                self.control = Vec::new();
                return Ok(Message::Pong);
            }
            Kind::Close => {
                let body = std::mem::take(&mut self.control);
                return match body.split_first_chunk::<2>() {
                    Some((code, reason)) => {
                        std::str::from_utf8(reason).map_err(|_| utf8(()))?;
                        Ok(Message::Close(Some(u16::from_be_bytes(*code))))
                    }
                    None if body.is_empty() => Ok(Message::Close(None)),
                    None => Err(Fault::protocol("a close frame of one byte")),
                };
            }
            _ if !last => return Ok(Message::Part),
            _ => {}
        }
        let message = std::mem::take(&mut self.message);
        match self.kind.take() {
            Some(Kind::Binary) => Ok(Message::Binary(message)),
            _ => String::from_utf8(message)
                .map(Message::Text)
                .map_err(|_| utf8(())),
        }
    }
}

fn unmask(into: &mut Vec<u8>, bytes: &[u8], mask: [u8; 4]) {
    let start = into.len();
    into.extend_from_slice(bytes);
    if mask == [0; 4] {
        return;
    }
    let mut words = into[start..].chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// The first byte of an unfragmented text frame.
pub const TEXT: u8 = 0x81;
/// The first byte of an unfragmented binary frame.
pub const BINARY: u8 = 0x82;
/// The first byte of a close frame.
pub const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// Appends a frame as a client would send it, with a mask of zeros.
pub fn append_as_client(into: &mut Vec<u8>, first: u8, parts: &[&[u8]]) {
    append_head(into, first, 0x80, parts.iter().map(|part| part.len()).sum());
    into.extend_from_slice(&[0; 4]);
    for part in parts {
        into.extend_from_slice(part);
    }
}

/// A text frame of ours.
pub fn text(text: &str) -> Bytes {
    ours(TEXT, text.as_bytes())
}

/// A binary frame of ours.
#[allow(dead_code, reason = "for the echo server of the official suites")]
pub fn binary(bytes: &[u8]) -> Bytes {
    ours(BINARY, bytes)
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Bytes {
    ours(PONG, payload)
}

/// A close frame with this code.
pub fn close(code: u16) -> Bytes {
    ours(CLOSE, &code.to_be_bytes())
}

fn ours(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + 10);
    append_head(&mut frame, first, 0, payload.len());
    frame.extend_from_slice(payload);
    frame.into()
}

fn append_head(into: &mut Vec<u8>, first: u8, masked: u8, length: usize) {
    into.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => into.push(masked | length),
        (_, Ok(length)) => {
            into.push(masked | 126);
            into.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            into.push(masked | 127);
            into.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// The first frame of ours in these bytes: its first byte, and where its payload begins and ends. `None` if it is
/// incomplete.
pub fn first_of_ours(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, rest) = bytes.split_first()?;
    let (begin, length) = match *rest.first()? & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]))),
        127 => {
            let long = rest.get(1..9)?.first_chunk()?;
            (10, usize::try_from(u64::from_be_bytes(*long)).ok()?)
        }
        short => (2, usize::from(short)),
    };
    let end = begin + length;
    (end <= bytes.len()).then_some((*first, begin, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1_000;

    /// A masked frame of a client.
    fn client(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        append_head(&mut frame, first, 0x80, payload.len());
        frame.extend([1, 2, 3, 4]);
        frame.extend(
            payload
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        frame
    }

    /// The messages in these bytes, read `step` bytes at a time.
    fn read(bytes: &[u8], step: usize) -> Result<Vec<Message>, Fault> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for mut part in bytes.chunks(step) {
            while let Some(message) = frames.next(&mut part, LIMIT)? {
                all.push(message);
            }
            assert!(part.is_empty(), "all of it is taken");
        }
        Ok(all)
    }

    #[test]
    fn messages_are_complete_whatever_their_pieces() {
        let long = "x".repeat(900);
        let bytes = [
            client(0x81, b"4hello"),
            client(0x01, "gr\u{fc}".as_bytes()),
            client(0x89, b"are you there"),
            client(0x00, "\u{df}".as_bytes()),
            client(0x80, b"e"),
            client(0x82, long.as_bytes()),
            client(0x8a, b""),
            client(0x81, b""),
            client(0x88, &[3, 232]),
        ]
        .concat();
        let expected = vec![
            Message::Text("4hello".into()),
            Message::Part,
            Message::Ping(b"are you there".to_vec()),
            Message::Part,
            Message::Text("gr\u{fc}\u{df}e".into()),
            Message::Binary(long.into_bytes()),
            Message::Pong,
            Message::Text(String::new()),
            Message::Close(Some(1000)),
        ];
        for step in [1, 2, 3, 5, 7, 64, bytes.len()] {
            assert_eq!(read(&bytes, step).unwrap(), expected, "{step} at a time");
        }
    }

    #[test]
    fn violations_of_the_protocol_have_their_codes() {
        let mut unmasked = client(0x81, b"4");
        unmasked[1] &= 0x7f;
        let huge = [&[0x82, 0xff][..], &[0xff; 8], &[0; 4]].concat();
        let sum = [client(0x01, &[b'x'; 600]), client(0x80, &[b'x'; 401])].concat();
        for (bytes, code) in [
            (client(0x81, &[b'x'; LIMIT + 1]), 1009),
            (huge, 1009),
            (sum, 1009),
            (client(0x81, b"\xff"), 1007),
            (unmasked, 1002),
            (client(0xc1, b"4"), 1002),
            (client(0x83, b"4"), 1002),
            (client(0x09, b""), 1002),
            (client(0x89, &[0; 126]), 1002),
            (client(0x80, b"4"), 1002),
            (client(0x88, b"x"), 1002),
            ([client(0x01, b"4"), client(0x81, b"4")].concat(), 1002),
        ] {
            for step in [1, bytes.len()] {
                assert_eq!(read(&bytes, step).unwrap_err().code, code, "{:?}", &bytes[..2]);
            }
        }
    }

    #[test]
    fn random_bytes_give_messages_or_a_fault() {
        let mut random = fastrand::Rng::with_seed(1_012);
        let (mut messages, mut faults) = (0, 0);
        let mut frames = Frames::default();
        for _ in 0..200_000 {
            let payload: Vec<u8> = (0..random.usize(0..150)).map(|_| random.u8(b'0'..b'z')).collect();
            let firsts = [0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a];
            let mut bytes = client(firsts[random.usize(0..firsts.len())], &payload);
            if random.u8(0..4) == 0 {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            let mut rest = &bytes[..random.usize(1..=bytes.len())];
            loop {
                match frames.next(&mut rest, LIMIT) {
                    Ok(Some(_)) => messages += 1,
                    Ok(None) => break,
                    Err(fault) => {
                        assert!([1002, 1007, 1009].contains(&fault.code));
                        faults += 1;
                        frames = Frames::default();
                        break;
                    }
                }
            }
            assert!(frames.held() <= 2 * LIMIT + CONTROL, "at most twice the limit");
        }
        assert!(messages > 10_000 && faults > 10_000, "{messages} {faults}");
    }

    #[test]
    fn between_messages_nothing_is_held() {
        let mut frames = Frames::default();
        let bytes = client(0x81, &[b'x'; 500]);
        let (first, second) = bytes.split_at(300);
        assert_eq!(frames.next(&mut &first[..], LIMIT), Ok(None));
        assert!(frames.is_incomplete() && frames.held() >= 290);
        assert!(frames.next(&mut &second[..], LIMIT).unwrap().is_some());
        assert!(!frames.is_incomplete() && frames.held() == 0);
    }

    #[test]
    fn our_own_frames_are_found() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let frame = text(&"x".repeat(length));
            let (first, begin, end) = first_of_ours(&frame).unwrap();
            assert_eq!((first, end - begin, end), (TEXT, length, frame.len()));
            assert_eq!(first_of_ours(&frame[..frame.len() - 1]), None);
        }
    }
}
