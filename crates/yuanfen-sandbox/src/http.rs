//! Wires: the listener, and the client that carries notices. Plain http, loopback only.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use yuanfen_core::Address;

use crate::FarSide;
use crate::far_side::{Departure, Handled};

/// Most bytes of a call's body.
const MOST_CALL: usize = 1 << 20;
/// Most bytes of a body that holds a file: more than any platform takes, so that it is the platform that refuses.
const MOST_UPLOAD: usize = 6 << 20;
/// Most bytes of a shop's answer that are read.
const MOST_ANSWER: usize = 64 << 10;
/// How long a caller may take for the head of its request.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How long a shop may take: five seconds, as WeChat Pay gives it.
pub(crate) const SHOP_PATIENCE: Duration = Duration::from_secs(5);

/// Answers connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, far_side: FarSide) {
    let mut connections = JoinSet::new();
    loop {
        // Finished connections are taken off, or the set would grow as long as the sandbox runs.
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, far_side.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: the next round may find one.
                tracing::warn!(%error, "the sandbox could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, far_side: FarSide) {
    let service = service_fn(move |request| {
        let far_side = far_side.clone();
        async move { respond(request, &far_side).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // As the platforms write them, so that a client which compares names by case finds out here.
        .title_case_headers(true)
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the sandbox ended early");
    }
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by plan")]
struct CutByPlan;

async fn respond(request: Request<Incoming>, far_side: &FarSide) -> Result<Response<Outgoing>, CutByPlan> {
    let (head, body) = request.into_parts();
    let kind = head.headers.get(CONTENT_TYPE).map_or(&[][..], |kind| kind.as_bytes());
    let most = if kind.starts_with(b"multipart/form-data") {
        MOST_UPLOAD
    } else {
        MOST_CALL
    };
    let body = match Limited::new(body, most).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let status = if error.is::<http_body_util::LengthLimitError>() {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            };
            let mut response = Response::new(Outgoing::whole(Bytes::new()));
            *response.status_mut() = status;
            return Ok(response);
        }
    };
    let Handled { delay, departure } = far_side.handle(&Request::from_parts(head, body));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match departure {
        Departure::Whole(response) => Ok(response.map(Outgoing::whole)),
        Departure::Half(response) => Ok(response.map(|body| Outgoing::half(&body))),
        Departure::Nothing => Err(CutByPlan),
    }
}

/// A body that may end before the length that it announced.
struct Outgoing {
    rest: Option<Bytes>,
    announced: u64,
    end: End,
}

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// What was written must leave before the connection is cut, so the body pauses once: hyper sends when it waits.
    Pause,
    Cut,
}

impl Outgoing {
    fn whole(body: Bytes) -> Self {
        Self {
            announced: u64::try_from(body.len()).unwrap_or(u64::MAX),
            rest: Some(body).filter(|body| !body.is_empty()),
            end: End::Whole,
        }
    }

    fn half(body: &Bytes) -> Self {
        let half = body.len().div_euclid(2);
        Self {
            // One byte more than there is, so that an empty body is cut as well.
            announced: u64::try_from(body.len()).unwrap_or(u64::MAX).max(1),
            rest: Some(body.slice(..half)).filter(|body| !body.is_empty()),
            end: End::Pause,
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = CutByPlan;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutByPlan>>> {
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Pause => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(CutByPlan))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// Carries a notice to a shop and brings its answer back, or the reason why there is none.
pub(crate) async fn carry(request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    match tokio::time::timeout(SHOP_PATIENCE, exchange(request)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} seconds", SHOP_PATIENCE.as_secs())),
    }
}

async fn exchange(mut request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let address = request.uri().to_string();
    Address::parse("notify address", &address).map_err(|error| error.to_string())?;
    if request.uri().scheme_str() != Some("http") {
        return Err("the sandbox delivers to http on loopback only, not to https".to_owned());
    }
    let authority = request
        .uri()
        .authority()
        .ok_or("the notify address names no host")?
        .clone();
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("no connection: {error}"))?;

    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target = target
        .parse()
        .map_err(|_| "the notify address has no path that can be sent")?;
    *request.uri_mut() = target;
    let host = authority
        .as_str()
        .parse()
        .map_err(|_| "the notify address has no host that can be sent")?;
    request.headers_mut().insert(http::header::HOST, host);

    let call = async {
        let response = sender
            .send_request(request.map(Full::<Bytes>::new))
            .await
            .map_err(|error| format!("no answer: {error}"))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_ANSWER)
            .collect()
            .await
            .map_err(|error| format!("the answer could not be read: {error}"))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    tokio::pin!(call);
    tokio::pin!(connection);
    // The connection moves only while it is polled. Once it ended, the call knows.
    tokio::select! {
        answer = &mut call => answer,
        _ended = &mut connection => call.await,
    }
}
