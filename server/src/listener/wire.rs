//! The writing side of a connection. Two write to it: the Socket.IO library, and the fan-out, which puts whole frames
//! past the library: a room's packet is the same bytes for everybody in it.
//!
//! The library's bytes are whole frames as well, but the kernel may take only a part of them. Then its rest goes first.
//! Frames of the fan-out that the kernel does not take wait here, in their order; when the library then wants to write,
//! its turn comes after those that wait already.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A peer that takes nothing for so long, while the kernel's buffers are full, does not read. It resumes when it
/// comes back.
pub const STALL: Duration = Duration::from_secs(5);
/// Frames that may wait for one peer…
const WAITING: usize = 4_096;
/// …and bytes of them, before the last one: twice the longest answer, 500 messages of 8,000 characters of four bytes.
/// Else whoever reads slowly what they asked for would be cut off for what the room says meanwhile.
const WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Connections that have been opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A connection that is written to.
pub struct Wire {
    /// Which one it is: they are numbered as they are opened.
    number: u64,
    tcp: TcpStream,
    slow: Counter,
    out: Mutex<Out>,
}

#[derive(Default)]
struct Out {
    waiting: VecDeque<Bytes>,
    /// How long they are together.
    bytes: usize,
    /// How much of the first of them the kernel has.
    begun: usize,
    /// How many of them go before the library, if it wants to write. It stays at none while the kernel has only a part
    /// of what the library wrote.
    before_library: Option<usize>,
    /// Somebody looks after those that wait.
    attended: bool,
    /// Whether the kernel has taken anything since somebody last asked.
    moved: bool,
    ended: bool,
}

impl Wire {
    /// Of an open connection. `slow` counts those that are cut off.
    pub fn new(tcp: TcpStream, slow: Counter) -> Arc<Self> {
        Arc::new(Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            tcp,
            slow,
            out: Mutex::default(),
        })
    }

    /// The number of the connection.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection, to read from.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a whole frame, or has it wait. What is sent to a connection that has ended is lost, as it is on its way.
    /// A peer that is too far behind is cut off.
    pub fn send(self: &Arc<Self>, frame: &Bytes) {
        let mut out = self.out();
        if out.ended {
            return;
        }
        if out.waiting.len() >= WAITING || out.bytes >= WAITING_BYTES {
            self.cut(&mut out);
            return;
        }
        let free = out.before_library.is_none() && out.waiting.is_empty();
        let written = if free {
            self.tcp.try_write(frame).unwrap_or(0)
        } else {
            0
        };
        out.moved |= written > 0;
        if written < frame.len() {
            // An error shows again to whoever looks after it.
            out.begun = if free { written } else { out.begun };
            out.bytes += frame.len();
            out.waiting.push_back(frame.clone());
            self.attend(&mut out);
        }
    }

    /// Sees to it that somebody writes what waits.
    fn attend(self: &Arc<Self>, out: &mut Out) {
        // While the library waits it does so itself, when its turn is over.
        if out.waiting.is_empty() || out.attended || out.before_library.is_some() {
            return;
        }
        out.attended = true;
        let wire = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok(Ok(())) = timeout(STALL, wire.tcp.writable()).await {
                let mut out = wire.out();
                out.flush(&wire.tcp);
                if out.waiting.is_empty() || out.before_library == Some(0) || out.ended {
                    out.attended = false;
                    return;
                }
            }
            let mut out = wire.out();
            out.attended = false;
            if !out.ended {
                wire.cut(&mut out);
            }
        });
    }

    /// Writes for the library, as `AsyncWrite` has it.
    pub fn poll_write(self: &Arc<Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut out = self.out();
            if out.ended {
                return Poll::Ready(Ok(bytes.len()));
            }
            let waiting = out.waiting.len();
            out.before_library.get_or_insert(waiting);
            out.flush(&self.tcp);
            if out.before_library == Some(0) {
                match self.tcp.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(written) => {
                        out.moved |= written > 0;
                        if written == bytes.len() {
                            out.before_library = None;
                            out.flush(&self.tcp);
                            self.attend(&mut out);
                        }
                        return Poll::Ready(Ok(written));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            drop(out);
            // Ready only if something has changed since.
            match self.tcp.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Whether the kernel has taken anything since this was last asked.
    pub fn has_moved(&self) -> bool {
        std::mem::take(&mut self.out().moved)
    }

    /// Ends the connection of a peer that does not read. Whoever reads it hears of it; what the kernel holds for the
    /// peer goes at once.
    pub fn give_up(&self) {
        self.cut(&mut self.out());
    }

    fn cut(&self, out: &mut Out) {
        self.slow.inc();
        tracing::info!("a peer does not read; its connection is closed");
        out.end(&self.tcp);
    }

    /// Nothing more comes from us.
    pub fn finish(&self) -> io::Result<()> {
        let mut out = self.out();
        if out.ended {
            return Ok(());
        }
        out.waiting = VecDeque::new();
        socket2::SockRef::from(&self.tcp).shutdown(std::net::Shutdown::Write)
    }

    /// The library is done with it: so is everybody.
    pub fn close(&self) {
        let mut out = self.out();
        if !out.ended {
            out.ended = true;
            out.waiting = VecDeque::new();
            if let Err(error) = socket2::SockRef::from(&self.tcp).shutdown(std::net::Shutdown::Both) {
                tracing::trace!(%error, "the connection had ended already");
            }
        }
    }
}

impl Out {
    /// Writes what waits and may go, until the kernel takes no more.
    fn flush(&mut self, tcp: &TcpStream) {
        while self.before_library != Some(0)
            && let Some(frame) = self.waiting.front()
        {
            match tcp.try_write(&frame[self.begun..]) {
                Ok(written) => {
                    self.moved |= written > 0;
                    self.begun += written;
                    if self.begun == frame.len() {
                        self.bytes -= frame.len();
                        self.waiting.pop_front();
                        self.begun = 0;
                        self.before_library = self.before_library.map(|ahead| ahead - 1);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // Whoever reads hears of it.
                    self.waiting.clear();
                    (self.begun, self.bytes) = (0, 0);
                    self.before_library = self.before_library.map(|_| 0);
                    return;
                }
            }
        }
        if self.waiting.is_empty() {
            // Empty again, it costs nothing.
            self.waiting = VecDeque::new();
        }
    }

    fn end(&mut self, tcp: &TcpStream) {
        self.ended = true;
        self.waiting = VecDeque::new();
        let socket = socket2::SockRef::from(tcp);
        let ended = socket
            .set_linger(Some(Duration::ZERO))
            .and_then(|()| socket.shutdown(std::net::Shutdown::Both));
        if let Err(error) = ended {
            tracing::debug!(%error, "the connection had ended already");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// A wire, and the end at which it is read.
    async fn wire() -> (Arc<Wire>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        socket2::SockRef::from(&tcp).set_send_buffer_size(8_192).unwrap();
        (Wire::new(tcp, Counter::default()), peer)
    }

    /// A frame of this test: who wrote it, which one it is, how long it is, and something to recognise it by.
    fn frame(who: u8, number: u8, length: usize) -> Bytes {
        let mut frame = vec![who, number];
        frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        frame.resize(length + 4, who ^ number);
        frame.into()
    }

    #[tokio::test]
    async fn frames_of_both_stay_whole_and_in_their_order() {
        const FRAMES: u8 = 200;
        let (wire, mut peer) = wire().await;
        let library = {
            let wire = Arc::clone(&wire);
            tokio::spawn(async move {
                for number in 0..FRAMES {
                    let frame = frame(b'L', number, 20_000);
                    let mut written = 0;
                    while written < frame.len() {
                        written += poll_fn(|cx| wire.poll_write(cx, &frame[written..]))
                            .await
                            .unwrap();
                    }
                }
            })
        };
        let room = {
            let wire = Arc::clone(&wire);
            tokio::spawn(async move {
                for number in 0..FRAMES {
                    wire.send(&frame(b'R', number, 3_000));
                    tokio::task::yield_now().await;
                }
            })
        };
        let mut next = [(b'L', 0), (b'R', 0)];
        for _ in 0..2 * usize::from(FRAMES) {
            let mut head = [0; 4];
            peer.read_exact(&mut head).await.unwrap();
            let mut body = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
            peer.read_exact(&mut body).await.unwrap();
            let expected = next.iter_mut().find(|(who, _)| *who == head[0]);
            let (who, number) = expected.expect("a frame begins here");
            assert_eq!(head[1], *number, "in order");
            assert!(body.iter().all(|byte| *byte == *who ^ *number), "whole");
            *number = number.wrapping_add(1);
        }
        library.await.unwrap();
        room.await.unwrap();
        assert!(!wire.out().attended && wire.out().waiting.is_empty());
    }

    /// Reads what there is of a frame that the kernel took only a part of, so that there is room in between again.
    async fn make_room(wire: &Wire, peer: &mut TcpStream, part: usize) {
        let mut read = vec![0; part];
        peer.read_exact(&mut read).await.unwrap();
        wire.tcp.writable().await.unwrap();
    }

    #[tokio::test]
    async fn neither_writes_into_the_frame_of_the_other() {
        let large = vec![b'L'; 1 << 20];
        let (wire, mut peer) = wire().await;
        let part = poll_fn(|cx| wire.poll_write(cx, &large)).await.unwrap();
        assert!(part < large.len());
        make_room(&wire, &mut peer, part).await;
        wire.send(&Bytes::from_static(b"R"));
        let library = async {
            let mut written = part;
            while written < large.len() {
                written += poll_fn(|cx| wire.poll_write(cx, &large[written..]))
                    .await
                    .unwrap();
            }
        };
        let mut read = vec![0; large.len() - part + 1];
        let reading = peer.read_exact(&mut read);
        let ((), all) = tokio::join!(library, reading);
        all.unwrap();
        assert!(
            read.iter().rev().skip(1).all(|byte| *byte == b'L'),
            "the room's came last"
        );
        assert_eq!(read.last(), Some(&b'R'));

        let room = Bytes::from(vec![b'R'; 1 << 20]);
        wire.send(&room);
        let begun = wire.out().begun;
        assert!((1..room.len()).contains(&begun));
        make_room(&wire, &mut peer, begun).await;
        let library = poll_fn(|cx| wire.poll_write(cx, b"L"));
        let mut read = vec![0; room.len() - begun + 1];
        let reading = peer.read_exact(&mut read);
        let (written, all) = tokio::join!(library, reading);
        assert_eq!(written.unwrap(), 1);
        all.unwrap();
        assert!(
            read.iter().rev().skip(1).all(|byte| *byte == b'R'),
            "the library's came last"
        );
        assert_eq!(read.last(), Some(&b'L'));
    }

    #[tokio::test]
    async fn a_peer_too_far_behind_is_cut_off() {
        let (wire, mut peer) = wire().await;
        let sent = until_cut(&wire, 20_000);
        let kernel = 4 * 1024 * 1024;
        assert!((WAITING_BYTES..WAITING_BYTES + kernel).contains(&(sent * 20_000)));
        assert!(wire.out().waiting.is_empty(), "what waited is gone");
        let mut read = vec![0; 1 << 20];
        while peer.read(&mut read).await.is_ok_and(|read| read > 0) {}

        let (wire, _peer) = self::wire().await;
        let sent = until_cut(&wire, 100);
        assert!((WAITING..WAITING + kernel / 100).contains(&sent));
    }

    /// Frames of this length that a peer that does not read is sent until it is cut off.
    fn until_cut(wire: &Arc<Wire>, length: usize) -> usize {
        let frame = frame(b'R', 0, length);
        let sent = (1..100_000).find(|_| {
            wire.send(&frame);
            wire.slow.get() == 1
        });
        sent.expect("it is cut off")
    }
}
