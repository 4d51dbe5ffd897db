//! Why a data folder cannot be opened.

use std::io;
use std::path::PathBuf;

/// Why a data folder cannot be opened, in one line for whoever runs the server. The cause is in the line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and could not be made.
    #[error("cannot create the data folder {}: {cause}", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file in the folder cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another server has the folder.
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
        /// The latest version known here.
        known: u32,
    },
    /// Something else lies where the database should. Nothing was changed.
    #[error("{} is not a hubbub database; move it away or choose another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The folder lies where SQLite cannot share memory between connections, as on some network file systems.
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
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes: {cause}")]
    Thread {
        /// What the system says.
        cause: io::Error,
    },
}
