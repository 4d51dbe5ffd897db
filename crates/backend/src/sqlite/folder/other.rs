//! On other systems, new files and folders inherit the permissions of the parent folder.

use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;

pub fn folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}

pub fn file() -> OpenOptions {
    OpenOptions::new()
}

/// Unknown on this system.
pub fn exposed(_: &Path) -> Option<u32> {
    None
}
