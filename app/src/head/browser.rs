//! In the browser the head is there already.

use crate::client::platform;
use crate::components::effect;

/// Calls the document so, for as long as this page is on screen.
pub fn title(title: impl Fn() -> String + Send + Sync + 'static) {
    effect(move || platform::set_title(&title()));
}
