//! Why a copy is not complete.

use std::path::{Path, PathBuf};

use crate::postgres::{OpenPostgresError, TargetError};
use crate::sqlite::{OpenError, ReadError};

/// Why a copy is not complete: one line for the operator, without a password or anybody's text.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("there is no hubbub.db in {}; name the data folder of a stopped hubbub", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The data folder cannot be opened.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The database cannot be filled. Nothing was changed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A row of the data folder cannot be read or stored.
    #[error("cannot copy from {}: {cause}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        cause: ReadError,
    },
    /// PostgreSQL failed on the way. No server starts on the incomplete copy.
    #[error("the copy is not complete: {0}; run hubbub copy again")]
    Interrupted(OpenPostgresError),
    /// Both sides were read back and are not equal. No server starts on the copy.
    #[error(
        "the copy is not equal to its source: {} differ ({here} rows here, {there} in PostgreSQL); let nothing else \
         write to the database, and run hubbub copy again",
        place(table, room.as_deref())
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// The address of the first room that differs.
        room: Option<String>,
        /// Rows in the data folder.
        here: u64,
        /// Rows in the database.
        there: u64,
    },
    /// Something else wrote to the data folder.
    #[error("something wrote to {} during the copy; stop it, and run hubbub copy again", path.display())]
    Changed {
        /// The folder.
        path: PathBuf,
    },
}

fn place(table: &str, room: Option<&str>) -> String {
    match room {
        Some(room) => format!("the {table} of the room {room}"),
        None => format!("the {table}"),
    }
}

impl CopyError {
    /// A row of this folder cannot be read.
    pub fn read(from: &Path, cause: ReadError) -> Self {
        Self::Read {
            path: from.to_owned(),
            cause,
        }
    }
}
