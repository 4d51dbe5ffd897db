//! Converts Redis' answers.

use ::redis::{FromRedisValue, Value};
use chat::StoreError;

use super::error::Spoiled;

/// Converts an answer to the expected type.
pub fn read<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    ::redis::from_redis_value(value).map_err(StoreError::failed)
}

/// Parses a value, which was valid when it was written.
pub fn parsed<V, T>(value: V) -> Result<T, StoreError>
where
    T: TryFrom<V>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(value).map_err(StoreError::failed)
}

/// Parses a number.
pub fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(StoreError::failed)
}

/// Fails if a value is missing.
pub fn present<T>(value: Option<T>, what: &'static str) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::failed(Spoiled(what)))
}
