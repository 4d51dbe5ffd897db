//! Grapheme clusters and case, from the browser: Unicode tables of our own would be a twentieth of the page's weight.

use js_sys::Intl::Segmenter;
use js_sys::{Array, JsString, Object, Reflect};

thread_local! {
    /// `None` in browsers without `Intl.Segmenter`.
    static SEGMENTER: Option<Segmenter> = segmenter();
}

fn segmenter() -> Option<Segmenter> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let known = Reflect::has(&intl, &"Segmenter".into()).ok()?;
    known.then(|| Segmenter::new(&Array::new(), &Object::new()))
}

/// The first grapheme cluster.
pub fn first_character(text: &str) -> String {
    SEGMENTER.with(|segmenter| {
        let first = segmenter.as_ref().and_then(|one| one.segment(text).containing(0));
        match first {
            Some(first) => first.segment().into(),
            None => text.chars().take(1).collect(),
        }
    })
}

/// Converts to upper case.
pub fn upper(text: &str) -> String {
    JsString::from(text).to_upper_case().into()
}

/// Converts to lower case.
pub fn lower(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}
