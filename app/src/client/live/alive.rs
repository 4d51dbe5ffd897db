//! Keeps the connection honest: attempts end in time, a dead line is noticed, a page that is put aside lets go.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{History, HistoryAnswer, RoomList};

use super::{Live, NoArguments};
use crate::client::platform;
use crate::client::pulse::{DOUBT_MS, LOOK_MS};
use crate::client::room::Outcome;
use crate::client::socket;

impl Live {
    /// Looks at the clock from now on, and at what happens to the page.
    pub(super) fn watch(self) {
        // socket.io-client waits up to five seconds between attempts; when the network is back, or somebody looks,
        // why wait.
        window_event_listener(leptos::ev::online, move |_| self.hurry());
        window_event_listener_untyped("visibilitychange", move |_| {
            if platform::visible() {
                self.hurry();
                self.look();
            }
        });
        // A page that the browser keeps for the way back is not "here", and its socket is of no use afterwards.
        window_event_listener_untyped("pagehide", move |_| socket::disconnect());
        platform::when_restored(move || self.hurry());
        window_event_listener_untyped("beforeunload", move |event| {
            if self.unkept.try_get_untracked() == Some(true) {
                event.prevent_default();
            }
        });
        self.look();
        set_interval(move || self.look(), Duration::from_millis(LOOK_MS));
    }

    pub(super) fn hurry(self) {
        let away = self.inner(|inner| inner.started && !inner.connected && !inner.told_to_wait);
        if away == Some(true) {
            self.restart();
        }
    }

    /// Lets go of the connection, and makes another.
    pub(super) fn restart(self) {
        socket::disconnect();
        self.lost();
        socket::connect();
    }

    fn look(self) {
        let doubt = self.inner(|inner| {
            let now = platform::now().0;
            inner.pulse.look(now, platform::visible()) && inner.connected
        });
        if doubt == Some(true) {
            self.ask_whether_it_lives();
        }
    }

    /// Asks something: whatever comes back, the line is not dead.
    fn ask_whether_it_lives(self) {
        let position = self.inner(|inner| inner.room).flatten().and_then(|store| {
            let after = store.look(|client| client.timeline().position().seq)?;
            Some((store.slug()?, after))
        });
        match position {
            Some((room, after)) => {
                let history = History {
                    room,
                    before: None,
                    after: Some(after),
                };
                self.ask("history", &history, |_: Outcome<HistoryAnswer>| {});
            }
            None => self.ask("list_rooms", &NoArguments {}, |_: Outcome<RoomList>| {}),
        }
        let asked_at = platform::now().0;
        set_timeout(
            move || self.answered(false, asked_at),
            Duration::from_millis(DOUBT_MS),
        );
    }

    /// The server said something.
    pub(super) fn heard(self) {
        self.inner(|inner| inner.pulse.heard(platform::now().0));
    }

    /// A question was answered, or its time is up. If nothing at all came since, the line is dead.
    pub(super) fn answered(self, answered: bool, asked_at: u64) {
        if answered {
            return self.heard();
        }
        let dead = self.inner(|inner| inner.connected && inner.pulse.silent_since(asked_at));
        if dead == Some(true) {
            self.restart();
        }
    }

    /// The server was reached. If it does not say `welcome`, that is of no use.
    pub(super) fn await_welcome(self) {
        let attempt = self.inner(|inner| {
            inner.attempt += 1;
            (inner.attempt, inner.approach.attempt().within_ms)
        });
        let Some((attempt, within_ms)) = attempt else {
            return;
        };
        let late = move || {
            if self.inner(|inner| inner.attempt == attempt && !inner.connected) == Some(true) {
                self.try_otherwise();
                self.restart();
            }
        };
        set_timeout(late, Duration::from_millis(within_ms.into()));
    }

    /// That attempt led nowhere: the next one goes another way.
    pub(super) fn try_otherwise(self) {
        self.inner(|inner| {
            inner.approach.failed();
            socket::prepare(inner.approach.attempt());
        });
    }
}
