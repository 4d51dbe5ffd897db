//! The lower bound: the cost of writing the same frames to the same number of sockets, and nothing else.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ledger::Mark;

/// Serves once: waits for `clients` connections, then writes `frames` frames of `bytes` bytes to each, `rate` per
/// second.
pub fn serve(port: u16, clients: usize, rate: f64, frames: u32, bytes: usize) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    writeln!(io::stdout(), "ready")?;
    let sockets: Vec<TcpStream> = listener.incoming().take(clients).collect::<io::Result<_>>()?;
    for socket in &sockets {
        socket.set_nodelay(true)?;
    }
    let (began, clock) = (Instant::now(), clock());
    for number in 0..frames {
        let due = Duration::from_secs_f64(f64::from(number) / rate);
        sleep(due.saturating_sub(began.elapsed()));
        let due = clock + u64::try_from(due.as_micros()).unwrap_or(u64::MAX);
        let frame = frame(number, due, bytes);
        for mut socket in &sockets {
            socket.write_all(&frame)?;
        }
    }
    // The reader ends this process.
    sleep(Duration::from_secs(600));
    Ok(())
}

/// Microseconds of wall-clock time, because the reader is another process.
pub fn clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}

fn frame(number: u32, due: u64, bytes: usize) -> Vec<u8> {
    let event = r#"42/chat,["events",[{"text":""#;
    let mark = Mark {
        sender: 0,
        number,
        due,
    };
    let text = format!(
        "{event}{}\"}}]]",
        mark.text(bytes.saturating_sub(event.len() + 4))
    );
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x81, 126][..], &length, text.as_bytes()].concat()
}
