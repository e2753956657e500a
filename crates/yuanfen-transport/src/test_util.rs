//! Transports for your tests: no sockets, no waiting.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use yuanfen_core::{Sent, TransportError, TransportErrorKind};

use crate::Transport;

/// Answers every request with the same response and keeps what was sent.
///
/// Clones share what they captured, so hand one to the client and ask the other.
///
/// ```
/// use yuanfen_transport::test_util::Capture;
/// let capture = Capture::answering(http::Response::new("{}".into()));
/// let transport = capture.clone();
/// # let _ = transport;
/// assert!(capture.requests().is_empty());
/// ```
#[derive(Clone)]
pub struct Capture {
    response: http::Response<Bytes>,
    requests: Arc<Mutex<Vec<http::Request<Bytes>>>>,
}

impl Capture {
    /// Answers with that.
    #[must_use]
    pub fn answering(response: http::Response<Bytes>) -> Self {
        Self {
            response,
            requests: Arc::default(),
        }
    }

    /// What was sent so far.
    #[must_use]
    pub fn requests(&self) -> Vec<http::Request<Bytes>> {
        lock(&self.requests).clone()
    }
}

impl Transport for Capture {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        lock(&self.requests).push(request);
        Ok(self.response.clone())
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capture(..)")
    }
}

/// Answers with given responses, one after the other, and fails as not sent when there is none left.
///
/// Clones share the responses.
#[derive(Clone)]
pub struct Replay {
    responses: Arc<Mutex<VecDeque<http::Response<Bytes>>>>,
}

impl Replay {
    /// Answers with those, in that order.
    pub fn new(responses: impl IntoIterator<Item = http::Response<Bytes>>) -> Self {
        Self {
            responses: Arc::new(Mutex::new(responses.into_iter().collect())),
        }
    }

    /// How many responses were not asked for yet.
    #[must_use]
    pub fn left(&self) -> usize {
        lock(&self.responses).len()
    }
}

impl Transport for Replay {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let next = lock(&self.responses).pop_front();
        next.ok_or_else(|| {
            TransportError::new(
                TransportErrorKind::Other,
                Sent::No,
                Some("nothing is left to replay".into()),
            )
        })
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("left", &self.left()).finish()
    }
}

/// Never answers: for what your program does when it gives up waiting.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it has nothing to configure and is written as a value"
)]
pub struct Never;

impl Transport for Never {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        std::future::pending().await
    }
}

/// What happens to one request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The connection is refused; the far side sees nothing.
    Refuse,
    /// TLS fails; the far side sees nothing.
    Tls,
    /// The request is lost after sending began: the far side sees nothing, and nobody here can know.
    LoseRequest,
    /// The far side acts, its reply is lost.
    LoseReply,
    /// The far side acts, its reply comes too late.
    Late,
}

/// Goes through another transport, with a fault for each request. After the end of the plan all requests pass.
#[derive(Debug)]
pub struct Flaky<T> {
    inner: T,
    plan: Mutex<VecDeque<Fault>>,
}

impl<T> Flaky<T> {
    /// Those faults, in that order, on the way through that transport.
    pub fn new(inner: T, plan: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            inner,
            plan: Mutex::new(plan.into_iter().collect()),
        }
    }
}

impl<T: Transport> Transport for Flaky<T> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let fault = lock(&self.plan).pop_front().unwrap_or(Fault::Pass);
        let fails = |kind, sent| Err(TransportError::new(kind, sent, None));
        match fault {
            Fault::Pass => self.inner.send(request).await,
            Fault::Refuse => fails(TransportErrorKind::Connect, Sent::No),
            Fault::Tls => fails(TransportErrorKind::Tls, Sent::No),
            Fault::LoseRequest => fails(TransportErrorKind::Cut, Sent::Maybe),
            Fault::LoseReply => {
                drop(self.inner.send(request).await?);
                fails(TransportErrorKind::Cut, Sent::Maybe)
            }
            Fault::Late => {
                drop(self.inner.send(request).await?);
                fails(TransportErrorKind::Timeout, Sent::Maybe)
            }
        }
    }

    fn check(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        self.inner.check(request)
    }
}

/// A test that panicked while it held the lock has failed already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
