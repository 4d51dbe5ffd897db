//! The forms that work without scripts. Each answers with a redirect to a page that shows the result.

use app::{Problem, Returned, returned};
use axum::extract::{Path, State as Shared};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use chat::{Caller, ChatError, StoreError};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, StatusCode};
use protocol::{
    ClientId, CreateRoom, DisplayName, ErrorCode, MessageText, Outgoing, Person, PersonId, Refusal, RoomSlug,
    RoomTitle, Send, SignIn,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::draft;
use super::kept::Kept;
use super::next::Next;
use crate::origins::over_tls;
use crate::proxies::ClientAddress;
use crate::session::{Sessions, THEME, set_plain};
use crate::state::State;

type Cookies = AppendHeaders<Vec<(HeaderName, String)>>;

fn back(to: &str, problem: Problem) -> Redirect {
    let separator = if to.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{to}{separator}problem={}", problem.as_str()))
}

fn cookie(value: String) -> Cookies {
    AppendHeaders(vec![(SET_COOKIE, value)])
}

async fn person(state: &State, headers: &HeaderMap) -> Result<Person, ChatError> {
    let session = state.sessions.read(headers);
    let person = match session {
        Some(session) => state.hub.person(&session).await?,
        None => None,
    };
    person.ok_or_else(|| Refusal::new(ErrorCode::NotSignedIn, "sign in first").into())
}

fn caller(address: ClientAddress, person: &Person) -> Caller<'_> {
    Caller {
        address,
        person: Some(person),
        connection: None,
    }
}

fn problem(state: &State, error: &ChatError) -> Problem {
    let refusal = Refusal::from(error);
    state.metrics.refuse(&refusal);
    if let ChatError::Store(StoreError::Failed(_)) = error {
        tracing::error!(%error, "a form failed");
    }
    Problem::from(refusal.code)
}

fn rate(state: &State, address: ClientAddress) -> Result<(), Problem> {
    state
        .gate
        .address(address)
        .map_err(|_| Problem::from(ErrorCode::RateLimited))
}

/// Fields of the sign-in form.
#[derive(Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(flatten)]
    next: Next,
    /// A message that could not be sent because its author was signed out, with its id: see [`Kept::to_sign_in`].
    text: Option<String>,
    client_id: Option<ClientId>,
}

impl SignInForm {
    /// The message of this form, and its room.
    fn message(&self) -> Option<(RoomSlug, &str, &ClientId)> {
        let path = self.next.path();
        let room = RoomSlug::try_from(path.strip_prefix("/rooms/")?.to_owned()).ok()?;
        Some((room, self.text.as_deref()?, self.client_id.as_ref()?))
    }
}

/// `POST /session`: sign in with a name.
pub async fn sign_in(
    Shared(state): Shared<State>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Response {
    let message = form.message();
    let kept = message.as_ref().map(|(room, text, client_id)| Kept {
        room,
        text,
        client_id,
    });
    let to = &form.next.path();
    let refused = |problem: Problem| match &kept {
        Some(kept) => kept.to_sign_in(StatusCode::UNPROCESSABLE_ENTITY, problem.sentence()),
        None => back(to, problem).into_response(),
    };
    if let Err(problem) = rate(&state, client) {
        return refused(problem);
    }
    let Ok(name) = DisplayName::try_from(form.name.clone()) else {
        return refused(Problem::Name);
    };
    // Signing in makes a new person, so an existing session does not matter.
    let anonymous = Caller {
        address: client,
        ..Caller::NOBODY
    };
    match state.hub.ask(&anonymous, SignIn { name }).await {
        Ok(signed_in) => {
            let next = match &kept {
                Some(kept) => kept.signed_in(&signed_in.you.name),
                None => Redirect::to(to).into_response(),
            };
            let session = cookie(state.sessions.set(&signed_in.token, over_tls(&headers)));
            (session, next).into_response()
        }
        Err(error) => refused(problem(&state, &error)),
    }
}

/// `POST /session/end`: sign out.
pub async fn sign_out(Shared(state): Shared<State>, headers: HeaderMap, Form(next): Form<Next>) -> Response {
    let to = next.path();
    if let Some(session) = state.sessions.read(&headers)
        && let Err(error) = state.sign_out(&session).await
    {
        return back(&to, problem(&state, &error)).into_response();
    }
    (cookie(Sessions::clear(over_tls(&headers))), Redirect::to(&to)).into_response()
}

/// Fields of the form that creates a room.
#[derive(Deserialize)]
pub struct RoomForm {
    #[serde(default)]
    title: String,
}

/// `POST /rooms`: create a room and go there.
pub async fn create_room(
    Shared(state): Shared<State>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    Form(form): Form<RoomForm>,
) -> Response {
    let refused = |to: &str, problem: Problem| {
        let kept = draft::keep(&form.title, &headers);
        (kept, back(to, problem)).into_response()
    };
    if let Err(problem) = rate(&state, client) {
        return refused("/", problem);
    }
    let you = match person(&state, &headers).await {
        Ok(you) => you,
        Err(error) => return refused("/", problem(&state, &error)),
    };
    let Ok(title) = RoomTitle::try_from(form.title.clone()) else {
        return refused("/", Problem::Title);
    };
    match state.hub.ask(&caller(client, &you), CreateRoom { title }).await {
        Ok(room) => Redirect::to(&format!("/rooms/{}", room.room)).into_response(),
        Err(error) => {
            let found = problem(&state, &error);
            match Refusal::from(&error).room {
                Some(room) => refused(&format!("/?room={room}"), found),
                None => refused("/", found),
            }
        }
    }
}

/// Fields of the composer.
#[derive(Deserialize)]
pub struct MessageForm {
    #[serde(default)]
    text: String,
    client_id: ClientId,
    /// The person that the page was rendered for. Absent: the person who is signed in.
    author: Option<PersonId>,
}

/// `POST /rooms/{slug}/messages`: post a message.
pub async fn post_message(
    Shared(state): Shared<State>,
    Extension(client): Extension<ClientAddress>,
    Path(room): Path<RoomSlug>,
    headers: HeaderMap,
    Form(form): Form<MessageForm>,
) -> Response {
    let kept = Kept {
        room: &room,
        text: &form.text,
        client_id: &form.client_id,
    };
    if let Err(problem) = rate(&state, client) {
        return kept.to_send(StatusCode::TOO_MANY_REQUESTS, problem.sentence());
    }
    let author = match person(&state, &headers).await {
        Ok(author) => author,
        Err(error) => {
            return match problem(&state, &error) {
                Problem::NotSignedIn => kept.to_sign_in(StatusCode::UNPROCESSABLE_ENTITY, SIGN_IN_AGAIN),
                problem => kept.to_send(StatusCode::SERVICE_UNAVAILABLE, problem.sentence()),
            };
        }
    };
    let refused = if form.author.as_ref().is_some_and(|of| *of != author.id) {
        let why = format!(
            "You are now signed in as {}. Your message has not been sent yet.",
            author.name
        );
        let text = form.text.replace("\r\n", "\n");
        Err(Returned { text, why })
    } else {
        post(&state, client, &author, &room, &form).await
    };
    let Err(returned) = refused else {
        return Redirect::to(&format!("/rooms/{room}")).into_response();
    };
    // Return the text in the box: without scripts, nothing else keeps it.
    let why = returned.why.clone();
    match super::pages::with_returned(&state, client, &headers, &room, returned).await {
        Some(page) => page,
        None => kept.to_send(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

/// The message for a person whose session has ended.
const SIGN_IN_AGAIN: &str = "You've been signed out. Sign in to send your message.";

/// Stores the message. If that fails, returns the text with the reason.
async fn post(
    state: &State,
    client: ClientAddress,
    author: &Person,
    room: &RoomSlug,
    form: &MessageForm,
) -> Result<(), Returned> {
    let refused = |problem: Problem| {
        let (text, why) = (form.text.replace("\r\n", "\n"), problem.sentence().to_owned());
        Returned { text, why }
    };
    let text = returned::check(&form.text, state.gate.limits().told())?;
    let messages = vec![Outgoing {
        client_id: once(&form.client_id, &text),
        text,
    }];
    let room = room.clone();
    let send = Send { room, messages };
    let sent = state.hub.ask(&caller(client, author), send).await;
    sent.map_err(|error| refused(problem(state, &error)))?;
    Ok(())
}

/// The client id of a message from a form: a hash of the form's one-time id and the text. A double click sends the
/// same of both and is one message. A page restored by Back has its old id but a new text, which makes another
/// message.
fn once(form: &ClientId, text: &MessageText) -> ClientId {
    let mut hash = Sha256::new();
    hash.update(form.as_str());
    hash.update([0]);
    hash.update(text.as_str());
    let digest: [u8; 32] = hash.finalize().into();
    let id = digest
        .iter()
        .take(16)
        .fold(0, |id, byte| id << 8 | u128::from(*byte));
    ClientId::from_random(id)
}

/// Fields of the theme form.
#[derive(Deserialize)]
pub struct ThemeForm {
    theme: app::Theme,
    #[serde(flatten)]
    next: Next,
}

/// `POST /theme`: light, dark, or the system's theme.
pub async fn set_theme(headers: HeaderMap, Form(form): Form<ThemeForm>) -> Response {
    (
        cookie(set_plain(THEME, form.theme.as_str(), over_tls(&headers))),
        Redirect::to(&form.next.path()),
    )
        .into_response()
}

/// `GET` of an address that takes only forms: a person reloaded the answer or edited the address.
pub async fn lead_home() -> Redirect {
    Redirect::temporary("/")
}

/// `GET` of the address that takes a room's messages.
pub async fn lead_to_room(Path(room): Path<RoomSlug>) -> Redirect {
    Redirect::temporary(&format!("/rooms/{room}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_is_another_message() {
        let form = |id: &str| ClientId::try_from(id.to_owned()).unwrap();
        let text = |text: &str| MessageText::try_from(text.to_owned()).unwrap();
        let first = once(&form("a"), &text("first"));
        assert_eq!(first, once(&form("a"), &text("first")), "a double click");
        assert_ne!(
            first,
            once(&form("a"), &text("second")),
            "another text after going back"
        );
        assert_ne!(
            first,
            once(&form("b"), &text("first")),
            "the same text from another form"
        );
        assert_ne!(once(&form("a"), &text("bc")), once(&form("ab"), &text("c")));
    }
}
