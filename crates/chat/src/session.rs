//! Sessions: what is stored of them, and when they expire.

use protocol::{Person, SessionToken, Timestamp};
use sha2::{Digest, Sha256};

/// A session that has not been used for this long has expired: 30 days, in milliseconds.
pub const IDLE_MS: u64 = 30 * DAY_MS;
/// The time of a session's last use is stored this often: once a day, in milliseconds. So most lookups do not write.
pub const PROLONG_MS: u64 = DAY_MS;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The SHA-256 of a session's token. It is stored and passed on instead of the token, which it does not reveal. Tokens
/// have 128 random bits, so they need no salt.
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

/// Hides the digest, so that logs cannot tell sessions apart.
impl std::fmt::Debug for SessionDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionDigest(…)")
    }
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The person that it belongs to.
    pub person: Person,
    /// When it was last used, accurate to a day.
    pub used_at: Timestamp,
}

/// The state of a session that is used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The session is valid.
    Fresh,
    /// The session is valid, and this use must be stored.
    Prolong,
    /// The session has not been used for too long.
    Expired,
}

/// The state of a session last used at `used_at`. A clock that goes back does not end sessions.
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
    fn a_session_lasts_while_it_is_used() {
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
