//! The server: read the configuration, build, serve, drain.

mod backup;
mod commands;
mod config;
mod copy;
mod deadline;
mod engine;
mod http;
mod limits;
mod listener;
mod live;
mod log;
mod metrics;
mod names;
mod origins;
mod process;
mod proxies;
mod readiness;
mod refusals;
mod session;
mod shutdown;
mod site;
mod socket;
mod state;
mod storage;

use std::process::ExitCode;

use config::{Config, Invocation};
use log::Log;

fn main() -> ExitCode {
    let log = match Log::start() {
        Ok(log) => log,
        // Without the log there is nowhere to report the error.
        Err(_) => return ExitCode::FAILURE,
    };
    let ended = match Config::from_command_line(std::env::args(), |name| std::env::var(name).ok()) {
        Ok(Invocation::Serve(config)) => serve(*config, &log),
        Ok(Invocation::Backup(config, file)) => backup::run(&config, &file).map(|line| say(&line)),
        Ok(Invocation::Copy(config, from)) => copy::run(*config, &from, say),
        Ok(Invocation::Print(text)) => {
            say(&text);
            Ok(())
        }
        Err(error) => Err(error),
    };
    let code = match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.say(&format!("hubbub: {error}"));
            ExitCode::FAILURE
        }
    };
    log.finish();
    code
}

#[tokio::main]
async fn serve(config: Config, log: &Log) -> Result<(), Box<dyn std::error::Error>> {
    log.listen(config.log.clone());
    let listener = listener::bind(config.addr)?;
    let state = process::open(config).await?;
    say(&format!("Hubbub is at http://{}", listener.local_addr()?));
    process::serve(listener, &state, log).await
}

fn say(text: &str) {
    use std::io::Write;
    // A closed standard output must not stop the server.
    let _ = writeln!(std::io::stdout(), "{text}");
}
