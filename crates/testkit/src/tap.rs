//! TCP proxies that count what a replica asks of PostgreSQL and Redis.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// The two proxies. Their threads end with the connections.
pub struct Taps {
    counts: Arc<Counts>,
    urls: (String, String),
}

#[derive(Default)]
struct Counts {
    trips: AtomicU64,
    commands: AtomicU64,
}

/// A protocol, as far as counting commands needs it.
trait Speech: Default + Send + 'static {
    /// The length of the first message in `bytes`, if it is there completely, and whether it is a command.
    fn first(&mut self, bytes: &[u8]) -> Option<(usize, bool)>;
}

impl Taps {
    /// Starts a proxy before each of these URLs.
    ///
    /// # Errors
    /// No port is free, or a URL is not on 127.0.0.1.
    pub fn before(database: &str, redis: &str) -> io::Result<Self> {
        let counts = Arc::<Counts>::default();
        let urls = (tap::<Postgres>(database, &counts)?, tap::<Redis>(redis, &counts)?);
        Ok(Self { counts, urls })
    }

    /// The URLs of the proxies, for the database and for Redis.
    pub fn urls(&self) -> (String, String) {
        self.urls.clone()
    }

    /// How often anything was sent after an answer, over all connections.
    pub fn trips(&self) -> u64 {
        self.counts.trips.load(Ordering::Relaxed)
    }

    /// How many statements and commands were sent.
    pub fn commands(&self) -> u64 {
        self.counts.commands.load(Ordering::Relaxed)
    }
}

/// Starts a proxy before the server of this URL. Returns the URL with the proxy's address.
fn tap<S: Speech>(url: &str, counts: &Arc<Counts>) -> io::Result<String> {
    let server = url
        .split(['/', '@'])
        .find(|part| part.starts_with("127.0.0.1:"))
        .ok_or_else(|| io::Error::other(format!("{url} is not on 127.0.0.1")))?
        .to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = url.replace(&server, &listener.local_addr()?.to_string());
    let counts = Arc::clone(counts);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A replica notices a connection that fails.
            let _ = TcpStream::connect(&server).and_then(|server| join::<S>(client, server, &counts));
        }
    });
    Ok(url)
}

fn join<S: Speech>(client: TcpStream, server: TcpStream, counts: &Arc<Counts>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (to_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let answered = Arc::new(AtomicBool::new(true));
    let (told, counts) = (Arc::clone(&answered), Arc::clone(counts));
    let (mut speech, mut rest) = (S::default(), Vec::new());
    thread::spawn(move || {
        carry(client, to_server, |bytes| {
            if answered.swap(false, Ordering::Relaxed) {
                counts.trips.fetch_add(1, Ordering::Relaxed);
            }
            rest.extend_from_slice(bytes);
            while let Some((length, command)) = speech.first(&rest) {
                rest.drain(..length);
                counts.commands.fetch_add(u64::from(command), Ordering::Relaxed);
            }
        });
    });
    thread::spawn(move || carry(server, to_client, |_| told.store(true, Ordering::Relaxed)));
    Ok(())
}

/// Passes bytes on until either end closes.
fn carry(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&[u8])) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        see(&chunk[..count]);
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    for end in [from, to] {
        // It may be closed already.
        let _ = end.shutdown(Shutdown::Both);
    }
}

/// PostgreSQL's protocol 3.0: after the start, each message has a letter and its length.
#[derive(Default)]
struct Postgres {
    started: bool,
}

/// The code of a start; other codes ask for encryption.
const START: [u8; 4] = 196_608_u32.to_be_bytes();

impl Speech for Postgres {
    fn first(&mut self, bytes: &[u8]) -> Option<(usize, bool)> {
        let letter = usize::from(self.started);
        let length: [u8; 4] = bytes.get(letter..letter + 4)?.try_into().ok()?;
        let whole = letter + u32::from_be_bytes(length) as usize;
        let message = bytes.get(..whole)?;
        if !self.started {
            self.started = message.get(4..8) == Some(&START);
            return Some((whole, false));
        }
        // Execute, and a query as text.
        Some((whole, matches!(message.first(), Some(b'E' | b'Q'))))
    }
}

/// Redis' protocol: a command is an array of strings.
#[derive(Default)]
struct Redis;

impl Speech for Redis {
    fn first(&mut self, bytes: &[u8]) -> Option<(usize, bool)> {
        let mut at = 0;
        let strings = number(bytes, &mut at)?;
        for _ in 0..strings {
            let length = number(bytes, &mut at)?;
            at += length + 2;
        }
        (at <= bytes.len()).then_some((at, true))
    }
}

/// Reads a sign, a number and the end of its line.
fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let line = bytes.get(*at..)?;
    let end = line.windows(2).position(|end| end == b"\r\n")?;
    *at += end + 2;
    std::str::from_utf8(line.get(1..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands<S: Speech>(bytes: &[u8]) -> u32 {
        let (mut speech, mut rest, mut commands) = (S::default(), Vec::new(), 0);
        // Byte by byte: a message may arrive in pieces.
        for byte in bytes {
            rest.push(*byte);
            while let Some((length, command)) = speech.first(&rest) {
                rest.drain(..length);
                commands += u32::from(command);
            }
        }
        assert!(rest.is_empty(), "{rest:?} is left");
        commands
    }

    #[test]
    fn commands_of_redis_are_counted() {
        let two = b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n*1\r\n$4\r\nPING\r\n";
        assert_eq!(commands::<Redis>(two), 2);
    }

    #[test]
    fn statements_of_postgresql_are_counted() {
        let encryption = [&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat();
        let start = [&9_u32.to_be_bytes()[..], &START, &[0]].concat();
        let [bind, execute, sync, query] = [b'B', b'E', b'S', b'Q'].map(|letter| [letter, 0, 0, 0, 5, b'x']);
        let all = [encryption, start, [bind, execute, sync, query].concat()].concat();
        assert_eq!(commands::<Postgres>(&all), 2);
    }
}
