//! The comparisons to report, and the figures that they use: the lines of the results.

use crate::site::Side;

/// The measures that `bench` can run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Measure {
    /// One room of 1,000, 40 messages per second.
    Fanout,
    /// The same with 800 messages per second.
    Hot,
    /// The public chat example: 500 people, 100 messages per second.
    Example,
    /// The highest rate that one room takes.
    Capacity,
    /// Thousands of silent clients.
    Idle,
    /// Thousands of clients that join at once.
    Storm,
    /// Latency from replica to replica.
    Cross,
    /// The highest rate through two replicas, a PostgreSQL and a Redis.
    Bus,
    /// What a replica asks of PostgreSQL and Redis.
    Replica,
    /// One room of ten, 200 messages per second.
    Small,
    /// The highest rate that one process stores.
    Durable,
    /// A room's page.
    Pages,
}

impl Measure {
    /// All measures, in the order in which they run.
    pub const ALL: [Self; 12] = [
        Self::Fanout,
        Self::Small,
        Self::Hot,
        Self::Example,
        Self::Capacity,
        Self::Storm,
        Self::Cross,
        Self::Bus,
        Self::Replica,
        Self::Durable,
        Self::Pages,
        Self::Idle,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Hot => "hot",
            Self::Example => "example",
            Self::Capacity => "capacity",
            Self::Idle => "idle",
            Self::Storm => "storm",
            Self::Cross => "cross",
            Self::Bus => "bus",
            Self::Replica => "replica",
            Self::Small => "small",
            Self::Durable => "durable",
            Self::Pages => "pages",
        }
    }

    /// The sides that take part, in turns.
    pub fn sides(self) -> &'static [Side] {
        match self {
            Self::Fanout => &[Side::Hubbub, Side::N1, Side::Floor, Side::Oxide],
            Self::Small | Self::Hot | Self::Storm | Self::Idle => &[Side::Hubbub, Side::N1],
            Self::Example => &[Side::HubbubExample, Side::Example],
            Self::Capacity => &[Side::Hubbub, Side::N1, Side::N2],
            Self::Cross | Self::Bus => &[Side::Replicas, Side::N2],
            Self::Replica | Self::Durable | Self::Pages => &[Side::Hubbub],
        }
    }
}

/// What a figure is compared with.
pub enum Against {
    /// With the same figure of another side in the same turn.
    Side(Side),
    /// With nothing: the figure itself must reach the bar.
    Nothing,
}

/// One line of the results.
pub struct Line {
    /// Its description.
    pub what: &'static str,
    /// The measure that produces the figure.
    pub measure: Measure,
    /// The figure's name.
    pub figure: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What the figure is compared with.
    pub against: Against,
    /// True if more is better.
    pub more: bool,
    /// The ratio that passes, and the one that we aim for.
    pub bars: (f64, Option<f64>),
}

const fn line(what: &'static str, measure: Measure, figure: &'static str, unit: &'static str) -> Line {
    Line {
        what,
        measure,
        figure,
        unit,
        against: Against::Side(Side::N1),
        more: false,
        bars: (1.0, None),
    }
}

impl Line {
    const fn at_most(mut self, pass: f64, aim: Option<f64>) -> Self {
        self.bars = (pass, aim);
        self
    }

    const fn at_least(mut self, pass: f64, aim: Option<f64>) -> Self {
        self.more = true;
        self.at_most(pass, aim)
    }

    const fn against(mut self, against: Against) -> Self {
        self.against = against;
        self
    }
}

/// The lines, in order.
pub const LINES: [Line; 23] = {
    use Against::{Nothing, Side as Of};
    use Measure::{Bus, Capacity, Cross, Durable, Example, Fanout, Hot, Idle, Pages, Replica, Small, Storm};
    [
        line(
            "CPU per delivery, 1 room × 1,000, 40 messages/s",
            Fanout,
            "cpu",
            "µs",
        )
        .at_most(0.6, Some(0.45)),
        line("the same, against the write loop", Fanout, "cpu", "µs")
            .against(Of(Side::Floor))
            .at_most(1.6, Some(1.25)),
        line("the same, against a bare socketioxide", Fanout, "cpu", "µs")
            .against(Of(Side::Oxide))
            .at_most(1.0, None),
        line(
            "CPU per delivery, 1 room × 10, 200 messages/s; N1 stores nothing",
            Small,
            "cpu",
            "µs",
        )
        .at_most(1.5, Some(1.0)),
        line("p99 latency at 40,000 deliveries/s", Fanout, "p99", "ms").at_most(0.5, Some(0.3)),
        line(
            "CPU per delivery, 1 room × 1,000, 800 messages/s",
            Hot,
            "cpu",
            "µs",
        )
        .at_most(0.15, Some(0.08)),
        line("what packing adds there to the p99", Hot, "added", "ms")
            .against(Nothing)
            .at_most(25.0, None),
        line(
            "CPU per delivery, namespace `/`, 500 people, 100 messages/s",
            Example,
            "cpu",
            "µs",
        )
        .against(Of(Side::Example))
        .at_most(0.6, None),
        line("median latency there", Example, "p50", "ms")
            .against(Of(Side::Example))
            .at_most(1.0, None),
        line(
            "deliveries/s at p99 ≤ 250 ms, all cores",
            Capacity,
            "deliveries",
            "/s",
        )
        .at_least(6.0, Some(12.0)),
        line("the same, against N2", Capacity, "deliveries", "/s")
            .against(Of(Side::N2))
            .at_least(3.0, None),
        line(
            "5,000 join one room with 50 messages: until 99 % are live",
            Storm,
            "99 % live",
            "ms",
        )
        .at_most(0.5, Some(0.3)),
        line(
            "p99 across replicas, 1,000 messages/s, all stored; N2 stores nothing",
            Cross,
            "p99",
            "ms",
        )
        .against(Of(Side::N2))
        .at_most(0.8, Some(0.5)),
        line(
            "messages/s through PostgreSQL and Redis, all stored; N2 stores nothing",
            Bus,
            "messages",
            "/s",
        )
        .against(Of(Side::N2))
        .at_least(1.0, Some(1.5)),
        line(
            "first join of a room at a replica: round trips to PostgreSQL and Redis",
            Replica,
            "trips",
            "",
        )
        .against(Nothing)
        .at_most(3.0, None),
        line(
            "front page with 200 rooms: statements and commands",
            Replica,
            "commands",
            "",
        )
        .against(Nothing)
        .at_most(5.0, None),
        line("the same, p99 at 100/s", Replica, "p99", "ms")
            .against(Nothing)
            .at_most(15.0, None),
        line("durable sends/s, 200 senders", Durable, "sends", "/s")
            .against(Nothing)
            .at_least(20_000.0, Some(60_000.0)),
        line(
            "page of a room with 50 messages, p99 at 200/s",
            Pages,
            "p99",
            "ms",
        )
        .against(Nothing)
        .at_most(10.0, None),
        line("resident KB per idle connection, 5,000", Idle, "kb 5,000", "KB").at_most(1.0, Some(0.7)),
        line("resident KB per idle connection, 8,000", Idle, "kb 8,000", "KB").at_most(1.0, Some(0.7)),
        line(
            "idle CPU per connection and second, 8,000",
            Idle,
            "idle cpu",
            "µs",
        )
        .at_most(0.5, None),
        line(
            "memory after a burst and five waves, relative to idle",
            Idle,
            "after waves",
            "",
        )
        .against(Nothing)
        .at_most(1.2, None),
    ]
};
