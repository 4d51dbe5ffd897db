//! Reads the protocol's types from JSON that is parsed already, as in a browser: field by field, without serde, whose
//! generated code would be a tenth of the WebAssembly. Servers and other programs use serde.

/// A JSON value.
pub trait Json: Sized {
    /// The member with this name, if this is an object that has it. Null counts as absent.
    fn get(&self, name: &str) -> Option<Self>;

    /// The text, if this is one.
    fn text(&self) -> Option<String>;

    /// The number, if this is a whole one that is not negative.
    fn number(&self) -> Option<u64>;

    /// The boolean, if this is one.
    fn bool(&self) -> Option<bool>;

    /// The items, if this is an array.
    fn items(&self) -> Option<Vec<Self>>;
}

/// A type that can be read from JSON.
pub trait Read: Sized {
    /// Reads a value. `None` if it has another shape.
    fn read<J: Json>(json: &J) -> Option<Self>;

    /// What an absent member stands for, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }

    /// What an absent list of these stands for, if it may be absent.
    fn absent_list() -> Option<Vec<Self>> {
        None
    }
}

/// Reads a member of an object.
pub fn member<T: Read, J: Json>(json: &J, name: &str) -> Option<T> {
    match json.get(name) {
        Some(value) => T::read(&value),
        None => T::absent(),
    }
}

/// Implements [`Read`] for structs, from their fields.
#[macro_export]
macro_rules! read {
    ($($type:ident { $($field:ident),+ })+) => {
        $(impl $crate::read::Read for $type {
            fn read<J: $crate::read::Json>(json: &J) -> Option<Self> {
                Some(Self { $($field: $crate::read::member(json, stringify!($field))?),+ })
            }
        })+
    };
}

impl Read for String {
    fn read<J: Json>(json: &J) -> Option<Self> {
        json.text()
    }
}

impl Read for u64 {
    fn read<J: Json>(json: &J) -> Option<Self> {
        json.number()
    }
}

impl Read for u32 {
    fn read<J: Json>(json: &J) -> Option<Self> {
        json.number()?.try_into().ok()
    }
}

impl Read for bool {
    fn read<J: Json>(json: &J) -> Option<Self> {
        json.bool()
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl<T: Read> Read for Option<T> {
    fn read<J: Json>(json: &J) -> Option<Self> {
        T::read(json).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read<J: Json>(json: &J) -> Option<Self> {
        json.items()?.iter().map(T::read).collect()
    }

    fn absent() -> Option<Self> {
        T::absent_list()
    }
}
