//! A message that was sent by form and refused: it returns to the composer, with the reason beside it.

#[cfg(feature = "ssr")]
mod check;

#[cfg(feature = "ssr")]
pub use check::check;

use serde::{Deserialize, Serialize};

/// The refused message and the reason. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The message's text. The page's data omits it because its HTML has it.
    #[serde(skip)]
    pub text: String,
    /// A sentence for the author.
    pub why: String,
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
