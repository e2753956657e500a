//! The admin API's own listener.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Wrong, file};
use super::ask::{Ask, digits};
use super::events::EventBody;
use super::guard::Guard;
use super::routes::Work;
use super::state;
use crate::{FarSide, console};

/// Most bytes of a body: a fault plan of some thousand rules.
const MOST_BODY: usize = 1 << 20;
/// How long a caller may take for the head of its request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// On every answer. Scripts, styles and pictures come from here alone, and nobody frames the console.
const ON_ALL: [(HeaderName, HeaderValue); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

type Outgoing = Either<Full<Bytes>, EventBody>;

/// Answers connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, far_side: FarSide, guard: Guard) {
    let guard = Arc::new(guard);
    let mut connections = JoinSet::new();
    loop {
        // Finished connections are taken off, or the set would grow as long as the sandbox runs.
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, far_side.clone(), Arc::clone(&guard)));
            }
            Err(error) => {
                tracing::warn!(%error, "the admin API could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, far_side: FarSide, guard: Arc<Guard>) {
    let service = service_fn(move |request| {
        let (far_side, guard) = (far_side.clone(), Arc::clone(&guard));
        async move { Ok::<_, Infallible>(respond(request, &far_side, &guard).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the admin API ended early");
    }
}

async fn respond(request: Request<Incoming>, far_side: &FarSide, guard: &Guard) -> Response<Outgoing> {
    let (head, body) = request.into_parts();
    let mut response = match guard.check(&head) {
        Err(answer) => answer.map(|body| Either::Left(Full::new(body))),
        Ok(()) => match Limited::new(body, MOST_BODY).collect().await {
            Ok(body) => {
                let request = Request::from_parts(head, body.to_bytes());
                let done = perform(&request, far_side).await;
                done.unwrap_or_else(|wrong| Response::from(wrong).map(whole))
            }
            Err(error) => Response::from(unread(&*error)).map(whole),
        },
    };
    for (name, value) in ON_ALL {
        response.headers_mut().insert(name, value);
    }
    response
}

fn whole(body: Bytes) -> Outgoing {
    Either::Left(Full::new(body))
}

fn unread(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Wrong {
    if error.is::<LengthLimitError>() {
        Wrong::new(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB")
    } else {
        Wrong::form("the body could not be read")
    }
}

async fn perform(request: &Request<Bytes>, far_side: &FarSide) -> Result<Response<Outgoing>, Wrong> {
    let step = {
        let ask = Ask::of(request)?;
        match ask.work() {
            Work::Plain(handler) => return Ok(handler(far_side, &ask)?.map(whole)),
            Work::Events => return Ok(events(request, far_side)),
            Work::Console => return page(request).map(|page| page.map(whole)),
            Work::Advance => state::step(&ask)?,
        }
    };
    let moved = far_side.advance_delivering(step).await;
    moved.map_err(|error| Wrong::conflict(error.to_string()))?;
    Ok(state::advanced(far_side).map(whole))
}

/// A file of the console.
///
/// # Errors
/// When there is none of that name.
pub(super) fn page(request: &Request<Bytes>) -> Result<Response<Bytes>, Wrong> {
    console::answer(request).ok_or_else(|| Wrong::missing("the console has no such file"))
}

fn events(request: &Request<Bytes>, far_side: &FarSide) -> Response<Outgoing> {
    let told = request.headers().get("last-event-id");
    let told = told.and_then(|id| id.to_str().ok()).and_then(digits);
    let body = EventBody::new(far_side, told);
    file("text/event-stream", Bytes::new()).map(|_| Either::Right(body))
}
