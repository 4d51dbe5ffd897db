//! The measures: one file each. A measure starts a server of its own, loads it, and gives figures.

pub mod bus;
pub mod capacity;
pub mod cross;
pub mod durable;
pub mod fanout;
pub mod growth;
pub mod idle;
pub mod pages;
pub mod storm;

use std::io;
use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Plan};
use crate::site::{Cores, Side, Site};
use crate::usage;

/// What one side gave in one turn.
pub type Figures = Vec<(&'static str, f64)>;

/// A generator that takes more of its core than this is too slow to tell what the server does.
const BUSY: f64 = 0.8;

/// CPU time of the servers and of the generator while something was measured.
pub struct Meter {
    pids: Vec<u32>,
    servers: Duration,
    own: Duration,
    began: Instant,
}

impl Meter {
    /// Starts.
    pub fn start(pids: Vec<u32>) -> Self {
        Self {
            servers: usage::cpu(&pids),
            own: usage::own_cpu(),
            began: Instant::now(),
            pids,
        }
    }

    /// CPU time of the servers since then, in seconds.
    pub fn servers(&self) -> f64 {
        usage::cpu(&self.pids).saturating_sub(self.servers).as_secs_f64()
    }

    /// How much of its core the generator took.
    ///
    /// # Errors
    /// If that was too much.
    pub fn own(&self) -> io::Result<f64> {
        let own =
            usage::own_cpu().saturating_sub(self.own).as_secs_f64() / self.began.elapsed().as_secs_f64();
        if own > BUSY {
            return Err(io::Error::other(format!(
                "the generator took {own:.2} of its core"
            )));
        }
        Ok(own)
    }
}

/// Microseconds as milliseconds.
pub fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

/// A server with people in its rooms.
pub async fn occupied(
    side: Side,
    cores: &Cores,
    rooms: usize,
    members: usize,
    join: bool,
) -> io::Result<(Site, Crowd)> {
    cores.take_place()?;
    let site = Site::start(side, cores)?;
    let plan = Plan {
        dialect: site.dialect,
        doors: &site.doors,
        rooms,
        members,
        join,
    };
    let crowd = Crowd::gather(plan).await?;
    Ok((site, crowd))
}

/// Everything arrived once and in order, or the run is void. Only Hubbub promises one order for all.
pub fn judge(crowd: &Crowd, side: Side) -> io::Result<()> {
    let one_order = matches!(side, Side::Hubbub | Side::Replicas);
    crowd
        .verdict(one_order)
        .map_err(|what| io::Error::other(format!("void, {}: {what}", side.name())))
}
