//! The pages, rendered by Leptos, and their data as JSON for navigation in the browser.

use std::time::{Duration, Instant};

use any_spawner::Executor;
use app::data::load;
use app::{Address, Document, PageData, Returned, Theme, Visitor};
use axum::Router;
use axum::extract::{self, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, Uri};
use protocol::RoomSlug;

use super::render::{Busy, Coding};
use super::{canonical, draft, sorry, target};
use crate::proxies::ClientAddress;
use crate::session::{self, THEME};
use crate::state::State;

/// Every page, `/api/…` for its data, and the site's files.
pub fn routes(state: &State) -> Router {
    // Runs Leptos' effects on our runtime. An error means that they already do.
    let _ = Executor::init_tokio();
    // Unknown paths get the page that says "not found".
    let missing = Router::new().fallback(page).with_state(state.clone());
    Router::new()
        .route("/", get(page))
        .route("/rooms/{slug}", get(page))
        .route("/api/", get(data))
        .route("/api/rooms/{slug}", get(data))
        .fallback_service(super::cache::files(state, missing))
        .with_state(state.clone())
}

/// The delay before a refusal for too many pages. A refusal takes less time than a page, so without the delay,
/// clients would request even faster.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a request waits here for its turn, so that people who open pages at the same moment all get them.
const PATIENCE: Duration = Duration::from_secs(5);

type Shared = extract::State<State>;

async fn page(state: Shared, request: Request) -> Response {
    let (request, _) = request.into_parts();
    if let Some(address) = canonical::address(&request.uri) {
        return Redirect::permanent(&address).into_response();
    }
    let answer = async {
        admit(&state, request.extensions.get().copied()).await?;
        let address = address(&request.uri, request.uri.path());
        document(&state, &request.headers, address, Returned::default()).await
    };
    match answer.await {
        Ok(answer) => answer,
        Err(refused) => refused.into_response().await,
    }
}

/// A room's page with a refused message in its composer. `None` if the page cannot be rendered now.
pub async fn with_returned(
    state: &State,
    client: ClientAddress,
    headers: &HeaderMap,
    room: &RoomSlug,
    returned: Returned,
) -> Option<Response> {
    admit(state, Some(client)).await.ok()?;
    let address = Address {
        path: format!("/rooms/{room}/messages"),
        query: String::new(),
    };
    document(state, headers, address, returned).await.ok()
}

/// For other tabs of a person who signed out and deleted their unsent text.
const DELETED: &str = "Signed out in another tab. Unsent text was deleted.";

async fn document(
    state: &State,
    headers: &HeaderMap,
    address: Address,
    returned: Returned,
) -> Result<Response, Refused> {
    let permit = state.renderer.permit()?;
    let visitor = visitor(state, headers).await?;
    let limits = state.gate.limits().told();
    let mut page = load(&state.hub, visitor.you.clone(), limits, address.route()).await;
    match &mut page {
        PageData::Room(data) => data.returned = returned,
        // No other page has room for the text.
        _ if !returned.why.is_empty() => return Err(Refused::NoStorage),
        _ => {}
    }
    if address.value("unsent") == Some("deleted") {
        match &mut page {
            PageData::Front(front) if front.you.is_none() => front.returned.why = DELETED.to_owned(),
            PageData::Room(room) if room.you.is_none() => room.returned.why = DELETED.to_owned(),
            _ => {}
        }
    }
    let kept = draft::put(&mut page, headers);
    let document = Document {
        options: state.site.options.clone(),
        assets: state.site.assets.clone(),
        site: target::site(state, headers),
        address,
        visitor,
        page,
    };
    let coding = Coding::accepted(headers);
    let mut answer = state.renderer.document(permit, document, coding).await?;
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
        sorry::load_again(&mut answer);
    }
    if let Some(field) = kept {
        draft::forget(&mut answer, field, headers);
    }
    Ok(answer)
}

async fn data(state: Shared, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let answer = async {
        admit(&state, request.extensions.get().copied()).await?;
        let permit = state.renderer.permit()?;
        let path = request.uri.path().strip_prefix("/api").unwrap_or_default();
        let address = address(&request.uri, path);
        let visitor = visitor(&state, &request.headers).await?;
        let limits = state.gate.limits().told();
        let page = load(&state.hub, visitor.you, limits, address.route()).await;
        let coding = Coding::accepted(&request.headers);
        Ok::<_, Refused>(state.renderer.json(permit, page, coding).await?)
    };
    match answer.await {
        Ok(answer) => answer,
        Err(refused) => refused.into_response().await,
    }
}

/// Why there is no page.
enum Refused {
    /// The address requests too many pages.
    TooMany(Duration),
    /// Too many pages are waiting to be rendered.
    Busy,
    /// The storage does not answer.
    NoStorage,
}

impl Refused {
    async fn into_response(self) -> Response {
        match self {
            Self::TooMany(wait) => {
                tokio::time::sleep(PAUSE).await;
                sorry::too_many(wait)
            }
            Self::Busy => sorry::busy(),
            Self::NoStorage => sorry::no_storage(),
        }
    }
}

impl From<Busy> for Refused {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

/// Counts a page of an address, and waits for its turn.
async fn admit(state: &State, client: Option<ClientAddress>) -> Result<(), Refused> {
    let Some(client) = client else { return Ok(()) };
    let last = Instant::now() + PATIENCE;
    loop {
        match state.gate.page(client) {
            Ok(()) => return Ok(()),
            Err(wait) if Instant::now() + wait <= last => tokio::time::sleep(wait).await,
            Err(wait) => return Err(Refused::TooMany(wait)),
        }
    }
}

fn address(uri: &Uri, path: &str) -> Address {
    // Other parameters change no page; keeping them would only split the cache.
    let known = |pair: &&str| {
        ["before=", "problem=", "room=", "unsent="]
            .iter()
            .any(|name| pair.starts_with(name))
    };
    let query: Vec<_> = uri.query().unwrap_or_default().split('&').filter(known).collect();
    Address {
        path: path.to_owned(),
        query: query.join("&"),
    }
}

/// Looks up the person before anything is rendered.
async fn visitor(state: &State, headers: &HeaderMap) -> Result<Visitor, Refused> {
    let you = match state.sessions.read(headers) {
        Some(session) => state.hub.person(&session).await.map_err(|error| {
            tracing::error!(%error, "cannot look up a session");
            Refused::NoStorage
        })?,
        None => None,
    };
    let theme = session::plain(headers, THEME)
        .and_then(|cookie| cookie.value().parse().ok())
        .unwrap_or(Theme::Auto);
    Ok(Visitor { you, theme })
}
