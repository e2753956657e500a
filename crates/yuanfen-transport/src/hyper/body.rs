//! Bodies with a limit: collected, or piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Incoming};
use tokio::time::Sleep;
use yuanfen_core::{Sent, TransportError, TransportErrorKind};

use super::connect::is_tls;
use crate::Chunks;

/// The whole body.
pub(super) async fn collect(body: Incoming, limit: u64) -> Result<Bytes, TransportError> {
    let mut reader = Reader::new(body, limit)?;
    let mut whole = BytesMut::new();
    while let Some(piece) = std::future::poll_fn(|context| reader.poll(context)).await {
        whole.extend_from_slice(&piece?);
    }
    Ok(whole.freeze())
}

/// The body in the pieces in which it arrives, which may not be further apart than `stall`.
pub(super) fn chunks(body: Incoming, limit: u64, stall: Duration) -> Chunks {
    let mut reader = match Reader::new(body, limit) {
        Ok(reader) => reader,
        Err(error) => {
            let mut error = Some(error);
            return Chunks::poll_fn(move |_| Poll::Ready(error.take().map(Err)));
        }
    };
    let mut patience: Option<Pin<Box<Sleep>>> = None;
    Chunks::poll_fn(move |context| {
        if let Poll::Ready(piece) = reader.poll(context) {
            patience = None;
            return Poll::Ready(piece);
        }
        // The clock runs only while somebody waits: a slow disk is not a slow network.
        let patience = patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        patience
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(after_sending(TransportErrorKind::Timeout, None))))
    })
}

struct Reader {
    body: Incoming,
    left: u64,
}

impl Reader {
    /// Refuses at once what announces itself as larger than the limit.
    fn new(body: Incoming, limit: u64) -> Result<Self, TransportError> {
        if body.size_hint().lower() > limit {
            return Err(after_sending(TransportErrorKind::TooLarge, None));
        }
        Ok(Self { body, left: limit })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            let piece = match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(piece)) => piece,
                // Trailers: no platform sends any, and nothing is signed in them.
                Ok(Err(_)) => continue,
                Err(error) => return Poll::Ready(Some(Err(broken(error)))),
            };
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            return Poll::Ready(Some(match self.left.checked_sub(length) {
                Some(left) => {
                    self.left = left;
                    Ok(piece)
                }
                None => Err(after_sending(TransportErrorKind::TooLarge, None)),
            }));
        }
    }
}

fn broken(error: hyper::Error) -> TransportError {
    let kind = if is_tls(&error) {
        TransportErrorKind::Tls
    } else {
        TransportErrorKind::Cut
    };
    after_sending(kind, Some(error.into()))
}

fn after_sending(kind: TransportErrorKind, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(kind, Sent::Maybe, source)
}
