//! What was sent by form and refused: it returns to its field, with the reason beside it.

#[cfg(feature = "ssr")]
mod check;

#[cfg(feature = "ssr")]
pub use check::check;

use protocol::RoomSlug;
use protocol::read::{Json, Read, member};
use serde::{Deserialize, Serialize};

/// The refused message, name or room title, and the reason. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The text.
    #[serde(default)]
    pub text: String,
    /// A sentence for its author.
    #[serde(default)]
    pub why: String,
    /// The room that has this title already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomSlug>,
}

impl Read for Returned {
    fn read<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            text: member(json, "text").unwrap_or_default(),
            why: member(json, "why").unwrap_or_default(),
            room: member(json, "room")?,
        })
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl Returned {
    /// The text as the content of a `textarea`. HTML ignores the first line break there, so one is added.
    pub fn html(&self) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        format!("\n{}", self.text.replace('&', "&amp;").replace('<', "&lt;"))
    }
}
