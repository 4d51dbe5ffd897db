//! The data that a page shows. The server collects it before rendering and embeds it in the page; on navigation the
//! browser fetches it as JSON.

use std::time::Duration;

use crate::signal::{BoxedSignal, BoxedValue};
use leptos::prelude::*;
use protocol::read::{Json as Source, Read};
use protocol::{
    ClientId, Limits, MessagePage, Person, PresenceList, RoomSlug, RoomSummary, RoomTitle, Timestamp,
};
use serde::Serialize;

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

/// Id of the element with the embedded data.
pub const ELEMENT: &str = "page";

/// The data of the front page.
#[derive(Clone, Debug, Serialize)]
pub struct FrontData {
    /// The signed-in person, if any.
    pub you: Option<Person>,
    /// The rooms: the lobby first, then the most recently active.
    pub rooms: Vec<RoomSummary>,
    /// Number of rooms, listed or not.
    pub total: u32,
    /// The time of the data.
    pub now: Timestamp,
    /// What a form of this page sent and the server refused, if anything.
    pub returned: Returned,
}

/// The data of a room's page.
#[derive(Clone, Debug, Serialize)]
pub struct RoomData {
    /// The signed-in person, if any.
    pub you: Option<Person>,
    /// The room's slug.
    pub room: RoomSlug,
    /// The room's title.
    pub title: RoomTitle,
    /// The messages. If `latest`, live events continue from there.
    pub page: MessagePage,
    /// True if these are the latest messages.
    pub latest: bool,
    /// The people who are present.
    pub roster: PresenceList,
    /// Client id of the next message if it is sent by form, so that a form sent twice is stored once.
    pub client_id: ClientId,
    /// The time of the data.
    pub now: Timestamp,
    /// The server's limits.
    pub limits: Limits,
    /// The refused message, or name of a visitor, that led here, if any.
    pub returned: Returned,
}

/// What a page shows.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageData {
    /// The front page.
    Front(FrontData),
    /// A room.
    Room(Box<RoomData>),
    /// No such room, or no page at this address.
    NoSuchRoom,
    /// The server or its storage does not answer.
    Unavailable,
}

protocol::read! {
    FrontData { you, rooms, total, now, returned }
    RoomData { you, room, title, page, latest, roster, client_id, now, limits, returned }
}

impl Read for PageData {
    /// A text, or an object with one member: the page's kind.
    fn read<J: Source>(json: &J) -> Option<Self> {
        if let Some(front) = json.get("front") {
            return Some(Self::Front(FrontData::read(&front)?));
        }
        if let Some(room) = json.get("room") {
            return Some(Self::Room(Box::new(RoomData::read(&room)?)));
        }
        match json.text()?.as_str() {
            "no_such_room" => Some(Self::NoSuchRoom),
            "unavailable" => Some(Self::Unavailable),
            _ => None,
        }
    }
}

#[cfg(feature = "ssr")]
impl PageData {
    /// The data as JSON that can be embedded in a script element.
    pub fn json(&self) -> String {
        in_element(&serde_json::to_string(self).unwrap_or_default())
    }

    /// The HTTP status of the page.
    pub fn status(&self) -> http::StatusCode {
        match self {
            Self::Room(data) if data.you.is_some() && !data.returned.why.is_empty() => {
                http::StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Front(_) | Self::Room(_) => http::StatusCode::OK,
            Self::NoSuchRoom => http::StatusCode::NOT_FOUND,
            Self::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Escapes JSON for an element of raw text: nothing in it can end the element or open a comment.
#[cfg(feature = "ssr")]
pub(crate) fn in_element(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// A note appears if loading takes longer than this, in milliseconds.
const SLOW_MS: u64 = 400;
/// A page that could not be loaded is requested again after this many milliseconds, and when the network is back.
const AGAIN_MS: u64 = 3_000;

/// Shown while the requested page has not arrived.
const LOADING: &str = "Loading…";
const CANNOT_LOAD: &str = "Can't reach the server. The page will open as soon as it is back.";

/// The data of the page on screen. The first page's data is there from the start; later, a page stays on screen until
/// the next one has arrived. `note` is set to a sentence to show meanwhile.
pub fn use_page(navigation: Navigation, note: BoxedSignal<&'static str>) -> BoxedSignal<Option<PageData>> {
    let first = use_context().or_else(|| platform::take_page()?.read());
    let mut wanted = first.as_ref().map(|_| untrack(|| navigation.route()));
    let mut requests = 0;
    let page = BoxedSignal::new(first);
    // The route of the page on screen, and the number of the latest request.
    let shown = BoxedValue::new(wanted.clone());
    let latest = BoxedValue::new(0);
    let retry = BoxedSignal::new(());
    let retry_failed = move || {
        if note.try_get_untracked() == Some(CANNOT_LOAD) {
            retry.set(());
        }
    };
    effect(move || {
        window_event_listener(leptos::ev::online, move |_| retry_failed());
    });
    effect(move || {
        let route = navigation.route();
        retry.track();
        let failed = note.get_untracked() == CANNOT_LOAD;
        if wanted.as_ref() == Some(&route) && !failed {
            return;
        }
        wanted = Some(route.clone());
        requests += 1;
        latest.set_value(requests);
        let number = requests;
        let is_latest = move || latest.try_get_value() == Some(number);
        let show = move |found: PageData, route: Route| {
            note.set("");
            shown.set_value(Some(route));
            page.set(Some(found));
        };
        if shown.with_value(|shown| shown.as_ref() == Some(&route)) {
            // The reader went back to the page that is still on screen.
            return note.set("");
        }
        if route == Route::NotFound {
            return show(PageData::NoSuchRoom, route);
        }
        let requested = route.clone();
        let slow = move || {
            let waits = shown.try_with_value(|shown| shown.as_ref() != Some(&requested));
            if waits == Some(true) && is_latest() && note.get_untracked().is_empty() {
                note.set(LOADING);
            }
        };
        set_timeout(slow, Duration::from_millis(SLOW_MS));
        let url = format!("/api{route}");
        let answered = move |answer: Option<Json>| {
            // The reader may have gone elsewhere by now.
            if !is_latest() {
                return;
            }
            match answer.and_then(|answer| answer.read()) {
                None | Some(PageData::Unavailable) => {
                    note.set(CANNOT_LOAD);
                    set_timeout(retry_failed, Duration::from_millis(AGAIN_MS));
                }
                Some(found) => show(found, route),
            }
        };
        platform::fetch(&url, Box::new(answered));
    });
    page
}
