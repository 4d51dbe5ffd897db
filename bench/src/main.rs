//! `make bench`: compares Hubbub with alternatives, in turns, and reports ratios.

mod crowd;
mod dialect;
mod floor;
mod ledger;
mod measure;
mod pace;
mod plot;
mod report;
mod results;
mod site;
mod table;
mod turns;
mod usage;
mod wire;

use std::io::{self, Write};
use std::process::ExitCode;

use site::Cores;
use turns::{Effort, Results};

/// Turns of each side; `BENCH_TURNS` overrides it.
const TURNS: usize = 5;
/// How long each point of the growth is measured, in seconds.
const GROWTH_SECONDS: f64 = 8.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be reported if standard error is closed.
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["floor", port, clients, rate, frames, bytes] = words[..] {
        let wrong = |_| io::Error::other("floor PORT CLIENTS RATE FRAMES BYTES");
        let rate: f64 = rate.parse().map_err(|_| io::Error::other("RATE is a number"))?;
        return floor::serve(
            port.parse().map_err(wrong)?,
            clients.parse().map_err(wrong)?,
            rate,
            frames.parse().map_err(wrong)?,
            bytes.parse().map_err(wrong)?,
        );
    }
    // Counted before any process is pinned.
    let _all = usage::cores();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let set = tokio::task::LocalSet::new();
    let (first, rest) = words.split_first().unwrap_or((&"", &[]));
    match *first {
        "growth" => {
            let points = set.block_on(
                &runtime,
                measure::growth::measure(&Cores::apart(), GROWTH_SECONDS),
            )?;
            results::write_growth(&points)
        }
        "quick" => {
            let effort = Effort {
                turns: 1,
                quick: true,
            };
            let mut results = Results::default();
            for measure in report::named(rest)? {
                set.block_on(&runtime, turns::take(measure, effort, &mut results))?;
            }
            say(&report::table(&results))
        }
        _ => {
            let turns = std::env::var("BENCH_TURNS")
                .ok()
                .and_then(|turns| turns.parse().ok())
                .unwrap_or(TURNS);
            let effort = Effort { turns, quick: false };
            let mut results = Results::default();
            for measure in report::named(&words)? {
                set.block_on(&runtime, turns::take(measure, effort, &mut results))?;
                // Keeps finished measures if a later one fails.
                results::write(&results)?;
            }
            say(&report::table(&results))
        }
    }
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
