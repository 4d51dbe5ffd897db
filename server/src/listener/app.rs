//! What the listener serves.

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;

/// The whole HTTP side as one service.
pub type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
