//! Drives the client core in the browser: one socket for the tab, the room that is on screen, and what is said about
//! the connection. Lives in a context of the whole application, so that it survives navigation.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{
    ComeBack, CreateRoom, ErrorCode, PresenceUpdate, Refusal, RoomEvent, RoomList, RoomRef, RoomSlug,
    RoomSummary, RoomTitle, RosterUpdate, Send as SendCommand, TypingUpdate,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json::Json;
use super::outbox::Outbox;
use super::platform;
use super::reconnect::{Link, Reconnect};
use super::room::{Command, Failure, Outcome, RoomClient};
use super::socket::{self, Incoming};
use super::store::RoomStore;

/// After a disconnection that the server wanted, come back after so many milliseconds, and up to twice that.
const COME_BACK_MS: u64 = 1_000;

/// socket.io-client's name for a disconnection that this side asked for.
const OWN_WISH: &str = "io client disconnect";

/// The live part of the application. A handle: copies are the same.
#[derive(Clone, Copy)]
pub struct Live {
    inner: StoredValue<Inner>,
    /// What to say about the connection.
    pub link: RwSignal<Link>,
    /// The server speaks another version: only a reload helps.
    pub outdated: RwSignal<bool>,
}

#[derive(Default)]
struct Inner {
    started: bool,
    connected: bool,
    reconnect: Reconnect,
    room: Option<RoomStore>,
    /// Unsent messages of rooms that are not on screen.
    kept: Vec<(RoomSlug, Outbox)>,
}

impl Live {
    /// For the application's context.
    pub fn new() -> Self {
        Self {
            inner: StoredValue::new(Inner::default()),
            link: RwSignal::new(Link::Opening),
            outdated: RwSignal::new(false),
        }
    }

    /// Connects, if that has not happened yet. Only for those who are signed in; only in the browser.
    pub fn start(self) {
        let first = self
            .inner
            .try_update_value(|inner| !std::mem::replace(&mut inner.started, true))
            .unwrap_or(false);
        if first {
            self.inner
                .update_value(|inner| inner.reconnect.lost(platform::now().0));
            socket::open(move |incoming| self.incoming(incoming));
            self.say_link();
            // socket.io-client waits up to five seconds between attempts; when the network is back, why wait.
            window_event_listener(leptos::ev::online, move |_| {
                if !self.is_connected() {
                    socket::disconnect();
                    socket::connect();
                }
            });
        }
    }

    /// Asks for the list of rooms, if there is a connection.
    pub fn list_rooms(self, show: impl FnOnce(RoomList) + 'static) {
        if self.is_connected() {
            self.ask(
                "list_rooms",
                &NoArguments {},
                move |outcome: Outcome<RoomList>| {
                    if let Ok(list) = outcome {
                        show(list);
                    }
                },
            );
        }
    }

    /// Creates a room, if there is a connection; the caller has made sure.
    pub fn create_room(self, title: RoomTitle, done: impl FnOnce(Outcome<RoomSummary>) + 'static) {
        self.ask("create_room", &CreateRoom { title }, done);
    }

    /// Whether there is a connection at this moment.
    pub fn is_connected(self) -> bool {
        self.inner
            .try_with_value(|inner| inner.connected)
            .unwrap_or(false)
    }

    /// The room is on screen now.
    pub fn enter(self, store: RoomStore) {
        let Some(slug) = store.slug() else { return };
        self.start();
        let kept = self.inner.try_update_value(|inner| {
            inner.room = Some(store);
            let at = inner.kept.iter().position(|(room, _)| *room == slug)?;
            Some(inner.kept.swap_remove(at).1)
        });
        if let Some(outbox) = kept.flatten() {
            store.change(|client| client.adopt(outbox));
        }
        if self.is_connected() {
            self.drive(store, |client, _| client.connected());
        }
    }

    /// The room is not on screen any more. What it has not sent is kept.
    pub fn leave(self, store: RoomStore) {
        let Some(room) = store.slug() else { return };
        let outbox = store.look(|client| client.clone().into_outbox());
        self.inner.try_update_value(|inner| {
            inner.room = None;
            if let Some(outbox) = outbox.filter(|outbox| !outbox.items().is_empty()) {
                inner.kept.push((room.clone(), outbox));
            }
        });
        if self.is_connected() {
            self.tell("leave", &RoomRef { room });
        }
    }

    /// Changes the room, shows the result, and does what it wants.
    pub fn drive(self, store: RoomStore, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Command>) {
        let now = platform::now().0;
        if let Some(commands) = store.change(|client| f(client, now)) {
            self.perform(store, commands);
        }
    }

    /// Does what a room wants.
    pub fn perform(self, store: RoomStore, commands: Vec<Command>) {
        store.news(&commands);
        let (Some(of), Some(room)) = (store.look(RoomClient::generation), store.slug()) else {
            return;
        };
        for command in commands {
            match command {
                Command::Join(join) => self.ask("join", &join, move |outcome| {
                    self.drive(store, |client, now| client.joined(of, outcome, now));
                }),
                Command::Send(messages) => {
                    let room = room.clone();
                    self.ask("send", &SendCommand { room, messages }, move |outcome| {
                        self.drive(store, |client, now| client.sent(of, outcome, now));
                    });
                }
                Command::Newer(history) => self.ask("history", &history, move |outcome| {
                    self.drive(store, |client, now| client.newer(of, outcome, now));
                }),
                Command::Older(history) => self.ask("history", &history, move |outcome| {
                    self.drive(store, |client, _| client.older(of, outcome));
                }),
                Command::Typing(typing) => self.tell("typing", &typing),
                Command::Wake(ms) => store.wake(ms, move || self.drive(store, RoomClient::tick)),
                Command::News(_) => {}
            }
        }
    }

    /// Emits a command and brings its answer.
    pub fn ask<T: DeserializeOwned>(
        self,
        command: &str,
        payload: &impl Serialize,
        answer: impl FnOnce(Outcome<T>) + 'static,
    ) {
        self.emit(command, serde_json::to_string(payload), move |outcome| {
            answer(outcome.and_then(|value| value.read().ok_or(Failure::Unknown)));
        });
    }

    /// Emits a command whose answer does not matter.
    fn tell(self, command: &str, payload: &impl Serialize) {
        self.emit(command, serde_json::to_string(payload), |_| {});
    }

    fn emit(
        self,
        command: &str,
        payload: serde_json::Result<String>,
        answer: impl FnOnce(Outcome<Json>) + 'static,
    ) {
        let Ok(payload) = payload else { return };
        let answer = move |reply: Option<Json>| {
            let outcome = self.outcome(reply);
            answer(outcome);
        };
        socket::emit(command, &payload, Box::new(answer));
    }

    /// What a [`protocol::Reply`] says.
    fn outcome(self, reply: Option<Json>) -> Outcome<Json> {
        let reply = reply.ok_or(Failure::Unknown)?;
        if let Some(value) = reply.get("ok") {
            return Ok(value);
        }
        let refusal = reply.get("error").and_then(|refusal| refusal.read::<Refusal>());
        let refusal = refusal.ok_or(Failure::Unknown)?;
        if refusal.code == ErrorCode::Reload {
            self.outdated.try_set(true);
        }
        Err(Failure::Refused(refusal))
    }

    fn incoming(self, incoming: Incoming) {
        match incoming {
            Incoming::Connected => {
                self.inner.try_update_value(|inner| {
                    inner.connected = true;
                    inner.reconnect.connected();
                });
                self.say_link();
                self.with_room(|client, _| client.connected());
            }
            Incoming::Lost { by_itself, message } => {
                self.lost();
                if message == OWN_WISH {
                    // Whoever wished it also says when to come back.
                } else if message.starts_with("reload") {
                    self.outdated.try_set(true);
                } else if !by_itself {
                    let jitter = platform::random() as u64 % COME_BACK_MS;
                    self.come_back(COME_BACK_MS + jitter);
                }
            }
            Incoming::Event(name, payload) => self.event(name, &payload),
        }
    }

    /// An event that does not fit is of another version; what it meant is read from the log later.
    fn event(self, name: &str, payload: &Json) {
        match name {
            "events" => {
                if let Some(events) = payload.read::<Vec<RoomEvent>>() {
                    self.with_room(|client, now| client.events(events, now));
                }
            }
            "presence" => {
                if let Some(update) = payload.read::<PresenceUpdate>() {
                    self.with_room(|client, _| {
                        client.presence(update);
                        Vec::new()
                    });
                }
            }
            "roster" => {
                if let Some(update) = payload.read::<RosterUpdate>() {
                    self.with_room(|client, _| {
                        client.everybody(update);
                        Vec::new()
                    });
                }
            }
            "typing" => {
                if let Some(update) = payload.read::<TypingUpdate>() {
                    self.with_room(|client, now| client.typing(update, now));
                }
            }
            "reset" => {
                if let Some(RoomRef { room }) = payload.read() {
                    self.with_room(|client, _| {
                        if client.is(&room) {
                            client.reset()
                        } else {
                            Vec::new()
                        }
                    });
                }
            }
            "come_back" => {
                if let Some(ComeBack { after_ms }) = payload.read() {
                    socket::disconnect();
                    self.lost();
                    self.come_back(after_ms);
                }
            }
            _ => {}
        }
    }

    fn with_room(self, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Command>) {
        if let Some(store) = self.inner.try_with_value(|inner| inner.room).flatten() {
            self.drive(store, f);
        }
    }

    fn lost(self) {
        let was = self.inner.try_update_value(|inner| {
            inner.reconnect.lost(platform::now().0);
            std::mem::replace(&mut inner.connected, false)
        });
        if was == Some(true) {
            self.with_room(|client, _| {
                client.disconnected();
                Vec::new()
            });
        }
        self.say_link();
    }

    fn come_back(self, after_ms: u64) {
        set_timeout(
            move || {
                if !self.is_connected() {
                    socket::connect();
                }
            },
            Duration::from_millis(after_ms),
        );
    }

    /// Says what there is to say about the connection, and looks again when that may change.
    fn say_link(self) {
        let Some((link, again)) = self
            .inner
            .try_with_value(|inner| inner.reconnect.state(platform::now().0))
        else {
            return;
        };
        if self.link.try_get_untracked() != Some(link) {
            self.link.try_set(link);
        }
        if let Some(ms) = again {
            set_timeout(move || self.say_link(), Duration::from_millis(ms));
        }
    }
}

/// What a command takes that takes nothing.
#[derive(Serialize)]
struct NoArguments {}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}
