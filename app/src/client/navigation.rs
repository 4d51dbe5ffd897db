//! The current address, and navigation without loading a new document, so that the socket survives. Two kinds of pages
//! need no router; the usual one would be a tenth of the page's weight.

use crate::signal::BoxedSignal;
use leptos::prelude::*;

use super::platform;
use crate::route::{Address, Route};

/// The page's address. A handle: copies refer to the same state.
#[derive(Clone, Copy)]
pub struct Navigation {
    address: BoxedSignal<Address>,
}

impl Navigation {
    /// For the application's context. From now on, clicks on links and steps through the history navigate.
    pub fn start() -> Self {
        let address = use_context::<Address>().unwrap_or_else(platform::address);
        let navigation = Self {
            address: BoxedSignal::new(address),
        };
        platform::follow(navigation);
        navigation
    }

    /// The route of the current address.
    pub fn route(self) -> Route {
        self.address.with(Address::route)
    }

    /// The path of the current address.
    pub fn path(self) -> String {
        self.address.with(|address| address.path.clone())
    }

    /// Reads the address bar after it may have changed.
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

    /// Navigates to another page of this site.
    pub fn go(self, to: &str) {
        platform::push(to);
        self.moved();
    }
}
