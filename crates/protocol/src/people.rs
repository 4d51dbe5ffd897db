//! People, as others see them.

use serde::{Deserialize, Serialize};

use crate::ids::PersonId;
use crate::text::{DisplayName, kept};

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Person {
    /// The person's permanent id.
    pub id: PersonId,
    /// The person's name. Not unique.
    #[serde(deserialize_with = "kept")]
    pub name: DisplayName,
}

/// The people in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceList {
    /// At most 200 people, sorted by name.
    pub people: Vec<Person>,
    /// The number of all people in the room, listed or not.
    pub here: u32,
    /// True if the server cannot hear of the people on other replicas at the moment, so that the list may be out of date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}
