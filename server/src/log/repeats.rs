//! A failure that repeats is counted, not repeated.
//!
//! Each place in the code may log a few different lines in a window of time. What is equal to one of them, or beyond
//! them, is only counted; the count follows when the window ends. An outage that fails a thousand requests is so a few
//! lines, and a client that provokes a line cannot fill a disk with it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// How long equal lines are counted before the count is logged.
const WINDOW: Duration = Duration::from_secs(10);
/// Different lines that one place may log in a window.
const LINES: usize = 5;
/// Characters of a message that are kept for the count.
const MESSAGE: usize = 200;

/// What was logged lately, by place in the code. There are never more entries than places.
#[derive(Default)]
pub struct Repeats(Mutex<HashMap<usize, Place>>);

/// A line that is about to be logged.
pub struct Line<'a> {
    /// Where in the code it comes from.
    pub place: usize,
    /// Its level.
    pub level: Level,
    /// Its module.
    pub target: &'a str,
    /// Its message, without fields.
    pub message: &'a str,
    /// Stands for all that it says.
    pub digest: u64,
}

struct Place {
    level: Level,
    target: String,
    /// Digests of the latest different lines that were logged.
    known: Vec<u64>,
    /// Lines logged in this window.
    logged: usize,
    /// Lines of this window that were only counted, and what the first of them said.
    more: u64,
    message: String,
    ends: Instant,
}

impl Repeats {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this line is to be logged; otherwise it has been counted.
    pub fn admit(&self, line: &Line<'_>, now: Instant) -> bool {
        let mut places = self.lock();
        let place = places.entry(line.place).or_insert_with(|| Place {
            level: line.level,
            target: line.target.to_owned(),
            known: Vec::new(),
            logged: 0,
            more: 0,
            message: String::new(),
            ends: now + WINDOW,
        });
        if place.logged < LINES && !place.known.contains(&line.digest) {
            place.logged += 1;
            place.known.push(line.digest);
            if place.known.len() > LINES {
                place.known.remove(0);
            }
            return true;
        }
        if place.more == 0 {
            place.message = line.message.chars().take(MESSAGE).collect();
        }
        place.more += 1;
        false
    }

    /// The counts whose window has ended, each as a line.
    pub fn due(&self) -> Vec<String> {
        self.summaries(Instant::now())
    }

    /// All counts, because the process ends.
    pub fn all(&self) -> Vec<String> {
        self.summaries(Instant::now() + WINDOW)
    }

    fn summaries(&self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        self.lock().retain(|_, place| {
            if place.ends > now {
                return true;
            }
            if place.more == 0 {
                return false;
            }
            lines.push(place.summary());
            // What goes on is counted on, and not said again.
            (place.more, place.logged) = (0, 0);
            place.ends = now + WINDOW;
            true
        });
        lines
    }
}

impl Place {
    fn summary(&self) -> String {
        let mut line = String::new();
        // Without a time the line is still worth something.
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

    fn line(place: usize, digest: u64) -> Line<'static> {
        Line {
            place,
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
    fn what_differs_is_bounded_and_other_places_are_not_silenced() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let logged = (0..1_000).filter(|digest| repeats.admit(&line(1, *digest), now));
        assert_eq!(logged.count(), LINES);
        assert!(repeats.admit(&line(2, 0), now));
    }
}
