//! The forms that work without scripts. Each answers with a redirect to a page that shows the result.

use app::problem::{sentence, shown};
use app::{Returned, returned};
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

use super::draft::{self, Field};
use super::kept::Kept;
use super::next::Next;
use crate::origins::over_tls;
use crate::proxies::ClientAddress;
use crate::refusals::{code, too_many_commands};
use crate::session::{Sessions, THEME, set_plain};
use crate::state::State;

type Cookies = AppendHeaders<Vec<(HeaderName, String)>>;

/// Leads back to the form. The code in the address is for programs; the page has a sentence.
fn back(to: &str, problem: &str) -> Redirect {
    let separator = if to.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{to}{separator}problem={problem}"))
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

fn refusal(state: &State, error: &ChatError) -> Refusal {
    let refusal = Refusal::from(error);
    state.metrics.refuse(&refusal);
    if let ChatError::Store(StoreError::Failed(_)) = error {
        tracing::error!(%error, "a form failed");
    }
    refusal
}

fn rate(state: &State, address: ClientAddress) -> Result<(), Refusal> {
    state.gate.address(address).map_err(too_many_commands)
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
    let refused = |problem: &str, why: String| match &kept {
        Some(kept) => kept.to_sign_in(StatusCode::UNPROCESSABLE_ENTITY, &why, &form.name),
        None => {
            let text = form.name.clone();
            let returned = Returned {
                text,
                why,
                room: None,
            };
            let kept = draft::keep(Field::Name, returned, &headers);
            (kept, back(to, problem)).into_response()
        }
    };
    if let Err(refusal) = rate(&state, client) {
        return refused(&code(&refusal), sentence(&refusal));
    }
    let name = match DisplayName::try_from(form.name.clone()) {
        Ok(name) => name,
        Err(invalid) => return refused("name", shown(&invalid.to_string())),
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
        Err(error) => {
            let refusal = refusal(&state, &error);
            refused(&code(&refusal), sentence(&refusal))
        }
    }
}

/// `POST /session/end`: sign out.
pub async fn sign_out(Shared(state): Shared<State>, headers: HeaderMap, Form(next): Form<Next>) -> Response {
    let to = next.path();
    if let Some(session) = state.sessions.read(&headers)
        && let Err(error) = state.sign_out(&session).await
    {
        let refusal = refusal(&state, &error);
        let returned = Returned {
            why: format!("You're still signed in. {}", sentence(&refusal)),
            ..Returned::default()
        };
        let kept = draft::keep(Field::Title, returned, &headers);
        return (kept, back(&to, &code(&refusal))).into_response();
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
    let keep = |field, text: &str, why, room| {
        let text = text.to_owned();
        draft::keep(field, Returned { text, why, room }, &headers)
    };
    let refused = |refusal: Refusal| {
        let (problem, why) = (code(&refusal), sentence(&refusal));
        if refusal.code == ErrorCode::NotSignedIn {
            // The form to sign in gives the reason; the title waits until then.
            let kept = keep(Field::Title, &form.title, String::new(), None);
            return (kept, keep(Field::Name, "", why, None), back("/", &problem)).into_response();
        }
        let to = refusal
            .room
            .as_ref()
            .map_or_else(|| "/".to_owned(), |room| format!("/?room={room}"));
        let kept = keep(Field::Title, &form.title, why, refusal.room);
        (kept, back(&to, &problem)).into_response()
    };
    if let Err(refusal) = rate(&state, client) {
        return refused(refusal);
    }
    let you = match person(&state, &headers).await {
        Ok(you) => you,
        Err(error) => return refused(refusal(&state, &error)),
    };
    let title = match RoomTitle::try_from(form.title.clone()) {
        Ok(title) => title,
        Err(invalid) => {
            let kept = keep(Field::Title, &form.title, shown(&invalid.to_string()), None);
            return (kept, back("/", "title")).into_response();
        }
    };
    match state.hub.ask(&caller(client, &you), CreateRoom { title }).await {
        Ok(room) => Redirect::to(&format!("/rooms/{}", room.room)).into_response(),
        Err(error) => refused(refusal(&state, &error)),
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
    if let Err(refusal) = rate(&state, client) {
        return kept.to_send(StatusCode::TOO_MANY_REQUESTS, &sentence(&refusal));
    }
    let author = match person(&state, &headers).await {
        Ok(author) => author,
        Err(error) => {
            let refusal = refusal(&state, &error);
            return match refusal.code {
                ErrorCode::NotSignedIn => {
                    kept.to_sign_in(StatusCode::UNPROCESSABLE_ENTITY, SIGN_IN_AGAIN, "")
                }
                _ => kept.to_send(StatusCode::SERVICE_UNAVAILABLE, &sentence(&refusal)),
            };
        }
    };
    let refused = if form.author.as_ref().is_some_and(|of| *of != author.id) {
        let why = format!(
            "You are now signed in as {}. Your message has not been sent yet.",
            author.name
        );
        let text = form.text.replace("\r\n", "\n");
        Err(Returned {
            text,
            why,
            room: None,
        })
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
    let text = returned::check(&form.text, state.gate.limits().told())?;
    let messages = vec![Outgoing {
        client_id: once(&form.client_id, &text),
        text,
        reply_to: None,
        epoch: None,
    }];
    let room = room.clone();
    let send = Send { room, messages };
    let sent = state.hub.ask(&caller(client, author), send).await;
    sent.map_err(|error| Returned {
        text: form.text.replace("\r\n", "\n"),
        why: sentence(&refusal(state, &error)),
        room: None,
    })?;
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
