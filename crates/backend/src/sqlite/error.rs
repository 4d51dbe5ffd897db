//! Why a data folder cannot be opened.

use std::io;
use std::path::PathBuf;

/// Why a data folder cannot be opened: one line for the operator, including the cause.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder does not exist and could not be created.
    #[error("cannot create the data folder {}: {cause}", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A file in the folder cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// Another server uses the folder.
    #[error("the data folder {} is in use by another hubbub; stop it or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A newer Hubbub wrote the database. Nothing was changed.
    #[error(
        "{} has version {found}, and this hubbub knows versions up to {known}; run the newer hubbub that wrote it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version that this build knows.
        known: u32,
    },
    /// The file is not a Hubbub database. Nothing was changed.
    #[error("{} is not a hubbub database; move it away or choose another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite cannot share memory between connections on this file system. Some network file systems are like that.
    #[error("the file system of {} cannot hold a write-ahead log; choose a folder on a local disk", path.display())]
    FileSystem {
        /// The database.
        path: PathBuf,
    },
    /// SQLite could not open the database.
    #[error("cannot open the database {}: {cause}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        cause: rusqlite::Error,
    },
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes: {cause}")]
    Thread {
        /// The system's error.
        cause: io::Error,
    },
}
