//! What carries a request to the far side and the response back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, future};

use bytes::Bytes;
use yuanfen_core::TransportError;

/// Carries one request and brings its response, whatever its status.
///
/// Any closure from request to future is one:
///
/// ```
/// use bytes::Bytes;
/// use yuanfen_transport::{Transport, TransportError};
///
/// async fn over_my_http_stack(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
///     Ok(http::Response::new(request.into_body()))
/// }
/// fn takes_a_transport(_: impl Transport) {}
/// takes_a_transport(over_my_http_stack);
/// ```
///
/// What an implementation owes its callers, because money depends on it:
///
/// - it sends a request **at most once**, follows no redirect and hands back every status as it came;
/// - it sends the bytes of path, headers and body unchanged, since they are signed;
/// - it says [`Sent::No`](yuanfen_core::Sent::No) only where certainly no byte of the request left;
/// - it bounds the time and the size of an answer;
/// - it refuses a request marked [`ClientAuth::Required`](yuanfen_core::ClientAuth::Required) in its extensions when
///   it has no client certificate to present.
pub trait Transport: Send + Sync {
    /// Sends a request and collects the whole response.
    ///
    /// # Errors
    /// Says what failed and whether anything may have been sent.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send;

    /// Sends a request and yields the body in chunks, for files too large to be held. Unless a transport does better,
    /// it goes through [`send`](Self::send) and yields one chunk.
    ///
    /// # Errors
    /// As [`send`](Self::send); a body that breaks off later is an error of [`Chunks::next`].
    fn stream(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Chunks>, TransportError>> + Send {
        async { Ok(self.send(request).await?.map(Chunks::once)) }
    }

    /// What [`send`](Self::send) would refuse to send at all, without sending anything: plain http to another machine, a
    /// call that needs a client certificate where there is none. A transport that cannot say refuses nothing.
    ///
    /// A payment by scanned code is not begun when its reversal would be refused.
    ///
    /// # Errors
    /// With [`TransportErrorKind::Refused`](yuanfen_core::TransportErrorKind::Refused), as `send` would.
    fn check(&self, _: &http::Request<Bytes>) -> Result<(), TransportError> {
        Ok(())
    }
}

impl<F, Sending> Transport for F
where
    F: Fn(http::Request<Bytes>) -> Sending + Send + Sync,
    Sending: Future<Output = Result<http::Response<Bytes>, TransportError>> + Send,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send {
        self(request)
    }
}

/// A response body that arrives piece by piece.
pub struct Chunks {
    source: Box<dyn FnMut(&mut Context<'_>) -> Polled + Send>,
}

type Polled = Poll<Option<Result<Bytes, TransportError>>>;

impl Chunks {
    /// A body that is there already, in one piece.
    #[must_use]
    pub fn once(body: Bytes) -> Self {
        let mut body = Some(body).filter(|body| !body.is_empty());
        Self::poll_fn(move |_| Poll::Ready(body.take().map(Ok)))
    }

    /// A body that is polled for. `None` ends it, and so does an error: neither is polled past.
    pub fn poll_fn(
        mut source: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> + Send + 'static,
    ) -> Self {
        let mut over = false;
        Self {
            source: Box::new(move |context| {
                if over {
                    return Poll::Ready(None);
                }
                let polled = source(context);
                over = matches!(polled, Poll::Ready(None | Some(Err(_))));
                polled
            }),
        }
    }

    /// The next piece; `None` when the body is complete.
    ///
    /// # Errors
    /// When the body breaks off, stalls, or grows larger than is read.
    pub async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        future::poll_fn(&mut self.source).await
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chunks(..)")
    }
}

/// A transport whose type is erased, cheap to clone: for where names get long.
///
/// ```
/// use yuanfen_transport::{SharedTransport, Transport};
/// # use yuanfen_transport::TransportError;
/// let echo = |request: http::Request<bytes::Bytes>| async { Ok(http::Response::new(request.into_body())) };
/// let transport: SharedTransport = SharedTransport::new(echo);
/// # let _: std::pin::Pin<Box<dyn Future<Output = Result<_, TransportError>>>> = Box::pin(async move { transport.send(http::Request::default()).await });
/// ```
#[derive(Clone)]
pub struct SharedTransport(Arc<dyn Erased>);

impl SharedTransport {
    /// Erases the type of that transport.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self(Arc::new(transport))
    }
}

impl fmt::Debug for SharedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedTransport(..)")
    }
}

impl Transport for SharedTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send {
        self.0.send_boxed(request)
    }

    fn stream(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Chunks>, TransportError>> + Send {
        self.0.stream_boxed(request)
    }

    fn check(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        self.0.check_erased(request)
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<http::Response<T>, TransportError>> + Send + 'a>>;

/// [`Transport`] in a form that a `dyn` can have.
trait Erased: Send + Sync {
    fn send_boxed(&self, request: http::Request<Bytes>) -> Boxed<'_, Bytes>;
    fn stream_boxed(&self, request: http::Request<Bytes>) -> Boxed<'_, Chunks>;
    fn check_erased(&self, request: &http::Request<Bytes>) -> Result<(), TransportError>;
}

impl<T: Transport> Erased for T {
    fn send_boxed(&self, request: http::Request<Bytes>) -> Boxed<'_, Bytes> {
        Box::pin(self.send(request))
    }

    fn stream_boxed(&self, request: http::Request<Bytes>) -> Boxed<'_, Chunks> {
        Box::pin(self.stream(request))
    }

    fn check_erased(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        self.check(request)
    }
}
