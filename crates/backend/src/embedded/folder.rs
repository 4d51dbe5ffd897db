//! The data folder: made, locked, and private to its owner.

#[cfg_attr(unix, path = "folder/unix.rs")]
#[cfg_attr(not(unix), path = "folder/other.rs")]
mod private;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// Makes the folder if it is missing. One that exists keeps its permissions.
pub fn create(folder: &Path) -> Result<(), OpenError> {
    private::folder()
        .create(folder)
        .map_err(|cause| OpenError::Create {
            path: folder.to_owned(),
            cause,
        })
}

/// The lock of the folder, held for as long as the file is open; the system takes it back from a dead process.
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

/// The database's file, which exists afterwards. SQLite gives the files beside it the same permissions.
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
