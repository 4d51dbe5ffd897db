//! `hubbub backup`: copies the data folder's database while the server runs.

use std::path::Path;

use crate::config::Config;

/// Writes the backup. Returns a line that says how large it is and how to restore it.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn run(config: &Config, file: &Path) -> Result<String, Box<dyn std::error::Error>> {
    if config.database_url.is_some() {
        return Err(
            "HUBBUB_DATABASE_URL is set, and backup copies a data folder; back up PostgreSQL with pg_dump or \
             pg_basebackup, as docs/operations.md shows"
                .into(),
        );
    }
    let bytes = backend::backup(&config.data_dir, file)?;
    let (file, data) = (file.display(), config.data_dir.display());
    Ok(format!(
        "{file}: {}; to restore it, stop hubbub, remove {data}/hubbub.db*, and copy it to {data}/hubbub.db (keep a copy \
         of {data}/session.key as well: with it, everybody stays signed in)",
        size(bytes)
    ))
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}
