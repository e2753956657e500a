//! A call without async: build the request, send it with whatever you have, open the reply.
//!
//! What it sends with is a socket of the standard library, to show that nothing else is needed. In a program, use a
//! blocking HTTP client with TLS. Offline: `cargo run -p yuanfen --example blocking --features full`.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]
#![allow(
    clippy::disallowed_methods,
    reason = "here the example stands where the transport crate stands otherwise"
)]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use yuanfen::core::{
    Address, Ambient as _, BaseUrl, Operation, OperationExt as _, OrderNo, PayAmount, RouteInfo, Sent, TransportError,
    TransportErrorKind,
};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v2::ops::{PlaceOrder, QueryOrder};
use yuanfen::wechat_v2::{self, Account};
use yuanfen_sandbox::{Platform, Sandbox};

/// One call: the three lines that a sans-IO user writes.
fn call<O: Operation<Provider = Account>>(account: &Account, operation: &O) -> Result<O::Reply, yuanfen::core::Error> {
    let request = operation.request(account, &OsAmbient)?;
    let response = send(&request)
        .map_err(|error| yuanfen::core::Error::new(RouteInfo::of::<O>(), yuanfen::core::ErrorKind::Transport(error)))?;
    operation.reply(account, &response, OsAmbient.now())
}

/// HTTP/1.1 over a plain socket. What it owes is to say honestly whether anything may have been sent.
fn send(request: &http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
    let fails = |kind, sent| move |error: std::io::Error| TransportError::new(kind, sent, Some(error.into()));
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let mut socket = TcpStream::connect(authority).map_err(fails(TransportErrorKind::Connect, Sent::No))?;

    // From the first byte on, whatever fails leaves the outcome open.
    let cut = fails(TransportErrorKind::Cut, Sent::Maybe);
    let mut exchange = || {
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let length = request.body().len();
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: {length}\r\n",
            request.method()
        );
        for (name, value) in request.headers() {
            head.push_str(&format!(
                "{name}: {}\r\n",
                value.to_str().map_err(std::io::Error::other)?
            ));
        }
        head.push_str("\r\n");
        socket.write_all(head.as_bytes())?;
        socket.write_all(request.body())?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        read(&answer).ok_or_else(|| std::io::Error::other("no complete HTTP answer"))
    };
    exchange().map_err(cut)
}

/// Takes an answer apart: status, headers, and as much of a body as it announces.
fn read(answer: &[u8]) -> Option<http::Response<Bytes>> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at_checked(end)?;
    let body = rest.get(4..)?;
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut response = http::Response::builder().status(status);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        response = response.header(name, value.trim());
    }
    let announced = response.headers_ref()?.get(http::header::CONTENT_LENGTH)?;
    let whole = announced.to_str().ok()?.parse() == Ok(body.len());
    if whole {
        response.body(Bytes::copy_from_slice(body)).ok()
    } else {
        None
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The sandbox is async; it gets threads of its own. The shop below has none of that.
    let elsewhere = tokio::runtime::Runtime::new()?;
    let sandbox = elsewhere.block_on(Sandbox::start())?;

    let given = sandbox.wechat_v2();
    let account = Account::new(given.app_id, given.merchant_id, given.api_key.expose())?
        .with_base(BaseUrl::parse(&given.base_url)?)
        .with_sign_type(wechat_v2::SignType::HmacSha256);
    let order_no = OrderNo::portable("SHOP20260101000001")?;
    let order = PlaceOrder::jsapi(
        order_no.clone(),
        PayAmount::from_yuan_text("12.30")?,
        "noodles",
        "203.0.113.7".parse()?,
        Address::parse_plain("notify_url", "https://shop.example/wechat/notify")?,
        given.openid,
    );
    let placed = call(&account, &order)?;
    println!("placed {order_no}: prepay id {}", placed.prepay_id.as_str());

    sandbox.pay(Platform::WechatV2, order_no.as_str())?;
    let found = call(&account, &QueryOrder::by_order_no(order_no))?;
    println!("the platform says {}", found.trade_state);

    // A far side that is not there: nothing was sent, so the identical order may be sent again.
    drop(sandbox);
    drop(elsewhere);
    let error = call(&account, &order).err().ok_or("nobody should have answered")?;
    println!("afterwards: {error}");
    if found.trade_state.is_paid() {
        Ok(())
    } else {
        Err("the order should be paid".into())
    }
}
