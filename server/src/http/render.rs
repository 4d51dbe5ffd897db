//! Renders pages: few at a time, on threads that serve no sockets, and for those who are not signed in not twice.

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

/// Pages that may wait for their turn. Each holds what it shows, a few hundred kilobytes.
const WAITING: usize = 32;
/// How long one waits. Whoever waits longer than this has given up or will; the server says so first.
const WAIT: Duration = Duration::from_secs(2);

/// The server is busy with other pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Renders pages. Cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    /// Those that run or wait.
    places: Arc<Semaphore>,
    /// Those that run.
    turns: Arc<Semaphore>,
    wait: Duration,
    cache: Arc<Mutex<Cache>>,
}

/// A place in the line. Taken before the page's data is gathered, so that the data of few pages is held at a time.
pub struct Place(tokio::sync::OwnedSemaphorePermit);

impl Renderer {
    /// Uses half of this machine's processors, and at least one.
    pub fn new() -> Self {
        Self::with(workers::count(), WAIT)
    }

    fn with(turns: usize, wait: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(turns + WAITING)),
            turns: Arc::new(Semaphore::new(turns)),
            wait,
            cache: Arc::default(),
        }
    }

    /// Takes a place in the line.
    pub fn place(&self) -> Result<Place, Busy> {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        permit.map(Place).map_err(|_| Busy)
    }

    /// Renders a document. One for somebody who is signed in is made for them alone.
    pub async fn document(&self, place: Place, document: Document, coding: Coding) -> Result<Response, Busy> {
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
        self.run(place, job).await
    }

    /// Writes JSON.
    pub async fn json<T: serde::Serialize + Send + 'static>(
        &self,
        place: Place,
        value: T,
        coding: Coding,
    ) -> Result<Response, Busy> {
        let job = move || match serde_json::to_vec(&value) {
            Ok(json) => answer(StatusCode::OK, "application/json", json, coding),
            Err(error) => {
                tracing::error!(%error, "a page's data cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        self.run(place, job).await
    }

    /// Runs a job when it is its turn. The turn lasts as long as the job, also if nobody waits for it any more.
    async fn run(
        &self,
        Place(place): Place,
        job: impl FnOnce() -> Response + Send + 'static,
    ) -> Result<Response, Busy> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Busy);
        };
        let done = workers::spawn(async move {
            let answer = job();
            drop((turn, place));
            answer
        });
        Ok(done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
    }
}

/// One page's place in the cache, if it may be there.
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
    async fn past_its_bounds_it_says_that_it_is_busy() {
        let renderer = Renderer::with(1, Duration::from_millis(20));
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let renderer = renderer.clone();
            let place = renderer.place().expect("a place");
            async move {
                let job = move || {
                    started.send(()).expect("somebody waits");
                    // The channel closes if the test fails.
                    let _ = held.recv();
                    StatusCode::OK.into_response()
                };
                renderer.run(place, job).await
            }
        });
        running.await.expect("it runs");
        // The next waits for its turn, in vain.
        let second = renderer.place().expect("a place");
        assert_eq!(
            renderer
                .run(second, || StatusCode::OK.into_response())
                .await
                .err(),
            Some(Busy)
        );
        let places: Vec<_> = (0..WAITING).map(|_| renderer.place()).collect();
        assert!(places.iter().all(Result::is_ok) && renderer.place().is_err());
        release.send(()).expect("it waits");
        assert!(first.await.expect("it ends").is_ok());
        assert!(renderer.place().is_ok(), "its place is free again");
    }

    #[tokio::test]
    async fn a_job_that_panics_is_a_500_and_gives_its_turn_back() {
        let renderer = Renderer::with(1, WAIT);
        for _ in 0..3 {
            let place = renderer.place().expect("a place");
            let answer = renderer.run(place, || panic!("as it is meant to")).await;
            assert_eq!(
                answer.map(|answer| answer.status()),
                Ok(StatusCode::INTERNAL_SERVER_ERROR)
            );
        }
    }
}
