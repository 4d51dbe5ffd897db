//! How much load one room of a thousand takes: the rate is raised until the 99th percentile of the latency exceeds a
//! quarter of a second.

use std::io;
use std::time::{Duration, Instant};

use super::{Figures, judge, ms, occupied};
use crate::site::{Cores, Side};

const MEMBERS: usize = 1_000;
const SENDERS: usize = 20;
/// The first rate in messages per second, and the factor for each next one.
const FIRST: f64 = 30.0;
const MORE: f64 = 1.5;
const LASTING: Duration = Duration::from_secs(2);
/// The highest acceptable latency, in milliseconds.
const LIMIT: f64 = 250.0;
/// How long to wait for late messages.
const PATIENCE: Duration = Duration::from_secs(2);

/// Finds the highest rate that one side sustains.
pub async fn measure(side: Side, cores: &Cores) -> io::Result<Figures> {
    let (_site, crowd) = occupied(side, cores, 1, MEMBERS, true).await?;
    let senders: Vec<_> = crowd.clients.iter().take(SENDERS).cloned().collect();
    crowd.send_at_rate(&senders, 10.0, Duration::from_secs(1)).await?;
    crowd.settled(PATIENCE).await?;
    let (mut rate, mut best) = (FIRST, 0.0);
    loop {
        let before = crowd.tally.borrow().delivered;
        crowd.tally.borrow_mut().forget_latencies();
        let began = Instant::now();
        let sustained = async {
            crowd.send_at_rate(&senders, rate, LASTING).await?;
            crowd.settled(PATIENCE).await
        };
        // A side beyond its limits may end connections that lag behind; then messages are missing.
        if let Err(error) = sustained.await {
            if best > 0.0 {
                break;
            }
            return Err(error);
        }
        let took = began.elapsed().as_secs_f64().max(LASTING.as_secs_f64());
        let tally = crowd.tally.borrow();
        if ms(tally.latency.value_at_quantile(0.99)) > LIMIT {
            break;
        }
        drop(tally);
        // A rate counts only if everything arrived.
        if judge(&crowd, side).is_err() {
            break;
        }
        best = (crowd.tally.borrow().delivered - before) as f64 / took;
        rate *= MORE;
    }
    Ok(vec![("deliveries", best)])
}
