//! What a page shows. The server gathers it before it renders, and writes it into the page for the browser; on
//! navigation in the browser the same comes as JSON.

use std::time::Duration;

use crate::signal::{BoxedSignal, BoxedValue};
use leptos::prelude::*;
use protocol::{
    ClientId, Limits, Person, Position, PresenceList, RoomEvent, RoomSlug, RoomSummary, RoomTitle, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::client::json::Json;
use crate::client::navigation::Navigation;
use crate::client::platform;
use crate::client::returned::Returned;
use crate::components::effect;
use crate::route::Route;

#[cfg(feature = "ssr")]
mod server;

#[cfg(feature = "ssr")]
pub use server::load;

/// Id of the element that holds the page's data.
pub const ELEMENT: &str = "page";

/// What the front page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrontData {
    /// Who is looking, if they are signed in.
    pub you: Option<Person>,
    /// The lobby first, then the most recently active.
    pub rooms: Vec<RoomSummary>,
    /// How many rooms there are, listed or not.
    #[serde(default)]
    pub total: u32,
    /// When this was true.
    pub now: Timestamp,
    /// The title of a room that was refused, to be mended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// What a room's page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomData {
    /// Who is looking, if they are signed in.
    pub you: Option<Person>,
    /// The room's address.
    pub room: RoomSlug,
    /// What it is called.
    pub title: RoomTitle,
    /// Where the log stood: live events start right after it. Only of use with the latest page.
    pub head: Position,
    /// A page of the log, oldest first.
    pub events: Vec<RoomEvent>,
    /// Whether there are older ones.
    pub more: bool,
    /// Whether this is the end of the log, and not a page further up.
    pub latest: bool,
    /// Who is here.
    pub roster: PresenceList,
    /// What the next message is called if it is sent as a plain form: sent twice, it is stored once.
    pub client_id: ClientId,
    /// When this was true.
    pub now: Timestamp,
    /// What the server takes.
    pub limits: Limits,
    /// The message that led here, if it was refused.
    #[serde(default)]
    pub returned: Returned,
}

/// What there is at an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageData {
    /// The front page.
    Front(FrontData),
    /// A room.
    Room(Box<RoomData>),
    /// No room has that address.
    NoSuchRoom,
    /// The storage does not answer, or the server does not.
    Unavailable,
}

#[cfg(feature = "ssr")]
impl PageData {
    /// The page's data as JSON that can stand in a script element.
    pub fn json(&self) -> String {
        in_element(&serde_json::to_string(self).unwrap_or_default())
    }

    /// The status that a page is answered with.
    pub fn status(&self) -> http::StatusCode {
        match self {
            Self::Room(data) if !data.returned.why.is_empty() => http::StatusCode::UNPROCESSABLE_ENTITY,
            Self::Front(_) | Self::Room(_) => http::StatusCode::OK,
            Self::NoSuchRoom => http::StatusCode::NOT_FOUND,
            Self::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// JSON as it may stand inside an element of raw text: nothing in it can end that element or open a comment.
#[cfg(feature = "ssr")]
pub(crate) fn in_element(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Loading takes longer than this before anybody is told, in milliseconds.
const SLOW_MS: u64 = 400;
/// A page that could not be loaded is asked for again after so many milliseconds, and when the network is back.
const AGAIN_MS: u64 = 3_000;

/// What is said while the page that was asked for is not there.
const LOADING: &str = "Loading…";
const CANNOT_LOAD: &str = "Can't reach the server. The page will open as soon as it is back.";

/// The data of the page that is on screen. The first page of all has its data from the start; another one stays until
/// the next is there. `note`: what to say meanwhile.
pub fn use_page(navigation: Navigation, note: BoxedSignal<&'static str>) -> BoxedSignal<Option<PageData>> {
    let first = use_context().or_else(|| platform::take_page()?.read());
    let mut wanted = first.as_ref().map(|_| untrack(|| navigation.route()));
    let mut asked = 0;
    let page = BoxedSignal::new(first);
    // Where the page on screen is, and which question is the last one.
    let shown = BoxedValue::new(wanted.clone());
    let last = BoxedValue::new(0);
    let again = BoxedSignal::new(());
    let ask_again = move || {
        if note.try_get_untracked() == Some(CANNOT_LOAD) {
            again.set(());
        }
    };
    effect(move || {
        window_event_listener(leptos::ev::online, move |_| ask_again());
    });
    effect(move || {
        let route = navigation.route();
        again.track();
        let failed = note.get_untracked() == CANNOT_LOAD;
        if wanted.as_ref() == Some(&route) && !failed {
            return;
        }
        wanted = Some(route.clone());
        asked += 1;
        last.set_value(asked);
        let this = asked;
        let is_last = move || last.try_get_value() == Some(this);
        let show = move |found: PageData, route: Route| {
            note.set("");
            shown.set_value(Some(route));
            page.set(Some(found));
        };
        if shown.with_value(|shown| shown.as_ref() == Some(&route)) {
            // Back to what is still there.
            return note.set("");
        }
        if route == Route::NotFound {
            return show(PageData::NoSuchRoom, route);
        }
        let there = route.clone();
        let slow = move || {
            let waits = shown.try_with_value(|shown| shown.as_ref() != Some(&there));
            if waits == Some(true) && is_last() && note.get_untracked().is_empty() {
                note.set(LOADING);
            }
        };
        set_timeout(slow, Duration::from_millis(SLOW_MS));
        let url = format!("/api{route}");
        let answered = move |answer: Option<Json>| {
            // The reader may be somewhere else by now.
            if !is_last() {
                return;
            }
            match answer.and_then(|answer| answer.read()) {
                None | Some(PageData::Unavailable) => {
                    note.set(CANNOT_LOAD);
                    set_timeout(ask_again, Duration::from_millis(AGAIN_MS));
                }
                Some(found) => show(found, route),
            }
        };
        platform::fetch(&url, Box::new(answered));
    });
    page
}
