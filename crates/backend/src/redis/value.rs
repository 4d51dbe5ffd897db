//! What Redis answers, as what it was when it was written.

use ::redis::{FromRedisValue, Value};
use chat::StoreError;

use super::error::Spoiled;

/// An answer as what it should be.
pub fn read<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    ::redis::from_redis_value(value).map_err(StoreError::failed)
}

/// A text as something that was valid when it was written.
pub fn parsed<V, T>(value: V) -> Result<T, StoreError>
where
    T: TryFrom<V>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(value).map_err(StoreError::failed)
}

/// A number that was written as text.
pub fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(StoreError::failed)
}

/// What must be there.
pub fn present<T>(value: Option<T>, what: &'static str) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::failed(Spoiled(what)))
}
