//! A shop's end for tests: calls that are signed without any provider crate, answers as bytes, and a listener that
//! keeps what it is told.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use yuanfen_core::{FixedAmbient, Sign, UnixTime};
use yuanfen_sandbox::{Clock, FarSide};
use yuanfen_sign::RsaSigningKey;
use yuanfen_testkit::oracle;

/// Where the clock of these tests starts: 2025-10-09 16:53:20 in Beijing.
pub const NOW: i64 = 1_760_000_000;

pub fn clock() -> Clock {
    Clock::starting_at(UnixTime::from_seconds(NOW))
}

/// A far side in memory, on a virtual clock.
pub fn far_side() -> FarSide {
    FarSide::new("https://sandbox.example", clock(), 7).unwrap()
}

/// Writes bytes to a socket and reads until the other end closes.
pub async fn raw(address: std::net::SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A cut connection is an error on some systems and an end on others; what came before it counts.
    let _ended = stream.read_to_end(&mut answer).await;
    answer
}

/// Sends an APIv3 call to a far side.
pub fn v3(far_side: &FarSide, method: &str, target: &str, body: &str) -> Response<Bytes> {
    far_side.answer(&v3_request(far_side, method, target, body)).unwrap()
}

/// A signed APIv3 call. Only the RSA is `yuanfen-sign`'s; text and header are written out here.
pub fn v3_request(far_side: &FarSide, method: &str, target: &str, body: &str) -> Request<Bytes> {
    let account = far_side.wechat_v3();
    let pem = account.merchant_private_key_pem.expose().clone();
    let caller = (account.merchant_id, account.merchant_serial, pem);
    v3_request_of(caller, far_side, method, target, body)
}

/// Sends a service provider's APIv3 call.
pub fn v3_provider(far_side: &FarSide, method: &str, target: &str, body: &str) -> Response<Bytes> {
    far_side
        .answer(&v3_provider_request(far_side, method, target, body))
        .unwrap()
}

pub fn v3_provider_request(far_side: &FarSide, method: &str, target: &str, body: &str) -> Request<Bytes> {
    let account = far_side.wechat_v3_provider();
    let pem = account.provider_private_key_pem.expose().clone();
    let caller = (account.provider_id, account.provider_serial, pem);
    v3_request_of(caller, far_side, method, target, body)
}

/// `caller` is a number, the serial of its certificate and its private key.
fn v3_request_of(
    caller: (String, String, String),
    far_side: &FarSide,
    method: &str,
    target: &str,
    body: &str,
) -> Request<Bytes> {
    let (merchant, serial, pem) = caller;
    let timestamp = far_side.clock().real_now().seconds().to_string();
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    let text = oracle::v3_request_text(method, target, &timestamp, nonce, body.as_bytes());
    let key = RsaSigningKey::parse(&pem).unwrap();
    let signature = key.sign(&text, &FixedAmbient::at(0)).unwrap();
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(format!("https://sandbox.example{target}"))
        .header(
            "authorization",
            format!(
                "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
                 serial_no=\"{serial}\",signature=\"{signature}\""
            ),
        )
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("user-agent", "test")
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// Places an APIv3 order that is valid.
pub fn place(far_side: &FarSide, order_no: &str, total: i64, notify_url: &str) {
    let response = v3(
        far_side,
        "POST",
        "/v3/pay/transactions/jsapi",
        &order(order_no, total, notify_url),
    );
    assert_eq!(response.status(), 200, "{:?}", response.body());
}

pub fn order(order_no: &str, total: i64, notify_url: &str) -> String {
    json!({
        "appid": "wx5a6d0b0c5a1e4d21",
        "mchid": "1900000001",
        "description": "noodles, hot",
        "out_trade_no": order_no,
        "notify_url": notify_url,
        "amount": { "total": total },
        "payer": { "openid": "oSandbox_Payer-0123456789abc" },
        "attach": "table 7",
    })
    .to_string()
}

/// Asks for a refund.
pub fn refund(far_side: &FarSide, order_no: &str, refund_no: &str, amount: i64, total: i64) -> Response<Bytes> {
    let body = json!({
        "out_trade_no": order_no,
        "out_refund_no": refund_no,
        "notify_url": "http://127.0.0.1:9/refund",
        "amount": { "refund": amount, "total": total, "currency": "CNY" },
    });
    v3(far_side, "POST", "/v3/refund/domestic/refunds", &body.to_string())
}

pub fn query(far_side: &FarSide, order_no: &str) -> Value {
    let target = format!("/v3/pay/transactions/out-trade-no/{order_no}?mchid=1900000001");
    json_of(&v3(far_side, "GET", &target, ""))
}

pub fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// The status and the code of a refusal.
pub fn refusal(response: &Response<Bytes>) -> (u16, String) {
    let code = json_of(response)["code"].as_str().unwrap().to_owned();
    (response.status().as_u16(), code)
}

/// Whether the five headers prove a message, by the oracle, under that certificate or public key.
pub fn v3_holds(headers: &http::HeaderMap, body: &[u8], pem: &str) -> bool {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    let text = oracle::v3_message_text(header("wechatpay-timestamp"), header("wechatpay-nonce"), body);
    oracle::rsa_verify(pem, oracle::Hash::Sha256, &text, header("wechatpay-signature"))
}

/// How a v2 message is signed.
pub type V2Digest = fn(&oracle::Map, &str) -> String;

/// Sends a v2 call, signed by the oracle.
pub fn v2(far_side: &FarSide, path: &str, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let response = far_side.answer(&v2_request(far_side, path, fields)).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    xml_fields(response.body())
}

pub fn v2_request(far_side: &FarSide, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let account = far_side.wechat_v2();
    let key = account.api_key.expose();
    v2_request_of(&account.app_id, &account.merchant_id, key, path, fields)
}

/// Sends a service provider's v2 call, signed by the oracle.
pub fn v2_provider(far_side: &FarSide, path: &str, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let response = far_side.answer(&v2_provider_request(far_side, path, fields)).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    xml_fields(response.body())
}

pub fn v2_provider_request(far_side: &FarSide, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let account = far_side.wechat_v2_provider();
    let key = account.api_key.expose();
    v2_request_of(&account.app_id, &account.merchant_id, key, path, fields)
}

fn v2_request_of(app_id: &str, merchant_id: &str, key: &str, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let mut map: BTreeMap<String, String> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, value) in [
        ("appid", app_id),
        ("mch_id", merchant_id),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
    ] {
        map.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let sign = if map.get("sign_type").is_some_and(|kind| kind == "HMAC-SHA256") {
        oracle::v2_hmac(&map, key)
    } else {
        oracle::v2_md5(&map, key)
    };
    map.insert("sign".to_owned(), sign);
    let mut body = String::from("<xml>");
    for (name, value) in &map {
        write!(body, "<{name}><![CDATA[{value}]]></{name}>").unwrap();
    }
    body.push_str("</xml>");
    Request::post(format!("https://sandbox.example{path}"))
        .body(Bytes::from(body))
        .unwrap()
}

/// Fields of a flat XML message, read with string search: values of these tests hold no references.
pub fn xml_fields(body: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(body).unwrap();
    let mut rest = text
        .strip_prefix("<xml>")
        .and_then(|rest| rest.strip_suffix("</xml>"))
        .unwrap();
    let mut fields = BTreeMap::new();
    while let Some(after) = rest.strip_prefix('<') {
        let (name, after) = after.split_once('>').unwrap();
        let (value, after) = after.split_once(&format!("</{name}>")).unwrap();
        let value = value
            .strip_prefix("<![CDATA[")
            .and_then(|value| value.strip_suffix("]]>"))
            .unwrap_or(value);
        assert!(fields.insert(name.to_owned(), value.to_owned()).is_none());
        rest = after;
    }
    assert_eq!(rest, "");
    fields
}

/// A listener that answers one scripted answer after another, the last one for ever, and keeps what it was sent.
pub struct Listener {
    pub url: String,
    received: Arc<Mutex<Vec<Request<Bytes>>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Listener {
    /// `answers` are status and body.
    pub async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut script: VecDeque<(u16, String)> = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()))
            .collect();
        let kept = Arc::clone(&received);
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let message = read_message(&mut stream).await;
                kept.lock().unwrap().push(message);
                let (status, body) = if script.len() > 1 {
                    script.pop_front().unwrap()
                } else {
                    script.front().unwrap().clone()
                };
                let answer = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, received, task }
    }

    pub fn received(&self) -> Vec<Request<Bytes>> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_message(stream: &mut TcpStream) -> Request<Bytes> {
    let mut message = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        message.extend_from_slice(&chunk[..read]);
        if let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(message[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
            let mut request = Request::post(target);
            for line in lines {
                let (name, value) = line.split_once(": ").unwrap();
                request = request.header(name, value);
            }
            let body = &message[end + 4..];
            let length: usize = request
                .headers_ref()
                .unwrap()
                .get("content-length")
                .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
            if body.len() >= length {
                return request.body(Bytes::copy_from_slice(body)).unwrap();
            }
        }
        assert_ne!(read, 0, "the message is cut off");
    }
}
