//! What a replica asks of PostgreSQL and Redis for a join and for a page, and how long the front page takes.

use std::io;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::pages::{answered, ask_at_rate, request};
use super::{Figures, ms};
use crate::crowd::{Crowd, Plan, ask, greet};
use crate::site::{Cores, Site};
use crate::wire::Wire;

const ROOMS: usize = 200;
/// How many joins and pages to count. The replica also asks on its own now and then, so the median is taken.
const COUNTED: usize = 31;
/// Requests per second.
const RATE: f64 = 100.0;
/// What a join leaves to do is done after this time.
const QUIET: Duration = Duration::from_millis(50);

/// Measures Hubbub alone.
pub async fn measure(cores: &Cores, lasting: Duration) -> io::Result<Figures> {
    cores.pin_generator()?;
    let (site, taps) = Site::tapped(cores)?;
    let (free, tapped) = (site.addresses[0], site.addresses[1]);
    let crowd = Crowd::gather(Plan {
        dialect: site.dialect,
        addresses: &[free],
        rooms: ROOMS,
        members: 1,
        join: true,
    })
    .await?;
    let once = Duration::from_secs_f64(ROOMS as f64 / 200.0);
    crowd.send_at_rate(&crowd.clients, 200.0, once).await?;
    crowd.settled(Duration::from_secs(30)).await?;

    let wire = Wire::connect(tapped).await?;
    greet(&wire, site.dialect, "Bench", None).await?;
    let name = json!({ "name": "Newcomer" });
    ask(&wire, site.dialect, 1, &site.dialect.ask(1, "sign_in", &name)).await?;
    let mut trips = Vec::new();
    // The first joins also prepare statements on every connection of the pool.
    for (n, client) in (2..).zip(crowd.clients.iter().take(COUNTED + 10)) {
        let before = taps.trips();
        let join = site.dialect.join(n, &client.room.slug, "");
        ask(&wire, site.dialect, n, &join).await?;
        trips.push(taps.trips() - before);
        sleep(QUIET).await;
    }

    let page = request(tapped, "/");
    let mut stream = TcpStream::connect(tapped).await?;
    let mut commands = Vec::new();
    for _ in 0..COUNTED + 10 {
        let before = taps.commands();
        stream.write_all(page.as_bytes()).await?;
        answered(&mut stream).await?;
        commands.push(taps.commands() - before);
        sleep(QUIET).await;
    }

    let page = request(free, "/");
    ask_at_rate(free, &page, RATE, Duration::from_secs(1)).await?;
    let took = ask_at_rate(free, &page, RATE, lasting).await?;
    Ok(vec![
        ("trips", median(trips)),
        ("commands", median(commands)),
        ("p99", ms(took.value_at_quantile(0.99))),
        ("p50", ms(took.value_at_quantile(0.5))),
    ])
}

fn median(mut counts: Vec<u64>) -> f64 {
    let mut counts = counts.split_off(10);
    counts.sort_unstable();
    counts[counts.len() / 2] as f64
}
