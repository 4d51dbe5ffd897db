//! The namespace `/chat`: how a connection starts, and how its commands are handled.

use std::sync::{Arc, Weak};

use chat::{ChatError, ConnectionId, SessionDigest};
use protocol::{PROTOCOL_VERSION, Refusal, SessionToken, Welcome};
use serde::Deserialize;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;

use super::caller::{connect, peer};
use super::connection::Connection;
use super::inbox::{Inbox, WhenRefused};
use super::line::{Line, Worker};
use super::logins::Login;
use super::queued::Queued;
use super::{send, slow};
use crate::commands;
use crate::engine::Repeated;
use crate::limits::Turns;
use crate::live::frame::CHAT;
use crate::metrics::{Namespace, NamespacePath};
use crate::refusals;
use crate::state::State;

/// The `auth` object of a CONNECT.
#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    protocol: Option<u32>,
    #[serde(default)]
    token: Option<SessionToken>,
}

/// A refused CONNECT. The client gets it as the message of `connect_error`.
#[derive(Debug, thiserror::Error)]
enum NotAdmitted {
    #[error("{code}: {sentence}")]
    Refused { code: &'static str, sentence: String },
    #[error(transparent)]
    Repeated(#[from] Repeated),
}

impl NotAdmitted {
    fn refused(code: &'static str, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self::Refused { code, sentence }
    }
}

/// Prepared by the middleware for the connect handler.
struct Admitted {
    login: Option<Login>,
    /// The socket's inbox keeps the line alive.
    line: Weak<Line<Connection>>,
}

pub fn listen(state: &State) {
    let (admit, start) = (state.clone(), state.clone());
    // The inbox is registered in the middleware, which completes before the client is told that it is connected. So
    // it receives what the client sends at once.
    let middleware = move |socket: SocketRef| {
        let state = admit.clone();
        async move { prepare(&state, &socket).await }
    };
    let handler = move |socket: SocketRef| {
        run(&start, socket);
        std::future::ready(())
    };
    state.io().ns(CHAT, handler.with(middleware));
}

async fn prepare(state: &State, socket: &SocketRef) -> Result<(), NotAdmitted> {
    let (peer, auth) = connect(state, socket)?;
    let auth = match &*auth {
        "" => Auth::default(),
        json => refusals::read(json.as_bytes())
            .map_err(|refusal| NotAdmitted::refused("bad_request", refusal.message))?,
    };
    if auth.protocol.is_some_and(|version| version != PROTOCOL_VERSION) {
        let sentence = format!("the server speaks protocol {PROTOCOL_VERSION}; reload the page");
        return Err(NotAdmitted::refused("reload", sentence));
    }
    let line = Line::new(state, Some(&peer), false);
    let session = auth.token.as_ref().map(SessionDigest::of).or(peer.caller.session);
    let login = match session {
        Some(session) => log_in(state, session, &line).await.map_err(|error| {
            tracing::error!(%error, "cannot look up a session");
            NotAdmitted::refused("unavailable", Refusal::from(&error).message)
        })?,
        None => None,
    };
    let gate = state.gate.connection(peer.caller.address);
    socket.on_fallback(Inbox::new(&line, WhenRefused::Answer(gate)));
    let admitted = Admitted {
        login,
        line: Arc::downgrade(&line),
    };
    peer.handed.leave(socket, admitted);
    socket.on_disconnect(move || {
        line.end();
        std::future::ready(())
    });
    Ok(())
}

/// The login of a session, if it has not ended.
async fn log_in(
    state: &State,
    session: SessionDigest,
    line: &Arc<Line<Connection>>,
) -> Result<Option<Login>, ChatError> {
    let entry = state.logins.enter(session, line);
    Ok(state.hub.whose(&session).await?.map(|person| entry.of(person)))
}

fn run(state: &State, socket: SocketRef) {
    let Some(peer) = peer(state, &socket) else { return };
    let admitted = peer.handed.take(&socket);
    let Some(Admitted { login, line }) = admitted else {
        return;
    };
    let Some(begun) = line.upgrade() else { return };
    let connection = Connection {
        peer,
        // Not the socket's id, which is reused when the client leaves the namespace and connects again.
        id: ConnectionId(state.hub.fresh_id().as_str().into()),
        login,
        line,
        rooms: Vec::new(),
        stored_too_much: None,
        turns: Turns::default(),
        state: state.clone(),
        socket,
    };
    state.metrics.sockets.get_or_create(&GAUGE).inc();
    connection.emit(
        "welcome",
        &Welcome {
            protocol: PROTOCOL_VERSION,
            you: connection.you().ok().cloned(),
            limits: state.gate.limits().told(),
        },
    );
    begun.begin(connection);
}

const GAUGE: Namespace = Namespace {
    namespace: NamespacePath::chat,
};

impl Worker for Connection {
    async fn work(&mut self, queued: Queued, line: &Line<Self>) -> Option<Queued> {
        if queued.command.name == "send" {
            return send::handle(self, queued, line).await;
        }
        commands::answer(self, queued.command).await;
        None
    }

    async fn refresh(&mut self) {
        if let Some(login) = &mut self.login {
            login.look_up(&self.state.hub).await;
            if login.ended() {
                self.sign_out().await;
            }
        }
    }

    fn matters(queued: &Queued) -> bool {
        commands::stores(&queued.command.name)
    }

    fn panicked(&self) {
        // The command was answered `internal`, and the next one may succeed.
    }

    fn abort(&self) {
        slow::abort(&self.state, &self.socket);
    }

    async fn end(mut self) {
        self.state.metrics.sockets.get_or_create(&GAUGE).dec();
        for hold in std::mem::take(&mut self.rooms) {
            self.exit(hold.room()).await;
        }
    }
}
