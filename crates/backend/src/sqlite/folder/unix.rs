//! On Unix, only the owner can access new files and folders, because sessions are secrets.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

pub fn folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

pub fn file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// The mode of a folder that other users can write to, or of a file that they can read.
pub fn exposed(path: &Path) -> Option<u32> {
    let found = std::fs::metadata(path).ok()?;
    let mode = found.permissions().mode() & 0o777;
    let others = if found.is_dir() { 0o022 } else { 0o077 };
    (mode & others != 0).then_some(mode)
}
