//! The list of rooms with the people in them. Rendered by the server; while somebody signed in looks at it, it keeps
//! itself up to date.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Person, RoomList, RoomSummary, Timestamp};

use super::{effect, list};
use crate::client::calendar::{ago, iso};
use crate::client::kept;
use crate::client::live::Live;
use crate::client::platform;
use crate::client::reconnect::Link;

/// How often the list is asked for.
const REFRESH: Duration = Duration::from_secs(10);

/// Cards on the page at most, however long it stays open.
const CARDS: usize = 400;

/// Cards that lead into the rooms.
#[component]
pub fn RoomCards(
    /// The lobby first.
    rooms: Vec<RoomSummary>,
    /// How many rooms there are in all.
    total: u32,
    /// When that was true.
    now: Timestamp,
    /// Who is looking: for them it is kept up to date over the socket.
    you: Option<Person>,
) -> impl IntoView {
    let rooms = RwSignal::new(rooms);
    let total = RwSignal::new(total);
    let now = RwSignal::new(now);
    let hub = expect_context::<Live>();
    let refresh = move || {
        if platform::visible() {
            hub.list_rooms(
                move |RoomList {
                          rooms: list,
                          total: all,
                      }| {
                    now.try_set(platform::now());
                    total.try_set(all);
                    rooms.try_update(|rooms| renew(rooms, list));
                },
            );
        }
    };
    effect(move || {
        // Whoever comes from a room may still be counted there in what the server rendered.
        if hub.link.get() == Link::Live {
            refresh();
        }
    });
    let person = you.clone();
    effect(move || {
        let Some(you) = &person else { return };
        hub.start(you);
        if let Ok(interval) = set_interval_with_handle(refresh, REFRESH) {
            on_cleanup(move || interval.clear());
        }
    });
    let shown = move || rooms.read().len() as u32;
    let all_shown = move || shown() >= total.get();
    let card = move |room| view! { <Card room rooms now you=you.clone()/> }.into_any();
    view! {
        <ul class="room-cards">
            {list(move || rooms.get(), |room| room.room.to_string(), card)}
        </ul>
        <p class="hint" hidden=all_shown>
            {move || format!("{} of {} rooms", shown(), total.get())}
        </p>
    }
    .into_any()
}

/// Takes what is new about the rooms, and leaves each where it stands: somebody may be about to click on it.
fn renew(rooms: &mut Vec<RoomSummary>, list: Vec<RoomSummary>) {
    for room in list {
        match rooms.iter().position(|known| known.room == room.room) {
            Some(at) => rooms[at] = room,
            None if rooms.len() < CARDS => rooms.push(room),
            None => {}
        }
    }
}

#[component]
fn Card(
    room: RoomSummary,
    rooms: RwSignal<Vec<RoomSummary>>,
    now: RwSignal<Timestamp>,
    you: Option<Person>,
) -> impl IntoView {
    let slug = room.room.clone();
    let drafted = RwSignal::new(false);
    let place = room.room.clone();
    effect(move || {
        if let Some(you) = &you {
            kept::has_draft(&you.id, &place, move || {
                drafted.try_set(true);
            });
        }
    });
    let current = Memo::new(move |_| {
        let rooms = rooms.read();
        rooms.iter().find(|current| current.room == slug).cloned()
    });
    let here = move || current.read().as_ref().map_or(0, |room| room.here);
    let last = move || {
        let at = current.read().as_ref().and_then(|room| room.last_at);
        match at {
            Some(at) => view! { <time datetime=iso(at)>{ago(at, now.get())}</time> }.into_any(),
            None => "No messages yet".to_owned().into_any(),
        }
    };
    view! {
        <li>
            <a class="room-card" href=format!("/rooms/{}", room.room)>
                <span class="room-card-title" dir="auto">{room.title.to_string()}</span>
                <span class="room-card-last">{move || last()}</span>
                <span class="room-card-draft" hidden=move || !drafted.get()>"Draft"</span>
                <span class="count" class:nobody=move || here() == 0>{move || format!("{} here", here())}</span>
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{RoomSlug, RoomTitle};

    fn room(name: &str, here: u32) -> RoomSummary {
        RoomSummary {
            room: RoomSlug::try_from(name.to_owned()).expect("a slug"),
            title: RoomTitle::try_from(name.to_owned()).expect("a title"),
            here,
            last_at: None,
        }
    }

    #[test]
    fn cards_stay_where_they_are() {
        let mut rooms = vec![room("lobby", 1), room("a", 0), room("b", 0)];
        renew(&mut rooms, vec![room("lobby", 2), room("new", 1), room("b", 3)]);
        let shown: Vec<_> = rooms.iter().map(|room| (room.room.as_str(), room.here)).collect();
        assert_eq!(shown, [("lobby", 2), ("a", 0), ("b", 3), ("new", 1)]);
    }
}
