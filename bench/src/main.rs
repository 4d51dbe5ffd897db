//! `make bench`: Hubbub beside what people would otherwise run, in alternation, as ratios.

mod crowd;
mod dialect;
mod floor;
mod ledger;
mod measure;
mod report;
mod site;
mod table;
mod turns;
mod usage;
mod wire;

use std::io::{self, Write};
use std::process::ExitCode;

use turns::Effort;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody can be told if standard error is closed.
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
    let mut effort = Effort {
        turns: 5,
        quick: false,
    };
    let mut words = words;
    if words.first() == Some(&"quick") {
        words.remove(0);
        effort = Effort {
            turns: 1,
            quick: true,
        };
    }
    if let Some(turns) = std::env::var("BENCH_TURNS")
        .ok()
        .and_then(|turns| turns.parse().ok())
    {
        effort.turns = turns;
    }
    let measures = report::named(&words).map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let set = tokio::task::LocalSet::new();
    let results = set.block_on(&runtime, turns::take(&measures, effort))?;
    let report = format!("{}\n{}", report::table(&results), report::figures(&results));
    writeln!(io::stdout(), "{report}")
}
