//! Moves a chat from a data folder to a PostgreSQL database.
//!
//! Each table is copied in batches, read back on both sides, and compared by count and digest, per room. A copy that was
//! interrupted begins again: its source may have changed meanwhile.

mod error;

use std::path::Path;

use futures::TryStreamExt;
use sha2::{Digest as _, Sha256};

pub use error::CopyError;

use crate::postgres::Target;
use crate::sqlite::{ReadError, Source};
use crate::table::{Digest, Digests, TABLES, Table};

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// True while both sides are compared, after everything was copied.
    pub comparing: bool,
    /// The rows that are done.
    pub done: u64,
    /// All rows of all tables.
    pub all: u64,
}

/// What a complete copy contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Rooms.
    pub rooms: u64,
    /// Events of rooms.
    pub events: u64,
    /// Messages.
    pub messages: u64,
    /// People.
    pub people: u64,
    /// Sessions.
    pub sessions: u64,
    /// SHA-256 of everything, in hexadecimal digits.
    pub digest: String,
}

/// Copies the data folder, which no server may use, to the database at this URL, which must be empty, or hold an
/// interrupted copy of the same folder. Stores these secrets there, too. `tell` learns how far it is, after each batch.
///
/// # Errors
/// One line for the operator: see [`CopyError`].
pub async fn copy(
    from: &Path,
    to: &str,
    secrets: &[(&str, &[u8])],
    mut tell: impl FnMut(Progress),
) -> Result<Copied, CopyError> {
    let source = Source::open(from)?.ok_or_else(|| CopyError::Missing {
        path: from.to_owned(),
    })?;
    let read = |error: rusqlite::Error| CopyError::read(from, error.into());
    let identity = source.identity().map_err(read)?;
    let mut counts = [0; TABLES.len()];
    for (count, table) in counts.iter_mut().zip(&TABLES) {
        *count = source.count(table).map_err(read)?;
    }
    let [rooms, people, sessions, events, messages] = counts;
    let target = Target::open(to, &identity).await?;
    let mut progress = Progress {
        comparing: false,
        done: 0,
        all: counts.iter().sum(),
    };
    tell(progress);
    for table in &TABLES {
        let mut batches = source.rows(table);
        while let Some(batch) = batches.recv().await {
            let batch = batch.map_err(|error| CopyError::read(from, error))?;
            target
                .insert(table, &batch)
                .await
                .map_err(CopyError::Interrupted)?;
            progress.done += batch.len() as u64;
            tell(progress);
        }
    }
    for (name, value) in secrets {
        target
            .keep_secret(name, value)
            .await
            .map_err(CopyError::Interrupted)?;
    }
    target.settle().await.map_err(CopyError::Interrupted)?;
    progress.comparing = true;
    progress.done = 0;
    tell(progress);
    let mut digest = Sha256::new();
    for (table, count) in TABLES.iter().zip(counts) {
        let before = progress.done;
        let digests = compare(from, &source, &target, table, |rows| {
            progress.done = before + rows;
            tell(progress);
        });
        let digests = digests.await?;
        if digests.iter().map(|digest| digest.rows).sum::<u64>() != count {
            return Err(CopyError::Changed {
                path: from.to_owned(),
            });
        }
        digests.iter().for_each(|one| digest.update(one.sum));
        progress.done = before + count;
        tell(progress);
    }
    target.finish().await.map_err(CopyError::Interrupted)?;
    Ok(Copied {
        rooms,
        events,
        messages,
        people,
        sessions,
        digest: digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

/// Reads a table on both sides. Returns its digests if they are equal.
async fn compare(
    from: &Path,
    source: &Source,
    target: &Target,
    table: &'static Table,
    mut tell: impl FnMut(u64),
) -> Result<Vec<Digest>, CopyError> {
    let mut batches = source.rows(table);
    // On a thread of its own, so that the two sides keep two processors busy.
    let here = tokio::task::spawn_blocking(move || {
        let mut digests = Digests::of(table);
        while let Some(batch) = batches.blocking_recv() {
            batch?.iter().for_each(|row| digests.add(row));
        }
        Ok(digests.finish())
    });
    let here = async {
        let read = here.await.unwrap_or_else(|error| Err(ReadError::Thread(error)));
        read.map_err(|error| CopyError::read(from, error))
    };
    let there = async {
        let mut digests = Digests::of(table);
        let mut rows = target.rows(table).await.map_err(CopyError::Interrupted)?;
        let mut count = 0;
        while let Some(row) = rows.try_next().await.map_err(CopyError::Interrupted)? {
            digests.add(&row);
            count += 1;
            if count % 10_000 == 0 {
                tell(count);
            }
        }
        Ok(digests.finish())
    };
    let (here, there) = tokio::try_join!(here, there)?;
    if here == there {
        return Ok(here);
    }
    let differs = here
        .iter()
        .find(|digest| !there.contains(digest))
        .or(there.iter().find(|d| !here.contains(d)));
    let room = differs.map_or(0, |digest| digest.room);
    let rows = |side: &[Digest]| {
        side.iter()
            .find(|digest| digest.room == room)
            .map_or(0, |digest| digest.rows)
    };
    Err(CopyError::Differs {
        table: table.name,
        room: source.slug(room).ok().flatten(),
        here: rows(&here),
        there: rows(&there),
    })
}
