//! `POST /api/v1/{name}`: the commands over HTTP, for programs. Shares its table of commands with Socket.IO.

mod openapi;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use chat::Caller;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use protocol::{ErrorCode, Person, Refusal, SessionToken};

use super::origin;
use crate::commands::{self, Answer};
use crate::proxies::ClientAddress;
use crate::refusals::{refuse, too_many_commands};
use crate::state::State;

/// The route of the commands.
pub fn command() -> MethodRouter<State> {
    post(answer).fallback(|| wrong_method("this is a command; use POST"))
}

/// The route of the OpenAPI description.
pub fn description() -> MethodRouter<State> {
    get(openapi::serve).fallback(|| wrong_method("this is the description of the commands; use GET"))
}

/// Answers every other path below `/api/v1`.
pub async fn nothing() -> Response {
    let sentence = "there is no command here; /api/v1/openapi.json lists them";
    refused(Refusal::new(ErrorCode::UnknownCommand, sentence))
}

/// True if requests for this path are answered with JSON, whatever is wrong with them.
pub fn answers(path: &str) -> bool {
    path.strip_prefix("/api/v1")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The answer to a request that no command can be read from.
pub fn refuse_request(status: StatusCode, sentence: &str) -> Response {
    respond(
        status,
        Answer::refuse(Refusal::new(ErrorCode::BadRequest, sentence)),
    )
}

/// The answer after a panic. The server's log has the cause.
pub fn failed() -> Response {
    refused(Refusal::new(
        ErrorCode::Internal,
        "internal error; see the server's log",
    ))
}

async fn wrong_method(sentence: &'static str) -> Response {
    refuse_request(StatusCode::METHOD_NOT_ALLOWED, sentence)
}

async fn answer(
    Shared(state): Shared<State>,
    Extension(address): Extension<ClientAddress>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A name that is not valid UTF-8 matches no command.
    let Ok(Path(name)) = name else {
        return nothing().await;
    };
    let (head, body) = request.into_parts();
    let asked = async {
        if !origin::allowed(&head.headers, &state.origins) {
            let sentence = "this origin is not allowed; add it to HUBBUB_ORIGINS";
            return Err((
                StatusCode::FORBIDDEN,
                Refusal::new(ErrorCode::BadRequest, sentence),
            ));
        }
        let body = read(&state, address, &head.headers, body).await?;
        let person = person(&state, &head.headers).await.map_err(with_status)?;
        let caller = Caller {
            address,
            person: person.as_ref(),
            connection: None,
        };
        Ok(commands::answer_request(&state.hub, &caller, &name, &body).await)
    };
    let (status, answer) = match asked.await {
        Ok(answer) => (answer.refusal.as_ref().map_or(StatusCode::OK, status), answer),
        Err((status, refusal)) => (status, Answer::refuse(refusal)),
    };
    if let Some(refusal) = &answer.refusal {
        state.metrics.refuse(refusal);
    }
    respond(status, answer)
}

type Problem = (StatusCode, Refusal);

fn with_status(refusal: Refusal) -> Problem {
    (status(&refusal), refusal)
}

/// Reads the command's JSON, if the address may send another command.
async fn read(
    state: &State,
    address: ClientAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<u8>, Problem> {
    // Before the body, so that a client over its rate costs no reading.
    let admitted = state.gate.address(address);
    admitted.map_err(|wait| with_status(too_many_commands(wait)))?;
    let limit = state.gate.limits().frame_bytes;
    let body = collect(body, limit)
        .await
        .map_err(|refusal| with_status(*refusal))?;
    let json = headers.get(header::CONTENT_TYPE).is_some_and(is_json);
    if !json && !body.is_empty() {
        let sentence = "a command is JSON; send it with Content-Type: application/json";
        let refusal = Refusal::new(ErrorCode::BadRequest, sentence);
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal));
    }
    Ok(body)
}

/// Bytes that are read and discarded beyond the limit. A client that is still sending would not see the refusal.
const READ_ON: usize = 1024 * 1024;

async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, Box<Refusal>> {
    let (mut parts, mut kept, mut length) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(part) = parts.next().await {
        let Ok(part) = part else {
            return Err(Refusal::new(ErrorCode::BadRequest, "the command did not arrive completely").into());
        };
        length += part.len();
        if length > limit {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&part);
        }
        if length > limit + READ_ON {
            break;
        }
    }
    if length > limit {
        let sentence = format!("a command has at most {limit} bytes; this one has more");
        return Err(Refusal::new(ErrorCode::TooLarge, sentence).into());
    }
    Ok(kept)
}

fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().unwrap_or_default().split(';').next();
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// The caller: the person of a bearer token or, without one, of the session cookie.
async fn person(state: &State, headers: &HeaderMap) -> Result<Option<Person>, Refusal> {
    let session = match headers.get(header::AUTHORIZATION) {
        Some(value) => Some(bearer(value).ok_or_else(malformed_token)?),
        None => state.sessions.read(headers),
    };
    let Some(token) = session else { return Ok(None) };
    let person = state.hub.person(&token).await.map_err(refuse)?;
    if person.is_none() && headers.contains_key(header::AUTHORIZATION) {
        return Err(unknown_token());
    }
    Ok(person)
}

fn bearer(value: &HeaderValue) -> Option<SessionToken> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = Some(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    SessionToken::try_from(token?.to_owned()).ok()
}

fn malformed_token() -> Refusal {
    let sentence = "send the header as \"Authorization: Bearer TOKEN\", with the token of sign_in";
    Refusal::new(ErrorCode::NotSignedIn, sentence)
}

fn unknown_token() -> Refusal {
    let sentence = "this token is not valid, or its session has ended; sign in again";
    Refusal::new(ErrorCode::NotSignedIn, sentence)
}

/// The HTTP status of a refusal.
fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::NotSignedIn => StatusCode::UNAUTHORIZED,
        ErrorCode::UnknownCommand | ErrorCode::RoomNotFound | ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::Gone => StatusCode::GONE,
        ErrorCode::RoomExists | ErrorCode::NotInRoom | ErrorCode::TooManyRooms | ErrorCode::Reload => {
            StatusCode::CONFLICT
        }
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Busy | ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn refused(refusal: Refusal) -> Response {
    respond(status(&refusal), Answer::refuse(refusal))
}

fn respond(status: StatusCode, answer: Answer) -> Response {
    let mut response = (status, answer.json).into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        let bearer = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, bearer);
    }
    if let Some(ms) = answer.refusal.and_then(|refusal| refusal.retry_after_ms) {
        // In whole seconds, rounded up so that a client that waits is not early.
        headers.insert(header::RETRY_AFTER, ms.div_ceil(1_000).into());
    }
    response
}
