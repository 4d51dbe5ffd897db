//! A room's title that was refused: it stands in its field again on the next front page of that browser, also if its
//! person has to sign in first. It travels in a cookie, because the answer to the form is a redirect.

use app::data::PageData;
use axum::response::{AppendHeaders, Response};
use cookie::time::Duration;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::origins::over_tls;
use crate::session::{brief, plain};

/// The cookie's name.
const TITLE: &str = "hubbub_title";
/// Bytes of a cookie's value. Browsers drop a cookie of more than 4 KB.
const BYTES: usize = 3_000;
/// How long it is kept for.
const KEPT: Duration = Duration::minutes(10);

/// Has the browser keep a title. Of one that is much too long, the beginning.
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

/// Puts the title into the page, if that has a field for it. Says whether it did: then call [`forget`].
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

/// Has the browser forget the title: it is on the screen.
pub fn forget(response: &mut Response, headers: &HeaderMap) {
    let gone = brief(TITLE, String::new(), over_tls(headers), Duration::ZERO);
    if let Ok(gone) = HeaderValue::try_from(gone) {
        response.headers_mut().append(SET_COOKIE, gone);
    }
}
