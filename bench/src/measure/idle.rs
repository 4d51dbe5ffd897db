//! Thousands of silent clients: memory, CPU, and what remains after a burst and after waves of arrivals.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

use super::{Figures, Meter, judge};
use crate::crowd::{Crowd, Plan};
use crate::site::{Cores, Side, Site};
use crate::usage;

/// Members of each room.
const MEMBERS: usize = 50;
/// Rooms in the first measurement, and in the second.
const ROOMS: [usize; 2] = [100, 160];
/// A bit more than one round of pings.
const IDLE: Duration = Duration::from_secs(26);
/// How long the server may still work after everyone joined or left.
const REST: Duration = Duration::from_secs(2);
const WAVES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures one side. `thorough` adds the idle time, the burst and the waves.
pub async fn measure(side: Side, cores: &Cores, thorough: bool) -> io::Result<Figures> {
    cores.pin_generator()?;
    let site = Site::start(side, cores)?;
    let gather = |rooms| {
        let (dialect, addresses) = (site.dialect, &site.addresses);
        Crowd::gather(Plan {
            dialect,
            addresses,
            rooms,
            members: MEMBERS,
            join: true,
        })
    };
    let pids = site.pids();
    sleep(Duration::from_secs(1)).await;
    let empty = usage::resident(&pids);
    let kb = |count: usize| (usage::resident(&pids).saturating_sub(empty)) as f64 / 1e3 / count as f64;
    let some = gather(ROOMS[0]).await?;
    sleep(REST).await;
    let mut figures = vec![("kb 5,000", kb(ROOMS[0] * MEMBERS))];
    let others = gather(ROOMS[1] - ROOMS[0]).await?;
    let all = ROOMS[1] * MEMBERS;
    sleep(REST).await;
    let before = usage::resident(&pids);
    figures.push(("kb 8,000", kb(all)));
    if thorough {
        let meter = Meter::start(pids.clone());
        sleep(IDLE).await;
        figures.push((
            "idle cpu",
            meter.servers() * 1e6 / IDLE.as_secs_f64() / all as f64,
        ));
        // A burst: every member hears fifty messages within a few seconds.
        let senders: Vec<_> = some
            .clients
            .iter()
            .chain(&others.clients)
            .step_by(MEMBERS)
            .cloned()
            .collect();
        some.send_at_rate(&senders, 1_600.0, Duration::from_secs(5))
            .await?;
        for crowd in [&some, &others] {
            crowd.settled(PATIENCE).await?;
            judge(crowd, side)?;
        }
        drop((senders, some, others));
        for _ in 1..WAVES {
            sleep(REST).await;
            drop(gather(ROOMS[1]).await?);
        }
        sleep(REST).await;
        let _last = gather(ROOMS[1]).await?;
        sleep(REST).await;
        figures.push(("after waves", usage::resident(&pids) as f64 / before as f64));
    }
    Ok(figures)
}
