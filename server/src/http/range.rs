//! Drops `Range` headers that the file service handles badly. It answers 416 to ranges that it does not understand,
//! and does not know `If-Range`; sending the whole file is correct in both cases.

use axum::extract::Request;
use http::{HeaderMap, header};

/// Removes a `Range` of another unit, of several ranges, or with a condition.
pub async fn tidy(mut request: Request) -> Request {
    let headers = request.headers_mut();
    if headers.contains_key(header::RANGE) && (headers.contains_key(header::IF_RANGE) || !is_one(headers)) {
        headers.remove(header::RANGE);
    }
    request
}

/// True if there is a single range of bytes, satisfiable or not.
fn is_one(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::RANGE).into_iter();
    let first = lines.next().and_then(|line| line.to_str().ok());
    first.is_some_and(|range| range.starts_with("bytes=") && !range.contains(',')) && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[tokio::test]
    async fn only_a_single_range_of_bytes_is_kept() {
        for (lines, kept) in [
            (&[("range", "bytes=0-9")][..], true),
            (&[("range", "bytes=-5")], true),
            // These cannot be satisfied and are answered with 416.
            (&[("range", "bytes=5-2")], true),
            (&[("range", "bytes=-0")], true),
            (&[("range", "items=0-9")], false),
            (&[("range", "bytes=0-0,5-6")], false),
            (&[("range", "bytes=0-9"), ("range", "bytes=5-6")], false),
            (
                &[("range", "bytes=0-9"), ("if-range", "\"another version\"")],
                false,
            ),
        ] {
            let mut request = Request::builder();
            for (name, value) in lines {
                request = request.header(*name, *value);
            }
            let request = tidy(request.body(Body::empty()).unwrap()).await;
            assert_eq!(request.headers().contains_key(header::RANGE), kept, "{lines:?}");
        }
    }
}
