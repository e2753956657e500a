//! Limits on waiting, and what each says about what was sent.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::client::legacy::connect::CaptureConnection;
use hyper_util::client::legacy::{Error, ResponseFuture};
use yuanfen_core::{Sent, TransportError, TransportErrorKind};

use super::connect::{is_malformed, is_tls, phase};

/// How long a [`HyperTransport`](super::HyperTransport) waits for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) first_byte: Duration,
    pub(super) total: Duration,
    pub(super) stall: Duration,
}

impl Timeouts {
    pub(super) const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_secs(20),
        total: Duration::from_secs(30),
        stall: Duration::from_secs(30),
    };

    /// Waits for the head of a response: as long as connecting takes, which has its own limit, and from there on for
    /// the first byte.
    pub(super) async fn head(
        &self,
        response: ResponseFuture,
        connection: CaptureConnection,
    ) -> Result<http::Response<Incoming>, TransportError> {
        let mut watched = connection.clone();
        let mut response = pin!(response);
        let mut patience = pin!(async {
            // This also ends when the request is gone without a connection; the response has ended then as well, and
            // is looked at first.
            drop(watched.wait_for_connection_metadata().await);
            tokio::time::sleep(self.first_byte).await;
        });
        std::future::poll_fn(|context| match response.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(result.map_err(|error| failed(error, &connection))),
            Poll::Pending => patience.as_mut().poll(context).map(|()| Err(late(&connection))),
        })
        .await
    }

    /// Bounds a whole exchange.
    pub(super) async fn total<R>(
        &self,
        exchange: impl Future<Output = Result<R, TransportError>>,
        connection: &CaptureConnection,
    ) -> Result<R, TransportError> {
        match tokio::time::timeout(self.total, exchange).await {
            Ok(result) => result,
            Err(_) => Err(late(connection)),
        }
    }
}

/// Whether the request was handed to a connection.
fn sent(connection: &CaptureConnection) -> Sent {
    if connection.connection_metadata().is_some() {
        Sent::Maybe
    } else {
        Sent::No
    }
}

fn late(connection: &CaptureConnection) -> TransportError {
    let sent = sent(connection);
    let kind = match sent {
        Sent::No => TransportErrorKind::ConnectTimeout,
        _ => TransportErrorKind::Timeout,
    };
    TransportError::new(kind, sent, None)
}

fn failed(error: Error, connection: &CaptureConnection) -> TransportError {
    let (kind, sent) = match phase(&error) {
        Some(kind) => (kind, Sent::No),
        None if error.is_connect() => (TransportErrorKind::Connect, Sent::No),
        None => {
            let kind = if is_tls(&error) {
                TransportErrorKind::Tls
            } else if is_malformed(&error) {
                TransportErrorKind::Other
            } else {
                TransportErrorKind::Cut
            };
            (kind, sent(connection))
        }
    };
    TransportError::new(kind, sent, Some(error.into()))
}
