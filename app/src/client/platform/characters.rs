//! Characters as people see them. The browser knows them; the tables for it would be a twentieth of what it loads.

use js_sys::Intl::Segmenter;
use js_sys::{Array, JsString, Object, Reflect};

thread_local! {
    /// Nothing in a browser that is too old for it.
    static SEGMENTER: Option<Segmenter> = segmenter();
}

fn segmenter() -> Option<Segmenter> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let known = Reflect::has(&intl, &"Segmenter".into()).ok()?;
    known.then(|| Segmenter::new(&Array::new(), &Object::new()))
}

/// The first character as people see it: a grapheme cluster.
pub fn first_character(text: &str) -> String {
    SEGMENTER.with(|segmenter| {
        let first = segmenter.as_ref().and_then(|one| one.segment(text).containing(0));
        match first {
            Some(first) => first.segment().into(),
            None => text.chars().take(1).collect(),
        }
    })
}

/// In capitals.
pub fn upper(text: &str) -> String {
    JsString::from(text).to_upper_case().into()
}

/// In small letters.
pub fn lower(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}
