//! A failure that repeats is counted, not logged again.
//!
//! Each call site may log a few different lines per time window. Lines that equal one of them, or exceed their
//! number, are only counted, and the count is logged when the window ends. So an outage that fails a thousand
//! requests logs a few lines, and a client that provokes a log line cannot fill the disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// How long equal lines are counted before the count is logged.
const WINDOW: Duration = Duration::from_secs(10);
/// Different lines that one call site may log per window.
const LINES: usize = 5;
/// Characters of a message that are kept for the summary.
const MESSAGE: usize = 200;

/// What was logged lately, by call site. There are never more entries than call sites.
#[derive(Default)]
pub struct Repeats(Mutex<HashMap<usize, CallSite>>);

/// A line that is about to be logged.
pub struct Line<'a> {
    /// Identifies the call site.
    pub call_site: usize,
    pub level: Level,
    /// The module.
    pub target: &'a str,
    /// The message, without fields.
    pub message: &'a str,
    /// A hash of the whole event.
    pub digest: u64,
}

struct CallSite {
    level: Level,
    target: String,
    /// Digests of the latest different lines that were logged.
    known: Vec<u64>,
    /// Lines logged in this window.
    logged: usize,
    /// Lines of this window that were only counted, and the message of the first of them.
    more: u64,
    message: String,
    ends: Instant,
}

impl Repeats {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, CallSite>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if the line should be logged. Otherwise counts it.
    pub fn admit(&self, line: &Line<'_>, now: Instant) -> bool {
        let mut call_sites = self.lock();
        let site = call_sites.entry(line.call_site).or_insert_with(|| CallSite {
            level: line.level,
            target: line.target.to_owned(),
            known: Vec::new(),
            logged: 0,
            more: 0,
            message: String::new(),
            ends: now + WINDOW,
        });
        if site.logged < LINES && !site.known.contains(&line.digest) {
            site.logged += 1;
            site.known.push(line.digest);
            if site.known.len() > LINES {
                site.known.remove(0);
            }
            return true;
        }
        if site.more == 0 {
            site.message = line.message.chars().take(MESSAGE).collect();
        }
        site.more += 1;
        false
    }

    /// The summaries that are due.
    pub fn due(&self) -> Vec<String> {
        self.summaries(Instant::now())
    }

    /// All summaries, for the end of the process.
    pub fn all(&self) -> Vec<String> {
        self.summaries(Instant::now() + WINDOW)
    }

    fn summaries(&self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        self.lock().retain(|_, site| {
            if site.ends > now {
                return true;
            }
            if site.more == 0 {
                return false;
            }
            lines.push(site.summary());
            // Keep the digests: a failure that continues is counted, not logged again.
            (site.more, site.logged) = (0, 0);
            site.ends = now + WINDOW;
            true
        });
        lines
    }
}

impl CallSite {
    fn summary(&self) -> String {
        let mut line = String::new();
        // A summary without a time is still useful.
        let _ = SystemTime.format_time(&mut Writer::new(&mut line));
        let Self {
            level,
            target,
            message,
            more,
            ..
        } = self;
        let seconds = WINDOW.as_secs();
        format!("{line} {level:>5} {target}: {message} ({more} more like it within {seconds} s)\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(call_site: usize, digest: u64) -> Line<'static> {
        Line {
            call_site,
            level: Level::ERROR,
            target: "test",
            message: "it fails",
            digest,
        }
    }

    #[test]
    fn an_outage_is_one_line_at_once_and_a_count_later() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let logged = (0..1_000).filter(|_| repeats.admit(&line(1, 7), start));
        assert_eq!(logged.count(), 1);
        assert!(repeats.summaries(start).is_empty(), "not before the window ends");
        let lines = repeats.summaries(start + WINDOW);
        assert!(
            lines.len() == 1 && lines[0].contains("it fails (999 more like it"),
            "{lines:?}"
        );
        assert!(!repeats.admit(&line(1, 7), start + WINDOW), "it goes on");
        assert!(repeats.admit(&line(1, 8), start + WINDOW), "something else");
        assert_eq!(repeats.summaries(start + 2 * WINDOW).len(), 1);
        assert!(repeats.summaries(start + 3 * WINDOW).is_empty());
        assert!(repeats.admit(&line(1, 7), start + 3 * WINDOW), "it fails anew");
    }

    #[test]
    fn different_lines_are_limited_per_call_site() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let logged = (0..1_000).filter(|digest| repeats.admit(&line(1, *digest), now));
        assert_eq!(logged.count(), LINES);
        assert!(repeats.admit(&line(2, 0), now));
    }
}
