//! The data folder: creates and locks it, and keeps it private to its owner.

#[cfg_attr(unix, path = "folder/unix.rs")]
#[cfg_attr(not(unix), path = "folder/other.rs")]
mod private;

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// Creates the folder if it is missing. An existing folder keeps its permissions.
pub fn create(folder: &Path) -> Result<(), OpenError> {
    private::folder()
        .create(folder)
        .map_err(|cause| OpenError::Create {
            path: folder.to_owned(),
            cause: match cause.kind() {
                ErrorKind::AlreadyExists => Error::new(cause.kind(), "a file with that name exists"),
                _ => cause,
            },
        })
}

/// Warns if other users of the machine can replace files in the folder or read secret ones. This may be intended, as in
/// a container with one user, so it refuses and changes nothing.
pub fn warn_if_exposed(folder: &Path) {
    let warn = |path: &Path, what: &str, right: &str| {
        if let Some(mode) = private::exposed(path) {
            let (path, mode) = (path.display(), format!("{mode:04o}"));
            tracing::warn!(%path, %mode, "other users of this machine can {what}; run: chmod {right} {path}");
        }
    };
    warn(
        folder,
        "replace what is in the data folder, the key of all sessions too",
        "700",
    );
    for name in ["hubbub.db", "session.key"] {
        warn(&folder.join(name), "read what is secret", "600");
    }
}

/// Locks the folder for as long as the file is open. The system releases the lock of a dead process.
pub fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("hubbub.lock");
    let file = writable(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(OpenError::Write { path, cause }),
    }
}

/// Creates the database's file if it is missing. SQLite gives the files beside it the same permissions.
pub fn database(folder: &Path) -> Result<PathBuf, OpenError> {
    let path = folder.join("hubbub.db");
    writable(&path)?;
    Ok(path)
}

fn writable(path: &Path) -> Result<File, OpenError> {
    private::file()
        .create(true)
        .write(true)
        .open(path)
        .map_err(|cause| OpenError::Write {
            path: path.to_owned(),
            cause,
        })
}
