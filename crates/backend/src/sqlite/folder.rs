//! The data folder: creates and locks it, and keeps it private to its owner.

#[cfg_attr(unix, path = "folder/unix.rs")]
#[cfg_attr(not(unix), path = "folder/other.rs")]
mod private;

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// The database's file name in the folder.
pub const DATABASE: &str = "hubbub.db";

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
    for name in [DATABASE, "session.key"] {
        warn(&folder.join(name), "read what is secret", "600");
    }
}

/// The lock of a folder, until it is dropped. The system releases the lock of a dead process.
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started has a copy of it for a moment.
        let _ = self.0.unlock();
    }
}

/// Locks the folder.
pub fn lock(folder: &Path) -> Result<Lock, OpenError> {
    let path = folder.join("hubbub.lock");
    let failed = |cause| OpenError::Write {
        path: path.clone(),
        cause,
    };
    let file = writable(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

/// Creates the database's file if it is missing. SQLite gives the files beside it the same permissions.
pub fn database(folder: &Path) -> Result<PathBuf, OpenError> {
    let path = folder.join(DATABASE);
    match writable(&path) {
        Ok(_) => Ok(path),
        Err(cause) => Err(OpenError::Write { path, cause }),
    }
}

/// Opens a file for writing. A new one is private to its owner.
pub fn writable(path: &Path) -> std::io::Result<File> {
    private::file().create(true).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_being_started_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        // What fork copies until exec closes it.
        let _copy = first.0.try_clone().unwrap();
        assert!(matches!(lock(folder.path()), Err(OpenError::InUse { .. })));
        drop(first);
        assert!(lock(folder.path()).is_ok());
    }
}
