//! Reads payloads. A refusal says in plain words what is wrong and in which field, and quotes nothing but field names.

use protocol::{ErrorCode, Refusal};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Reads a payload that must be a JSON object. The parser alone would also accept an array of the fields.
///
/// # Errors
/// As [`parse`].
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad("the payload must be a JSON object"));
    }
    parse(json)
}

/// Reads a payload of any type.
///
/// # Errors
/// If it is not JSON, or not of the expected type.
pub fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| {
        bad(match error.classify() {
            Category::Data => mismatch(&error, &field::<T>(json)),
            Category::Eof => "the JSON ends too early".to_owned(),
            Category::Syntax | Category::Io => unreadable(&error),
        })
    })
}

fn bad(sentence: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::BadRequest, sentence)
}

fn unreadable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("number out of range") {
        return "a number in the JSON is too large".to_owned();
    }
    if text.contains("hex escape") {
        return "a \\u escape in the JSON is incomplete; a surrogate needs its other half".to_owned();
    }
    let (line, column) = (error.line(), error.column());
    format!("the JSON cannot be read: check line {line}, column {column}")
}

/// The path of the field that does not match, such as `messages[0].text`. Empty for the payload itself.
///
/// Reads the payload again, so that only refused payloads pay for the path.
fn field<T: DeserializeOwned>(json: &[u8]) -> String {
    let mut json = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) if error.path().iter().len() > 0 => error.path().to_string(),
        _ => String::new(),
    }
}

/// Why a value does not match its type. The library's errors are only text; the test below covers each kind.
fn mismatch(error: &serde_json::Error, field: &str) -> String {
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let quoted = |prefix| text.strip_prefix(prefix)?.strip_suffix('`');
    let inside = |name| {
        if field.is_empty() {
            format!("`{name}`")
        } else {
            format!("`{field}.{name}`")
        }
    };
    if let Some(name) = quoted("missing field `") {
        return format!("{} is missing", inside(name));
    }
    if let Some(name) = quoted("duplicate field `") {
        return format!("{} is there twice", inside(name));
    }
    if text.starts_with("invalid ")
        && let Some((_, expected)) = text.rsplit_once(", expected ")
    {
        let what = if field.is_empty() {
            "the payload".to_owned()
        } else {
            format!("`{field}`")
        };
        return format!("{what} must be {}", plain(expected));
    }
    // A sentence of `protocol`, which names what it is about. In a list it does not say which one.
    if field.contains(['.', '[']) {
        return format!("{text} (`{field}`)");
    }
    text.to_owned()
}

/// What the library expects, in words of JSON.
fn plain(expected: &str) -> &str {
    match expected {
        "u32" => "a whole number from 0 to 2^32 - 1",
        // Only sequence numbers are as long, and they have a limit of their own.
        "u64" => "a whole number from 0 to 2^53 - 1",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{CreateRoom, History, Join, Send, SignIn, Typing};

    fn refused<T: DeserializeOwned>(json: &str) -> String {
        read::<T>(json.as_bytes()).map(drop).expect_err(json).message
    }

    #[test]
    fn a_refusal_is_a_plain_sentence() {
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(36));
        assert_eq!(
            refused::<SignIn>(&long),
            "this name has 36 characters; the limit is 32"
        );
        for (json, sentence) in [
            ("", "the payload must be a JSON object"),
            ("7", "the payload must be a JSON object"),
            (r#"["Ada"]"#, "the payload must be a JSON object"),
            ("{", "the JSON ends too early"),
            (r#"{"name":"Ada"#, "the JSON ends too early"),
            ("{}", "`name` is missing"),
            (r#"{"name":"a","name":"b"}"#, "`name` is there twice"),
            (r#"{"name":7}"#, "`name` must be a string"),
            (r#"{"name":null}"#, "`name` must be a string"),
            (r#"{"name":{}}"#, "`name` must be a string"),
            (
                r#"{"name":"a}, expected u64"}x"#,
                "the JSON cannot be read: check line 1, column 28",
            ),
            (r#"{"name":1e999}"#, "a number in the JSON is too large"),
            (
                r#"{"name":"\ud83d"}"#,
                "a \\u escape in the JSON is incomplete; a surrogate needs its other half",
            ),
            (
                r#"{"name":"\ud83dx"}"#,
                "a \\u escape in the JSON is incomplete; a surrogate needs its other half",
            ),
        ] {
            assert_eq!(refused::<SignIn>(json), sentence, "{json}");
        }
        assert_eq!(
            refused::<CreateRoom>(r#"{"title":"a\tb"}"#),
            "a room name cannot contain control characters; remove U+0009 (character 2)"
        );
        for before in ["-1", "1.5", "\"1\"", "18446744073709551616"] {
            assert_eq!(
                refused::<History>(&format!(r#"{{"room":"lobby","before":{before}}}"#)),
                "`before` must be a whole number from 0 to 2^53 - 1"
            );
        }
        let digits = format!(r#"{{"room":"lobby","before":{}}}"#, "9".repeat(400));
        assert_eq!(refused::<History>(&digits), "a number in the JSON is too large");
        assert_eq!(
            refused::<Typing>(r#"{"room":"lobby","typing":"yes"}"#),
            "`typing` must be true or false"
        );
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (messages, sentence) in [
            (r#""hello""#, "`messages` must be an array"),
            (r#"["hello"]"#, "`messages[0]` must be an object"),
            (r#"[["c1","hello"]]"#, "`messages[0]` must be an object"),
            (r#"[{"client_id":"c1"}]"#, "`messages[0].text` is missing"),
            (
                r#"[{"client_id":"c1","text":"a"},{"client_id":"c2","text":""}]"#,
                "a message needs at least one visible character (`messages[1].text`)",
            ),
            (
                r#"[{"client_id":"a b","text":"a"}]"#,
                "an id consists of 1 to 64 characters A-Z, a-z, 0-9, - and _ (`messages[0].client_id`)",
            ),
        ] {
            let json = format!(r#"{{"room":"lobby","messages":{messages}}}"#);
            assert_eq!(refused::<Send>(&json), sentence, "{json}");
        }
        for (from, sentence) in [
            ("7", "`from` must be an object"),
            (r#"["e",1]"#, "`from` must be an object"),
            (r#"{"epoch":"e"}"#, "`from.seq` is missing"),
            (
                r#"{"epoch":"e","seq":-1}"#,
                "`from.seq` must be a whole number from 0 to 2^53 - 1",
            ),
        ] {
            let json = format!(r#"{{"room":"lobby","from":{from}}}"#);
            assert_eq!(refused::<Join>(&json), sentence, "{json}");
        }
    }

    #[test]
    fn a_payload_without_fields_has_no_path() {
        let refused = parse::<protocol::DisplayName>(b"{}").expect_err("an object");
        assert_eq!(refused.message, "the payload must be a string");
    }
}
