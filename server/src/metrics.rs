//! Metrics for `/metrics`, in Prometheus' text format.

mod appends;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chat::hub::Ports;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    pub tcp: Gauge,
    /// How many TCP connections may be open.
    pub places: Gauge,
    /// Connections refused because a limit was reached.
    pub turned_away: Counter,
    pub late: Counter,
    /// Connected sockets by namespace.
    pub sockets: Family<Namespace, Gauge>,
    /// Rooms followed because a connection of this process is in them.
    pub rooms: Gauge,
    /// Messages, and whatever else people do to them and to rooms, stored. Repeated client ids are counted again.
    stored: Counter,
    /// Packs of events handed to a room's connections.
    pub packs: Counter,
    /// Commands refused, by code.
    pub refused: Family<Code, Counter>,
    /// Connections closed because they did not keep up.
    pub slow: Counter,
    /// Bytes that slow readers have not read yet.
    pub waiting: Gauge,
    /// Connections cut because the budget for slow readers was exceeded.
    pub cut: Counter,
    /// Joins that were told to try again later.
    pub deferred: Counter,
    /// 1 while other replicas cannot be told anything.
    pub redis_away: Gauge,
    /// Tokio tasks that are running.
    tasks: Gauge,
    /// Seconds from the start of an append to its receipts.
    append: Histogram,
}

/// The label for a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Namespace {
    pub namespace: NamespacePath,
}

/// All namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "these are the values of the label")]
pub enum NamespacePath {
    /// `/chat`, the app's protocol.
    chat,
    /// `/`, the public example.
    demo,
}

/// The label for an error code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Code {
    /// The code as it travels.
    pub code: String,
}

impl Metrics {
    /// All metrics, at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("hubbub");
        let metrics = Self {
            tcp: Gauge::default(),
            places: Gauge::default(),
            turned_away: Counter::default(),
            late: Counter::default(),
            sockets: Family::default(),
            rooms: Gauge::default(),
            stored: Counter::default(),
            packs: Counter::<u64, AtomicU64>::default(),
            refused: Family::default(),
            slow: Counter::default(),
            waiting: Gauge::default(),
            cut: Counter::default(),
            deferred: Counter::default(),
            redis_away: Gauge::default(),
            tasks: Gauge::default(),
            append: Histogram::new(exponential_buckets(0.000_25, 2.0, 15)),
            registry: Registry::default(),
        };
        registry.register("tcp_connections", "Open TCP connections", metrics.tcp.clone());
        registry.register(
            "tcp_connections_limit",
            "TCP connections that may be open",
            metrics.places.clone(),
        );
        registry.register(
            "tcp_connections_refused",
            "Connections refused because a limit was reached",
            metrics.turned_away.clone(),
        );
        registry.register(
            "requests_late",
            "Requests whose body did not arrive in time",
            metrics.late.clone(),
        );
        registry.register(
            "sockets",
            "Connected sockets by namespace",
            metrics.sockets.clone(),
        );
        registry.register(
            "rooms_followed",
            "Rooms with somebody connected here",
            metrics.rooms.clone(),
        );
        registry.register(
            "messages_stored",
            "Messages, edits, deletions, reactions and titles stored",
            metrics.stored.clone(),
        );
        registry.register(
            "packs_sent",
            "Packs of events handed to a room's sockets",
            metrics.packs.clone(),
        );
        registry.register(
            "commands_refused",
            "Commands refused by error code",
            metrics.refused.clone(),
        );
        registry.register(
            "slow_sockets",
            "Sockets disconnected because they did not keep up",
            metrics.slow.clone(),
        );
        registry.register_with_unit(
            "waiting",
            "Bytes that peers have not read yet",
            Unit::Bytes,
            metrics.waiting.clone(),
        );
        registry.register(
            "connections_cut",
            "Connections cut because the process held too much for slow peers",
            metrics.cut.clone(),
        );
        registry.register(
            "joins_deferred",
            "Joins that were told to try again later",
            metrics.deferred.clone(),
        );
        registry.register(
            "redis_away",
            "1 while Redis is away and people on other replicas hear later",
            metrics.redis_away.clone(),
        );
        let log = crate::log::counters();
        registry.register("panics", "Panics; each is a bug in the server", log.panics);
        registry.register("log_lines_lost", "Log lines that could not be written", log.lost);
        registry.register("tasks", "Tasks that are running", metrics.tasks.clone());
        registry.register_with_unit(
            "append",
            "Time from taking up a send to its receipts",
            Unit::Seconds,
            metrics.append.clone(),
        );
        Self { registry, ..metrics }
    }

    /// The metrics as text. Must be called within the runtime whose tasks are counted.
    pub fn encode(&self) -> String {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string cannot fail. If it did, an empty page would be noticed.
            text.clear();
        }
        text
    }

    /// Wraps the log so that appends are counted and timed, whichever way they come.
    pub fn measure(&self, ports: Ports) -> Ports {
        let log = appends::Measured {
            log: ports.log,
            append: self.append.clone(),
            stored: self.stored.clone(),
        };
        Ports {
            log: Arc::new(log),
            ..ports
        }
    }

    pub fn refuse(&self, refusal: &protocol::Refusal) {
        let code = crate::refusals::code(refusal);
        self.refused.get_or_create(&Code { code }).inc();
    }
}
