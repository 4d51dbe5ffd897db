//! Tests with frames of the library and of the fan-out on one connection.

use std::future::poll_fn;

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;
use crate::live::BUDGET;

/// Writes as the library does.
async fn write(wire: &Arc<Wire>, bytes: &[u8]) -> usize {
    poll_fn(|cx| wire.poll_write(cx, &[IoSlice::new(bytes)], if_ready))
        .await
        .unwrap()
}

/// A wire, and its peer's end.
async fn wire() -> (Arc<Wire>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    SockRef::from(&tcp).set_send_buffer_size(8_192).unwrap();
    let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
    (Wire::new(tcp, &budget, Counter::default()), peer)
}

/// A frame of these tests: its writer, its number, its length, and a body derived from them.
fn frame(who: u8, number: u8, length: usize) -> Bytes {
    let mut frame = vec![who, number];
    frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
    frame.resize(length + 4, who ^ number);
    frame.into()
}

#[tokio::test]
async fn frames_of_both_writers_stay_whole_and_in_order() {
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

/// Reads the part of a frame that the kernel took, so that the kernel has room again.
async fn make_room(wire: &Wire, peer: &mut TcpStream, part: usize) {
    let mut read = vec![0; part];
    peer.read_exact(&mut read).await.unwrap();
    wire.tcp().unwrap().writable().await.unwrap();
}

#[tokio::test]
async fn neither_writer_interrupts_a_frame_of_the_other() {
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
        "the room's frame came last"
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
        "the library's frame came last"
    );
    assert_eq!(read.last(), Some(&b'L'));
}

#[tokio::test]
async fn a_peer_too_far_behind_is_cut_off() {
    let (wire, mut peer) = wire().await;
    let sent = until_cut(&wire, 20_000);
    let kernel = 4 * 1024 * 1024;
    assert!((PER_CONNECTION..PER_CONNECTION + kernel).contains(&(sent * 20_000)));
    assert!(wire.out().waiting.is_empty(), "the waiting frames are dropped");
    assert_eq!(wire.account.waiting(), 0);
    let mut read = vec![0; 1 << 20];
    while peer.read(&mut read).await.is_ok_and(|read| read > 0) {}

    // Small frames count with their overhead.
    let (wire, _peer) = self::wire().await;
    let sent = until_cut(&wire, 100);
    assert!(sent < (PER_CONNECTION + kernel) / 100);
    assert!(sent > PER_CONNECTION / (104 + OVERHEAD));
}

#[tokio::test]
async fn waiting_bytes_are_charged_until_they_have_left() {
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
async fn nothing_is_read_while_an_answer_waits() {
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

/// How many frames of this length are sent to a peer that does not read before it is cut off.
fn until_cut(wire: &Arc<Wire>, length: usize) -> usize {
    let frame = frame(b'R', 0, length);
    let sent = (1..100_000).find(|_| {
        wire.send(&frame);
        wire.slow.get() == 1
    });
    sent.expect("it is cut off")
}
