//! Boxes views without the wrapper that `view!` puts around them. With the wrapper, each type of element would bring a
//! further copy of Leptos' generic code.

use leptos::prelude::*;

/// A view of any type.
pub trait Boxed {
    /// Boxes the view.
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
