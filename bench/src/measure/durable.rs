//! One process with its own storage: how many messages per second are stored durably and acknowledged.

use std::io;
use std::time::{Duration, Instant};

use super::{Figures, Meter, judge, ms, occupied};
use crate::site::{Cores, Side};

const ROOMS: usize = 20;
const MEMBERS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Two hundred senders, each with `ahead` unacknowledged messages.
pub async fn measure(side: Side, cores: &Cores, ahead: usize, lasting: Duration) -> io::Result<Figures> {
    let (site, crowd) = occupied(side, cores, ROOMS, MEMBERS, false).await?;
    crowd.chain(&crowd.clients, ahead, Duration::from_secs(1)).await?;
    crowd.settled(PATIENCE).await?;
    crowd.acks.borrow_mut().latency.reset();
    let before: u32 = crowd.clients.iter().map(|client| client.sent.get()).sum();
    let (began, meter) = (Instant::now(), Meter::start(site.pids()));
    crowd.chain(&crowd.clients, ahead, lasting).await?;
    crowd.settled(PATIENCE).await?;
    let (took, servers) = (began.elapsed().as_secs_f64(), meter.servers());
    judge(&crowd, side)?;
    let sent: u32 = crowd.clients.iter().map(|client| client.sent.get()).sum();
    let stored = f64::from(sent - before);
    Ok(vec![
        ("sends", stored / took),
        ("p99", ms(crowd.acks.borrow().latency.value_at_quantile(0.99))),
        ("cpu", servers * 1e6 / stored),
        ("generator", meter.own()?),
    ])
}
