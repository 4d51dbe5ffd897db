//! On the server the title goes into the head, wherever in the page it comes up.

use leptos_meta::{Title, TitleProps};

/// Calls the document so, for as long as this page is on screen.
pub fn title(title: impl Fn() -> String + Send + Sync + 'static) {
    // There is nothing to show at this place: the head is told when the component is made.
    let _ = Title(TitleProps::builder().text(title).build());
}
