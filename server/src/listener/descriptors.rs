//! How many files and connections the process may have open.

/// One in this many descriptors is reserved for everything but client connections: the database, Redis, files of the
/// site.
const RESERVED_PART: u64 = 8;
/// At least this many are reserved…
const RESERVED_LEAST: u64 = 64;
/// …and at most this many.
const RESERVED_MOST: u64 = 1_024;
/// The limit to assume if the system does not report one.
const USUAL: u64 = 1_024;

/// Raises the limit of open files as far as the process may, and returns it.
///
/// The usual soft limit is low only for programs that use `select`, which supports no higher descriptors.
pub fn raise() -> u64 {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            let limit = rlimit::Resource::NOFILE.get().map_or(USUAL, |(soft, _)| soft);
            tracing::warn!(%error, limit, "cannot raise the limit of open files");
            limit
        }
    }
}

/// Connections that may be open at a time with this limit of open files.
pub fn connections(limit: u64) -> usize {
    let reserved = (limit / RESERVED_PART).clamp(RESERVED_LEAST, RESERVED_MOST);
    usize::try_from(limit.saturating_sub(reserved).max(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_reserved() {
        assert_eq!(connections(256), 192);
        assert_eq!(connections(1_024), 896);
        assert_eq!(connections(65_536), 64_512);
        assert_eq!(connections(10), 1);
    }
}
