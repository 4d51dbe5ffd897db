//! What is kept of a session, and for how long.

use protocol::{Person, SessionToken, Timestamp};
use sha2::{Digest, Sha256};

/// A session that nobody has used for this long has ended, in milliseconds: 30 days.
pub const IDLE_MS: u64 = 30 * DAY_MS;
/// How often the time of a session's last use is written down, in milliseconds: reads must stay reads.
pub const PROLONG_MS: u64 = DAY_MS;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The SHA-256 of a session's token: what is stored, compared and passed on. It recognises the token and does not
/// reveal it. A token has 128 random bits, so it needs no salt.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest([u8; 32]);

impl SessionDigest {
    /// The digest of a token.
    pub fn of(token: &SessionToken) -> Self {
        Self(Sha256::digest(token.as_str()).into())
    }

    /// The digest as bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for SessionDigest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Says nothing that would tell one session from another in a log.
impl std::fmt::Debug for SessionDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionDigest(…)")
    }
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who shows its token.
    pub person: Person,
    /// When it was last used, to the day.
    pub used_at: Timestamp,
}

/// What to do with a session that is used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It counts.
    Fresh,
    /// It counts, and the time is to be written down.
    Prolong,
    /// Nobody has used it for too long.
    Expired,
}

/// What to do with a session that was last used then and is used now. A clock that went back ends nothing.
pub fn using(used_at: Timestamp, now: Timestamp) -> Use {
    match now.0.saturating_sub(used_at.0) {
        idle if idle >= IDLE_MS => Use::Expired,
        idle if idle >= PROLONG_MS => Use::Prolong,
        _ => Use::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256() {
        let token = SessionToken::try_from("abc".to_owned()).expect("a token");
        let digest = SessionDigest::of(&token);
        assert_eq!(digest.as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert!(
            !format!("{digest:?}").contains("186"),
            "a log must not tell sessions apart"
        );
    }

    #[test]
    fn a_session_that_is_used_lasts() {
        for (used_at, now, expected) in [
            (5, 5, Use::Fresh),
            (DAY_MS, 5, Use::Fresh),
            (5, DAY_MS + 4, Use::Fresh),
            (5, DAY_MS + 5, Use::Prolong),
            (5, IDLE_MS + 4, Use::Prolong),
            (5, IDLE_MS + 5, Use::Expired),
        ] {
            assert_eq!(
                using(Timestamp(used_at), Timestamp(now)),
                expected,
                "{used_at} {now}"
            );
        }
    }
}
