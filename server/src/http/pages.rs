//! The pages, rendered by Leptos, and the server functions behind them.

use app::{App, Assets, Theme, Visitor, shell};
use axum::Router;
use axum::extract::{self, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, StatusCode, request::Parts};
use leptos::config::LeptosOptions;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, generate_route_list, handle_server_fns_with_context};

use super::policy;
use crate::session::{self, THEME};
use crate::state::State;

/// Every page, `/api/…` for the server functions, and the site's files.
pub fn routes(state: &State) -> Router {
    let options = state.site.options.clone();
    let page = {
        let options = options.clone();
        move || {
            policy::set_for_page();
            shell(options.clone())
        }
    };
    let context = {
        let state = state.clone();
        move || provide(&state)
    };
    // What is neither a page nor a file gets the page that says so, not a bare line.
    let missing = leptos_axum::render_app_async_with_context(context.clone(), page.clone());
    let missing = Router::new()
        .fallback(missing)
        .layer(axum::middleware::map_response(not_found));
    Router::<LeptosOptions>::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context, page)
        .fallback_service(super::cache::files(state, missing))
        .route("/api/{*function}", any(server_function).with_state(state.clone()))
        .layer(axum::middleware::from_fn_with_state(state.clone(), recognise))
        .with_state(options)
}

async fn not_found(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Looks up who is asking, once per request, before anything is rendered.
async fn recognise(
    extract::State(state): extract::State<State>,
    mut request: Request,
    next: axum::middleware::Next,
) -> Response {
    let visitor = match visitor(&state, request.headers()).await {
        Ok(visitor) => visitor,
        Err(error) => {
            tracing::error!(%error, "cannot look up a session");
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "Hubbub cannot reach its storage. Try again in a moment.\n",
            )
                .into_response();
        }
    };
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

async fn visitor(state: &State, headers: &HeaderMap) -> Result<Visitor, chat::ChatError> {
    let you = match state.sessions.read(headers) {
        Some(session) => state.hub.person(&session).await?,
        None => None,
    };
    let theme = session::plain(headers, THEME)
        .and_then(|cookie| cookie.value().parse().ok())
        .unwrap_or(Theme::Auto);
    Ok(Visitor { you, theme })
}

async fn server_function(extract::State(state): extract::State<State>, request: Request) -> Response {
    handle_server_fns_with_context(move || provide(&state), request)
        .await
        .into_response()
}

/// What `app` finds in its context: the chat, who is asking, and where the client script is.
fn provide(state: &State) {
    provide_context(state.hub.clone());
    provide_context(Assets {
        socket_io: state.site.socket_io.clone(),
    });
    let visitor = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visitor>().cloned());
    provide_context(visitor.unwrap_or(Visitor {
        you: None,
        theme: Theme::Auto,
    }));
}
