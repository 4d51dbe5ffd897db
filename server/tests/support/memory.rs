//! The memory and the metrics of a server that a test started.

use std::time::{Duration, Instant};

use super::running::Server;

/// Megabytes of resident memory now.
pub fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1_024
}

/// A value from `/metrics`.
pub fn figure(server: &Server, name: &str) -> u64 {
    let metrics = server.get("/metrics", "");
    let figure = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    let found = metrics.lines().find_map(figure);
    found.unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

/// The peak of resident memory until `done`. Panics after a minute.
pub fn peak_until(server: &Server, mut done: impl FnMut() -> bool) -> u64 {
    let until = Instant::now() + Duration::from_secs(60);
    let mut peak = 0;
    loop {
        peak = peak.max(resident(server));
        if done() {
            return peak;
        }
        assert!(Instant::now() < until, "not done after a minute, {peak} MB");
        std::thread::sleep(Duration::from_millis(20));
    }
}
