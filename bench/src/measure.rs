//! The measures, one file each. A measure starts its own server, loads it, and returns figures.

pub mod bus;
pub mod capacity;
pub mod cross;
pub mod durable;
pub mod fanout;
pub mod growth;
pub mod idle;
pub mod pages;
pub mod replica;
pub mod storm;

use std::io;
use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Plan};
use crate::site::{Cores, Side, Site};
use crate::usage;

/// The figures of one side in one turn.
pub type Figures = Vec<(&'static str, f64)>;

/// A generator that uses more of its core than this is too slow to measure the server.
const BUSY: f64 = 0.8;

/// Measures the CPU time of the servers and of the generator.
pub struct Meter {
    pids: Vec<u32>,
    servers: Duration,
    own: Duration,
    began: Instant,
}

impl Meter {
    /// Starts measuring these servers.
    pub fn start(pids: Vec<u32>) -> Self {
        Self {
            servers: usage::cpu(&pids),
            own: usage::own_cpu(),
            began: Instant::now(),
            pids,
        }
    }

    /// CPU time of the servers since the start, in seconds.
    pub fn servers(&self) -> f64 {
        usage::cpu(&self.pids).saturating_sub(self.servers).as_secs_f64()
    }

    /// The share of its core that the generator used.
    ///
    /// # Errors
    /// If the share exceeds `BUSY`: such a run is void.
    pub fn own(&self) -> io::Result<f64> {
        let own =
            usage::own_cpu().saturating_sub(self.own).as_secs_f64() / self.began.elapsed().as_secs_f64();
        if own > BUSY {
            return Err(io::Error::other(format!(
                "void: the generator used {own:.2} of its core"
            )));
        }
        Ok(own)
    }
}

/// Microseconds as milliseconds.
pub fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

/// A server with clients in its rooms.
pub async fn occupied(
    side: Side,
    cores: &Cores,
    rooms: usize,
    members: usize,
    join: bool,
) -> io::Result<(Site, Crowd)> {
    cores.pin_generator()?;
    let site = Site::start(side, cores)?;
    let plan = Plan {
        dialect: site.dialect,
        addresses: &site.addresses,
        rooms,
        members,
        join,
    };
    let crowd = Crowd::gather(plan).await?;
    Ok((site, crowd))
}

/// Fails unless everything arrived once and in order. Only Hubbub promises one order for all members.
pub fn judge(crowd: &Crowd, side: Side) -> io::Result<()> {
    let one_order = matches!(side, Side::Hubbub | Side::Replicas);
    crowd
        .verdict(one_order)
        .map_err(|what| io::Error::other(format!("void, {}: {what}", side.name())))
}
