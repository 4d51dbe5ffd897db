//! Keeps a refused room title: the next front page in that browser shows it in its field again, even if the person
//! must sign in first. It travels in a cookie, because the answer to the form is a redirect.

use app::data::PageData;
use axum::response::{AppendHeaders, Response};
use cookie::time::Duration;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::origins::over_tls;
use crate::session::{brief, plain};

/// The name of the cookie.
const TITLE: &str = "hubbub_title";
/// Bytes of the cookie's value. Browsers drop a cookie of more than 4 KB.
const BYTES: usize = 3_000;
/// How long the cookie lives.
const KEPT: Duration = Duration::minutes(10);

/// The cookie that keeps a title. A title that is too long is cut.
pub fn keep(title: &str, headers: &HeaderMap) -> AppendHeaders<[(HeaderName, String); 1]> {
    let mut value = String::new();
    for character in title.chars() {
        let before = value.len();
        value.extend(utf8_percent_encode(
            character.encode_utf8(&mut [0; 4]),
            NON_ALPHANUMERIC,
        ));
        if value.len() > BYTES {
            value.truncate(before);
            break;
        }
    }
    AppendHeaders([(SET_COOKIE, brief(TITLE, value, over_tls(headers), KEPT))])
}

/// Puts the title into the page if it has a field for it, and returns true if so. The caller then calls [`forget`].
pub fn put(page: &mut PageData, headers: &HeaderMap) -> bool {
    let PageData::Front(front) = page else {
        return false;
    };
    let (Some(_), Some(kept)) = (&front.you, plain(headers, TITLE)) else {
        return false;
    };
    let Ok(title) = percent_decode_str(kept.value()).decode_utf8() else {
        return false;
    };
    front.title = title.into_owned();
    true
}

/// Removes the cookie, because the page shows the title.
pub fn forget(response: &mut Response, headers: &HeaderMap) {
    let gone = brief(TITLE, String::new(), over_tls(headers), Duration::ZERO);
    if let Ok(gone) = HeaderValue::try_from(gone) {
        response.headers_mut().append(SET_COOKIE, gone);
    }
}
