//! Drives the client core in the browser: the tab's one socket, the room on screen, and the connection status. Provided
//! as a context of the whole application, so that it survives navigation.

mod alive;
mod unsent;

use std::time::Duration;

use crate::signal::{BoxedSignal, BoxedValue};
use client::approach::Approach;
use client::outbox::Command;
use client::owner::{Owner, Standing};
use client::pulse::Pulse;
use client::reconnect::{Link, Reconnect};
use client::room::{Effect, Failure, Outcome, RoomClient};
use leptos::prelude::*;
use protocol::read::Read;
use protocol::write::Write;
use protocol::{
    ComeBack, CreateRoom, ErrorCode, Events, Leave, Limits, ListRooms, Person, PresenceUpdate, Receipt,
    Receipts, Refusal, Reset, RoomList, RoomSlug, RoomSummary, RoomTitle, RosterUpdate, TypingUpdate,
};

use super::json::Json;
use super::kept;
use super::platform;
use super::socket::{self, Incoming};
use super::storage;
use super::store::RoomStore;
use unsent::Unsent;

/// Shortest wait after the server disconnected us, in milliseconds. The longest is twice that.
const COME_BACK_MS: u64 = 1_000;

/// socket.io-client's reason for a disconnection that this side asked for.
const CLIENT_DISCONNECT: &str = "io client disconnect";

/// The same page for a visitor. The server adds a sentence that the text was deleted.
const DELETED: &str = "?unsent=deleted";

/// The live part of the application. A handle: copies refer to the same state.
#[derive(Clone, Copy)]
pub struct Live {
    inner: BoxedValue<Inner>,
    /// The connection status to show.
    pub link: BoxedSignal<Link>,
    /// True if the server has another version and the page must be reloaded.
    pub outdated: BoxedSignal<bool>,
    /// Why this page sends nothing: the connection would belong to another person.
    pub apart: BoxedSignal<Option<String>>,
    /// True if this browser cannot store unsent text.
    pub storage_fails: BoxedSignal<bool>,
    /// Number of times that files were dropped on the page.
    pub files_dropped: BoxedSignal<u32>,
}

#[derive(Default)]
struct Inner {
    started: bool,
    connected: bool,
    reconnect: Reconnect,
    room: Option<RoomStore>,
    /// Whose page and whose connection this is.
    owner: Owner,
    limits: Limits,
    approach: Approach,
    pulse: Pulse,
    /// Number of the current attempt: timers of earlier ones do nothing.
    attempt: u32,
    /// The server asked us to wait before reconnecting, and the wait is not over.
    told_to_wait: bool,
    /// Unsent messages of rooms that are not on screen.
    unsent: Unsent,
}

impl Live {
    /// For the application's context.
    pub fn new() -> Self {
        Self {
            inner: BoxedValue::new(Inner::default()),
            link: BoxedSignal::new(Link::Opening),
            outdated: BoxedSignal::new(false),
            apart: BoxedSignal::default(),
            storage_fails: BoxedSignal::default(),
            files_dropped: BoxedSignal::default(),
        }
    }

    /// This person's page is on screen: connects, or reconnects if the page was another person's. Only in the browser.
    pub fn start(self, you: &Person) {
        let Some((first, another)) = self.inner(|inner| {
            let first = !std::mem::replace(&mut inner.started, true);
            let another = inner.owner.shows(you);
            if another {
                // They stay with their author in storage: see `kept`.
                inner.unsent = Unsent::default();
            }
            (first, another)
        }) else {
            return;
        };
        if first {
            self.inner(|inner| inner.reconnect.lost(platform::now().0));
            storage::on_failure(move |trouble| {
                self.storage_fails.set(trouble);
            });
            socket::open(Approach::default().attempt(), move |incoming| {
                self.incoming(incoming)
            });
            self.update_link();
            self.watch();
        } else if another {
            self.apart.set(None);
            self.restart();
        }
    }

    /// Requests the list of rooms if there is a connection.
    pub fn list_rooms(self, show: impl FnOnce(RoomList) + 'static) {
        if self.is_connected() {
            self.ask("list_rooms", &ListRooms {}, move |outcome: Outcome<RoomList>| {
                if let Ok(list) = outcome {
                    show(list);
                }
            });
        }
    }

    /// Creates a room. The caller has checked that there is a connection.
    pub fn create_room(self, title: RoomTitle, done: impl FnOnce(Outcome<RoomSummary>) + 'static) {
        self.ask("create_room", &CreateRoom { title }, done);
    }

    /// True if there is a connection now.
    pub fn is_connected(self) -> bool {
        self.inner(|inner| inner.connected).unwrap_or(false)
    }

    /// The room comes on screen.
    pub fn enter(self, store: RoomStore) {
        let (Some(slug), Some(you)) = (store.slug(), store.you()) else {
            return;
        };
        self.start(&you);
        let unsent = self.inner(|inner| {
            inner.room = Some(store);
            inner.unsent.take(&slug)
        });
        store.change(|client| {
            if let Some(outbox) = unsent.flatten() {
                client.adopt(outbox);
            }
            client.await_outbox();
        });
        self.recover();
        if self.is_connected() {
            self.drive(store, |client, _| client.connected());
        }
    }

    /// The room leaves the screen. Keeps its unsent messages.
    pub fn leave(self, store: RoomStore) {
        let Some(room) = store.slug() else { return };
        let outbox = store.look(|client| client.clone().into_outbox());
        self.inner(|inner| {
            inner.room = None;
            let own = store.you().as_ref() == inner.owner.page();
            if let Some(outbox) = outbox.filter(|_| own) {
                inner.unsent.put(room.clone(), outbox);
            }
        });
        if self.is_connected() {
            self.tell("leave", &Leave { room });
            self.send_unsent();
        }
    }

    /// Changes the room, shows the result, and performs the effects.
    pub fn drive(self, store: RoomStore, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Effect>) {
        let mut f = Some(f);
        self.drive_any(store, true, &mut |client, now| f.take().map(|f| f(client, now)));
    }

    // Not generic, like `inner_any`, so that the browser build has one copy and not one per closure.
    fn drive_any(
        self,
        store: RoomStore,
        at_once: bool,
        f: &mut dyn FnMut(&mut RoomClient, u64) -> Option<Vec<Effect>>,
    ) {
        let now = platform::now().0;
        let mut change = |client: &mut RoomClient| f(client, now);
        let effects = if at_once {
            store.change(&mut change)
        } else {
            store.take(&mut change)
        };
        if let Some(effects) = effects.flatten() {
            self.perform(store, effects);
        }
    }

    /// Changes the state. Returns `None` if the application is gone.
    fn inner<T>(self, f: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        let (mut f, mut result) = (Some(f), None);
        self.inner_any(&mut |inner| result = f.take().map(|f| f(inner)));
        result
    }

    fn inner_any(self, f: &mut dyn FnMut(&mut Inner)) {
        self.inner.try_update_value(f);
    }

    /// Performs a room's effects.
    pub fn perform(self, store: RoomStore, effects: Vec<Effect>) {
        let (Some(of), Some(room)) = (store.look(RoomClient::generation), store.slug()) else {
            return;
        };
        for effect in effects {
            match effect {
                Effect::Join(join) => self.ask("join", &join, move |outcome| {
                    self.drive(store, |client, now| client.joined(of, outcome, now));
                }),
                Effect::Write(command) => self.write(&room, &command, move |outcome| {
                    self.drive(store, |client, now| client.stored(of, outcome, now));
                }),
                Effect::Newer(history) => self.ask("history", &history, move |outcome| {
                    self.drive(store, |client, now| client.newer(of, outcome, now));
                }),
                Effect::Older(history) => self.ask("history", &history, move |outcome| {
                    self.drive(store, |client, _| client.older(of, outcome));
                }),
                Effect::Typing(typing) => self.tell("typing", &typing),
                Effect::Wake(ms) => store.wake(ms, move || self.drive(store, RoomClient::tick)),
                Effect::News(author, text) => store.hear(&author, &text),
                Effect::OldNews => store.announced.set(Vec::new()),
            }
        }
    }

    /// Emits a command and passes the outcome to `answer`.
    pub fn ask<T: Read>(
        self,
        command: &str,
        payload: &impl Write,
        answer: impl FnOnce(Outcome<T>) + 'static,
    ) {
        self.emit(command, payload.json(), move |outcome| {
            answer(outcome.and_then(|value| value.read().ok_or(Failure::Unknown)));
        });
    }

    /// Emits a command that stores something, and passes its receipts to `answer`.
    fn write(self, room: &RoomSlug, command: &Command, answer: impl FnOnce(Outcome<Vec<Receipt>>) + 'static) {
        let payload = match command {
            Command::Send(send) => send.json(),
            Command::Act(deed, epoch) => protocol::write::command(room, epoch.as_ref(), deed),
        };
        let receipts = |stored: Json| match stored.read::<Receipts>() {
            Some(all) => Ok(all.receipts),
            None => stored.read().map(|one| vec![one]).ok_or(Failure::Unknown),
        };
        self.emit(command.name(), payload, move |outcome| {
            answer(outcome.and_then(receipts))
        });
    }

    /// Emits a command and ignores its answer.
    fn tell(self, command: &str, payload: &impl Write) {
        self.emit(command, payload.json(), |_| {});
    }

    fn emit(self, command: &str, payload: String, answer: impl FnOnce(Outcome<Json>) + 'static) {
        let asked_at = platform::now().0;
        let answer = move |reply: Option<Json>| {
            self.answered(reply.is_some(), asked_at);
            let outcome = self.outcome(reply);
            answer(outcome);
        };
        socket::emit(command, &payload, Box::new(answer));
    }

    /// Reads a [`protocol::Reply`].
    fn outcome(self, reply: Option<Json>) -> Outcome<Json> {
        let reply = reply.ok_or(Failure::Unknown)?;
        if let Some(value) = reply.get("ok") {
            return Ok(value);
        }
        let refusal = reply.get("error").and_then(|refusal| refusal.read::<Refusal>());
        let refusal = refusal.ok_or(Failure::Unknown)?;
        match refusal.code {
            ErrorCode::Reload => {
                self.outdated.set(true);
            }
            ErrorCode::NotSignedIn => self.signed_out(),
            _ => {}
        }
        Err(Failure::Refused(refusal))
    }

    fn incoming(self, incoming: Incoming) {
        match incoming {
            Incoming::Opened => self.await_welcome(),
            Incoming::Ping => self.heard(),
            // `welcome` follows and says whose connection it is.
            Incoming::Connected => {
                self.inner(|inner| inner.owner.lost());
            }
            Incoming::Lost { retrying, message } => {
                if !self.is_connected() && Approach::blames_transport(&message) {
                    self.try_other_transport();
                }
                self.lost();
                if message == CLIENT_DISCONNECT {
                    // The code that disconnected also schedules the reconnection.
                } else if message.starts_with("reload") {
                    self.outdated.set(true);
                } else if !retrying {
                    let jitter = platform::random() as u64 % COME_BACK_MS;
                    self.come_back(COME_BACK_MS + jitter);
                }
            }
            Incoming::Event(name, payload) => self.event(name, &payload),
        }
    }

    /// Ignores an event that cannot be read: it is from another version, and the log has its content.
    fn event(self, name: &str, payload: &Json) {
        self.heard();
        match name {
            "welcome" => {
                let you = payload.get("you").and_then(|you| you.read());
                self.welcomed(you, payload.get("limits").and_then(|limits| limits.read()));
            }
            "signed_out" => self.signed_out(),
            "events" => {
                if let Some(events) = payload.read::<Events>() {
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
                        client.whole_roster(update);
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
                if let Some(Reset { room }) = payload.read() {
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

    /// The server said whose connection this is.
    fn welcomed(self, you: Option<Person>, limits: Option<Limits>) {
        let standing = self.inner(|inner| {
            inner.limits = limits.unwrap_or_default();
            inner.unsent.limit(inner.limits);
            inner.approach.worked();
            inner.owner.welcomed(you)
        });
        if standing != Some(Standing::Same) {
            return self.stand_apart();
        }
        self.inner(|inner| {
            inner.connected = true;
            inner.reconnect.connected();
        });
        self.apart.set(None);
        self.update_link();
        let limits = self.inner(|inner| inner.limits).unwrap_or_default();
        self.with_room(|client, _| {
            client.limit(limits);
            // Messages of a closed tab may be older than those that wait here: see `recover`.
            client.await_outbox();
            client.connected()
        });
        self.recover();
    }

    /// This page's session has ended, here or in another tab.
    fn signed_out(self) {
        self.inner(|inner| inner.owner.signed_out());
        self.stand_apart();
    }

    /// If the page's person signed out in another tab and deleted their unsent text, this page goes too. A page of older
    /// messages has not said whose it is.
    pub fn obey_deletion(self) {
        self.inner(|inner| match inner.owner.page() {
            Some(you) if storage::refuses(you.id.as_str()) => kept::forget(&you.id, true, DELETED.to_owned()),
            Some(_) => {}
            None => platform::load(DELETED),
        });
    }

    /// Disconnects and shows why this page sends nothing.
    fn stand_apart(self) {
        self.obey_deletion();
        let sentence = self.inner(|inner| inner.owner.sentence()).flatten();
        socket::disconnect();
        self.lost();
        self.inner(|inner| inner.reconnect.apart());
        self.apart.set(sentence);
        self.update_link();
    }

    /// Applies incoming data to the room on screen, which shows it with the next frame.
    fn with_room(self, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Effect>) {
        if let Some(store) = self.inner(|inner| inner.room).flatten() {
            let mut f = Some(f);
            self.drive_any(store, false, &mut |client, now| f.take().map(|f| f(client, now)));
        }
    }

    fn lost(self) {
        let was = self.inner(|inner| {
            inner.reconnect.lost(platform::now().0);
            inner.unsent.unanswered();
            std::mem::replace(&mut inner.connected, false)
        });
        if was == Some(true) {
            self.with_room(|client, _| {
                client.disconnected();
                Vec::new()
            });
        }
        self.update_link();
    }

    fn come_back(self, after_ms: u64) {
        self.inner(|inner| inner.told_to_wait = true);
        set_timeout(
            move || {
                self.inner(|inner| inner.told_to_wait = false);
                if !self.is_connected() {
                    socket::connect();
                }
            },
            Duration::from_millis(after_ms),
        );
    }

    /// Updates the connection status, and again when it may change.
    fn update_link(self) {
        let Some((link, again)) = self.inner(|inner| inner.reconnect.state(platform::now().0)) else {
            return;
        };
        if self.link.try_get_untracked() != Some(link) {
            self.link.set(link);
        }
        if let Some(ms) = again {
            set_timeout(move || self.update_link(), Duration::from_millis(ms));
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}
