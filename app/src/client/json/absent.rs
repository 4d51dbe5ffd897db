//! Without a browser there is nothing to read.

use serde::de::DeserializeOwned;

/// A value.
#[derive(Clone, Debug)]
pub struct Json;

impl Json {
    /// The member of that name, if this is an object that has it.
    pub fn get(&self, _name: &str) -> Option<Self> {
        None
    }

    /// The text of that name.
    pub fn text(&self, _name: &str) -> Option<String> {
        None
    }

    /// The value as what it should be; nothing, if it is something else.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        None
    }
}
