//! The namespace `/`: the event contract of the public Socket.IO chat example, on the lobby.
//!
//! Its unmodified client works here, and its people and the app's people see one another. In: `add user`,
//! `new message`, `typing`, `stop typing`. Out: `login`, `new message`, `user joined`, `user left`, `typing`,
//! `stop typing`; and `refused`, which the example does not know, so that nothing is dropped without a word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chat::ConnectionId;
use chat::ports::PresenceChange;
use protocol::{
    ClientId, DisplayName, ErrorCode, EventBody, MessageText, Outgoing, Person, Refusal, RoomSlug, Send,
    SetTyping,
};
use serde_json::json;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::connection::{address, parse, refuse};
use super::fanout::{Fanout, Hold};
use super::inbox::{Command, Inbox, Payload, Queued, WhenRefused};
use super::pack::Pack;
use super::{answer, slow};
use crate::limits::{ConnectionGate, Turns};
use crate::metrics::{Namespace, NamespacePath};
use crate::state::State;

/// What the middleware prepares.
#[derive(Clone)]
struct Admitted {
    commands: Arc<Mutex<Option<Receiver<Queued>>>>,
    gone: CancellationToken,
}

/// Who a socket is: nobody hears their own events.
#[derive(Clone)]
struct You(Person);

/// Listens on the namespace.
pub fn listen(state: &State) {
    let (admit, start) = (state.clone(), state.clone());
    let middleware = move |socket: SocketRef| {
        let (inbox, commands) = Inbox::new(&admit, WhenRefused::Close);
        let gone = admit.stopping.child_token();
        socket.extensions.insert(Admitted {
            commands: Arc::new(Mutex::new(Some(commands))),
            gone: gone.clone(),
        });
        socket.on_fallback(inbox);
        socket.on_disconnect(move || {
            gone.cancel();
            std::future::ready(())
        });
        std::future::ready(Ok::<(), std::convert::Infallible>(()))
    };
    let handler = move |socket: SocketRef| {
        let state = start.clone();
        async move {
            let Some(admitted) = socket.extensions.remove::<Admitted>() else {
                return;
            };
            let commands = admitted
                .commands
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let Some(commands) = commands else { return };
            let guest = Guest {
                gate: state.gate.connection(address(&socket)),
                id: ConnectionId(socket.id.to_string()),
                you: None,
                hold: None,
                turns: Turns::default(),
                state: state.clone(),
                socket,
            };
            state.tasks.spawn(guest.work(commands, admitted.gone));
        }
    };
    state.io().ns("/", handler.with(middleware));
}

/// One connection of the example's client.
struct Guest {
    state: State,
    socket: SocketRef,
    id: ConnectionId,
    gate: ConnectionGate,
    you: Option<Person>,
    hold: Option<Hold>,
    turns: Turns,
}

impl Guest {
    async fn work(mut self, mut commands: Receiver<Queued>, gone: CancellationToken) {
        let gauge = Namespace {
            namespace: NamespacePath::demo,
        };
        self.state.metrics.sockets.get_or_create(&gauge).inc();
        // Whoever is connected hears the lobby, also before they have said who they are.
        match Fanout::hold(&self.state, &RoomSlug::lobby()).await {
            Ok(hold) => self.hold = Some(hold),
            Err(refusal) => self.refused("connection", &refusal),
        }
        loop {
            let queued = tokio::select! {
                biased;
                queued = commands.recv() => match queued { Some(queued) => queued, None => break },
                () = gone.cancelled() => break,
            };
            // No acknowledgements, so no "slow down": over the rate, events wait in the bounded queue.
            while let Err(wait) = self.gate.command(Instant::now()) {
                tokio::time::sleep(wait).await;
            }
            let Command { name, payload, ack } = queued.command;
            if name == "add user" && gone.run_until_cancelled(self.turn()).await.is_none() {
                break;
            }
            let result = match name.as_str() {
                "add user" => self.add_user(payload).await,
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
            slow::reply(
                &self.state,
                &self.socket,
                ack,
                &answer(result.map(|()| json!({}))),
            );
        }
        self.state.metrics.sockets.get_or_create(&gauge).dec();
        if let Some(you) = &self.you
            && let Err(error) = self.state.hub.leave(&you.id, &self.id, &RoomSlug::lobby()).await
        {
            tracing::warn!(%error, "could not leave the lobby; the lease will end it");
        }
    }

    /// Waits for the turn to come in: there is nobody here who could be told to come back.
    async fn turn(&mut self) {
        let lobby = RoomSlug::lobby();
        while let Err(wait) = self.state.gate.join(&mut self.turns, &lobby, Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    async fn add_user(&mut self, payload: Payload) -> Result<(), Refusal> {
        let name: DisplayName = parse(payload)?;
        // The example ignores a second `add user` without a word; so do we, with one.
        if self.you.is_some() {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                "this connection has a user already",
            ));
        }
        let you = self.state.hub.guest(name);
        // Set first, so that the news of one's own arrival is not told to oneself.
        self.socket.extensions.insert(You(you.clone()));
        let lobby = RoomSlug::lobby();
        self.state
            .hub
            .enter(&you, &self.id, &lobby)
            .await
            .map_err(refuse)?;
        self.you = Some(you);
        let roster = self.state.hub.roster(&lobby).await.map_err(refuse)?;
        slow::emit(
            &self.state,
            &self.socket,
            "login",
            &json!({ "numUsers": roster.here }),
        );
        Ok(())
    }

    async fn new_message(&self, payload: Payload) -> Result<(), Refusal> {
        let text: MessageText = parse(payload)?;
        let messages = vec![Outgoing {
            client_id: ClientId(self.state.hub.fresh_id()),
            text,
        }];
        self.state
            .hub
            .send(
                self.you()?,
                Send {
                    room: RoomSlug::lobby(),
                    messages,
                },
            )
            .await
            .map_err(refuse)?;
        self.state.metrics.stored.inc();
        Ok(())
    }

    async fn typing(&self, typing: bool) -> Result<(), Refusal> {
        let command = SetTyping {
            room: RoomSlug::lobby(),
            typing,
        };
        self.state.hub.typing(self.you()?, &command).await.map_err(refuse)
    }

    fn you(&self) -> Result<&Person, Refusal> {
        self.you
            .as_ref()
            .ok_or_else(|| Refusal::new(ErrorCode::NotSignedIn, "send `add user` first"))
    }

    fn refused(&self, event: &str, refusal: &Refusal) {
        let told = json!({ "event": event, "code": refusal.code, "message": refusal.message });
        slow::emit(&self.state, &self.socket, "refused", &told);
    }
}

/// Tells the example's clients what happened in the lobby, in their words.
pub fn deliver(state: &State, pack: &Pack) {
    let Some(sockets) = state
        .io()
        .of("/")
        .map(|demo| demo.sockets())
        .filter(|sockets| !sockets.is_empty())
    else {
        return;
    };
    let tell = |about: &Person, event: &str, data: &serde_json::Value| {
        for socket in &sockets {
            if socket
                .extensions
                .get::<You>()
                .is_none_or(|you| you.0.id != about.id)
            {
                slow::emit(state, socket, event, data);
            }
        }
    };
    for event in &pack.events {
        match &event.body {
            EventBody::Posted { text, .. } => {
                tell(
                    &event.author,
                    "new message",
                    &json!({ "username": event.author.name, "message": text }),
                );
            }
        }
    }
    for change in &pack.changes {
        match change {
            PresenceChange::Entered(person, here) => {
                tell(
                    person,
                    "user joined",
                    &json!({ "username": person.name, "numUsers": here }),
                );
            }
            PresenceChange::Left(person, here) => {
                tell(
                    person,
                    "user left",
                    &json!({ "username": person.name, "numUsers": here }),
                );
            }
            PresenceChange::Typing(person, typing) => {
                let event = if *typing { "typing" } else { "stop typing" };
                tell(person, event, &json!({ "username": person.name }));
            }
            PresenceChange::Unsure => {}
        }
    }
}
