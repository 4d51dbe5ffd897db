//! What a delivery costs as rooms grow, and as their number grows.

use std::io;

use super::fanout::{self, Load};
use crate::site::{Cores, Side};

/// Members of a single room.
const SIZES: [usize; 4] = [10, 100, 1_000, 5_000];
/// Numbers of rooms with one member each, who hears only their own messages.
const COUNTS: [usize; 3] = [1, 100, 10_000];

/// One measured point.
pub struct Point {
    /// Number of rooms.
    pub rooms: usize,
    /// Members of each.
    pub members: usize,
    /// Messages per second in all rooms together.
    pub rate: f64,
    /// Microseconds of CPU time per delivery.
    pub cpu: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub p99: f64,
}

/// Measures all points, one after the other.
pub async fn measure(cores: &Cores, lasting: f64) -> io::Result<Vec<Point>> {
    let mut points = Vec::new();
    // About as many deliveries per second at each point, within what people could read in one room.
    let sizes = SIZES.map(|members| (1, members, (20_000.0 / members as f64).clamp(4.0, 200.0)));
    let counts = COUNTS.map(|rooms| (rooms, 1, (rooms as f64 * 500.0).min(2_000.0)));
    for (rooms, members, rate) in sizes.into_iter().chain(counts) {
        let load = Load {
            rooms,
            members,
            rate,
            lasting,
        };
        let figures = fanout::measure(Side::Hubbub, cores, load).await?;
        let figure = |name| {
            figures
                .iter()
                .find(|(what, _)| *what == name)
                .map_or(f64::NAN, |(_, figure)| *figure)
        };
        points.push(Point {
            rooms,
            members,
            rate,
            cpu: figure("cpu"),
            p99: figure("p99"),
        });
    }
    Ok(points)
}
