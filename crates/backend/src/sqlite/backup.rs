//! Backups of a data folder's database, while another process uses it.
//!
//! `VACUUM INTO` reads one snapshot, so the backup is consistent, and a server goes on writing meanwhile. (The online
//! backup interface would begin again after each of its commits.) Its result has no free pages, which can contain
//! deleted rows.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use super::{folder, schema};

/// Why a backup cannot be made: one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file exists. It stays as it is.
    #[error("{} exists already; choose another name or move it away", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to back up.
    #[error("there is no database at {}; set HUBBUB_DATA_DIR to the folder that the server uses", path.display())]
    Missing {
        /// Where the database was expected.
        path: PathBuf,
    },
    /// The file is not a Hubbub database.
    #[error("{} is not a hubbub database; set HUBBUB_DATA_DIR to the folder that the server uses", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process writes the same backup.
    #[error("another backup is writing {}", path.display())]
    InUse {
        /// The unfinished backup.
        path: PathBuf,
    },
    /// The backup's file cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// SQLite cannot read the database, or cannot write the backup.
    #[error("cannot copy {} to {}: {cause}", from.display(), to.display())]
    Copy {
        /// The database.
        from: PathBuf,
        /// The backup.
        to: PathBuf,
        /// SQLite's error.
        cause: rusqlite::Error,
    },
}

/// Writes a consistent copy of the folder's database to a new file, which only its owner can read. Until it is
/// complete, the file's name ends with `.part`. Returns its size in bytes. Blocks.
///
/// # Errors
/// See [`BackupError`]. Nothing remains of a backup that failed.
pub fn backup(data_dir: &Path, file: &Path) -> Result<u64, BackupError> {
    let failed = |cause| BackupError::Write {
        path: file.to_owned(),
        cause,
    };
    // SQLite would take a name that begins with `file:` for a URL.
    let file = std::path::absolute(file).map_err(failed)?;
    let database = data_dir.join(folder::DATABASE);
    if !database.is_file() {
        return Err(BackupError::Missing { path: database });
    }
    refuse_existing(&file)?;
    let mut part = file.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let lock = claim(&part)?;
    let written = write(&database, &file, &part, &lock);
    if written.is_err() {
        // If that fails too, the next backup overwrites it.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn refuse_existing(file: &Path) -> Result<(), BackupError> {
    match file.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists {
            path: file.to_owned(),
        }),
        Err(_) => Ok(()),
    }
}

/// Creates the unfinished backup, or empties one that was interrupted.
fn claim(part: &Path) -> Result<File, BackupError> {
    let failed = |cause| BackupError::Write {
        path: part.to_owned(),
        cause,
    };
    let lock = folder::writable(part).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => lock.set_len(0).map_err(failed).map(|()| lock),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse {
            path: part.to_owned(),
        }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

fn write(database: &Path, file: &Path, part: &Path, lock: &File) -> Result<u64, BackupError> {
    let failed = |cause| BackupError::Copy {
        from: database.to_owned(),
        to: part.to_owned(),
        cause,
    };
    let unwritable = |cause| BackupError::Write {
        path: file.to_owned(),
        cause,
    };
    let name = part.to_str().ok_or_else(|| {
        unwritable(io::Error::new(
            io::ErrorKind::InvalidFilename,
            "the name is not UTF-8",
        ))
    })?;
    let connection = schema::connect(database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    match schema::version(&connection) {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Err(BackupError::Foreign {
                path: database.to_owned(),
            });
        }
        Err(cause) => return Err(failed(cause)),
    }
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    drop(connection);
    lock.sync_all().map_err(unwritable)?;
    refuse_existing(file)?;
    std::fs::rename(part, file).map_err(unwritable)?;
    if let Some(parent) = file.parent() {
        // Some file systems cannot sync a folder.
        let _ = File::open(parent).and_then(|folder| folder.sync_all());
    }
    Ok(lock.metadata().map_err(unwritable)?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder::database(folder.path()).unwrap();
        schema::open(&path).unwrap();
        folder
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_remains_of_a_failure() {
        let (data, backups) = (data(), tempfile::tempdir().unwrap());
        let names = || {
            let entries = std::fs::read_dir(backups.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let file = backups.path().join("a backup.db");
        // What an interrupted backup leaves.
        std::fs::write(backups.path().join("a backup.db.part"), "half").unwrap();
        let size = backup(data.path(), &file).unwrap();
        assert_eq!(size, file.metadata().unwrap().len());
        let again = backup(data.path(), &file);
        assert!(matches!(again, Err(BackupError::Exists { .. })), "{again:?}");
        assert_eq!(names(), ["a backup.db"]);

        let other = backups.path().join("other");
        std::fs::create_dir(backups.path().join("data")).unwrap();
        let missing = backup(&backups.path().join("data"), &other);
        assert!(matches!(missing, Err(BackupError::Missing { .. })), "{missing:?}");
        std::fs::write(backups.path().join("data/hubbub.db"), "not a database").unwrap();
        let foreign = backup(&backups.path().join("data"), &other);
        assert!(
            matches!(
                foreign,
                Err(BackupError::Copy { .. } | BackupError::Foreign { .. })
            ),
            "{foreign:?}"
        );
        assert_eq!(names(), ["a backup.db", "data"]);
        let nowhere = backup(data.path(), Path::new("/nonexistent/backup.db"));
        assert!(matches!(nowhere, Err(BackupError::Write { .. })), "{nowhere:?}");
    }

    #[test]
    fn two_backups_do_not_write_the_same_file() {
        let (data, backups) = (data(), tempfile::tempdir().unwrap());
        let file = backups.path().join("backup.db");
        let _other = claim(&backups.path().join("backup.db.part")).unwrap();
        let second = backup(data.path(), &file);
        assert!(matches!(second, Err(BackupError::InUse { .. })), "{second:?}");
    }

    #[test]
    fn a_name_like_a_url_is_a_name() {
        let (data, backups) = (data(), tempfile::tempdir().unwrap());
        let file = backups.path().join("file:backup?mode=memory");
        backup(data.path(), &file).unwrap();
        assert!(file.is_file());
    }
}
