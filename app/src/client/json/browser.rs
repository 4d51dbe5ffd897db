//! JavaScript values as JSON.

use js_sys::{Array, JSON, Reflect};
use protocol::read::{Json as Source, Read};
use wasm_bindgen::{JsCast, JsValue};

/// A JSON value.
#[derive(Clone, Debug)]
pub struct Json(pub JsValue);

impl Json {
    /// Parses a text.
    pub fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok().map(Self)
    }

    /// The member with that name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<Self> {
        let member = Reflect::get(&self.0, &name.into()).ok()?;
        (!member.is_undefined() && !member.is_null()).then_some(Self(member))
    }

    /// The member with that name, if it is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.0.as_string()
    }

    /// Converts the value. Returns `None` if it has another shape.
    pub fn read<T: Read>(&self) -> Option<T> {
        T::read(self)
    }
}

impl Source for Json {
    fn get(&self, name: &str) -> Option<Self> {
        Json::get(self, name)
    }

    fn text(&self) -> Option<String> {
        self.0.as_string()
    }

    fn number(&self) -> Option<u64> {
        let number = self.0.as_f64()?;
        (number as u64 as f64 == number).then_some(number as u64)
    }

    fn bool(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        let array: &Array = self.0.dyn_ref()?;
        Some(array.iter().map(Self).collect())
    }
}
