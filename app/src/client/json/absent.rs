//! Stands in on the server, where there is no JSON to read.

use serde::de::DeserializeOwned;

/// A JSON value.
#[derive(Clone, Debug)]
pub struct Json;

impl Json {
    /// The member with that name, if this is an object that has it.
    pub fn get(&self, _name: &str) -> Option<Self> {
        None
    }

    /// The member with that name, if it is a string.
    pub fn text(&self, _name: &str) -> Option<String> {
        None
    }

    /// Converts the value. Returns `None` if it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        None
    }
}
