//! Keeps a refused name or room title: the next page in that browser shows it in its field again, with the reason. A
//! title waits even if the person must sign in first. Both travel in cookies, because the answer to a form is a
//! redirect.

use app::Returned;
use app::data::PageData;
use axum::response::{AppendHeaders, Response};
use cookie::time::Duration;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::origins::over_tls;
use crate::session::{brief, plain};

/// The field that a refused text returns to.
#[derive(Clone, Copy)]
pub enum Field {
    /// The name of a person who signs in.
    Name,
    /// The title of a new room.
    Title,
}

/// Characters of a text that are kept, more than a name or a title can have. Browsers drop a cookie of more than 4 KB,
/// and a character takes up to twelve bytes there.
const CHARS: usize = 200;
/// How long the cookie lives.
const KEPT: Duration = Duration::minutes(10);

impl Field {
    fn cookie(self) -> &'static str {
        match self {
            Self::Name => "hubbub_name",
            Self::Title => "hubbub_title",
        }
    }
}

/// The cookie that keeps a text. One that is too long is cut.
pub fn keep(
    field: Field,
    mut returned: Returned,
    headers: &HeaderMap,
) -> AppendHeaders<[(HeaderName, String); 1]> {
    returned.text = returned.text.chars().take(CHARS).collect();
    let json = serde_json::to_string(&returned).unwrap_or_default();
    let value = utf8_percent_encode(&json, NON_ALPHANUMERIC).to_string();
    AppendHeaders([(SET_COOKIE, brief(field.cookie(), value, over_tls(headers), KEPT))])
}

/// Puts the text into the page if it has a field for it, and returns that field. The caller then calls [`forget`].
pub fn put(page: &mut PageData, headers: &HeaderMap) -> Option<Field> {
    let (field, returned) = match page {
        PageData::Front(front) if front.you.is_some() => (Field::Title, &mut front.returned),
        PageData::Front(front) => (Field::Name, &mut front.returned),
        PageData::Room(room) if room.you.is_none() => (Field::Name, &mut room.returned),
        _ => return None,
    };
    let kept = plain(headers, field.cookie())?;
    let json = percent_decode_str(kept.value()).decode_utf8().ok()?;
    *returned = serde_json::from_str(&json).ok()?;
    Some(field)
}

/// Removes the cookie, because the page shows the text.
pub fn forget(response: &mut Response, field: Field, headers: &HeaderMap) {
    let gone = brief(field.cookie(), String::new(), over_tls(headers), Duration::ZERO);
    if let Ok(gone) = HeaderValue::try_from(gone) {
        response.headers_mut().append(SET_COOKIE, gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_fits_into_a_cookie() {
        let returned = Returned {
            text: "\u{1f980}".repeat(9_000),
            why: "w".repeat(150),
            room: Some("r".repeat(60).try_into().unwrap()),
        };
        let AppendHeaders([(_, cookie)]) = keep(Field::Title, returned, &HeaderMap::new());
        assert!((2_400..4_000).contains(&cookie.len()), "{}", cookie.len());
    }
}
