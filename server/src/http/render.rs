//! Renders pages: few at a time, on threads that serve no sockets, and with a cache for visitors who are not signed
//! in.

mod cache;
mod compress;
mod workers;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::Document;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;

use super::policy;
use cache::{Cache, Key, Pieces};
pub use compress::Coding;

/// Pages that may wait for their turn. Each holds its data, a few hundred kilobytes.
const WAITING: usize = 32;
/// How long a page waits. By then people give up, so the server answers that it is busy.
const WAIT: Duration = Duration::from_secs(2);

/// The server is busy with other pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Renders pages. Cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    /// Bounds the pages that are being rendered or waiting.
    permits: Arc<Semaphore>,
    /// Bounds the pages that are being rendered.
    turns: Arc<Semaphore>,
    wait: Duration,
    cache: Arc<Mutex<Cache>>,
}

/// A permit to render a page. Taken before the page's data is loaded, so that the data of few pages is in memory at a
/// time.
pub struct RenderPermit(tokio::sync::OwnedSemaphorePermit);

impl Renderer {
    /// Uses half of the machine's processors, at least one.
    pub fn new() -> Self {
        Self::with(workers::count(), WAIT)
    }

    fn with(turns: usize, wait: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(turns + WAITING)),
            turns: Arc::new(Semaphore::new(turns)),
            wait,
            cache: Arc::default(),
        }
    }

    /// Takes a permit to render a page.
    pub fn permit(&self) -> Result<RenderPermit, Busy> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map(RenderPermit).map_err(|_| Busy)
    }

    /// Renders a document. Those for people who are signed in are not cached.
    pub async fn document(
        &self,
        permit: RenderPermit,
        document: Document,
        coding: Coding,
    ) -> Result<Response, Busy> {
        let status = document.page.status();
        let cache = Arc::clone(&self.cache);
        let job = move || {
            let json = document.page.json();
            let shared = document.visitor.you.is_none();
            let key = shared.then(|| Key::of(&document, &json));
            let mut cache = Lookup { cache, key };
            let pieces = cache
                .find()
                .unwrap_or_else(|| cache.keep(Pieces::render(document, json)));
            let nonce = policy::nonce();
            let html = pieces.with_nonce(&nonce);
            let mut answer = answer(status, "text/html; charset=utf-8", html.into_bytes(), coding);
            policy::set_for_page(answer.headers_mut(), &nonce);
            answer
        };
        self.run(permit, job).await
    }

    /// Serializes a page's data as JSON.
    pub async fn json<T: serde::Serialize + Send + 'static>(
        &self,
        permit: RenderPermit,
        value: T,
        coding: Coding,
    ) -> Result<Response, Busy> {
        let job = move || match serde_json::to_vec(&value) {
            Ok(json) => answer(StatusCode::OK, "application/json", json, coding),
            Err(error) => {
                tracing::error!(%error, "a page's data could not be encoded");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        self.run(permit, job).await
    }

    /// Runs a job when its turn comes. The job keeps its turn until it ends, even if the client is gone.
    async fn run(
        &self,
        RenderPermit(permit): RenderPermit,
        job: impl FnOnce() -> Response + Send + 'static,
    ) -> Result<Response, Busy> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Busy);
        };
        let done = workers::spawn(async move {
            let answer = job();
            drop((turn, permit));
            answer
        });
        Ok(done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
    }
}

/// One page's entry in the cache, if the page may be cached.
struct Lookup {
    cache: Arc<Mutex<Cache>>,
    key: Option<Key>,
}

impl Lookup {
    fn find(&self) -> Option<Arc<Pieces>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.find(self.key.as_ref()?)
    }

    fn keep(&mut self, pieces: Pieces) -> Arc<Pieces> {
        let pieces = Arc::new(pieces);
        if let Some(key) = self.key.take() {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.keep(key, Arc::clone(&pieces));
        }
        pieces
    }
}

fn answer(status: StatusCode, kind: &'static str, body: Vec<u8>, coding: Coding) -> Response {
    let (coding, body) = coding.encode(body);
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
    if let Some(name) = coding.name() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn beyond_its_limits_the_renderer_is_busy() {
        let renderer = Renderer::with(1, Duration::from_millis(20));
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let renderer = renderer.clone();
            let permit = renderer.permit().expect("a permit");
            async move {
                let job = move || {
                    started.send(()).expect("the test waits");
                    // The channel closes if the test fails.
                    let _ = held.recv();
                    StatusCode::OK.into_response()
                };
                renderer.run(permit, job).await
            }
        });
        running.await.expect("it runs");
        // The next page waits for its turn in vain.
        let second = renderer.permit().expect("a permit");
        assert_eq!(
            renderer
                .run(second, || StatusCode::OK.into_response())
                .await
                .err(),
            Some(Busy)
        );
        let permits: Vec<_> = (0..WAITING).map(|_| renderer.permit()).collect();
        assert!(permits.iter().all(Result::is_ok) && renderer.permit().is_err());
        release.send(()).expect("it waits");
        assert!(first.await.expect("it ends").is_ok());
        assert!(renderer.permit().is_ok(), "its permit is free again");
    }

    #[tokio::test]
    async fn a_job_that_panics_is_a_500_and_returns_its_permit() {
        let renderer = Renderer::with(1, WAIT);
        for _ in 0..3 {
            let permit = renderer.permit().expect("a permit");
            let answer = renderer.run(permit, || panic!("on purpose")).await;
            assert_eq!(
                answer.map(|answer| answer.status()),
                Ok(StatusCode::INTERNAL_SERVER_ERROR)
            );
        }
    }
}
