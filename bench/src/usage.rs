//! The machine, and what processes cost as the kernel counts it.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

/// The unit of CPU time in `/proc`, the same on every Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);
/// Bytes of a memory page.
const PAGE: u64 = 4_096;

/// How many cores this process may use, counted at the first call, before it is pinned to some of them.
pub fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// A process and its living descendants.
pub fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(&one) = all.get(at) {
        at += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{one}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    all
}

/// User and system CPU time of these processes so far.
pub fn cpu(pids: &[u32]) -> Duration {
    pids.iter()
        .map(|pid| TICK * u32::try_from(ticks(*pid).unwrap_or(0)).unwrap_or(u32::MAX))
        .sum()
}

/// CPU time of this process so far.
pub fn own_cpu() -> Duration {
    cpu(&[std::process::id()])
}

fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything; the fields after it are numbers.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (
        fields.next()?.parse::<u64>().ok()?,
        fields.next()?.parse::<u64>().ok()?,
    );
    Some(user + system)
}

/// Resident memory of these processes, in bytes.
pub fn resident(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    pids.iter().filter_map(of).sum::<u64>() * PAGE
}

/// Describes this machine, for the results.
pub fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, name)| name);
    let cores = cores();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {cores} cores, Linux {}",
        model.unwrap_or("unknown processor"),
        kernel.trim()
    )
}
