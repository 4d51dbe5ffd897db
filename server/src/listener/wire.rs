//! The writing side of a connection. Two write to it: the Socket.IO library, and the fan-out, which puts whole frames
//! past the library: a room's packet is the same bytes for everybody in it.
//!
//! The library's bytes are whole frames as well, but the kernel may take only a part of them. Then its rest goes first.
//! Frames of the fan-out that the kernel does not take wait here, in their order; when the library then wants to write,
//! its turn comes after those that wait already.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::budget::{Account, Budget, Debtor, PER_CONNECTION};
use super::pace::Pace;

mod polled;

/// A socket that takes less than its pace for so long, while the kernel's buffers are full, does not read. It resumes
/// when it comes back.
pub const STALL: Duration = Duration::from_secs(5);
/// What a waiting frame costs beside its bytes: its place in the queue, and what the allocator needs.
const OVERHEAD: usize = 128;

/// Connections that have been opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A connection that is written to.
pub struct Wire {
    /// Which one it is: they are numbered as they are opened.
    number: u64,
    way: Way,
    slow: Counter,
    account: Arc<Account>,
    out: Mutex<Out>,
}

/// How frames reach the peer.
enum Way {
    Tcp(TcpStream),
    /// They wait until the peer asks for them (`wire/polled.rs`), or go to the WebSocket that it has meanwhile.
    Polled(polled::Polled),
}

#[derive(Default)]
struct Out {
    waiting: VecDeque<Bytes>,
    /// How much of the first of them the kernel has.
    begun: usize,
    /// How many of them go before the library, if it wants to write. It stays at none while the kernel has only a part
    /// of what the library wrote.
    before_library: Option<usize>,
    /// Somebody looks after those that wait.
    attended: bool,
    /// Bytes that the kernel has taken since the connection was opened.
    taken: u64,
    /// Whoever wants to read while a write of the library waits.
    reader: Option<Waker>,
    ended: bool,
}

/// How bytes are given to the kernel.
pub type Put = fn(&TcpStream, &[IoSlice<'_>]) -> io::Result<usize>;

/// When the runtime knows that the kernel takes more.
pub fn if_ready(tcp: &TcpStream, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
    tcp.try_write_vectored(bytes)
}

/// In any case: the kernel only says that it takes more when a third of its buffer is free, and a peer on a bad line
/// takes long for that. Once its buffer is filled like this, it takes more only when the peer has.
pub fn in_any_case(tcp: &TcpStream, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
    SockRef::from(tcp).send_vectored(bytes)
}

impl Wire {
    /// Of an open connection. `slow` counts those that are cut off.
    pub fn new(tcp: TcpStream, budget: &Budget, slow: Counter) -> Arc<Self> {
        Arc::new_cyclic(|wire: &Weak<Self>| Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            way: Way::Tcp(tcp),
            slow,
            account: budget.open(wire.clone()),
            out: Mutex::default(),
        })
    }

    /// What waits for its peer.
    pub fn account(&self) -> &Arc<Account> {
        self.upgraded().map_or(&self.account, |wire| &wire.account)
    }

    /// Another account of this connection, for what waits on its behalf but not for its peer to read.
    pub fn open(self: &Arc<Self>, budget: &Budget) -> Arc<Account> {
        let wire = Arc::downgrade(self);
        budget.open(wire)
    }

    /// The number of the connection.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection, to read from. A peer that polls has none.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.way {
            Way::Tcp(tcp) => Some(tcp),
            Way::Polled(_) => None,
        }
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a whole frame, or has it wait. What is sent to a connection that has ended is lost, as it is on its way.
    /// A peer that is too far behind is cut off.
    pub fn send(self: &Arc<Self>, frame: &Bytes) {
        let tcp = match &self.way {
            Way::Tcp(tcp) => tcp,
            Way::Polled(polled) => return self.keep(polled, frame),
        };
        let mut out = self.out();
        if out.ended {
            return;
        }
        if self.account.waiting() >= PER_CONNECTION {
            self.cut_off(&mut out);
            return;
        }
        let free = out.before_library.is_none() && out.waiting.is_empty();
        let written = if free {
            tcp.try_write(frame).unwrap_or(0)
        } else {
            0
        };
        out.taken += written as u64;
        if written < frame.len() {
            // An error shows again to whoever looks after it.
            out.begun = if free { written } else { out.begun };
            self.account.charge(frame.len() + OVERHEAD);
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
        out.flush(self, in_any_case);
        if out.waiting.is_empty() {
            return;
        }
        out.attended = true;
        let wire = Arc::clone(self);
        let taken = out.taken;
        tokio::spawn(async move {
            let Some(tcp) = wire.tcp() else { return };
            let mut pace = Pace::new(Instant::now(), taken, STALL, STALL);
            loop {
                let put = match timeout_at(pace.due(), tcp.writable()).await {
                    Ok(_) => if_ready,
                    Err(_) => in_any_case,
                };
                let mut out = wire.out();
                out.flush(&wire, put);
                if out.waiting.is_empty() || out.before_library == Some(0) || out.ended {
                    out.attended = false;
                    return;
                }
                if !pace.keeps(Instant::now(), out.taken) {
                    out.attended = false;
                    return wire.cut_off(&mut out);
                }
            }
        });
    }

    /// Writes for the library, or for the HTTP server, as `AsyncWrite` has it.
    pub fn poll_write(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
        put: Put,
    ) -> Poll<io::Result<usize>> {
        let all = bytes.iter().map(|part| part.len()).sum();
        let Some(tcp) = self.tcp() else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            let mut out = self.out();
            if out.ended {
                return Poll::Ready(Ok(all));
            }
            let waiting = out.waiting.len();
            out.before_library.get_or_insert(waiting);
            out.flush(self, put);
            if out.before_library == Some(0) {
                match put(tcp, bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(written) => {
                        out.taken += written as u64;
                        if written == all {
                            out.before_library = None;
                            out.flush(self, put);
                            self.attend(&mut out);
                            if let Some(reader) = out.reader.take() {
                                reader.wake();
                            }
                        }
                        return Poll::Ready(Ok(written));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            drop(out);
            // Ready only if something has changed since.
            match tcp.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Ready unless a write of the library waits: whoever answers what it reads, as with a pong for each ping, would
    /// collect answers without end for a peer that does not read them.
    pub fn poll_answered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut out = self.out();
        if out.ended || out.before_library.is_none() {
            return Poll::Ready(());
        }
        out.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Bytes that the kernel has taken so far.
    pub fn taken(&self) -> u64 {
        self.out().taken
    }

    /// Ends the connection of a peer that does not read. Whoever reads it hears of it; what the kernel holds for the
    /// peer goes at once.
    pub fn give_up(&self) {
        self.cut_off(&mut self.out());
    }

    fn cut_off(&self, out: &mut Out) {
        if !out.ended {
            self.slow.inc();
            tracing::info!("a peer does not read; its connection is closed");
        }
        self.reset(out);
    }

    /// Ends the connection with all that waits for it, here and in the kernel.
    fn reset(&self, out: &mut Out) {
        self.end(out);
        let Some(tcp) = self.tcp() else {
            return self.upgraded().map_or((), |wire| wire.cut());
        };
        let socket = SockRef::from(tcp);
        let ended = socket
            .set_linger(Some(Duration::ZERO))
            .and_then(|()| socket.shutdown(std::net::Shutdown::Both));
        if let Err(error) = ended {
            tracing::debug!(%error, "the connection had ended already");
        }
    }

    fn end(&self, out: &mut Out) {
        out.ended = true;
        out.waiting = VecDeque::new();
        self.account.close();
        if let Some(reader) = out.reader.take() {
            reader.wake();
        }
        if let Way::Polled(polled) = &self.way {
            polled.library.wake();
        }
    }

    /// Whether nothing that is sent arrives any more.
    pub fn is_ended(&self) -> bool {
        match self.upgraded() {
            Some(wire) => wire.is_ended(),
            None => self.out().ended,
        }
    }

    /// Nothing more comes from us.
    pub fn finish(&self) -> io::Result<()> {
        let mut out = self.out();
        if out.ended {
            return Ok(());
        }
        out.drop_all(&self.account);
        match self.tcp() {
            Some(tcp) => SockRef::from(tcp).shutdown(std::net::Shutdown::Write),
            None => Ok(()),
        }
    }

    /// Sends this if it can go at once, and nothing after it.
    pub fn last(&self, frame: &Bytes) {
        let mut out = self.out();
        let free = out.before_library.is_none() && out.waiting.is_empty();
        if let Some(tcp) = self.tcp().filter(|_| !out.ended) {
            if free {
                drop(tcp.try_write(frame));
            }
            self.end(&mut out);
            if let Err(error) = SockRef::from(tcp).shutdown(std::net::Shutdown::Write) {
                tracing::trace!(%error, "the connection had ended already");
            }
        }
    }

    /// Closes the connection for everybody; called when the library drops its stream.
    pub fn close(&self) {
        let mut out = self.out();
        if !out.ended {
            self.end(&mut out);
        }
        // Also if nothing more was to come from us: the peer may still be sending.
        let ended = match self.tcp() {
            Some(tcp) => SockRef::from(tcp).shutdown(std::net::Shutdown::Both),
            None => {
                if let Some(wire) = self.upgraded() {
                    wire.close();
                }
                Ok(())
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "the connection had ended already");
        }
    }
}

impl Debtor for Wire {
    fn cut(&self) {
        self.reset(&mut self.out());
    }
}

impl Out {
    /// Writes what waits and may go, until the kernel takes no more.
    fn flush(&mut self, wire: &Wire, put: Put) {
        let Some(tcp) = wire.tcp() else { return };
        while self.before_library != Some(0)
            && let Some(frame) = self.waiting.front()
        {
            match put(tcp, &[IoSlice::new(&frame[self.begun..])]) {
                Ok(written) => {
                    self.taken += written as u64;
                    self.begun += written;
                    if self.begun == frame.len() {
                        wire.account.credit(frame.len() + OVERHEAD);
                        self.waiting.pop_front();
                        self.begun = 0;
                        self.before_library = self.before_library.map(|ahead| ahead - 1);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Whoever reads hears of it.
                Err(_) => return self.drop_all(&wire.account),
            }
        }
        if self.waiting.is_empty() {
            // Empty again, it costs nothing.
            self.waiting = VecDeque::new();
        }
    }

    fn drop_all(&mut self, account: &Account) {
        for frame in std::mem::take(&mut self.waiting) {
            account.credit(frame.len() + OVERHEAD);
        }
        self.begun = 0;
        self.before_library = self.before_library.map(|_| 0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use prometheus_client::metrics::gauge::Gauge;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::super::budget::BUDGET;
    use super::*;

    /// Writes for the library.
    async fn write(wire: &Arc<Wire>, bytes: &[u8]) -> usize {
        poll_fn(|cx| wire.poll_write(cx, &[IoSlice::new(bytes)], if_ready))
            .await
            .unwrap()
    }

    /// A wire, and the end at which it is read.
    async fn wire() -> (Arc<Wire>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        SockRef::from(&tcp).set_send_buffer_size(8_192).unwrap();
        let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
        (Wire::new(tcp, &budget, Counter::default()), peer)
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
                        written += write(&wire, &frame[written..]).await;
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
        wire.tcp().unwrap().writable().await.unwrap();
    }

    #[tokio::test]
    async fn neither_writes_into_the_frame_of_the_other() {
        let large = vec![b'L'; 1 << 20];
        let (wire, mut peer) = wire().await;
        let part = write(&wire, &large).await;
        assert!(part < large.len());
        make_room(&wire, &mut peer, part).await;
        wire.send(&Bytes::from_static(b"R"));
        let library = async {
            let mut written = part;
            while written < large.len() {
                written += write(&wire, &large[written..]).await;
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
        let library = write(&wire, b"L");
        let mut read = vec![0; room.len() - begun + 1];
        let reading = peer.read_exact(&mut read);
        let (written, all) = tokio::join!(library, reading);
        assert_eq!(written, 1);
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
        assert!((PER_CONNECTION..PER_CONNECTION + kernel).contains(&(sent * 20_000)));
        assert!(wire.out().waiting.is_empty(), "what waited is gone");
        assert_eq!(wire.account.waiting(), 0);
        let mut read = vec![0; 1 << 20];
        while peer.read(&mut read).await.is_ok_and(|read| read > 0) {}

        // Small ones are counted with what they cost.
        let (wire, _peer) = self::wire().await;
        let sent = until_cut(&wire, 100);
        assert!(sent < (PER_CONNECTION + kernel) / 100);
        assert!(sent > PER_CONNECTION / (104 + OVERHEAD));
    }

    #[tokio::test]
    async fn what_waits_is_in_the_account_until_it_has_left() {
        let (wire, mut peer) = wire().await;
        let frame = Bytes::from(vec![b'R'; 1 << 20]);
        wire.send(&frame);
        assert_eq!(wire.account.waiting(), frame.len() + OVERHEAD);
        let mut read = vec![0; frame.len()];
        peer.read_exact(&mut read).await.unwrap();
        wire.account.eased().await;
        assert_eq!(wire.account.waiting(), 0);
    }

    #[tokio::test]
    async fn nothing_is_read_while_an_answer_to_it_waits() {
        let (wire, mut peer) = wire().await;
        let answer = vec![b'L'; 1 << 20];
        let mut written = write(&wire, &answer).await;
        assert!(written < answer.len());
        let reading = {
            let wire = Arc::clone(&wire);
            tokio::spawn(async move { poll_fn(|cx| wire.poll_answered(cx)).await })
        };
        tokio::task::yield_now().await;
        assert!(!reading.is_finished());
        let taking = tokio::spawn(async move {
            let mut read = vec![0; 1 << 20];
            peer.read_exact(&mut read).await.unwrap();
        });
        while written < answer.len() {
            written += write(&wire, &answer[written..]).await;
        }
        reading.await.unwrap();
        taking.await.unwrap();
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
