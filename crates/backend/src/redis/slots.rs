//! Asks a server of a cluster for the slots.

use ::redis::aio::MultiplexedConnection;
use ::redis::{RedisError, Value};

/// A range of slots that one server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first slot.
    pub first: u16,
    /// The last slot.
    pub last: u16,
    /// The primary that has these slots: host and port.
    pub address: String,
}

/// Sends `CLUSTER SLOTS`. `asked` is the server's address.
pub async fn ask(connection: &mut MultiplexedConnection, asked: &str) -> Result<Vec<Range>, RedisError> {
    let answer: Value = ::redis::cmd("CLUSTER")
        .arg("SLOTS")
        .query_async(connection)
        .await?;
    Ok(ranges(&answer, asked))
}

/// Completes an address without a host, which a server sends if it does not know its own name, with the host of the
/// server that was asked.
pub fn whole(address: &str, asked: &str) -> String {
    match (address.strip_prefix(':'), asked.rsplit_once(':')) {
        (Some(port), Some((host, _))) => format!("{host}:{port}"),
        _ => address.to_owned(),
    }
}

fn ranges(answer: &Value, asked: &str) -> Vec<Range> {
    let Value::Array(rows) = answer else { return vec![] };
    rows.iter().filter_map(|row| range(row, asked)).collect()
}

fn range(row: &Value, asked: &str) -> Option<Range> {
    let Value::Array(row) = row else { return None };
    let [first, last, Value::Array(primary), ..] = row.as_slice() else {
        return None;
    };
    let [host, port, ..] = primary.as_slice() else {
        return None;
    };
    let host = text(host).filter(|host| *host != "?").unwrap_or("");
    Some(Range {
        first: number(first)?,
        last: number(last)?,
        address: whole(&format!("{host}:{}", number(port)?), asked),
    })
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: i64, last: i64, host: Value, port: i64) -> Value {
        let node = |port| Value::Array(vec![host.clone(), Value::Int(port), Value::Nil]);
        Value::Array(vec![
            Value::Int(first),
            Value::Int(last),
            node(port),
            node(port + 1),
        ])
    }

    #[test]
    fn the_primary_of_each_range_is_taken() {
        let named = Value::BulkString(b"10.0.0.1".to_vec());
        let answer = Value::Array(vec![
            row(0, 8_191, named, 7_000),
            row(8_192, 16_383, Value::Nil, 7_001),
        ]);
        let range = |first, last, address: &str| Range {
            first,
            last,
            address: address.to_owned(),
        };
        assert_eq!(
            ranges(&answer, "redis.example:6379"),
            [
                range(0, 8_191, "10.0.0.1:7000"),
                range(8_192, 16_383, "redis.example:7001")
            ]
        );
    }
}
