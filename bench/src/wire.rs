//! WebSocket frames as bytes: just enough to speak Socket.IO at the lowest cost to the generator.

use std::cell::RefCell;
use std::io::{self, Read};
use std::net::SocketAddr;

use tokio::io::Interest;
use tokio::net::TcpStream;

/// The key of the handshake. Nothing here checks the server's answer to it.
const KEY: &str = "aHViYnViLWJlbmNoLWtleQ==";
/// Most bytes of one read.
const READ: usize = 256 * 1024;

thread_local! {
    /// One buffer for all connections of the thread, so that an idle connection costs the generator nothing.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// A connection that speaks text frames.
pub struct Wire {
    stream: TcpStream,
    /// The beginning of a frame that has not arrived completely.
    partial: RefCell<Vec<u8>>,
    /// Bytes that the kernel has not taken yet.
    unsent: RefCell<Vec<u8>>,
}

impl Wire {
    /// Connects and upgrades to a WebSocket.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        let wire = Self::plain(stream);
        wire.write(request.as_bytes())?;
        let mut head = Vec::new();
        let end = loop {
            if let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") {
                break end + 4;
            }
            wire.read(|bytes| head.extend_from_slice(bytes)).await?;
        };
        if !head.starts_with(b"HTTP/1.1 101") {
            let line = String::from_utf8_lossy(&head[..end]).into_owned();
            return Err(io::Error::other(format!("not a WebSocket: {line}")));
        }
        *wire.partial.borrow_mut() = head.split_off(end);
        Ok(wire)
    }

    /// Wraps a stream on which frames arrive without a handshake.
    pub fn plain(stream: TcpStream) -> Self {
        Self {
            stream,
            partial: RefCell::default(),
            unsent: RefCell::default(),
        }
    }

    /// Sends one text frame. Its mask is zero, which leaves the text unchanged.
    pub fn send(&self, text: &str) -> io::Result<()> {
        let mut frame = Vec::with_capacity(text.len() + 14);
        frame.push(0x81);
        match u16::try_from(text.len()) {
            Ok(short @ 0..=125) => frame.push(0x80 | u8::try_from(short).unwrap_or(0)),
            Ok(medium) => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&medium.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(text.len() as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.write(&frame)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut unsent = self.unsent.borrow_mut();
        if !unsent.is_empty() {
            unsent.extend_from_slice(bytes);
            return Ok(());
        }
        match self.stream.try_write(bytes) {
            Ok(taken) => {
                unsent.extend_from_slice(&bytes[taken..]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                unsent.extend_from_slice(bytes);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for bytes and passes them on.
    async fn read(&self, take: impl FnOnce(&[u8])) -> io::Result<()> {
        loop {
            let waiting = !self.unsent.borrow().is_empty();
            let interest = if waiting {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            let ready = self.stream.ready(interest).await?;
            if waiting && ready.is_writable() {
                let bytes = std::mem::take(&mut *self.unsent.borrow_mut());
                self.write(&bytes)?;
            }
            if !ready.is_readable() {
                continue;
            }
            let read = BUFFER.with_borrow_mut(|buffer| match drain(&self.stream, buffer) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => Ok(Some((std::mem::take(buffer), length))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error),
            });
            if let Some((buffer, length)) = read? {
                take(&buffer[..length]);
                BUFFER.set(buffer);
                return Ok(());
            }
        }
    }

    /// Waits for bytes and passes on each complete text, in order. Answers pings.
    pub async fn receive(&self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut closed = false;
        let mut work = |bytes: &[u8]| -> usize {
            let mut taken = 0;
            while let Some((opcode, text, length)) = frame(&bytes[taken..]) {
                taken += length;
                match (opcode, text) {
                    (1, b"2") => closed |= self.send("3").is_err(),
                    (1, text) => each(text),
                    (8, _) => closed = true,
                    _ => {}
                }
            }
            taken
        };
        let first = std::mem::take(&mut *self.partial.borrow_mut());
        if frame(&first).is_some() {
            // Frames that arrived with the handshake.
            let taken = work(&first);
            self.partial.borrow_mut().extend_from_slice(&first[taken..]);
        } else {
            *self.partial.borrow_mut() = first;
            self.read(|bytes| {
                let mut partial = self.partial.borrow_mut();
                if partial.is_empty() {
                    let taken = work(bytes);
                    partial.extend_from_slice(&bytes[taken..]);
                } else {
                    partial.extend_from_slice(bytes);
                    let whole = std::mem::take(&mut *partial);
                    let taken = work(&whole);
                    partial.extend_from_slice(&whole[taken..]);
                }
            })
            .await?;
        }
        if closed {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

/// Reads what is available. Tells the runtime when nothing is left; it would otherwise ask the kernel again for each
/// frame.
fn drain(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    let drained = stream.try_io(Interest::READABLE, || {
        read = (&*socket2::SockRef::from(stream)).read(buffer)?;
        if (1..buffer.len()).contains(&read) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    match drained {
        Err(error) if read == 0 => Err(error),
        _ => Ok(read),
    }
}

/// The first complete frame: its opcode, its payload and its total length.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, at) = match second & 0x7f {
        126 => (
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
            10,
        ),
        short => (usize::from(short), 2),
    };
    Some((first & 0x0f, bytes.get(at..at + length)?, at + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_complete() {
        assert_eq!(frame(b"\x81\x022a!"), Some((1, &b"2a"[..], 4)));
        assert_eq!(frame(b"\x81\x032a"), None);
        let long = [b"\x81\x7e\x00\xc8".as_slice(), &[b'x'; 200]].concat();
        assert_eq!(
            frame(&long).map(|(_, text, length)| (text.len(), length)),
            Some((200, 204))
        );
        assert_eq!(frame(&long[..203]), None);
    }
}
