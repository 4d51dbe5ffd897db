//! With more connections than descriptors, no client locks out the others.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::memory::figure;
use crate::support::running::{Server, status};

/// A connection from this loopback address.
fn connect(server: &Server, from: Ipv4Addr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(IpAddr::V4(from), 0).into()).unwrap();
    socket.connect(&server.addr.into()).unwrap();
    socket.into()
}

/// Opens a WebSocket. `None` if the server has no place for it.
fn open(server: &Server, from: Ipv4Addr) -> Option<TcpStream> {
    let mut stream = connect(server, from);
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.addr
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut first = [0; 12];
    stream.read_exact(&mut first).ok()?;
    assert_eq!(&first, b"HTTP/1.1 101");
    Some(stream)
}

#[test]
fn a_few_addresses_do_not_lock_out_others() {
    let folder = tempfile::tempdir().unwrap();
    // 300 descriptors, of which 64 are reserved.
    let server = Server::start_with_files(folder.path(), 300, 300);
    assert_eq!(figure(&server, "hubbub_tcp_connections_limit"), 236);
    let attackers: Vec<_> = (2..=4).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect();
    let mut held = Vec::new();
    for _ in 0..120 {
        for from in &attackers {
            held.extend(open(&server, *from));
        }
    }
    // The last refused connections may still be closing.
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let open = figure(&server, "hubbub_tcp_connections");
        if open <= 236 {
            break;
        }
        assert!(Instant::now() < until, "{open} connections");
    }
    assert!(figure(&server, "hubbub_tcp_connections_refused_total") > 0);
    // Newcomers get in, and stay.
    let mut newcomers: Vec<_> = (0..20)
        .map(|_| open(&server, Ipv4Addr::LOCALHOST).expect("a newcomer gets in"))
        .collect();
    assert_eq!(status(&server.get("/rooms/lobby", "")), "200");
    assert!(newcomers.iter_mut().all(|newcomer| {
        newcomer.set_nonblocking(true).unwrap();
        let mut read = [0; 4_096];
        loop {
            match newcomer.read(&mut read) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }));
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with_files(folder.path(), 128, 400);
    assert_eq!(figure(&server, "hubbub_tcp_connections_limit"), 336);
}
