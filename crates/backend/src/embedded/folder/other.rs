//! Elsewhere, what Hubbub creates has the permissions of the folder above.

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

/// Nobody knows.
pub fn exposed(_: &Path) -> Option<u32> {
    None
}
