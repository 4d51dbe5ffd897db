//! A room's state as signals for the components of the room page. [`super::live`] keeps it up to date.

use std::time::Duration;

use crate::signal::{ArcBoxedSignal, BoxedSignal, BoxedValue, ElementRef};
use client::names::isolated;
use client::pace::Pace;
use client::room::{Older, RoomClient};
use leptos::html::Div;
use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use protocol::{MessageText, Person, PresenceList, RoomSlug, Timestamp};

use super::kept;
use super::platform;
use super::rows::{Row, Wall, rows};
use crate::data::RoomData;

/// If more messages than this come in together, only their number is announced.
const ANNOUNCED_AT_ONCE: usize = 3;

/// Announcements kept in the page: a screen reader may lag behind.
const ANNOUNCEMENTS_KEPT: usize = 10;

/// A line of the message list.
#[derive(Clone)]
pub struct Line {
    /// Identifies the line; never changes.
    pub key: String,
    /// The line's content.
    pub row: ArcBoxedSignal<Row>,
}

/// One room on the page. A handle: copies refer to the same room.
#[derive(Clone, Copy)]
pub struct RoomStore {
    slug: BoxedValue<RoomSlug>,
    client: BoxedValue<RoomClient>,
    /// The time of the page's data, shown in UTC until the first paint. `None` from then on: local time.
    wall: BoxedValue<Option<Timestamp>>,
    timer: BoxedValue<Option<(u64, TimeoutHandle)>>,
    pace: BoxedValue<Pace>,
    /// Other people's messages since the last refresh: their number, and the first few.
    heard: BoxedValue<(u32, Vec<String>)>,
    /// The room's title.
    pub title: BoxedSignal<String>,
    /// The message list, oldest first.
    pub lines: BoxedSignal<Vec<Line>>,
    /// The people who are present.
    pub people: BoxedSignal<PresenceList>,
    /// "Ada is typing…"
    pub typing: BoxedSignal<String>,
    /// What is above the first message in the page.
    pub older: BoxedSignal<Older>,
    /// Why the room cannot continue.
    pub over: BoxedSignal<Option<String>>,
    /// True if the newest message is in the page.
    pub newest: BoxedSignal<bool>,
    /// Other people's messages since the reader was last at the bottom.
    pub below: BoxedSignal<u32>,
    /// Other people's messages since the tab was last visible.
    pub missed: BoxedSignal<u32>,
    /// Numbered announcements for screen readers, oldest first.
    pub announced: BoxedSignal<Vec<(u32, String)>>,
    /// A text to put back into the composer.
    pub returned: BoxedSignal<String>,
}

impl RoomStore {
    /// Starts from the page's data, alike on the server and in the browser.
    pub fn new(data: &RoomData) -> Self {
        let mut client = RoomClient::new(
            data.room.clone(),
            data.title.clone(),
            data.you.clone(),
            data.page.clone(),
            data.roster.clone(),
            platform::lower,
        );
        client.limit(data.limits);
        let store = Self {
            slug: BoxedValue::new(data.room.clone()),
            older: BoxedSignal::new(client.older_state()),
            client: BoxedValue::new(client),
            wall: BoxedValue::new(Some(data.now)),
            timer: BoxedValue::new(None),
            pace: BoxedValue::default(),
            heard: BoxedValue::default(),
            title: BoxedSignal::new(data.title.to_string()),
            lines: BoxedSignal::new(Vec::new()),
            people: BoxedSignal::new(data.roster.clone()),
            typing: BoxedSignal::default(),
            over: BoxedSignal::default(),
            newest: BoxedSignal::new(true),
            below: BoxedSignal::default(),
            missed: BoxedSignal::default(),
            announced: BoxedSignal::default(),
            returned: BoxedSignal::default(),
        };
        store.refresh();
        store
    }

    /// The room's slug. `None` if the page is gone.
    pub fn slug(&self) -> Option<RoomSlug> {
        self.slug.try_get_value()
    }

    /// The signed-in person.
    pub fn you(&self) -> Option<Person> {
        self.look(|client| client.you().cloned())?
    }

    /// Called when the reader has scrolled. Does not change the lines.
    pub fn reader_at_bottom(&self, at_bottom: bool) {
        self.client
            .try_update_value(|client| client.reader_at_bottom(at_bottom));
        if at_bottom && self.below.try_get_untracked().is_some_and(|below| below > 0) {
            self.below.set(0);
        }
    }

    /// Scrolls to the newest message.
    pub fn scroll_down(&self, scroller: ElementRef<Div>) {
        self.change(RoomClient::want_newest);
        if let Some(scroller) = scroller.get_untracked() {
            platform::scroll_to_end(&scroller);
        }
    }

    /// Switches from UTC to local times, after the first paint.
    pub fn use_local_time(&self) {
        self.wall.set_value(None);
        self.refresh();
    }

    /// Changes the room, shows the result and stores unsent messages. Returns `None` if the page is gone.
    pub fn change<T>(&self, f: impl FnOnce(&mut RoomClient) -> T) -> Option<T> {
        let (mut f, mut result) = (Some(f), None);
        self.change_any(&mut |client| result = f.take().map(|f| f(client)));
        self.refresh();
        result
    }

    /// Like [`RoomStore::change`], but shows the result with the next frame, together with other changes.
    pub fn take<T>(&self, f: impl FnOnce(&mut RoomClient) -> T) -> Option<T> {
        let (mut f, mut result) = (Some(f), None);
        self.change_any(&mut |client| result = f.take().map(|f| f(client)));
        self.show_soon();
        result
    }

    // Not generic, so that the browser build has one copy and not one per closure.
    fn change_any(&self, f: &mut dyn FnMut(&mut RoomClient)) {
        let unsaved = self.client.try_update_value(|client| {
            f(client);
            client.unsaved()
        });
        if let (Some(unsaved), Some(person), Some(room)) = (unsaved, self.you(), self.slug()) {
            kept::write(&person, &room, unsaved);
        }
    }

    fn show_soon(self) {
        let wait = self.pace.try_update_value(|pace| pace.came(platform::now().0));
        if let Some(ms) = wait.flatten() {
            platform::in_frame(ms, move || self.show_now());
        }
    }

    fn show_now(self) {
        let began = platform::now().0;
        self.pace.try_update_value(Pace::shown);
        self.refresh();
        platform::after_frame(move || {
            let painted = |pace: &mut Pace| pace.painted(began, platform::now().0);
            if self.pace.try_update_value(painted) == Some(true) {
                self.show_soon();
            }
        });
    }

    /// The tab became visible or hidden. Refreshes at once: a hidden page has no frames.
    pub fn visibility_changed(&self) {
        self.pace.set_value(Pace::default());
        self.refresh();
        if platform::visible() {
            self.missed.set(0);
        }
    }

    /// Reads from the room. Returns `None` if the page is gone.
    pub fn look<T>(&self, f: impl FnOnce(&RoomClient) -> T) -> Option<T> {
        let (mut f, mut result) = (Some(f), None);
        self.look_any(&mut |client| result = f.take().map(|f| f(client)));
        result
    }

    fn look_any(&self, f: &mut dyn FnMut(&RoomClient)) {
        self.client.try_with_value(f);
    }

    /// Calls `tick` after `ms` milliseconds. There is one timer; if it is already due earlier, that stays.
    pub fn wake(&self, ms: u64, tick: impl FnOnce() + 'static) {
        let at = platform::now().0 + ms;
        let Some(current) = self.timer.try_get_value() else {
            return;
        };
        if let Some((due, handle)) = current {
            if due <= at {
                return;
            }
            handle.clear();
        }
        let timer = self.timer;
        let ring = move || {
            if timer.try_update_value(|slot| *slot = None).is_some() {
                tick();
            }
        };
        if let Ok(handle) = set_timeout_with_handle(ring, Duration::from_millis(ms)) {
            timer.set_value(Some((at, handle)));
        }
    }

    /// Counts a new message of another person, to announce it with the next refresh.
    pub fn hear(&self, author: &Person, text: &MessageText) {
        self.heard.try_update_value(|(count, first)| {
            *count += 1;
            if first.len() < ANNOUNCED_AT_ONCE {
                first.push(format!("{}: {text}", isolated(&author.name)));
            }
        });
        self.show_soon();
    }

    fn announce(&self) {
        let Some((count @ 1.., heard)) = self.heard.try_update_value(std::mem::take) else {
            return;
        };
        let sentences = if count as usize > heard.len() {
            vec![format!("{count} new messages")]
        } else {
            heard
        };
        self.announced.update(|announced| {
            let next = announced.last().map_or(0, |(number, _)| number + 1);
            announced.extend((next..).zip(sentences));
            let spoken = announced.len().saturating_sub(ANNOUNCEMENTS_KEPT);
            announced.drain(..spoken);
        });
        if self.look(RoomClient::at_bottom) == Some(false) {
            self.below.update(|below| *below += count);
        }
        if !platform::visible() {
            self.missed.update(|missed| *missed += count);
        }
    }

    fn refresh(&self) {
        let Some(wall) = self.wall.try_get_value() else {
            return;
        };
        let utc = |_| 0;
        let wall = match wall {
            Some(now) => Wall { offset: &utc, now },
            None => Wall {
                offset: &platform::offset,
                now: platform::now(),
            },
        };
        self.client.try_update_value(RoomClient::show);
        let Some((title, rows, people, typing, older, newest, over)) = self.look(|client| {
            let over = client.over().map(str::to_owned);
            let roster = client.roster();
            (
                client.title().to_string(),
                rows(client, client.shown(), client.unsent(), roster.notes(), &wall),
                roster.list().clone(),
                roster.typing_line(),
                client.older_state(),
                client.shows_newest(),
                over,
            )
        }) else {
            return;
        };
        self.show(rows);
        self.announce();
        set_if_changed(self.title, title);
        set_if_changed(self.people, people);
        set_if_changed(self.typing, typing);
        set_if_changed(self.older, older);
        set_if_changed(self.newest, newest);
        set_if_changed(self.over, over);
    }

    /// Existing lines keep their signal, so that only changed ones are rendered again.
    fn show(&self, rows: Vec<Row>) {
        let known = self.lines.get_untracked();
        // Existing lines keep their order, so each search starts after the last one found. A map would add a kilobyte
        // to the page.
        let mut next = 0;
        let lines: Vec<Line> = rows
            .into_iter()
            .map(|row| {
                let key = row.key();
                match (next..known.len())
                    .chain(0..next)
                    .find(|&at| known[at].key == key)
                {
                    Some(at) => {
                        next = at + 1;
                        let line = &known[at];
                        if line.row.with_untracked(|now| *now != row) {
                            line.row.set(row);
                        }
                        line.clone()
                    }
                    None => Line {
                        key,
                        row: ArcBoxedSignal::new(row),
                    },
                }
            })
            .collect();
        if !lines
            .iter()
            .map(|line| &line.key)
            .eq(known.iter().map(|line| &line.key))
        {
            platform::note_anchor();
            self.lines.set(lines);
        }
    }
}

fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: BoxedSignal<T>, value: T) {
    if signal.try_with_untracked(|now| *now != value) == Some(true) {
        signal.set(value);
    }
}

/// True if `author` is the signed-in person.
pub fn is_own(you: Option<&Person>, author: &Person) -> bool {
    you.is_some_and(|you| you.id == author.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::returned::Returned;
    use client::samples::{edited, id, packet, page_of, person, posted};
    use leptos::prelude::*;
    use protocol::{Joined, Limits};

    #[test]
    fn only_the_line_of_a_changed_message_is_rendered_again() {
        let owner = Owner::new();
        owner.set();
        let store = RoomStore::new(&RoomData {
            you: Some(person("you")),
            room: RoomSlug::lobby(),
            title: "Lobby".to_owned().try_into().unwrap(),
            page: page_of(1, 3, &[posted(1, "ada"), posted(2, "ada"), posted(3, "ada")]),
            latest: true,
            roster: PresenceList::default(),
            client_id: id("next"),
            now: Timestamp(0),
            limits: Limits::default(),
            returned: Returned::default(),
        });
        let rendered = |line: Line| {
            Memo::new(move |before: Option<&u32>| {
                line.row.with(|_| ());
                before.map_or(1, |times| times + 1)
            })
        };
        let lines: Vec<_> = store.lines.get_untracked().into_iter().map(rendered).collect();
        let times = || -> Vec<u32> { lines.iter().map(|line| line.get_untracked()).collect() };
        assert_eq!(times(), [1, 1, 1, 1], "the day and three messages");
        store.change(|client| {
            client.connected();
            let joined = Joined {
                room: RoomSlug::lobby(),
                title: client.title().clone(),
                head: client.timeline().position(),
                page: None,
                events: Vec::new(),
                people: Vec::new(),
                more: false,
                roster: PresenceList::default(),
            };
            client.joined(client.generation(), Ok(joined), 0);
            client.events(packet(vec![edited(4, 2, "new")]), 0);
        });
        assert_eq!(times(), [1, 1, 2, 1]);
        assert_eq!(store.lines.get_untracked().len(), 4);
    }
}
