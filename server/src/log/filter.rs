//! Which events are logged.

use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::layer::{Context, Layer};

use super::repeats::{Line, Repeats};

/// Our own crates. `hubbub` is the binary, which the documentation calls `server`.
const OURS: [&str; 6] = ["hubbub", "server", "app", "backend", "chat", "protocol"];
/// Libraries log nothing finer than this, whatever the filter says: at finer levels some print message texts and
/// tokens.
const LIBRARIES: Level = Level::INFO;

/// Why a filter is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotAFilter {
    /// A syntax error.
    #[error(transparent)]
    Syntax(#[from] ParseError),
    /// A word that is neither a level nor one of our crates. The library would take it for a crate name, and a
    /// misspelt `info` would silence everything.
    #[error("neither a level nor a part of the server: {0}")]
    Word(String),
}

/// Reads a filter such as `info,server=debug`.
///
/// # Errors
/// If it is not a valid filter.
pub fn parse(text: &str) -> Result<EnvFilter, NotAFilter> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let unknown = words.filter(|word| !word.contains(['=', '['])).find(|word| {
        let part = word.split("::").next().unwrap_or_default();
        word.parse::<LevelFilter>().is_err() && !OURS.contains(&part)
    });
    if let Some(word) = unknown {
        return Err(NotAFilter::Word(word.to_owned()));
    }
    let directives = text.split(',').map(|directive| {
        // Inside the program, the modules' targets start with the binary's name.
        match directive.trim_start().strip_prefix("server") {
            Some(rest) if rest.is_empty() || rest.starts_with(['=', ':', '[']) => format!("hubbub{rest}"),
            _ => directive.to_owned(),
        }
    });
    Ok(EnvFilter::try_new(directives.collect::<Vec<_>>().join(","))?)
}

fn is_capped(metadata: &Metadata<'_>) -> bool {
    let krate = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() > LIBRARIES && !OURS.contains(&krate)
}

/// Caps libraries and limits repetition, in addition to the configured filter.
pub struct Screen(pub Arc<Repeats>);

impl<S: Subscriber> Layer<S> for Screen {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_capped(metadata) {
            Interest::never()
        } else {
            Interest::always()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Events from the `log` crate are not registered under their own target.
        !is_capped(metadata)
    }

    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // An operator who asks for more detail wants all of it.
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut said = Said::default();
        event.record(&mut said);
        let line = Line {
            call_site: std::ptr::from_ref(metadata).addr(),
            level: *metadata.level(),
            target: metadata.target(),
            message: &said.message,
            digest: said.digest.finish(),
        };
        self.0.admit(&line, Instant::now())
    }
}

/// The message of an event, and a digest of all its fields.
#[derive(Default)]
struct Said {
    message: String,
    digest: DefaultHasher,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "{value:?}");
        (field.name(), &text).hash(&mut self.digest);
        if field.name() == "message" {
            self.message = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_called_server() {
        for (text, means) in [
            ("info", "info"),
            ("info,server=debug", "info,hubbub=debug"),
            ("server", "hubbub=trace"),
            (
                "server::socket=trace,chat=debug",
                "hubbub::socket=trace,chat=debug",
            ),
            ("warn,hubbub=info", "warn,hubbub=info"),
            ("serverless=debug", "serverless=debug"),
        ] {
            let expected = EnvFilter::try_new(means).unwrap().to_string();
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
        assert!(parse("server=loud").is_err());
    }
}
