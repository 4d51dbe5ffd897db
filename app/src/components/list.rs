//! A keyed list. Boxed like everything in [`super::reactive`], so that its code is compiled once.

use std::sync::Arc;

use crate::components::Boxed;
use leptos::prelude::*;

/// A list whose entries stay in the page as long as an item has their key.
pub fn list<T: Send + 'static>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> String + Send + 'static,
    show: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let show = Arc::new(show);
    boxed(Box::new(move || {
        let item = |item: T| {
            let show = Arc::clone(&show);
            Item {
                key: key(&item),
                show: Box::new(move || show(item)),
            }
        };
        items().into_iter().map(item).collect()
    }))
}

struct Item {
    key: String,
    show: Box<dyn FnOnce() -> AnyView + Send>,
}

fn boxed(items: Box<dyn Fn() -> Vec<Item> + Send>) -> AnyView {
    view! { <For each=items key=|item| item.key.clone() children=|item: Item| (item.show)()/> }.boxed()
}
