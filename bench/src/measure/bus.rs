//! Two replicas, a PostgreSQL and a Redis: how many messages per second they take when each sender sends its next message as soon as
//! one is acknowledged.

use std::io;
use std::time::{Duration, Instant};

use super::{Figures, judge, occupied};
use crate::site::{Cores, Side};

const ROOMS: usize = 100;
const MEMBERS: usize = 2;
/// Unacknowledged messages of each sender.
const AHEAD: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures one side.
pub async fn measure(side: Side, cores: &Cores, lasting: Duration) -> io::Result<Figures> {
    let (_site, crowd) = occupied(side, cores, ROOMS, MEMBERS, true).await?;
    let began = Instant::now();
    crowd.chain(&crowd.clients, AHEAD, lasting).await?;
    crowd.settled(PATIENCE).await?;
    let took = began.elapsed().as_secs_f64();
    judge(&crowd, side)?;
    let sent: u32 = crowd.clients.iter().map(|client| client.sent.get()).sum();
    Ok(vec![("messages", f64::from(sent) / took)])
}
