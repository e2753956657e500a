//! One connection: HTTP/1.1 in, what the far side makes of it out.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::line::Reset;
use super::outgoing::{CutByPlan, Outgoing};
use crate::FarSide;
use crate::arrival::Arrival;
use crate::far_side::{Departure, Handled};

/// Most bytes of a call's body.
const MOST_CALL: usize = 1 << 20;
/// Most bytes of a body that holds a file: more than any platform takes, so that it is the platform that refuses.
const MOST_UPLOAD: usize = 6 << 20;
/// Most bytes of a body that is too long which are read all the same.
const MOST_DRAINED: usize = 64 << 20;
/// How long that may take.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a caller may take for the head of its request, and how long a kept connection may lie idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How long a caller may take for the body behind it.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// HTTP/1.1 as all listeners here speak it.
pub(super) fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // As the platforms write them, so that a client which compares names by case finds out here.
        .title_case_headers(true)
        .header_read_timeout(HEAD_PATIENCE);
    builder
}

/// Answers calls until the caller closes, is silent for too long, or the plan cuts the connection.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    far_side: &FarSide,
    arrival: &Arrival,
    reset: &Reset,
) {
    let service = service_fn(|request| respond(request, far_side, arrival, reset));
    if let Err(error) = http().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the sandbox ended early");
    }
}

/// Answers one call.
pub(super) async fn respond(
    request: Request<Incoming>,
    far_side: &FarSide,
    arrival: &Arrival,
    reset: &Reset,
) -> Result<Response<Outgoing>, CutByPlan> {
    let (head, body) = request.into_parts();
    let kind = head.headers.get(CONTENT_TYPE).map_or(&[][..], |kind| kind.as_bytes());
    let most = if kind.starts_with(b"multipart/form-data") {
        MOST_UPLOAD
    } else {
        MOST_CALL
    };
    let waits = head.headers.contains_key(EXPECT);
    let body = match read(body, most, waits).await {
        Ok(body) => body,
        Err(status) => {
            let refusal = FarSide::turn_away(head.uri.path(), status);
            return Ok(refusal.map(Outgoing::whole));
        }
    };
    let Handled { delay, departure } = far_side.handle(&Request::from_parts(head, body), arrival);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match departure {
        Departure::Whole(response) => Ok(response.map(Outgoing::whole)),
        Departure::Half(response) => Ok(response.map(|body| Outgoing::half(&body))),
        Departure::Drip(response, pause) => Ok(response.map(|body| Outgoing::drip(body, pause))),
        Departure::Nothing => Err(CutByPlan),
        Departure::Reset => {
            reset.ask_for();
            Err(CutByPlan)
        }
    }
}

/// Reads a body. `waits` is whether the caller asks before it sends one.
async fn read(body: Incoming, most: usize, waits: bool) -> Result<Bytes, StatusCode> {
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > most) {
        if !waits && tokio::time::timeout(DRAIN_PATIENCE, drain(body)).await.is_err() {
            tracing::debug!("a body that is too long took too long");
        }
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(BODY_PATIENCE, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Throws away a body that is too long. A connection that is closed over unread bytes is reset, and the caller would see
/// that instead of the answer.
async fn drain(mut body: Incoming) {
    let mut left = MOST_DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}
