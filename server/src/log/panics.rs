//! Logs and counts panics.

use std::panic::PanicHookInfo;
use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;

pub static COUNT: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Counts and logs every panic from now on: its location, without a backtrace.
pub fn watch() {
    std::panic::set_hook(Box::new(|panic| {
        COUNT.inc();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(%location, %thread, says = literal(panic), "a panic");
    }));
}

/// The panic's message, if it is a literal in the code. A formatted one may quote what people wrote.
fn literal<'a>(panic: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    panic.payload().downcast_ref::<&'static str>().copied()
}
