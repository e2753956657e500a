//! Where the shop's notices arrive: a small HTTP listener that opens each with the account of its route.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use yuanfen::core::{Fen, Lookup};

use crate::args::RouteName;

/// The most that is read of a notice.
const MOST: usize = 1 << 20;

/// What a notice turned out to be.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Proven by its signature.
    Verified {
        state: String,
        order_no: Option<String>,
        amount: Option<Fen>,
    },
    /// It settles nothing: it only names what to query.
    Hint { lookup: Lookup, is_signed: bool },
    /// It did not open.
    Refused(String),
}

type Opener = dyn Fn(&http::Request<Bytes>) -> (http::Response<Bytes>, Seen) + Send + Sync;

#[derive(Default)]
struct Book {
    openers: BTreeMap<&'static str, Arc<Opener>>,
    seen: BTreeMap<&'static str, Vec<Seen>>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    arrived: Notify,
}

/// The listener. It ends when it is dropped.
pub(crate) struct Desk {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Desk {
    /// Opens on a free loopback port.
    pub(crate) async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(Self { address, shared, task })
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Opens that route's notices with this from now on.
    pub(crate) fn receive(
        &self,
        route: RouteName,
        opener: impl Fn(&http::Request<Bytes>) -> (http::Response<Bytes>, Seen) + Send + Sync + 'static,
    ) {
        let mut book = self.shared.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.openers.insert(route.as_str(), Arc::new(opener));
    }

    /// The first notice of that route, waiting for it if need be.
    pub(crate) async fn next(&self, route: RouteName, wait: Duration) -> Option<Seen> {
        let arrival = async {
            loop {
                let arrived = self.shared.arrived.notified();
                if let Some(seen) = self.first(route) {
                    return seen;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(wait, arrival).await.ok()
    }

    fn first(&self, route: RouteName) -> Option<Seen> {
        let book = self.shared.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.seen.get(route.as_str())?.first().cloned()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            // A peer that hangs up early is its own business: the platform delivers again.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(
    request: http::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let plain = |status| {
        let mut response = http::Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    let Ok(body) = Limited::new(body, MOST).collect().await else {
        return Ok(plain(http::StatusCode::PAYLOAD_TOO_LARGE));
    };
    let request = http::Request::from_parts(head, body.to_bytes());
    let opener = {
        let book = shared.book.lock().unwrap_or_else(PoisonError::into_inner);
        request
            .uri()
            .path()
            .strip_prefix("/notify/")
            .and_then(|route| book.openers.get_key_value(route))
            .map(|(route, opener)| (*route, Arc::clone(opener)))
    };
    let Some((route, opener)) = opener else {
        return Ok(plain(http::StatusCode::NOT_FOUND));
    };
    let (response, seen) = opener(&request);
    shared
        .book
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .seen
        .entry(route)
        .or_default()
        .push(seen);
    shared.arrived.notify_waiters();
    Ok(response.map(Full::new))
}
