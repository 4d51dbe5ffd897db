//! One connection to `/chat`: who it is, which rooms it is in, and its commands one after the other.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use chat::{ChatError, ConnectionId, SessionDigest};
use protocol::{
    ErrorCode, PROTOCOL_VERSION, Person, Refusal, RoomEvent, RoomSlug, SessionToken, SignedIn, SignedOut,
    Welcome,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler;

use super::ack::Ack;
use super::caller::{connect, peer};
use super::fanout::Hold;
use super::inbox::{Inbox, Payload, Queued, WhenRefused};
use super::line::{Line, Worker};
use super::logins::Login;
use super::{dispatch, send, slow};
use crate::engine::Repeated;
use crate::limits::Turns;
use crate::metrics::{Namespace, NamespacePath};
use crate::proxies::ClientAddress;
use crate::state::State;

/// The namespace of the app's own protocol.
pub const NAMESPACE: &str = "/chat";

/// The `auth` object of a handshake.
#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    protocol: Option<u32>,
    #[serde(default)]
    token: Option<SessionToken>,
}

/// A handshake that is refused; the client gets it as the message of `connect_error`.
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

/// What the middleware prepares for the connect handler.
struct Admitted {
    login: Option<Login>,
    /// The socket's inbox keeps it.
    line: Weak<Line<Connection>>,
}

/// Listens on the namespace.
pub fn listen(state: &State) {
    let (admit, start) = (state.clone(), state.clone());
    // Handlers are registered in the middleware: it is awaited before the client is told that it is connected, so
    // what the client emits at once finds them.
    let middleware = move |socket: SocketRef| {
        let state = admit.clone();
        async move { prepare(&state, &socket).await }
    };
    let handler = move |socket: SocketRef| {
        run(&start, socket);
        std::future::ready(())
    };
    state.io().ns(NAMESPACE, handler.with(middleware));
}

async fn prepare(state: &State, socket: &SocketRef) -> Result<(), NotAdmitted> {
    let (peer, auth) = connect(socket)?;
    let auth = match &*auth {
        "" => Auth::default(),
        json => serde_json::from_str(json)
            .map_err(|error| NotAdmitted::refused("bad_request", error.to_string()))?,
    };
    if auth.protocol.is_some_and(|version| version != PROTOCOL_VERSION) {
        let sentence = format!("the server speaks protocol {PROTOCOL_VERSION}; reload the page");
        return Err(NotAdmitted::refused("reload", sentence));
    }
    let line = Line::new(state, Some(peer), false);
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

/// The login that a session means, if it has not ended.
async fn log_in(
    state: &State,
    session: SessionDigest,
    line: &Arc<Line<Connection>>,
) -> Result<Option<Login>, ChatError> {
    let entry = state.logins.enter(session, line);
    Ok(state.hub.whose(&session).await?.map(|person| entry.of(person)))
}

fn run(state: &State, socket: SocketRef) {
    let Some(peer) = peer(&socket) else { return };
    let admitted = peer.handed.take(&socket);
    let Some(Admitted { login, line }) = admitted else {
        return;
    };
    let Some(begun) = line.upgrade() else { return };
    let connection = Connection {
        address: peer.caller.address,
        // Not the socket's: a namespace that is left and connected again would have the id of its first life.
        id: ConnectionId(state.hub.fresh_id().as_str().into()),
        login,
        line,
        rooms: Vec::new(),
        stores_from: None,
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
    login: Option<Login>,
    line: Weak<Line<Connection>>,
    /// The rooms it is in.
    pub rooms: Vec<Hold>,
    /// Until then nothing is stored for it: its address has had too much stored.
    pub stores_from: Option<Instant>,
    /// When its joins that came too early may begin.
    pub turns: Turns,
}

impl Worker for Connection {
    async fn work(&mut self, queued: Queued, line: &Line<Self>) -> Option<Queued> {
        if queued.command.name == "send" {
            return send::handle(self, queued, line).await;
        }
        dispatch(self, queued.command).await;
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
        queued.command.name == "send"
    }

    fn panicked(&self) {
        // The command is answered `internal`, and the next one may well succeed.
    }

    fn abort(&self) {
        slow::abort(&self.socket);
    }

    async fn end(mut self) {
        self.state.metrics.sockets.get_or_create(&GAUGE).dec();
        for hold in std::mem::take(&mut self.rooms) {
            self.exit(hold.room()).await;
        }
    }
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
    async fn sign_out(&mut self) {
        for hold in std::mem::take(&mut self.rooms) {
            self.exit(hold.room()).await;
        }
        self.login = None;
        self.emit("signed_out", &SignedOut {});
    }

    /// Leaves a room in the eyes of the others.
    pub async fn exit(&mut self, room: &RoomSlug) {
        if let Some(Login { person, .. }) = &self.login
            && let Err(error) = self.state.hub.leave(&person.id, &self.id, room).await
        {
            tracing::warn!(%error, %room, "could not leave a room; the lease will end it");
        }
    }

    /// Whether more of the rooms' logs may be read from here now.
    pub fn may_read(&self) -> Result<(), Refusal> {
        self.state.gate.read(self.address, 0).map_err(too_much)
    }

    /// Counts what has been read of a log.
    pub fn has_read(&self, events: &[RoomEvent]) {
        let bytes = events.iter().map(RoomEvent::bytes).sum();
        // Others of the address may have read as much meanwhile. Then the next one waits.
        let _ = self.state.gate.read(self.address, bytes);
    }

    /// Whether so many bytes of messages may be stored now. Once refused, so is all that follows until the wait is
    /// over: no later message is stored before an earlier one.
    pub fn may_store(&mut self, bytes: usize) -> Result<(), Refusal> {
        let now = Instant::now();
        let closed = self.stores_from.filter(|from| *from > now).map(|from| from - now);
        let wait = match closed {
            Some(wait) => wait,
            None => match self.state.gate.store(self.address, bytes) {
                Ok(()) => return Ok(()),
                Err(wait) => wait.max(LEAST_WAIT),
            },
        };
        self.stores_from = Some(now + wait);
        Err(too_much(wait))
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

/// A few milliseconds would only make the client knock again at once.
const LEAST_WAIT: Duration = Duration::from_millis(200);

/// The time is rounded up: a client that keeps to it is not early.
fn too_much(wait: Duration) -> Refusal {
    let ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
    Refusal::new(ErrorCode::RateLimited, "too many bytes; wait a moment").retry_after_ms(ms)
}

/// A command's payload as what it is documented to be.
pub fn parse<T: DeserializeOwned>(payload: Payload) -> Result<T, Refusal> {
    let json = payload?;
    // The sentence says what is wrong and where; it repeats nothing of the text but names of fields.
    serde_json::from_str(json.get()).map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()))
}

/// A refusal of the chat as it travels; what is our own fault is logged here, once.
pub fn refuse(error: ChatError) -> Refusal {
    let refusal = Refusal::from(&error);
    if matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::Internal) {
        tracing::error!(%error, "a command failed");
    }
    refusal
}
