//! A receiver as a service: axum's `Router::route_service`, tower's stacks, hyper.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;
use yuanfen_core::{NotificationSource, ProtocolError, ProtocolErrorKind};

use crate::store::Store;
use crate::{Receipt, Received, Receiver, body};

/// Takes notices as they come off the socket, and answers in the route's own form, whatever became of them:
/// `Router::new().route_service("/notify/wechat-v3", receiver)`.
///
/// A body of more than 1 MiB, or one that is not complete after two seconds, is refused. The time that it took counts
/// towards the five seconds that platforms wait.
impl<S, N, B> Service<Request<B>> for Receiver<S, N>
where
    S: Store,
    N: NotificationSource + Send + Sync + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move {
            let Receipt { response, .. } = receiver.answer(read_and_take(&receiver, request)).await;
            Ok(response.map(Full::new))
        })
    }
}

async fn read_and_take<S, N, B>(receiver: &Receiver<S, N>, request: Request<B>) -> Received
where
    S: Store,
    N: NotificationSource + Send + Sync + 'static,
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let began = Instant::now();
    let (head, body) = request.into_parts();
    match body::read(body).await {
        Ok(body) => receiver.take(&Request::from_parts(head, body), began).await,
        Err(error) => {
            let error = ProtocolError::new(ProtocolErrorKind::Format).with_source(error);
            Received::Refused(error.into())
        }
    }
}
