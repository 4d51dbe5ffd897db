//! The body of a request: it must keep arriving.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::live::Account;

/// The time that a body has to arrive…
const GRACE: Duration = Duration::from_secs(10);
/// …plus one second per this many bytes received. The slowest phone sends faster.
const LEAST_PER_SECOND: u64 = 1_024;

/// A request's body as it arrives from the connection.
pub trait Arrives: Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static> Arrives for B {}

/// A request's body with a deadline. Its bytes count as waiting until the request is answered.
pub struct Arriving<B> {
    body: B,
    account: Arc<Account>,
    since: Instant,
    received: usize,
    deadline: Option<Pin<Box<Sleep>>>,
    late: Arc<AtomicBool>,
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the request body did not arrive in time")]
struct Late;

impl<B> Arriving<B> {
    /// Wraps the body of a request that starts now. `late` becomes true if the body does not arrive in time.
    pub fn new(body: B, account: &Arc<Account>, late: &Arc<AtomicBool>) -> Self {
        Self {
            body,
            account: Arc::clone(account),
            since: Instant::now(),
            received: 0,
            deadline: None,
            late: Arc::clone(late),
        }
    }

    fn due(&self) -> Instant {
        self.since + GRACE + Duration::from_secs(self.received as u64 / LEAST_PER_SECOND)
    }
}

impl<B> Body for Arriving<B>
where
    B: Arrives,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.received += length;
                self.account.charge(length);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let due = self.due();
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if deadline.deadline() != due {
            deadline.as_mut().reset(due);
        }
        if deadline.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(Late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Arriving<B> {
    fn drop(&mut self) {
        self.account.credit(self.received);
    }
}
