//! On the server the title goes into the head, wherever in the page it comes up.

use leptos::prelude::untrack;
use leptos_meta::{Title, TitleProps};

/// Calls the document so, for as long as this page is on screen.
pub fn title(title: impl Fn() -> String + Send + Sync + 'static) {
    // Asked now: the head is written later, now and then by another thread, and there the page's signals are not.
    let title = untrack(title);
    // There is nothing to show at this place: the head is told when the component is made.
    let _ = Title(TitleProps::builder().text(title).build());
}
