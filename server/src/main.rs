//! The server: read the configuration, build, serve, drain.

mod config;
mod engine;
mod http;
mod limits;
mod listener;
mod metrics;
mod origins;
mod proxies;
mod session;
mod shutdown;
mod site;
mod socket;
mod state;
mod storage;

use std::process::ExitCode;

use config::{Config, Invocation};

fn main() -> ExitCode {
    match Config::from_command_line(std::env::args(), |name| std::env::var(name).ok()) {
        Ok(Invocation::Serve(config)) => match serve(*config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Ok(Invocation::Print(text)) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

#[tokio::main]
async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(config.log.clone())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    let listener = listener::bind(config.addr)?;
    let state = state::State::open(config).await?;
    say(&format!("Hubbub is at http://{}", listener.local_addr()?));
    let stop = shutdown::signal()?;
    listener::serve(listener, &state, stop).await;
    state.close().await;
    Ok(())
}

/// One clear line on standard error, and an exit code that says that it failed.
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    use std::io::Write;
    // Nobody can be told if standard error is closed.
    let _ = writeln!(std::io::stderr(), "hubbub: {error}");
    ExitCode::FAILURE
}

fn say(text: &str) {
    use std::io::Write;
    // Serving matters more than saying so.
    let _ = writeln!(std::io::stdout(), "{text}");
}
