//! One connection to `/chat`: its person and its rooms.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use chat::{Admitted, Caller, ConnectionId, SessionDigest, UseCase};
use protocol::{ErrorCode, Leave, Person, Refusal, RoomSlug, Send, SignedIn, SignedOut};
use serde::Serialize;
use socketioxide::extract::SocketRef;

use super::ack::Ack;
use super::line::Line;
use super::logins::Login;
use super::slow;
use crate::engine::Peer;
use crate::limits::Turns;
use crate::live::Hold;
use crate::refusals::refuse;
use crate::state::State;

pub struct Connection {
    /// The state that all handlers share.
    pub state: State,
    pub socket: SocketRef,
    /// The id of this connection in presence.
    pub id: ConnectionId,
    /// The peer of its session.
    pub peer: Arc<Peer>,
    /// The person, unless the session has ended. Use [`Connection::you`].
    pub login: Option<Login>,
    pub line: Weak<Line<Connection>>,
    /// The rooms that it has joined.
    pub rooms: Vec<Hold>,
    /// If the address has stored too much: until when nothing more is stored, and the refusal.
    pub stored_too_much: Option<Box<(Instant, Refusal)>>,
    /// The turns of its joins that came too early.
    pub turns: Turns,
}

impl Connection {
    /// True if the connection has joined this room.
    pub fn is_in(&self, room: &RoomSlug) -> bool {
        self.rooms.iter().any(|hold| hold.room() == room)
    }

    /// Removes a room from the connection's rooms.
    pub fn take(&mut self, room: &RoomSlug) -> Option<Hold> {
        let at = self.rooms.iter().position(|hold| hold.room() == room)?;
        Some(self.rooms.swap_remove(at))
    }

    /// The connection's person, if the session has not ended.
    pub fn you(&self) -> Result<&Person, Refusal> {
        let login = self.login.as_ref().filter(|login| !login.ended());
        login
            .map(|login| &login.person)
            .ok_or_else(|| Refusal::new(ErrorCode::NotSignedIn, "sign in first"))
    }

    /// Signs the connection in, for as long as the session lasts.
    pub fn sign_in(&mut self, signed_in: &SignedIn) {
        if let Some(line) = self.line.upgrade() {
            let session = SessionDigest::of(&signed_in.token);
            let entry = self.state.logins.enter(session, &line);
            self.login = Some(entry.of(signed_in.you.clone()));
        }
    }

    /// Signs the connection out because its session has ended: leaves its rooms and tells the client.
    pub async fn sign_out(&mut self) {
        for hold in std::mem::take(&mut self.rooms) {
            self.exit(hold.room()).await;
        }
        self.login = None;
        self.emit("signed_out", &SignedOut {});
    }

    /// Removes the connection from a room's presence.
    pub async fn exit(&mut self, room: &RoomSlug) {
        // Even after the session has ended, because others still see the person there.
        let caller = Caller {
            person: self.login.as_ref().map(|login| &login.person),
            ..self.caller()
        };
        let leave = Leave { room: room.clone() };
        if caller.person.is_some()
            && let Err(error) = self.state.hub.ask(&caller, leave).await
        {
            tracing::warn!(%error, %room, "could not leave a room; the lease will end it");
        }
    }

    /// The caller of this connection's commands.
    pub fn caller(&self) -> Caller<'_> {
        Caller {
            address: self.peer.caller.address,
            person: self.you().ok(),
            connection: Some(&self.id),
        }
    }

    /// Asks the hub.
    pub async fn ask<C: UseCase>(&self, command: C) -> Result<C::Answer, Refusal> {
        let answer = self.state.hub.ask(&self.caller(), command).await;
        answer.map_err(refuse)
    }

    /// Admits a `send`, unless an earlier command that stores something waits: see [`Connection::ask_in_order`].
    pub fn admit(&mut self, send: Send) -> Result<Admitted, Refusal> {
        self.stores_now()?;
        let admitted = self.state.hub.admit(&self.caller(), send).map_err(refuse);
        self.note_too_much(admitted.as_ref().err());
        admitted
    }

    /// Asks the hub to store something. After a refusal for too much stored, every later command that stores something
    /// is refused until the wait is over, so that nothing is stored before what its author did earlier.
    pub async fn ask_in_order<C: UseCase>(&mut self, command: C) -> Result<C::Answer, Refusal> {
        self.stores_now()?;
        let answer = self.ask(command).await;
        self.note_too_much(answer.as_ref().err());
        answer
    }

    fn stores_now(&mut self) -> Result<(), Refusal> {
        let now = Instant::now();
        self.stored_too_much.take_if(|closed| closed.0 <= now);
        let Some(closed) = &self.stored_too_much else {
            return Ok(());
        };
        let (until, refusal) = &**closed;
        let ms = (*until - now).as_micros().div_ceil(1_000);
        Err(refusal
            .clone()
            .retry_after_ms(u64::try_from(ms).unwrap_or(u64::MAX)))
    }

    fn note_too_much(&mut self, refusal: Option<&Refusal>) {
        if let Some(refusal) = refusal.filter(|refusal| refusal.code == ErrorCode::RateLimited)
            && let Some(ms) = refusal.retry_after_ms
        {
            let until = Instant::now() + Duration::from_millis(ms);
            self.stored_too_much = Some(Box::new((until, refusal.clone())));
        }
    }

    pub fn reply<T: Serialize>(&self, ack: Ack, result: Result<T, Refusal>) {
        ack.reply(&self.state, result);
    }

    /// Sends an event to this connection.
    pub fn emit<T: Serialize>(&self, event: &str, data: &T) {
        slow::emit(&self.state, &self.socket, event, data);
    }
}
