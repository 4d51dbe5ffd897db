//! What a delivery costs as rooms grow, and as they become many.

use std::io;

use super::fanout::{self, Load};
use crate::site::{Cores, Side};

/// Members of one room.
const SIZES: [usize; 4] = [10, 100, 1_000, 5_000];
/// Rooms with one member each, who hears only what they say themselves.
const COUNTS: [usize; 3] = [1, 100, 10_000];

/// One point.
pub struct Point {
    /// Rooms.
    pub rooms: usize,
    /// Members of each.
    pub members: usize,
    /// Messages per second in all rooms.
    pub rate: f64,
    /// Microseconds of CPU time for each delivery.
    pub cpu: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub p99: f64,
}

/// All points, one after the other.
pub async fn measure(cores: &Cores, lasting: f64) -> io::Result<Vec<Point>> {
    let mut points = Vec::new();
    // About as many deliveries a second in each, as long as one room does not say more than people can read.
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
