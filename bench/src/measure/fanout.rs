//! Rooms with members: what a delivered message costs, and how long it takes.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Figures, Meter, judge, ms, occupied};
use crate::floor;
use crate::ledger::{Mark, latencies};
use crate::site::{Cores, Side, Site};
use crate::wire::Wire;

/// Members of a room who send.
const SENDERS: usize = 20;
/// How long a side that falls behind may take to deliver everything.
const PATIENCE: Duration = Duration::from_secs(180);
/// Bytes of a Hubbub frame with one message of this generator.
const FRAME: usize = 330;

/// The load on the server.
#[derive(Clone, Copy)]
pub struct Load {
    /// Number of rooms.
    pub rooms: usize,
    /// Members of each.
    pub members: usize,
    /// Messages per second, in all rooms together.
    pub rate: f64,
    /// Duration in seconds.
    pub lasting: f64,
}

/// Measures one side under this load.
pub async fn measure(side: Side, cores: &Cores, load: Load) -> io::Result<Figures> {
    if side == Side::Floor {
        return write_loop(cores, load).await;
    }
    let (site, crowd) = occupied(side, cores, load.rooms, load.members, true).await?;
    let rooms = crowd.clients.chunks(load.members);
    let senders: Vec<_> = rooms
        .flat_map(|room| room.iter().take(SENDERS))
        .cloned()
        .collect();
    // Warms up: buffers fill and Node.js compiles. Also measures the latency under little load.
    crowd.send_at_rate(&senders, 10.0, Duration::from_secs(2)).await?;
    crowd.settled(PATIENCE).await?;
    let quiet = ms(crowd.tally.borrow().latency.value_at_quantile(0.99));
    let before = crowd.tally.borrow().delivered;
    crowd.tally.borrow_mut().forget_latencies();
    let meter = Meter::start(site.pids());
    crowd
        .send_at_rate(&senders, load.rate, Duration::from_secs_f64(load.lasting))
        .await?;
    crowd.settled(PATIENCE).await?;
    let (servers, own) = (meter.servers(), meter.own()?);
    judge(&crowd, side)?;
    let tally = crowd.tally.borrow();
    let p99 = ms(tally.latency.value_at_quantile(0.99));
    Ok(vec![
        ("cpu", servers * 1e6 / (tally.delivered - before) as f64),
        ("p50", ms(tally.latency.value_at_quantile(0.5))),
        ("p99", p99),
        ("added", p99 - quiet),
        ("generator", own),
    ])
}

/// Writes the same frames in a plain loop.
async fn write_loop(cores: &Cores, load: Load) -> io::Result<Figures> {
    cores.pin_generator()?;
    let clients = load.rooms * load.members;
    let frames = (load.rate * load.lasting).round();
    let site = Site::floor(cores, clients, load.rate, frames, FRAME)?;
    let mut reading = JoinSet::new();
    let (all, got) = (frames * clients as f64, Rc::new(Cell::new(0.0)));
    let latency = Rc::new(RefCell::new(latencies()));
    let mut meter = None;
    for n in 0..clients {
        let stream = TcpStream::connect(site.addresses[0])?;
        stream.set_nonblocking(true)?;
        let (wire, got) = (
            Wire::plain(tokio::net::TcpStream::from_std(stream)?),
            Rc::clone(&got),
        );
        if n + 1 == clients {
            meter = Some(Meter::start(site.pids()));
        }
        let latency = Rc::clone(&latency);
        reading.spawn_local(async move {
            let take = |text: &[u8]| {
                got.set(got.get() + 1.0);
                let due = memchr::memmem::find(text, b"~b").and_then(|at| Mark::read(&text[at + 2..]));
                let due = due.map_or(0, |mark| mark.due);
                latency
                    .borrow_mut()
                    .saturating_record(floor::clock().saturating_sub(due));
            };
            while wire.receive(take).await.is_ok() {}
        });
    }
    let meter = meter.ok_or_else(|| io::Error::other("the load has no clients"))?;
    while got.get() < all {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(vec![
        ("cpu", meter.servers() * 1e6 / all),
        ("p50", ms(latency.borrow().value_at_quantile(0.5))),
        ("p99", ms(latency.borrow().value_at_quantile(0.99))),
        ("generator", meter.own()?),
    ])
}
