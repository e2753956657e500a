//! Many shops at once: nothing is lost, nothing comes twice, and not everything is on its way at the same time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use yuanfen_sandbox::{Account, NoticeOutcome, OrderState, Platform, Sandbox};
use yuanfen_sign::ApiV3Key;

use crate::shop::{self, v3_holds, v3_request};

const V3: Platform = Platform::WechatV3;

/// A shop that keeps every connection, and may hold all notices until so many are there.
struct Shop {
    url: String,
    seen: Arc<Seen>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    notices: Mutex<Vec<Request<Bytes>>>,
    now: AtomicUsize,
    most: AtomicUsize,
    holds: AtomicUsize,
}

impl Shop {
    async fn open(holds: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let seen = Arc::new(Seen {
            holds: AtomicUsize::new(holds),
            ..Seen::default()
        });
        let kept = Arc::clone(&seen);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&kept);
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let service = service_fn(move |request| take(request, Arc::clone(&seen)));
                served.spawn(async move {
                    let _ended = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            url,
            seen,
            _server: server,
        }
    }

    /// The numbers of the orders it was told of, and how often; each notice has to be genuine.
    fn told(&self, sandbox: &Sandbox) -> BTreeMap<String, usize> {
        let account = sandbox.wechat_v3();
        let key = ApiV3Key::new(account.apiv3_key.expose()).unwrap();
        let mut told = BTreeMap::new();
        for notice in self.seen.notices.lock().unwrap().iter() {
            assert!(v3_holds(
                notice.headers(),
                notice.body(),
                &account.platform_certificate_pem
            ));
            let envelope: Value = serde_json::from_slice(notice.body()).unwrap();
            let text = |name: &str| envelope["resource"][name].as_str().unwrap();
            let plain = key
                .open(text("nonce"), text("associated_data"), text("ciphertext"))
                .unwrap();
            let plain: Value = serde_json::from_slice(&plain).unwrap();
            assert_eq!(plain["trade_state"], "SUCCESS");
            *told
                .entry(plain["out_trade_no"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        told
    }
}

async fn take(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Full<Bytes>>, Infallible> {
    let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(now, Ordering::SeqCst);
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut patience = 200;
    while seen.now.load(Ordering::SeqCst) < seen.holds.load(Ordering::SeqCst) && patience > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        patience -= 1;
    }
    if seen.holds.load(Ordering::SeqCst) > 0 {
        // Those beyond the limit would come now.
        tokio::time::sleep(Duration::from_millis(200)).await;
        seen.holds.store(0, Ordering::SeqCst);
    }
    seen.notices.lock().unwrap().push(Request::from_parts(head, body));
    seen.now.fetch_sub(1, Ordering::SeqCst);
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    Ok(answer)
}

/// One connection of a shop's program.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    _connection: JoinSet<()>,
}

impl Client {
    async fn connect(sandbox: &Sandbox) -> Self {
        let stream = TcpStream::connect(sandbox.address()).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move { connection.await.unwrap() });
        Self {
            sender,
            _connection: task,
        }
    }

    async fn call(&mut self, sandbox: &Sandbox, method: &str, target: &str, body: &str) -> Value {
        let mut request = v3_request(sandbox, method, target, body);
        *request.uri_mut() = Uri::try_from(target).unwrap();
        request
            .headers_mut()
            .insert(HOST, sandbox.address().to_string().parse().unwrap());
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request.map(Full::new)).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(head.status, StatusCode::OK, "{body:?}");
        let account = sandbox.wechat_v3();
        assert!(v3_holds(&head.headers, &body, &account.platform_certificate_pem));
        serde_json::from_slice(&body).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_nothing_of_five_hundred_orders_from_sixteen_clients() {
    const CLIENTS: usize = 16;
    const ORDERS: usize = 500;

    let sandbox = Arc::new(Sandbox::builder().seed(1).start().await.unwrap());
    let shop = Shop::open(0).await;
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (sandbox, next, url) = (Arc::clone(&sandbox), Arc::clone(&next), shop.url.clone());
        clients.spawn(async move {
            let mut client = Client::connect(&sandbox).await;
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= ORDERS {
                    return;
                }
                let order_no = format!("order-{number:04}");
                let body = shop::order(&order_no, 100, &url);
                client.call(&sandbox, "POST", "/v3/pay/transactions/jsapi", &body).await;
                sandbox.pay(V3, &order_no).unwrap();
                if number % 10 == 0 {
                    let target = format!("/v3/pay/transactions/out-trade-no/{order_no}?mchid=1900000001");
                    let queried = client.call(&sandbox, "GET", &target, "").await;
                    assert_eq!(queried["trade_state"], "SUCCESS");
                }
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    sandbox.delivered().await;

    let expected: Vec<String> = (0..ORDERS).map(|number| format!("order-{number:04}")).collect();
    let orders = sandbox.orders(V3);
    assert!(orders.iter().map(|order| &order.order_no).eq(&expected));
    assert!(orders.iter().all(|order| order.state() == OrderState::Paid));
    let mut payments: Vec<_> = orders
        .iter()
        .map(|order| &order.payment.as_ref().unwrap().transaction_id)
        .collect();
    payments.sort_unstable();
    payments.dedup();
    assert_eq!(payments.len(), ORDERS);
    let told = shop.told(&sandbox);
    assert!(told.keys().eq(&expected));
    assert!(told.values().all(|times| *times == 1));
    let attempts = sandbox.notices();
    assert_eq!(attempts.len(), ORDERS);
    let acknowledged = |outcome: &NoticeOutcome| matches!(outcome, NoticeOutcome::Acknowledged { .. });
    assert!(attempts.iter().all(|attempt| acknowledged(&attempt.outcome)));
    assert_eq!(sandbox.calls(V3), 550);
    let connections = shop.seen.connections.load(Ordering::SeqCst);
    assert!(connections <= 64, "{connections} connections for {ORDERS} notices");
    assert!(sandbox.orders(Account::provider(V3)).is_empty());
}

#[tokio::test]
async fn has_no_more_than_64_notices_on_their_way() {
    const MOST: usize = 64;
    const ORDERS: usize = 100;

    let sandbox = Sandbox::builder().seed(1).start().await.unwrap();
    let shop = Shop::open(MOST).await;
    for number in 0..ORDERS {
        shop::place(&sandbox, &format!("order-{number:04}"), 100, &shop.url);
    }
    for number in 0..ORDERS {
        sandbox.pay(V3, &format!("order-{number:04}")).unwrap();
    }
    sandbox.delivered().await;
    let most = shop.seen.most.load(Ordering::SeqCst);
    assert!((2..=MOST).contains(&most), "{most} at once");
    let told = shop.told(&sandbox);
    assert_eq!(told.len(), ORDERS);
    assert!(told.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_shop_that_closes_without_a_word_is_told_all_the_same() {
    const ORDERS: usize = 20;

    let sandbox = Sandbox::builder().clock(shop::clock()).seed(1).start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = vec![0; 16 << 10];
            let length = stream.read(&mut read).await.unwrap();
            let head = String::from_utf8_lossy(&read[..length.min(64)]).into_owned();
            kept.lock().unwrap().push(head);
            // Neither `Connection: close` nor HTTP/1.0: the sandbox may think that this one stays.
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        }
    });
    for number in 0..ORDERS {
        let order_no = format!("order-{number:04}");
        shop::place(&sandbox, &order_no, 100, &url);
        sandbox.pay(V3, &order_no).unwrap();
        sandbox.delivered().await;
    }
    let attempts = sandbox.notices();
    assert_eq!(attempts.len(), ORDERS);
    let acknowledged = |outcome: &NoticeOutcome| matches!(outcome, NoticeOutcome::Acknowledged { .. });
    assert!(
        attempts.iter().all(|attempt| acknowledged(&attempt.outcome)),
        "{attempts:?}"
    );
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), ORDERS);
    assert!(heads.iter().all(|head| head.starts_with("POST /notify HTTP/1.1\r\n")));
    server.abort();
}
