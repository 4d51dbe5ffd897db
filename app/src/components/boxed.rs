//! Views are boxed without the wrapper that `view!` puts around them: it would be a kind of view of its own for each
//! kind of element, with all that Leptos' machinery has for a kind.

use leptos::prelude::*;

/// A view of any kind.
pub trait Boxed {
    /// Boxed.
    fn boxed(self) -> AnyView;
}

impl<T: RenderHtml + Send + 'static> Boxed for View<T> {
    fn boxed(self) -> AnyView {
        let inner = self.into_inner();
        inner.into_any()
    }
}

/// A view, or nothing.
pub fn maybe(view: Option<AnyView>) -> AnyView {
    view.unwrap_or_else(|| ().into_any())
}
