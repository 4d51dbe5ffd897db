//! How every request is answered.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::FutureExt as _;
use http::Request;
use tower::ServiceExt as _;

use super::app::App;
use super::arriving::{Arrives, Arriving};
use super::as_it_is::AsItIs;
use crate::http::policy::add_headers;
use crate::http::sorry;
use crate::live::Account;
use crate::metrics::Metrics;

/// Smaller answers are not counted as waiting: the kernel accepts them at once.
const SMALL: usize = 1_024;

/// Answers a request. The answer is collected in memory before it is sent, so a slow reader holds only its bytes, not
/// a file or a compressor. The bytes count as waiting until the kernel has them.
pub async fn answer(
    app: App,
    request: Request<impl Arrives>,
    account: Arc<Account>,
    metrics: &Metrics,
) -> Response {
    let late = Arc::new(AtomicBool::new(false));
    let uri = request.uri().clone();
    let request = request.map(|body| {
        if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Arriving::new(body, &account, &late))
        }
    });
    let answered = AssertUnwindSafe(whole(app, request, account))
        .catch_unwind()
        .await;
    if late.load(Ordering::Relaxed) {
        metrics.late.inc();
        return add_headers(sorry::late(uri.path())).await;
    }
    match answered {
        Ok(Some(answer)) => answer,
        // The panic was already counted and logged.
        Ok(None) | Err(_) => add_headers(sorry::failed(uri.path())).await,
    }
}

/// The complete answer, or `None` if its body fails.
async fn whole(app: App, request: Request<Body>, account: Arc<Account>) -> Option<Response> {
    let Ok(response) = app.oneshot(request).await;
    let (head, body) = response.into_parts();
    if head.extensions.get::<AsItIs>().is_some() {
        return Some(Response::from_parts(head, body));
    }
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => Some(Response::from_parts(head, Body::from(waiting(bytes, account)))),
        Err(error) => {
            tracing::error!(%error, "an answer could not be finished");
            None
        }
    }
}

/// Bytes that are charged to an account until they are dropped.
struct Waiting {
    bytes: Bytes,
    account: Arc<Account>,
}

fn waiting(bytes: Bytes, account: Arc<Account>) -> Bytes {
    if bytes.len() < SMALL {
        return bytes;
    }
    account.charge(bytes.len());
    Bytes::from_owner(Waiting { bytes, account })
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.account.credit(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Weak;

    use axum::response::IntoResponse as _;
    use http::StatusCode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use tower::util::BoxCloneSyncService;

    use super::*;
    use crate::live::budget::{BUDGET, Budget, Debtor};

    struct Nobody;

    impl Debtor for Nobody {
        fn cut(&self) {}
    }

    async fn answered(
        handler: impl Fn() -> Response + Clone + Send + Sync + 'static,
    ) -> (Response, Arc<Account>) {
        let app =
            tower::service_fn(move |_: Request<Body>| std::future::ready(Ok::<_, Infallible>(handler())));
        let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
        let account = budget.open(Weak::<Nobody>::new());
        let request = Request::new(Body::empty());
        let app = BoxCloneSyncService::new(app);
        let response = answer(app, request, Arc::clone(&account), &Metrics::new()).await;
        (response, account)
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let (response, _) = answered(|| panic!("on purpose")).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test]
    async fn an_answer_counts_as_waiting_until_it_is_dropped() {
        let (response, account) = answered(|| "x".repeat(10_000).into_response()).await;
        assert_eq!(account.waiting(), 10_000);
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let part = bytes.slice(5_000..);
        drop(bytes);
        assert_eq!(account.waiting(), 10_000, "a slice keeps the whole answer");
        drop(part);
        assert_eq!(account.waiting(), 0);
    }
}
