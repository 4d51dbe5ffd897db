//! Collects the data of a page on the server.

use chat::{Caller, ChatError, Hub, Limit, OpenRoom, OpenedRoom, StoreError};
use protocol::limits::HISTORY_MESSAGES;
use protocol::{ClientId, Limits, ListRooms, Person, RoomSlug, Seq, Timestamp};

use super::{FrontData, PageData, RoomData};
use crate::client::platform;
use crate::client::returned::Returned;
use crate::route::Route;

/// Limit of messages in a rendered page. It contains each message twice, as HTML and as data, and escaping may lengthen
/// both: a few hundred KB at most.
const IN_PAGE: Limit = Limit {
    count: HISTORY_MESSAGES,
    bytes: 64 * 1024,
};

/// Collects the data of the page at a route.
pub async fn load(hub: &Hub, you: Option<Person>, limits: Limits, route: Route) -> PageData {
    match route {
        Route::Front => load_front(hub, you).await,
        Route::Room { room, before } => load_room(hub, you, limits, room, before).await,
        Route::NotFound => PageData::NoSuchRoom,
    }
}

async fn load_front(hub: &Hub, you: Option<Person>) -> PageData {
    match hub.ask(&caller(you.as_ref()), ListRooms {}).await {
        Ok(list) => PageData::Front(FrontData {
            now: now(you.as_ref()),
            you,
            rooms: list.rooms,
            total: list.total,
            returned: Returned::default(),
        }),
        Err(error) => no_page(error),
    }
}

async fn load_room(
    hub: &Hub,
    you: Option<Person>,
    limits: Limits,
    room: RoomSlug,
    before: Option<Seq>,
) -> PageData {
    let mut bits = [0; 16];
    // People who are not signed in have no form, and all get the same page.
    if you.is_some()
        && let Err(error) = getrandom::fill(&mut bits)
    {
        tracing::error!(%error, "cannot get random numbers from the system");
        return PageData::Unavailable;
    }
    let client_id = ClientId::from_random(u128::from_le_bytes(bits));
    room_data(hub, you, limits, room, before, client_id)
        .await
        .map_or_else(no_page, |data| PageData::Room(Box::new(data)))
}

async fn room_data(
    hub: &Hub,
    you: Option<Person>,
    limits: Limits,
    room: RoomSlug,
    before: Option<Seq>,
    client_id: ClientId,
) -> Result<RoomData, ChatError> {
    let open = OpenRoom {
        room: room.clone(),
        before,
        limit: IN_PAGE,
    };
    let OpenedRoom {
        room: opened,
        roster,
        page,
    } = hub.ask(&caller(you.as_ref()), open).await?;
    Ok(RoomData {
        now: now(you.as_ref()),
        you,
        room,
        title: opened.title,
        page,
        latest: before.is_none(),
        roster,
        client_id,
        limits,
        returned: Returned::default(),
    })
}

/// The caller who views a page. It has no address, because pages have a rate of their own.
fn caller(you: Option<&Person>) -> Caller<'_> {
    Caller {
        person: you,
        ..Caller::NOBODY
    }
}

/// The current time. Rounded to a second for people who are not signed in, so that they can share a page.
fn now(you: Option<&Person>) -> Timestamp {
    let Timestamp(now) = platform::now();
    Timestamp(if you.is_some() { now } else { now - now % 1_000 })
}

/// The page for a failure. The cause goes only to the log.
fn no_page(error: ChatError) -> PageData {
    match error {
        ChatError::Store(StoreError::NoSuchRoom(_)) => PageData::NoSuchRoom,
        error => {
            tracing::warn!(%error, "a page could not be rendered");
            PageData::Unavailable
        }
    }
}
