//! Keeps the connection status true: attempts have a deadline, dead connections are detected, and pages in the
//! browser's back/forward cache disconnect.

use std::time::Duration;

use client::pulse::{DOUBT_MS, LOOK_MS};
use client::room::Outcome;
use leptos::prelude::*;
use protocol::{EventStretch, History, ListRooms, RoomList};

use super::Live;
use crate::client::platform;
use crate::client::socket;

impl Live {
    /// Starts the timer and the page's event listeners.
    pub(super) fn watch(self) {
        // socket.io-client waits up to five seconds between attempts. Skip that wait when the network is back or the
        // tab becomes visible.
        window_event_listener(leptos::ev::online, move |_| self.reconnect_now());
        window_event_listener_untyped("visibilitychange", move |_| {
            if platform::visible() {
                self.reconnect_now();
                self.check();
            }
        });
        // A person whose page is in the back/forward cache is not present, and its socket is unusable afterwards.
        window_event_listener_untyped("pagehide", move |_| socket::disconnect());
        platform::when_restored(move || self.reconnect_now());
        window_event_listener_untyped("beforeunload", move |event| {
            if self.storage_fails.try_get_untracked() == Some(true) {
                event.prevent_default();
            }
        });
        self.check();
        set_interval(move || self.check(), Duration::from_millis(LOOK_MS));
    }

    pub(super) fn reconnect_now(self) {
        let away = self.inner(|inner| inner.started && !inner.connected && !inner.told_to_wait);
        if away == Some(true) {
            self.restart();
        }
    }

    /// Replaces the connection.
    pub(super) fn restart(self) {
        socket::disconnect();
        self.lost();
        socket::connect();
    }

    fn check(self) {
        let doubt = self.inner(|inner| {
            let now = platform::now().0;
            inner.pulse.check(now, platform::visible()) && inner.connected
        });
        if doubt == Some(true) {
            self.probe();
        }
    }

    /// Emits a cheap command. Any answer proves that the connection works.
    fn probe(self) {
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
                self.ask("history", &history, |_: Outcome<EventStretch>| {});
            }
            None => self.ask("list_rooms", &ListRooms {}, |_: Outcome<RoomList>| {}),
        }
        let asked_at = platform::now().0;
        set_timeout(
            move || self.answered(false, asked_at),
            Duration::from_millis(DOUBT_MS),
        );
    }

    /// Something came from the server.
    pub(super) fn heard(self) {
        self.inner(|inner| inner.pulse.heard(platform::now().0));
    }

    /// A command was answered or timed out. If nothing came from the server since, the connection is dead.
    pub(super) fn answered(self, answered: bool, asked_at: u64) {
        if answered {
            return self.heard();
        }
        let dead = self.inner(|inner| inner.connected && inner.pulse.silent_since(asked_at));
        if dead == Some(true) {
            self.restart();
        }
    }

    /// The transport is open. Restarts with the other transport if `welcome` does not come in time.
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
                self.try_other_transport();
                self.restart();
            }
        };
        set_timeout(late, Duration::from_millis(within_ms.into()));
    }

    /// The attempt failed: prepares the next one.
    pub(super) fn try_other_transport(self) {
        self.inner(|inner| {
            inner.approach.failed();
            socket::prepare(inner.approach.attempt());
        });
    }
}
