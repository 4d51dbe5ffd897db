//! The list of rooms. Rendered by the server; for a signed-in person it stays up to date.

use std::time::Duration;

use crate::components::Boxed;
use crate::signal::{BoxedSignal, BoxedValue};
use client::reconnect::Link;
use leptos::prelude::*;
use protocol::{Person, RoomList, RoomSlug, RoomSummary, Timestamp};

use super::{effect, list, reactive};
use crate::client::calendar::{ago, iso};
use crate::client::kept;
use crate::client::live::Live;
use crate::client::platform;

/// How often the list is requested.
const REFRESH: Duration = Duration::from_secs(10);

/// Maximum number of cards, however long the page stays open.
const CARDS: usize = 400;

/// A card for each room.
#[component]
pub fn RoomCards(
    /// The rooms, the lobby first.
    rooms: Vec<RoomSummary>,
    /// Number of rooms, listed or not.
    total: u32,
    /// The time of the data.
    now: Timestamp,
    /// The signed-in person, for whom the list is updated over the socket.
    you: Option<Person>,
) -> impl IntoView {
    let rooms = BoxedSignal::new(rooms);
    let total = BoxedSignal::new(total);
    let now = BoxedSignal::new(now);
    let live = expect_context::<Live>();
    let refresh = move || {
        if platform::visible() {
            live.list_rooms(
                move |RoomList {
                          rooms: list,
                          total: all,
                      }| {
                    now.set(platform::now());
                    total.set(all);
                    rooms.update(|rooms| renew(rooms, list));
                },
            );
        }
    };
    effect(move || {
        // The server's list may still count a reader who has just left a room.
        if live.link.get() == Link::Live {
            refresh();
        }
    });
    let person = you.clone();
    effect(move || {
        let Some(you) = &person else { return };
        live.start(you);
        if let Ok(interval) = set_interval_with_handle(refresh, REFRESH) {
            on_cleanup(move || interval.clear());
        }
    });
    let shown = move || rooms.with(Vec::len) as u32;
    let all_shown = move || shown() >= total.get();
    let card = move |room| view! { <Card room rooms now you=you.clone()/> }.boxed();
    view! {
        <ul class="room-cards">
            {list(move || rooms.get(), |room| room.room.to_string(), card)}
        </ul>
        <p class="hint" hidden=all_shown>
            {move || format!("{} of {} rooms", shown(), total.get())}
        </p>
    }
    .boxed()
}

/// Updates the rooms without moving any of them: the reader may be about to click.
fn renew(rooms: &mut Vec<RoomSummary>, list: Vec<RoomSummary>) {
    for room in list {
        match rooms.iter().position(|known| known.room == room.room) {
            Some(at) => rooms[at] = room,
            None if rooms.len() < CARDS => rooms.push(room),
            None => {}
        }
    }
}

/// Reads from a room's entry as it is now.
fn see<R: Default>(
    rooms: BoxedSignal<Vec<RoomSummary>>,
    slug: BoxedValue<RoomSlug>,
    look: impl FnOnce(&RoomSummary) -> R,
) -> R {
    let slug = slug.try_get_value();
    rooms
        .with(|rooms| {
            rooms
                .iter()
                .find(|room| Some(&room.room) == slug.as_ref())
                .map(look)
        })
        .unwrap_or_default()
}

#[component]
fn Card(
    room: RoomSummary,
    rooms: BoxedSignal<Vec<RoomSummary>>,
    now: BoxedSignal<Timestamp>,
    you: Option<Person>,
) -> impl IntoView {
    let slug = room.room.clone();
    let drafted = BoxedSignal::new(false);
    let of = room.room.clone();
    effect(move || {
        if let Some(you) = &you {
            kept::has_draft(&you.id, &of, move || {
                drafted.set(true);
            });
        }
    });
    let slug = BoxedValue::new(slug);
    let here = move || see(rooms, slug, |room| room.here);
    let last = move || match see(rooms, slug, |room| room.last_at) {
        Some(at) => view! { <time datetime=iso(at)>{ago(at, now.get())}</time> }.boxed(),
        None => "No messages yet".to_owned().into_any(),
    };
    let title = move || see(rooms, slug, |room| room.title.to_string());
    let count = move || {
        if here() == 0 {
            "count nobody".to_owned()
        } else {
            "count".to_owned()
        }
    };
    view! {
        <li>
            <a class="room-card" href=format!("/rooms/{}", room.room)>
                <span class="room-card-title" dir="auto">{title}</span>
                <span class="room-card-last">{reactive(last)}</span>
                <span class="room-card-draft" hidden=move || !drafted.get()>"Draft"</span>
                <span class=count>{move || format!("{} here", here())}</span>
            </a>
        </li>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::RoomTitle;

    fn room(name: &str, here: u32) -> RoomSummary {
        RoomSummary {
            room: RoomSlug::try_from(name.to_owned()).expect("a slug"),
            title: RoomTitle::try_from(name.to_owned()).expect("a title"),
            here,
            last_at: None,
        }
    }

    #[test]
    fn cards_keep_their_positions() {
        let mut rooms = vec![room("lobby", 1), room("a", 0), room("b", 0)];
        renew(&mut rooms, vec![room("lobby", 2), room("new", 1), room("b", 3)]);
        let shown: Vec<_> = rooms.iter().map(|room| (room.room.as_str(), room.here)).collect();
        assert_eq!(shown, [("lobby", 2), ("a", 0), ("b", 3), ("new", 1)]);
    }
}
