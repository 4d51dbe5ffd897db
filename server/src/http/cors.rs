//! CORS: lets pages of the origins in `HUBBUB_ORIGINS` use Socket.IO and the commands over HTTP.

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::origins::Origin;
use crate::state::State;

/// Seconds for which a browser may cache a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers preflights of allowed origins and lets their pages read the answers. Requests of other origins pass
/// through; the handlers check them.
pub async fn allow(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/socket.io") && !path.starts_with("/api/v1/") {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| {
        let parsed = origin.to_str().ok().and_then(Origin::parse);
        parsed.is_some_and(|origin| state.origins.contain(&origin))
    });
    let asked = request.headers();
    let preflight =
        request.method() == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = match &origin {
        Some(_) if preflight => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let headers = response.headers_mut();
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, POST"),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            if let Some(wanted) = wanted {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
            }
            response
        }
        _ => next.run(request).await,
    };
    share(response.headers_mut(), origin);
    response
}

fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    // A shared cache must not serve one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
}
