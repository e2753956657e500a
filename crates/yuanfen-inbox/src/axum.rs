//! For axum handlers that do more with a notice than a receiver does: the raw request in, the receipt out.

use std::fmt;
use std::time::Instant;

use axum_core::body::Body;
use axum_core::extract::FromRequest;
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Request, StatusCode};

use crate::receive::Began;
use crate::{BodyError, Receipt, body};

/// The request as it came: method, address, headers and the bytes of the body, which is what signatures are over.
///
/// It goes into [`Receiver::receive`](crate::Receiver::receive), and the [`Receipt`] is the handler's response:
///
/// ```
/// # use yuanfen_inbox::{RawNotice, Receipt, Receiver, SqliteStore};
/// # use yuanfen_core::NotificationSource;
/// async fn notify<N>(receiver: Receiver<SqliteStore, N>, RawNotice(request): RawNotice) -> Receipt
/// where
///     N: NotificationSource + Send + Sync + 'static,
/// {
///     receiver.receive(&request).await
/// }
/// ```
///
/// A body of more than 1 MiB, or one that is not complete after two seconds, is refused before the handler runs, with a
/// plain 413 or 408: no route is known yet, and every route takes such an answer for "not taken". Where the receiver is
/// all that the handler calls, the receiver itself is a service (feature `tower`), and answers in the route's form.
///
/// axum's `DefaultBodyLimit` does not apply. In a nested router the address is what axum leaves of it.
#[expect(
    clippy::exhaustive_structs,
    reason = "taken apart in the argument list, as axum's own extractors"
)]
pub struct RawNotice(pub Request<Bytes>);

/// Without address, headers and body: they may name people.
impl fmt::Debug for RawNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawNotice")
            .field("method", self.0.method())
            .field("path", &self.0.uri().path())
            .field("body_bytes", &self.0.body().len())
            .finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequest<S> for RawNotice {
    type Rejection = BodyError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, BodyError> {
        let began = Instant::now();
        let (mut head, body) = request.into_parts();
        head.extensions.insert(Began(began));
        Ok(Self(Request::from_parts(head, body::read(body).await?)))
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Cut(_) => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        self.response.map(Body::from)
    }
}
