//! The namespace `/`: the events of the public Socket.IO chat example, connected to the lobby.
//!
//! The example's unmodified client works here, and its people and the app's people see one another. It sends `add
//! user`, `new message`, `typing` and `stop typing`. It receives `login`, `new message`, `user joined`, `user left`,
//! `typing` and `stop typing`, and also `refused`, which the example does not know, so that nothing is dropped
//! silently.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use chat::{ChatError, ConnectionId, Enter, StoreError, UseCase, Visit};
use protocol::{
    ClientId, DisplayName, Done, ErrorCode, Leave, MessageText, Outgoing, Person, Refusal, RoomSlug, Send,
    Typing,
};
use serde_json::json;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;

use super::caller::{connect, peer};
use super::inbox::{Inbox, Payload, Queued, ReceivedCommand, WhenRefused};
use super::line::{Line, Worker};
use super::slow;
use crate::engine::Repeated;
use crate::limits::{ConnectionGate, Turns};
use crate::live::frame::EXAMPLE;
use crate::live::{GuestMembership, Hold};
use crate::metrics::{Namespace, NamespacePath};
use crate::proxies::ClientAddress;
use crate::refusals::{parse, refuse};
use crate::state::State;

/// Prepared by the middleware: the line, which the socket's inbox keeps alive.
struct Admitted(Weak<Line<Guest>>);

pub fn listen(state: &State) {
    let (admit, start) = (state.clone(), state.clone());
    let middleware = move |socket: SocketRef| std::future::ready(prepare(&admit, &socket));
    let handler = move |socket: SocketRef| {
        let tasks = start.tasks.clone();
        tasks.track_future(run(start.clone(), socket))
    };
    state.io().ns(EXAMPLE, handler.with(middleware));
}

fn prepare(state: &State, socket: &SocketRef) -> Result<(), Repeated> {
    let (peer, _) = connect(state, socket)?;
    // This protocol cannot ask clients to slow down, so a client that sends too much is not read from for a while.
    let line = Line::new(state, Some(&peer), true);
    socket.on_fallback(Inbox::new(&line, WhenRefused::Close));
    peer.handed.leave(socket, Admitted(Arc::downgrade(&line)));
    socket.on_disconnect(move || {
        line.end();
        std::future::ready(())
    });
    Ok(())
}

async fn run(state: State, socket: SocketRef) {
    let Some(peer) = peer(&state, &socket) else { return };
    let line = peer
        .handed
        .take(&socket)
        .and_then(|Admitted(line)| line.upgrade());
    let Some(line) = line else { return };
    let address = peer.caller.address;
    let mut guest = Guest {
        gate: state.gate.connection(address),
        address,
        id: ConnectionId(state.hub.fresh_id().as_str().into()),
        you: None,
        hold: None,
        membership: None,
        turns: Turns::default(),
        state,
        socket,
    };
    guest.state.metrics.sockets.get_or_create(&GAUGE).inc();
    // A connected client receives the lobby's events even before it has added a user.
    match guest.state.fanout.hold(&RoomSlug::lobby()).await {
        Ok(hold) => {
            guest.hold = Some(hold);
            guest.membership = Some(guest.state.guests.enter(&peer.wire));
        }
        Err(refusal) => {
            // Without the lobby the client would never receive anything. Closed, it reconnects by itself.
            guest.refused("connection", &refusal);
            guest.abort();
        }
    }
    line.begin(guest);
}

const GAUGE: Namespace = Namespace {
    namespace: NamespacePath::demo,
};

/// How long entering waits for a storage that fails, and how often it retries.
const STORAGE_AWAY: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(500);

/// True if a retry may succeed.
fn is_temporary(error: &ChatError) -> bool {
    matches!(error, ChatError::Store(StoreError::Failed(_) | StoreError::Busy))
}

/// One connection of the example's client.
struct Guest {
    state: State,
    socket: SocketRef,
    id: ConnectionId,
    gate: ConnectionGate,
    address: ClientAddress,
    you: Option<Person>,
    hold: Option<Hold>,
    membership: Option<GuestMembership>,
    turns: Turns,
}

impl Worker for Guest {
    async fn work(&mut self, queued: Queued, line: &Line<Self>) -> Option<Queued> {
        // The protocol cannot ask clients to slow down, so beyond the rate, events wait in the bounded line.
        while let Err(wait) = self.gate.command(Instant::now()) {
            tokio::time::sleep(wait).await;
        }
        let ReceivedCommand { name, payload, ack } = queued.command;
        let result = match name.as_str() {
            "add user" => self.add_user(payload, line).await,
            "new message" => self.new_message(payload).await,
            "typing" => self.typing(true).await,
            "stop typing" => self.typing(false).await,
            _ => Err(Refusal::new(
                ErrorCode::UnknownCommand,
                format!("there is no event \"{name}\" here"),
            )),
        };
        if let Err(refusal) = &result {
            self.refused(&name, refusal);
        }
        ack.reply(&self.state, result.map(|()| json!({})));
        None
    }

    fn matters(queued: &Queued) -> bool {
        matches!(queued.command.name.as_str(), "add user" | "new message")
    }

    fn panicked(&self) {
        // The example's client does not expect answers.
        self.abort();
    }

    fn abort(&self) {
        slow::abort(&self.state, &self.socket);
    }

    async fn end(mut self) {
        self.state.metrics.sockets.get_or_create(&GAUGE).dec();
        self.leave().await;
    }
}

impl Guest {
    /// Signs in and waits for a turn to join, because this protocol cannot ask the client to come back later.
    async fn turn(&mut self, name: DisplayName) -> Result<Person, Refusal> {
        let you = self.patiently(|| Visit { name: name.clone() }).await?;
        let lobby = RoomSlug::lobby();
        while let Err(wait) = self
            .state
            .gate
            .join(self.address, &mut self.turns, &lobby, Instant::now())
        {
            tokio::time::sleep(wait).await;
        }
        Ok(you)
    }

    /// Repeats a command while it is refused for its rate.
    async fn patiently<C: UseCase>(&self, command: impl Fn() -> C) -> Result<C::Answer, Refusal> {
        loop {
            match self
                .state
                .hub
                .ask(&self.caller(), command())
                .await
                .map_err(refuse)
            {
                Err(Refusal {
                    code: ErrorCode::RateLimited,
                    retry_after_ms: Some(ms),
                    ..
                }) => tokio::time::sleep(Duration::from_millis(ms)).await,
                answer => return answer,
            }
        }
    }

    fn caller(&self) -> chat::Caller<'_> {
        chat::Caller {
            address: self.address,
            person: self.you.as_ref(),
            connection: Some(&self.id),
        }
    }

    /// Adds the user. The example asks only once, so temporary failures are retried.
    async fn add_user(&mut self, payload: Payload, line: &Line<Self>) -> Result<(), Refusal> {
        let name: DisplayName = parse(payload?.get().as_bytes())?;
        // The example silently ignores a second `add user`; we refuse it.
        if self.you.is_some() {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                "this connection already has a user",
            ));
        }
        let you = tokio::select! {
            // Events that were sent before the connection ended are still handled, but nothing waits for them.
            biased;
            you = self.turn(name) => you?,
            () = line.gone() => return Ok(()),
        };
        // Before the first attempt, so that the client is not told of its own arrival.
        if let Some(membership) = &mut self.membership {
            membership.belongs_to(&you.id);
        }
        // Also before it: a person must leave when the connection ends, even if entering failed.
        self.you = Some(you);
        let last = Instant::now() + STORAGE_AWAY;
        let here = loop {
            match self.enter().await {
                Ok(here) => break here,
                Err(error) if is_temporary(&error) && Instant::now() < last => {
                    tokio::select! {
                        biased;
                        () = line.gone() => return Ok(()),
                        () = tokio::time::sleep(AGAIN) => {}
                    }
                }
                Err(error) => {
                    // Forget the person, so that `add user` may be repeated.
                    self.leave().await;
                    return Err(refuse(error));
                }
            }
        };
        slow::emit(&self.state, &self.socket, "login", &json!({ "numUsers": here }));
        Ok(())
    }

    /// Enters the lobby and returns the number of people there.
    async fn enter(&self) -> Result<u32, ChatError> {
        let room = RoomSlug::lobby();
        self.state.hub.ask(&self.caller(), Enter { room }).await
    }

    async fn leave(&mut self) {
        let room = RoomSlug::lobby();
        if self.you.is_some()
            && let Err(error) = self.state.hub.ask(&self.caller(), Leave { room }).await
        {
            tracing::warn!(%error, "could not leave the lobby; the lease will end it");
        }
        self.you = None;
    }

    async fn new_message(&self, payload: Payload) -> Result<(), Refusal> {
        let text: MessageText = parse(payload?.get().as_bytes())?;
        self.you()?;
        let client_id = ClientId(self.state.hub.fresh_id());
        let message = Outgoing {
            client_id,
            text,
            reply_to: None,
            epoch: None,
        };
        // This protocol cannot ask the client to come back later.
        let send = || Send {
            room: RoomSlug::lobby(),
            messages: vec![message.clone()],
        };
        self.patiently(send).await?;
        Ok(())
    }

    async fn typing(&self, typing: bool) -> Result<(), Refusal> {
        let command = Typing {
            room: RoomSlug::lobby(),
            typing,
        };
        self.you()?;
        let answer = self.state.hub.ask(&self.caller(), command).await;
        answer.map(|Done {}| ()).map_err(refuse)
    }

    fn you(&self) -> Result<&Person, Refusal> {
        self.you
            .as_ref()
            .ok_or_else(|| Refusal::new(ErrorCode::NotSignedIn, "send `add user` first"))
    }

    fn refused(&self, event: &str, refusal: &Refusal) {
        let mut told = json!({ "event": event, "code": refusal.code, "message": refusal.message });
        if let Some(ms) = refusal.retry_after_ms {
            told["retry_after_ms"] = ms.into();
        }
        slow::emit(&self.state, &self.socket, "refused", &told);
    }
}
