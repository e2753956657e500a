//! A receiver: the shop's notify addresses of three routes, on one port.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use yuanfen::core::{Ambient as _, NotificationSource, Verdict};
use yuanfen::transport::OsAmbient;
use yuanfen::{mpgateway, wechat_v2, wechat_v3};
use yuanfen_inbox::{Inbox, Receiver};

use super::super::accounts::{Accounts, Route};
use super::super::database::Place;
use super::super::stops::say;
use super::super::{Break, Trouble};

/// Most bytes of a notice.
const MOST: usize = 1 << 20;

/// How long a broken receiver keeps in memory what it has acknowledged.
const IN_MEMORY: Duration = Duration::from_millis(50);

struct Shop<S> {
    v2: Receiver<S, wechat_v2::Account>,
    v3: Receiver<S, wechat_v3::Account>,
    gateway: Receiver<S, mpgateway::Account>,
    broken: Option<Break>,
}

/// Says `ready <port>`, then serves until it is told to end.
pub(super) async fn run<S: Place>(
    inbox: &Inbox<S>,
    broken: Option<Break>,
    end: oneshot::Receiver<()>,
) -> Result<(), Trouble> {
    let accounts = Accounts::new()?;
    let shop = Arc::new(Shop {
        v2: inbox.receiver(accounts.v2),
        v3: inbox.receiver(accounts.v3),
        gateway: inbox.receiver(accounts.gateway),
        broken,
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&format!("ready {}", listener.local_addr()?.port()));
    tokio::select! {
        () = serve(listener, shop) => {}
        _ = end => {}
    }
    Ok(())
}

async fn serve<S: Place>(listener: TcpListener, shop: Arc<Shop<S>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shop)));
            let http = http1::Builder::new();
            // A notice that is cut off is not acknowledged, and comes again.
            drop(http.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer<S: Place>(request: Request<Incoming>, shop: Arc<Shop<S>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST).collect().await else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    let request = Request::from_parts(head, body.to_bytes());
    let route = [Route::V2, Route::V3, Route::Gateway]
        .into_iter()
        .find(|route| route.path() == request.uri().path());
    let response = match route {
        Some(Route::V2) => receive(&shop.v2, request, shop.broken).await,
        Some(Route::V3) => receive(&shop.v3, request, shop.broken).await,
        Some(Route::Gateway) => receive(&shop.gateway, request, shop.broken).await,
        None => return Ok(empty(StatusCode::NOT_FOUND)),
    };
    Ok(response.map(Full::new))
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

async fn receive<S: Place, N: NotificationSource + Send + Sync + 'static>(
    receiver: &Receiver<S, N>,
    request: Request<Bytes>,
    broken: Option<Break>,
) -> Response<Bytes> {
    if broken != Some(Break::AcknowledgeEarly) {
        return receiver.receive(&request).await.response;
    }
    // What shops do that have no inbox: the answer first, the work from a list in memory.
    let source = receiver.source();
    if source.open_notification(&request, OsAmbient.now()).is_err() {
        return source.acknowledge(Verdict::Rejected);
    }
    let response = source.acknowledge(Verdict::Accepted);
    let receiver = receiver.clone();
    tokio::spawn(async move {
        tokio::time::sleep(IN_MEMORY).await;
        receiver.receive(&request).await;
    });
    response
}
