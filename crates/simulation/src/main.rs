//! Simulates many seeds and reports the result: `cargo run --release -p simulation -- --seeds 10000`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, Command, value_parser};
use simulation::{Bug, Options, run};

/// `--name` with a number, and its default.
fn number(name: &'static str, otherwise: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_parser(value_parser!(u64))
        .default_value(otherwise)
        .help(help)
}

fn main() -> std::io::Result<ExitCode> {
    let arguments = Command::new("simulation")
        .about("Clients, replicas, a truth and a bus that fail, in one process with a virtual clock")
        .arg(number("seeds", "1000", "How many seeds to simulate"))
        .arg(number("from", "0", "The first seed"))
        .arg(
            Arg::new("bug")
                .long("bug")
                .value_parser(Bug::ALL.map(|(name, _)| name))
                .help("Put in a bug, which must be found"),
        )
        .get_matches();
    let number = |name| arguments.get_one::<u64>(name).copied().unwrap_or_default();
    let (seeds, from) = (number("seeds"), number("from"));
    let bug = arguments.get_one::<String>("bug");
    let bug = bug.and_then(|name| Bug::ALL.into_iter().find(|(known, _)| known == name));
    let mut out = std::io::stdout().lock();
    let options = Options {
        bug: bug.map(|(_, bug)| bug),
        trace: false,
    };
    let (started, mut messages, mut reads, mut failed) = (Instant::now(), 0, 0, 0_u64);
    let (mut slowest, mut longest) = (0, 0);
    for seed in from..from.saturating_add(seeds) {
        let ending = run(seed, options);
        messages += ending.messages;
        reads += ending.reads;
        slowest = slowest.max(ending.quiet_after);
        longest = longest.max(ending.took);
        if !ending.wrong.is_empty() {
            failed += 1;
            writeln!(out, "seed {seed} failed; replay it with")?;
            writeln!(out, "    HUBBUB_SEED={seed} cargo test -p simulation -- replay")?;
            for sentence in ending.wrong.iter().take(5) {
                writeln!(out, "    {sentence}")?;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        out,
        "{seeds} seeds, {failed} failed; {messages} messages, {reads} reads; {seconds:.1} s, {:.0} seeds/s; quiet at most {} virtual s after the trouble, the longest took {}",
        seeds as f64 / seconds,
        slowest / 1_000,
        longest / 1_000
    )?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
