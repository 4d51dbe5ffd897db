//! Thousands of clients join one room at once, as after a restart: how long until they are live.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Figures, Meter, ms, occupied};
use crate::crowd::{ask, ask_for_bytes, greet};
use crate::dialect::Dialect;
use crate::ledger::latencies;
use crate::site::{Cores, Side};
use crate::wire::Wire;

const JOINING: usize = 5_000;
/// Messages that the room already has.
const HISTORY: usize = 50;
/// Connections that sign people in.
const SIGN_INS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures one side.
pub async fn measure(side: Side, cores: &Cores) -> io::Result<Figures> {
    let (site, crowd) = occupied(side, cores, 1, 1, true).await?;
    let (dialect, address) = (site.dialect, site.addresses[0]);
    crowd
        .send_at_rate(&crowd.clients, 100.0, Duration::from_millis(10 * HISTORY as u64))
        .await?;
    crowd.settled(PATIENCE).await?;
    let tokens = tokens(dialect, address).await?;
    let slug = crowd
        .clients
        .first()
        .map(|client| client.room.slug.clone())
        .unwrap_or_default();
    let join: Rc<str> = dialect.join(1, &slug, "").into();
    let (began, meter) = (Instant::now(), Meter::start(site.pids()));
    let mut joining = JoinSet::new();
    for token in tokens {
        let join = Rc::clone(&join);
        joining.spawn_local(async move {
            let wire = Wire::connect(address).await?;
            greet(&wire, dialect, "Bench", token.as_deref()).await?;
            let joined = ask_for_bytes(&wire, dialect, 1, &join).await?;
            let took = began.elapsed();
            if memchr::memmem::find_iter(&joined, b"\"client_id\":").count() != HISTORY {
                return Err(io::Error::other("a client joined without the history"));
            }
            io::Result::Ok((wire, took))
        });
    }
    let (mut live, mut there) = (latencies(), Vec::new());
    while let Some(joined) = joining.join_next().await {
        let (wire, took) = joined.map_err(io::Error::other)??;
        live.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        there.push(wire);
    }
    Ok(vec![
        ("99 % live", ms(live.value_at_quantile(0.99))),
        ("half live", ms(live.value_at_quantile(0.5))),
        ("cpu", meter.servers() * 1e3 / JOINING as f64),
    ])
}

/// Signs people in and returns their tokens. The peers have no accounts.
async fn tokens(dialect: Dialect, address: std::net::SocketAddr) -> io::Result<Vec<Option<String>>> {
    if dialect == Dialect::Rooms {
        return Ok(vec![None; JOINING]);
    }
    let mut signing_in = JoinSet::new();
    for batch in 0..SIGN_INS {
        signing_in.spawn_local(async move {
            let mut tokens = Vec::new();
            for n in 0..JOINING / SIGN_INS {
                let wire = Wire::connect(address).await?;
                greet(&wire, dialect, "", None).await?;
                let name = json!({ "name": format!("Bench {batch} {n}") });
                let answer = ask(&wire, dialect, 1, &dialect.ask(1, "sign_in", &name)).await?;
                tokens.push(
                    answer
                        .pointer("/0/ok/token")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
            }
            io::Result::Ok(tokens)
        });
    }
    let mut tokens = Vec::new();
    while let Some(signed_in) = signing_in.join_next().await {
        tokens.extend(signed_in.map_err(io::Error::other)??);
    }
    Ok(tokens)
}
