//! Identifiers of rooms, people and messages, and positions in a room's log.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// Why a value is not a valid id. The sentence can be shown to a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a room slug.
    #[error("a room address consists of 1 to {max} characters a-z, 0-9 and -, and does not start or end with -", max = limits::SLUG_BYTES)]
    Slug,
    /// Not an opaque id.
    #[error("an id consists of 1 to {max} characters A-Z, a-z, 0-9, - and _", max = limits::OPAQUE_BYTES)]
    Opaque,
    /// Not a `seq`.
    #[error("a sequence number is at most 2^53 - 1")]
    Seq,
}

/// A room's address, as in URLs: `lobby`, `night-shift-2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", example = "lobby"))]
#[serde(try_from = "String", into = "String")]
pub struct RoomSlug(String);

impl RoomSlug {
    /// The lobby. It always exists, and the namespace `/` is about it.
    pub fn lobby() -> Self {
        Self("lobby".to_owned())
    }

    /// Derives an address from a title. `None` if the title has no character that an address can contain.
    pub fn from_title(title: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in title.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(limits::SLUG_BYTES);
        Self::try_from(slug.trim_end_matches('-').to_owned()).ok()
    }

    /// The slug as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomSlug {
    type Error = InvalidId;

    fn try_from(slug: String) -> Result<Self, InvalidId> {
        let fits = (1..=limits::SLUG_BYTES).contains(&slug.len())
            && slug
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        if fits {
            Ok(Self(slug))
        } else {
            Err(InvalidId::Slug)
        }
    }
}

impl From<RoomSlug> for String {
    fn from(slug: RoomSlug) -> Self {
        slug.0
    }
}

impl fmt::Display for RoomSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An opaque id: it can only be compared with others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$", example = "3c8kq"))]
#[serde(try_from = "String", into = "String")]
pub struct Opaque(String);

impl Opaque {
    /// Encodes 128 random bits as 26 characters of Crockford's base 32, in lower case.
    pub fn from_random(bits: u128) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        Self(
            (0..26)
                .rev()
                .map(|i| char::from(ALPHABET[(bits >> (5 * i)) as usize & 31]))
                .collect(),
        )
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Opaque {
    type Error = InvalidId;

    fn try_from(id: String) -> Result<Self, InvalidId> {
        let fits = (1..=limits::OPAQUE_BYTES).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits {
            Ok(Self(id))
        } else {
            Err(InvalidId::Opaque)
        }
    }
}

impl From<Opaque> for String {
    fn from(id: Opaque) -> Self {
        id.0
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Opaque);

        impl $name {
            /// Makes an id from 128 random bits.
            pub fn from_random(bits: u128) -> Self {
                Self(Opaque::from_random(bits))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                Opaque::try_from(id).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

opaque! {
    /// A person's id. It never changes.
    PersonId
}
opaque! {
    /// The id that a client gives a message before it is stored. The same one again is the same message.
    ClientId
}
opaque! {
    /// One incarnation of a room's log. If it changes, discard everything that you have of the room.
    Epoch
}
opaque! {
    /// A session's secret. Anyone who has it can act as that person.
    SessionToken
}

/// The number of an event in its room's log: 1, 2, 3 … without holes. 0 is before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = u64, minimum = 0, maximum = 9007199254740991_u64, example = 1))]
#[serde(try_from = "u64", into = "u64")]
pub struct Seq(u64);

impl Seq {
    /// The position before the first event.
    pub const ZERO: Self = Self(0);

    /// The next event's number.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number before it; 0 has none.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Seq {
    type Error = InvalidId;

    fn try_from(seq: u64) -> Result<Self, InvalidId> {
        // JavaScript represents integers below 2^53 exactly.
        if seq < 1 << 53 {
            Ok(Self(seq))
        } else {
            Err(InvalidId::Seq)
        }
    }
}

impl From<Seq> for u64 {
    fn from(seq: Seq) -> Self {
        seq.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since 1970-01-01 UTC. For display only: clocks do not decide the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(example = 1790000000000_u64))]
#[serde(transparent)]
pub struct Timestamp(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for good in ["lobby", "a", "night-shift-2", &"x".repeat(64)] {
            assert!(RoomSlug::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a b", "ä", "a/b", "..", &"x".repeat(65)] {
            assert!(RoomSlug::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_title_suggests_an_address() {
        for (title, slug) in [
            ("Night shift", Some("night-shift")),
            ("  R&D / 2026!  ", Some("r-d-2026")),
            ("日本語", None),
            ("!!!", None),
            ("Été", Some("t")),
        ] {
            assert_eq!(
                RoomSlug::from_title(title).as_ref().map(RoomSlug::as_str),
                slug,
                "{title}"
            );
        }
        assert_eq!(
            RoomSlug::from_title(&"ab ".repeat(60)).unwrap().as_str().len(),
            64
        );
    }

    #[test]
    fn random_ids_are_opaque_and_differ() {
        let (a, b) = (Opaque::from_random(1), Opaque::from_random(u128::MAX));
        assert_ne!(a, b);
        assert!(Opaque::try_from(String::from(a)).is_ok());
        assert_eq!(b.as_str().len(), 26);
        assert!(Opaque::try_from("a b".to_owned()).is_err());
    }

    #[test]
    fn a_seq_fits_into_a_javascript_number() {
        assert!(serde_json::from_str::<Seq>("9007199254740991").is_ok());
        assert!(serde_json::from_str::<Seq>("9007199254740992").is_err());
        assert!(serde_json::from_str::<Seq>("-1").is_err());
        assert!(serde_json::from_str::<Seq>("1.5").is_err());
    }
}
