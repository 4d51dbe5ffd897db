//! Panics, as the log and the metrics know them.

use std::panic::PanicHookInfo;
use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;

/// Panics so far.
pub static COUNT: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts and logs every panic from now on: where it happened, without a backtrace.
pub fn watch() {
    std::panic::set_hook(Box::new(|panic| {
        COUNT.inc();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(%place, %thread, says = literal(panic), "a panic");
    }));
}

/// What a panic says, if that is a literal of the code. Anything formatted may quote what people wrote.
fn literal<'a>(panic: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    panic.payload().downcast_ref::<&'static str>().copied()
}
