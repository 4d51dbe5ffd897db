//! One connection to `/chat`: who it is, and which rooms it is in.

use std::sync::Weak;
use std::time::{Duration, Instant};

use chat::{Admitted, Caller, ConnectionId, SessionDigest, UseCase};
use protocol::{ErrorCode, Leave, Person, Refusal, RoomSlug, Send, SignedIn, SignedOut};
use serde::Serialize;
use socketioxide::extract::SocketRef;

use super::ack::Ack;
use super::line::Line;
use super::logins::Login;
use super::slow;
use crate::limits::Turns;
use crate::live::Hold;
use crate::proxies::ClientAddress;
use crate::refusals::refuse;
use crate::state::State;

/// One connection.
pub struct Connection {
    /// What the process shares.
    pub state: State,
    /// Its socket.
    pub socket: SocketRef,
    /// How presence knows it.
    pub id: ConnectionId,
    /// Where it comes from.
    pub address: ClientAddress,
    /// Who it belongs to, unless the session has ended: ask [`Connection::you`].
    pub login: Option<Login>,
    pub line: Weak<Line<Connection>>,
    /// The rooms it is in.
    pub rooms: Vec<Hold>,
    /// Until then nothing is stored for it, because its address has had too much stored.
    pub stored_too_much: Option<Box<(Instant, Refusal)>>,
    /// When its joins that came too early may begin.
    pub turns: Turns,
}

impl Connection {
    /// Whether it is in a room.
    pub fn is_in(&self, room: &RoomSlug) -> bool {
        self.rooms.iter().any(|hold| hold.room() == room)
    }

    /// Takes a room out of those that it is in.
    pub fn take(&mut self, room: &RoomSlug) -> Option<Hold> {
        let at = self.rooms.iter().position(|hold| hold.room() == room)?;
        Some(self.rooms.swap_remove(at))
    }

    /// Who is speaking, at this moment.
    pub fn you(&self) -> Result<&Person, Refusal> {
        let login = self.login.as_ref().filter(|login| !login.ended());
        login
            .map(|login| &login.person)
            .ok_or_else(|| Refusal::new(ErrorCode::NotSignedIn, "sign in first"))
    }

    /// It belongs to this person from now on, and for as long as their session lasts.
    pub fn sign_in(&mut self, signed_in: &SignedIn) {
        if let Some(line) = self.line.upgrade() {
            let session = SessionDigest::of(&signed_in.token);
            let entry = self.state.logins.enter(session, &line);
            self.login = Some(entry.of(signed_in.you.clone()));
        }
    }

    /// Its session has ended: it leaves its rooms, is nobody's, and is told so.
    pub async fn sign_out(&mut self) {
        for hold in std::mem::take(&mut self.rooms) {
            self.exit(hold.room()).await;
        }
        self.login = None;
        self.emit("signed_out", &SignedOut {});
    }

    /// Leaves a room in the eyes of the others.
    pub async fn exit(&mut self, room: &RoomSlug) {
        // Also of a session that has ended: they are still seen there.
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

    /// Who is asking.
    pub fn caller(&self) -> Caller<'_> {
        Caller {
            address: self.address,
            person: self.you().ok(),
            connection: Some(&self.id),
        }
    }

    /// Asks the chat.
    pub async fn ask<C: UseCase>(&self, command: C) -> Result<C::Answer, Refusal> {
        let answer = self.state.hub.ask(&self.caller(), command).await;
        answer.map_err(refuse)
    }

    /// Whether messages may be stored for it. Once too much was stored, all that follows is refused until the wait is
    /// over: no later message is stored before an earlier one.
    pub fn admit(&mut self, send: Send) -> Result<Admitted, Refusal> {
        let now = Instant::now();
        self.stored_too_much.take_if(|closed| closed.0 <= now);
        if let Some(closed) = &self.stored_too_much {
            let (until, refusal) = &**closed;
            let ms = (*until - now).as_micros().div_ceil(1_000);
            return Err(refusal
                .clone()
                .retry_after_ms(u64::try_from(ms).unwrap_or(u64::MAX)));
        }
        let admitted = self.state.hub.admit(&self.caller(), send).map_err(refuse);
        if let Err(refusal) = &admitted
            && let Some(ms) = refusal.retry_after_ms
        {
            self.stored_too_much = Some(Box::new((now + Duration::from_millis(ms), refusal.clone())));
        }
        admitted
    }

    /// Answers a command.
    pub fn reply<T: Serialize>(&self, ack: Ack, result: Result<T, Refusal>) {
        ack.reply(&self.state, result);
    }

    /// Tells this connection something.
    pub fn emit<T: Serialize>(&self, event: &str, data: &T) {
        slow::emit(&self.state, &self.socket, event, data);
    }
}
