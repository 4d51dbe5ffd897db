//! Deserializes JavaScript values. Every type of the page uses this one deserializer, and its errors carry no details:
//! together that saves a tenth of the page's weight.

use js_sys::{Array, JSON, Object, Reflect};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
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
        (!member.is_undefined()).then_some(Self(member))
    }

    /// The member with that name, if it is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.0.as_string()
    }

    /// Converts the value. Returns `None` if it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(Value(self.0.clone())).ok()
    }
}

/// The value has another shape.
#[derive(Debug)]
struct Unfit;

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unexpected JSON")
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Value(JsValue);

impl Value {
    fn entries(&self) -> Result<Entries, Unfit> {
        let object = self.0.dyn_ref::<Object>().ok_or(Unfit)?;
        Ok(Entries {
            left: Items::of(Object::entries(object)),
            value: JsValue::UNDEFINED,
        })
    }

    fn integer(&self) -> Result<u64, Unfit> {
        match self.0.as_f64() {
            Some(number) if number as u64 as f64 == number => Ok(number as u64),
            _ => Err(Unfit),
        }
    }
}

macro_rules! read_as {
    ($($method:ident)* => |$value:ident| $read:expr, $visit:ident) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
            let $value = self;
            visitor.$visit($read)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Value {
    type Error = Unfit;

    /// Callers that accept any value only distinguish strings from everything else.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0.as_string() {
            Some(text) => visitor.visit_string(text),
            None => visitor.visit_unit(),
        }
    }

    read_as!(deserialize_bool => |value| value.0.as_bool().ok_or(Unfit)?, visit_bool);
    read_as!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        => |value| value.integer()?, visit_u64);
    read_as!(deserialize_f32 deserialize_f64 => |value| value.0.as_f64().ok_or(Unfit)?, visit_f64);
    read_as!(deserialize_char deserialize_str deserialize_string deserialize_identifier
        => |value| value.0.as_string().ok_or(Unfit)?, visit_string);
    read_as!(deserialize_seq => |value| Items::of(value.0.dyn_into().map_err(|_| Unfit)?), visit_seq);
    read_as!(deserialize_map => |value| value.entries()?, visit_map);

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() || self.0.is_undefined() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_map(visitor)
    }

    /// A variant's name, or an object with one member: the name and the variant's content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0.as_string() {
            Some(name) => {
                let name: StringDeserializer<Unfit> = name.into_deserializer();
                visitor.visit_enum(name)
            }
            None => visitor.visit_enum(MapAccessDeserializer::new(self.entries()?)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple tuple_struct }
}

struct Items {
    array: Array,
    at: u32,
}

impl Items {
    fn of(array: Array) -> Self {
        Self { array, at: 0 }
    }

    fn next(&mut self) -> Option<JsValue> {
        let next = (self.at < self.array.length()).then(|| self.array.get(self.at));
        self.at += 1;
        next
    }
}

impl<'de> de::SeqAccess<'de> for Items {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.next().map(|item| seed.deserialize(Value(item))).transpose()
    }
}

struct Entries {
    left: Items,
    value: JsValue,
}

impl<'de> de::MapAccess<'de> for Entries {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some(entry) = self.left.next() else {
            return Ok(None);
        };
        let entry: Array = entry.unchecked_into();
        self.value = entry.get(1);
        seed.deserialize(Value(entry.get(0))).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(Value(std::mem::take(&mut self.value)))
    }
}
