//! A room's page as the server renders it, requested on a schedule.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Figures, Meter, ms, occupied};
use crate::ledger::latencies;
use crate::site::{Cores, Side};

/// Messages in the room.
const HISTORY: f64 = 50.0;
const RATE: f64 = 200.0;
/// Open connections. A request that finds none free waits, and its clock runs.
const CONNECTIONS: usize = 64;

/// Measures Hubbub alone: the others render no page.
pub async fn measure(cores: &Cores, lasting: Duration) -> io::Result<Figures> {
    let (site, crowd) = occupied(Side::Hubbub, cores, 1, 1, true).await?;
    crowd
        .send_at_rate(&crowd.clients, 100.0, Duration::from_secs_f64(HISTORY / 100.0))
        .await?;
    crowd.settled(Duration::from_secs(30)).await?;
    let path = crowd
        .clients
        .first()
        .map(|client| format!("/rooms/{}", client.room.slug))
        .unwrap_or_default();
    let request = request(site.addresses[0], &path);
    ask_at_rate(site.addresses[0], &request, RATE, Duration::from_secs(1)).await?;
    let meter = Meter::start(site.pids());
    let took = ask_at_rate(site.addresses[0], &request, RATE, lasting).await?;
    Ok(vec![
        ("p99", ms(took.value_at_quantile(0.99))),
        ("p50", ms(took.value_at_quantile(0.5))),
        ("cpu", meter.servers() * 1e3 / took.len() as f64),
        ("generator", meter.own()?),
    ])
}

/// The request for a page.
pub fn request(address: SocketAddr, path: &str) -> Rc<str> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: br, gzip\r\n\r\n").into()
}

/// Requests a page this many times per second and returns how long each took, in microseconds.
pub async fn ask_at_rate(
    address: SocketAddr,
    request: &Rc<str>,
    rate: f64,
    lasting: Duration,
) -> io::Result<hdrhistogram::Histogram<u64>> {
    let idle = Rc::new(std::cell::RefCell::new(Vec::new()));
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        idle.borrow_mut().push(stream);
    }
    let gate = Rc::new(Semaphore::new(CONNECTIONS));
    let (began, mut asking) = (Instant::now(), JoinSet::new());
    let count = (rate * lasting.as_secs_f64()).round();
    let mut n = 0.0;
    while n < count {
        let due = began + Duration::from_secs_f64(n / rate);
        sleep(due.saturating_duration_since(Instant::now())).await;
        let (idle, gate, request) = (Rc::clone(&idle), Rc::clone(&gate), Rc::clone(request));
        asking.spawn_local(async move {
            let _permit = gate.acquire().await;
            let stream = idle.borrow_mut().pop();
            let mut stream = stream.ok_or(io::ErrorKind::NotConnected)?;
            stream.write_all(request.as_bytes()).await?;
            answered(&mut stream).await?;
            let took = due.elapsed();
            idle.borrow_mut().push(stream);
            io::Result::Ok(took)
        });
        n += 1.0;
    }
    let mut took = latencies();
    while let Some(one) = asking.join_next().await {
        let one = one.map_err(io::Error::other)??;
        took.saturating_record(u64::try_from(one.as_micros()).unwrap_or(u64::MAX).max(1));
    }
    Ok(took)
}

/// Reads one response with a `Content-Length`.
pub async fn answered(stream: &mut TcpStream) -> io::Result<()> {
    let mut answer = Vec::with_capacity(64 * 1024);
    let mut whole = None;
    while whole.is_none_or(|whole| answer.len() < whole) {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if whole.is_none()
            && let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
            let length = length.ok_or_else(|| io::Error::other(format!("no length: {head}")))?;
            whole = Some(end + 4 + length);
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200") {
        let line = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
        return Err(io::Error::other(line));
    }
    Ok(())
}
