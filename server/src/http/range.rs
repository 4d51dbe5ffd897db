//! Which `Range` a request for a file may keep. The library refuses what it does not understand with 416, and does not
//! know `If-Range`; the whole file is a right answer to both.

use axum::extract::Request;
use http::{HeaderMap, header};

/// Removes a `Range` that is to be ignored: of another unit, of several ranges, or under a condition.
pub async fn tidy(mut request: Request) -> Request {
    let headers = request.headers_mut();
    if headers.contains_key(header::RANGE) && (headers.contains_key(header::IF_RANGE) || !is_one(headers)) {
        headers.remove(header::RANGE);
    }
    request
}

/// Whether it is one range of bytes, right or not.
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
    async fn what_is_not_one_range_of_bytes_is_ignored() {
        for (lines, kept) in [
            (&[("range", "bytes=0-9")][..], true),
            (&[("range", "bytes=-5")], true),
            // These cannot be satisfied, which is said.
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
