//! Two replicas, a PostgreSQL and a Redis: how long a message takes to members at a replica other than its sender's.

use std::io;
use std::time::Duration;

use super::{Figures, Meter, judge, ms, occupied};
use crate::site::{Cores, Side};

const ROOMS: usize = 10;
const MEMBERS: usize = 20;
const RATE: f64 = 1_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures one side.
pub async fn measure(side: Side, cores: &Cores, lasting: Duration) -> io::Result<Figures> {
    let (site, crowd) = occupied(side, cores, ROOMS, MEMBERS, true).await?;
    crowd
        .send_at_rate(&crowd.clients, 200.0, Duration::from_secs(2))
        .await?;
    crowd.settled(PATIENCE).await?;
    let before = crowd.tally.borrow().delivered;
    crowd.tally.borrow_mut().forget_latencies();
    let meter = Meter::start(site.pids());
    crowd.send_at_rate(&crowd.clients, RATE, lasting).await?;
    crowd.settled(PATIENCE).await?;
    let (servers, own) = (meter.servers(), meter.own()?);
    judge(&crowd, side)?;
    let tally = crowd.tally.borrow();
    Ok(vec![
        ("p99", ms(tally.crossed.value_at_quantile(0.99))),
        ("p50", ms(tally.crossed.value_at_quantile(0.5))),
        ("cpu", servers * 1e6 / (tally.delivered - before) as f64),
        ("generator", own),
    ])
}
