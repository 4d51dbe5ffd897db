//! The live part of the page. [`live`] drives the client core (the crate `client`) in the browser through [`socket`] and
//! [`platform`], which do nothing on the server. [`rows`] turns what the core knows into the lines to show.

pub mod calendar;
pub mod composing;
pub mod hue;
pub mod json;
pub mod kept;
pub mod links;
pub mod live;
pub mod navigation;
pub mod platform;
pub mod returned;
pub mod rows;
pub mod socket;
pub mod storage;
pub mod store;
