//! The shop: opens each notice with the account's keys, counts the order, acknowledges.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use yuanfen::core::{Ambient as _, Notice, NotificationSource as _, Verdict};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v3::Account;
use yuanfen::wechat_v3::notify::Event;

use super::tally::Tally;
use crate::Error;

/// Most bytes of a notice.
const MOST: usize = 1 << 20;

/// It closes when it is dropped.
pub(super) struct Shop {
    url: String,
    task: AbortHandle,
}

impl Shop {
    /// # Errors
    /// When no port can be had.
    pub(super) async fn open(account: Arc<Account>, tally: Arc<Tally>) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/notify", listener.local_addr()?);
        let task = tokio::spawn(serve(listener, account, tally)).abort_handle();
        Ok(Self { url, task })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, account: Arc<Account>, tally: Arc<Tally>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tally.note_problem(format!("the shop could not take a connection: {error}"));
                continue;
            }
        };
        let (account, tally) = (Arc::clone(&account), Arc::clone(&tally));
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&account), Arc::clone(&tally)));
            // A notice that is cut off is not acknowledged, and comes again.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    account: Arc<Account>,
    tally: Arc<Tally>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST).collect().await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let request = Request::from_parts(head, body.to_bytes());
    let verdict = match account.open_notification(&request, OsAmbient.now()) {
        Ok(Notice::Settles(event)) => match event.get() {
            Event::Payment(transaction) => {
                tally.note_told(transaction.order_no.as_str());
                Verdict::Accepted
            }
            other => {
                tally.note_problem(format!("a notice of no payment: {other:?}"));
                Verdict::Rejected
            }
        },
        Ok(other) => {
            tally.note_problem(format!("a notice that settles nothing: {other:?}"));
            Verdict::Rejected
        }
        Err(error) => {
            tally.note_problem(format!("a notice that does not open: {error}"));
            Verdict::Rejected
        }
    };
    Ok(account.acknowledge(verdict).map(Full::new))
}
