//! What a page shows. The server gathers it before it renders, and writes it into the page for the browser; on
//! navigation in the browser the same comes as JSON.

use leptos::prelude::*;
use protocol::{
    ClientId, Person, Position, PresenceList, RoomEvent, RoomSlug, RoomSummary, RoomTitle, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::client::navigation::Navigation;
use crate::client::platform;
use crate::components::effect;
use crate::place::Place;

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
    /// When this was true.
    pub now: Timestamp,
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
}

/// What there is at an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
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
impl Page {
    /// The page's data as JSON that can stand in a script element.
    pub fn json(&self) -> String {
        in_element(&serde_json::to_string(self).unwrap_or_default())
    }

    /// The status that a page is answered with.
    pub fn status(&self) -> http::StatusCode {
        match self {
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

/// The data of the page that is on screen: nothing while it is being loaded. The first page of all has its data from
/// the start.
pub fn use_page(navigation: Navigation) -> RwSignal<Option<Page>> {
    let first = use_context().or_else(|| platform::take_page()?.read());
    let mut wanted = first.as_ref().map(|_| navigation.place());
    let page = RwSignal::new(first);
    effect(move || {
        let place = navigation.place();
        if wanted.as_ref() == Some(&place) {
            return;
        }
        wanted = Some(place.clone());
        if place == Place::Nowhere {
            page.set(Some(Page::NoSuchRoom));
            return;
        }
        page.set(None);
        platform::fetch(&format!("/api{place}"), move |answer| {
            // The reader may be somewhere else by now.
            if untrack(|| navigation.place()) == place {
                let found = answer.and_then(|answer| answer.read());
                page.set(Some(found.unwrap_or(Page::Unavailable)));
            }
        });
    });
    page
}
