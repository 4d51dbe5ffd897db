//! A message that came by form and was refused: it is in the box again, with the reason beside it.

#[cfg(feature = "ssr")]
mod check;

#[cfg(feature = "ssr")]
pub use check::check;

use serde::{Deserialize, Serialize};

/// What was refused, and why. Nothing: the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The words. They are in the page already, so its data does not repeat them.
    #[serde(skip)]
    pub text: String,
    /// For the person who wrote them.
    pub why: String,
}

impl Returned {
    /// The words as the content of a `textarea`, whose first line end does not count.
    pub fn html(&self) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        format!("\n{}", self.text.replace('&', "&amp;").replace('<', "&lt;"))
    }
}
