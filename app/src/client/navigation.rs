//! Where the reader is, and how they get somewhere else without loading the document again: the socket lives on.
//! Two kinds of pages do not need a router; the usual one would be a tenth of what a browser has to load.

use crate::signal::BoxedSignal;
use leptos::prelude::*;

use super::platform;
use crate::route::{Address, Route};

/// The page's address. A handle: copies are the same.
#[derive(Clone, Copy)]
pub struct Navigation {
    address: BoxedSignal<Address>,
}

impl Navigation {
    /// For the application's context. Follows the reader's clicks and steps back from now on.
    pub fn start() -> Self {
        let address = use_context::<Address>().unwrap_or_else(platform::address);
        let navigation = Self {
            address: BoxedSignal::new(address),
        };
        platform::follow(navigation);
        navigation
    }

    /// The page.
    pub fn route(self) -> Route {
        self.address.with(Address::route)
    }

    /// The path alone.
    pub fn path(self) -> String {
        self.address.with(|address| address.path.clone())
    }

    /// A value of the query.
    pub fn value(self, name: &str) -> Option<String> {
        self.address
            .with(|address| address.value(name).map(str::to_owned))
    }

    /// The address bar says something else now.
    pub fn moved(self) {
        let address = platform::address();
        if self
            .address
            .try_get_untracked()
            .is_some_and(|known| known != address)
        {
            self.address.set(address);
        }
    }

    /// Leads to another page of this site.
    pub fn go(self, to: &str) {
        platform::push(to);
        self.moved();
    }
}
