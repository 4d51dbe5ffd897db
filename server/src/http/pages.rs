//! The pages, rendered by Leptos, and their data as JSON for navigation in the browser.

use any_spawner::Executor;
use app::data::load;
use app::{Address, Page, Theme, Visitor, shell};
use axum::Router;
use axum::extract::{self, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, Uri, request::Parts};
use leptos::prelude::{provide_context, use_context};

use super::policy;
use crate::session::{self, THEME};
use crate::state::State;

/// Every page, `/api/…` for its data, and the site's files.
pub fn routes(state: &State) -> Router {
    // Leptos' effects run on our runtime; an error says that they do already.
    let _ = Executor::init_tokio();
    // What is neither a page nor a file gets the page that says so, not a bare line.
    let missing = Router::new()
        .fallback(missing)
        .layer(axum::middleware::map_response(not_found))
        .with_state(state.clone());
    Router::new()
        .route("/", get(page))
        .route("/rooms/{slug}", get(page))
        .route("/api/", get(data))
        .route("/api/rooms/{slug}", get(data))
        .fallback_service(super::cache::files(state, missing))
        .layer(axum::middleware::from_fn_with_state(state.clone(), recognise))
        .with_state(state.clone())
}

type Shared = extract::State<State>;

async fn page(state: Shared, visitor: Extension<Visitor>, request: Request) -> Response {
    let address = address(request.uri(), request.uri().path());
    let page = load(&state.hub, visitor.you.clone(), address.place()).await;
    render(&state, page, request).await
}

async fn missing(state: Shared, request: Request) -> Response {
    render(&state, Page::NoSuchRoom, request).await
}

async fn data(state: Shared, visitor: Extension<Visitor>, uri: Uri) -> Json<Page> {
    let path = uri.path().strip_prefix("/api").unwrap_or_default();
    let place = address(&uri, path).place();
    Json(load(&state.hub, visitor.you.clone(), place).await)
}

fn address(uri: &Uri, path: &str) -> Address {
    Address {
        path: path.to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
    }
}

/// The whole document, in one piece: what it shows is here already.
async fn render(state: &State, page: Page, request: Request) -> Response {
    let address = address(request.uri(), request.uri().path());
    let context = {
        let state = state.clone();
        move || {
            provide(&state);
            provide_context(page.clone());
            provide_context(address.clone());
        }
    };
    let options = state.site.options.clone();
    let document = move || {
        policy::set_for_page();
        shell(options.clone())
    };
    leptos_axum::render_app_async_with_context(context, document)(request).await
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

/// What `app` finds in its context: who is asking, and where the site's files are.
fn provide(state: &State) {
    provide_context(state.site.assets.clone());
    let visitor = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visitor>().cloned());
    provide_context(visitor.unwrap_or(Visitor {
        you: None,
        theme: Theme::Auto,
    }));
}
