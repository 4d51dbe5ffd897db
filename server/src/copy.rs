//! `hubbub copy`: moves a chat from a data folder to a PostgreSQL database.

use std::path::Path;
use std::time::{Duration, Instant};

use backend::{Copied, Progress};

use crate::config::Config;
use crate::session::Sessions;
use crate::storage::SESSION_SECRET;

/// How often to say how far it is.
const OFTEN: Duration = Duration::from_secs(3);

/// Copies, and says how far it is and what was copied.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
#[tokio::main]
pub async fn run(config: Config, from: &Path, say: fn(&str)) -> Result<(), Box<dyn std::error::Error>> {
    let Some(to) = &config.database_url else {
        return Err(
            "name the database: --to postgres://user:password@host/database, or HUBBUB_DATABASE_URL".into(),
        );
    };
    let key = Sessions::key_in(from)?;
    let secrets: Vec<_> = key.iter().map(|key| (SESSION_SECRET, &key[..])).collect();
    let begun = Instant::now();
    let mut lines = Lines {
        told: None,
        stage: begun,
        comparing: false,
    };
    let copied = backend::copy(from, to, &secrets, |progress| {
        if let Some(line) = lines.of(progress, Instant::now()) {
            say(&line);
        }
    });
    let Copied {
        rooms,
        events,
        messages,
        people,
        sessions,
        digest,
    } = copied.await?;
    say(&format!(
        "copied {rooms} rooms, {messages} messages ({events} events), {people} people and {sessions} sessions in \
         {:.1} s; counts and digests of both sides are equal (SHA-256 {digest})",
        begun.elapsed().as_secs_f64()
    ));
    if key.is_none() {
        say(
            "the folder has no session.key; set HUBBUB_SESSION_KEY as before, so that everybody stays signed in",
        );
    }
    Ok(())
}

/// Decides when to say how far it is.
struct Lines {
    told: Option<Instant>,
    /// When copying or comparing began.
    stage: Instant,
    comparing: bool,
}

impl Lines {
    /// The next line, if it is time for one.
    fn of(&mut self, progress: Progress, now: Instant) -> Option<String> {
        let changed = progress.comparing != self.comparing;
        if changed {
            (self.comparing, self.stage) = (progress.comparing, now);
        }
        let due = self.told.is_none_or(|told| now.duration_since(told) >= OFTEN);
        if !due && !changed {
            return None;
        }
        self.told = Some(now);
        let Progress { comparing, done, all } = progress;
        let doing = if comparing { "comparing" } else { "copying" };
        let per_cent = (done * 100).checked_div(all).unwrap_or(100);
        let rate = done as f64 / now.duration_since(self.stage).as_secs_f64().max(0.001);
        Some(format!(
            "{doing}: {done} of {all} rows, {per_cent} %, {rate:.0} rows/s"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_few_seconds_and_one_for_each_stage() {
        let begun = Instant::now();
        let mut lines = Lines {
            told: None,
            stage: begun,
            comparing: false,
        };
        let mut at = |seconds, comparing, done| {
            let progress = Progress {
                comparing,
                done,
                all: 200,
            };
            lines.of(progress, begun + Duration::from_secs(seconds))
        };
        assert!(at(0, false, 0).unwrap().contains("0 of 200 rows, 0 %"));
        assert_eq!(at(2, false, 50), None);
        let line = at(4, false, 100).unwrap();
        assert_eq!(line, "copying: 100 of 200 rows, 50 %, 25 rows/s");
        assert!(at(5, true, 0).unwrap().starts_with("comparing: 0 of 200"));
        assert_eq!(at(6, true, 10), None);
    }
}
