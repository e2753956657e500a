//! Whom a call is for, by the host it names, and what a platform tells of its own address.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_sandbox::{FarSide, Platform, Sandbox};

use crate::raw_http::parse;
use crate::secure::{connect, exchange};
use crate::shop::{self, clock, json_of, raw, v3_request};

pub const BILL: &str = "/v3/bill/tradebill?bill_date=2025-10-09";

/// Leaves a trade of yesterday behind.
pub fn with_a_trade(far_side: &FarSide) {
    shop::place(far_side, "order-1", 100, "http://127.0.0.1:9/notify");
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
}

/// A signed request as bytes, to that host, without what the client of these tests adds by itself.
pub fn bytes_of(request: &Request<Bytes>, host: &str, more: &str) -> Vec<u8> {
    let mut text = format!(
        "{} {} HTTP/1.1\r\n",
        request.method(),
        request.uri().path_and_query().unwrap()
    );
    if !host.is_empty() {
        text.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str(more);
    text.push_str("Connection: close\r\n\r\n");
    [text.as_bytes(), request.body()].concat()
}

fn address_in(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["download_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tells_the_address_of_a_bill_by_the_host_and_scheme_that_the_client_used() {
    let sandbox = Sandbox::builder()
        .clock(clock())
        .seed(1)
        .tls(true)
        .start()
        .await
        .unwrap();
    with_a_trade(&sandbox);
    let apply = |host: &str, more: &str| bytes_of(&v3_request(&sandbox, "GET", BILL, ""), host, more);

    let plain = sandbox.address().to_string();
    let by_name = format!("localhost:{}", sandbox.address().port());
    for (host, origin) in [
        (plain.as_str(), format!("http://{plain}")),
        (&by_name, format!("http://{by_name}")),
        ("api.mch.weixin.qq.com", "http://api.mch.weixin.qq.com".to_owned()),
        ("API2.wechatpay.cn:8080", "http://API2.wechatpay.cn:8080".to_owned()),
    ] {
        let answer = parse(&raw(sandbox.address(), &apply(host, "")).await);
        let address = address_in(&answer.body);
        assert!(
            address.starts_with(&format!("{origin}/v3/billdownload/file?token=")),
            "{host}: {address}"
        );
    }

    // Over TLS, and the file is where the address says.
    for host in ["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"] {
        let stream = connect(&sandbox, host, None).await.unwrap();
        let answer = parse(&exchange(stream, &apply(host, "")).await);
        let address = address_in(&answer.body);
        let target = address.strip_prefix(&format!("https://{host}")).unwrap();
        let stream = connect(&sandbox, host, None).await.unwrap();
        let fetch = bytes_of(&v3_request(&sandbox, "GET", target, ""), host, "");
        let file = parse(&exchange(stream, &fetch).await);
        assert_eq!(file.status, 200);
        assert!(file.body.starts_with("\u{feff}交易时间".as_bytes()));
    }
}

#[tokio::test]
async fn never_echoes_a_host_that_is_not_the_sandboxs() {
    let sandbox = Sandbox::builder().clock(clock()).seed(1).start().await.unwrap();
    with_a_trade(&sandbox);
    for (host, more) in [
        ("evil.example", ""),
        ("api.mch.weixin.qq.com.evil.example", ""),
        ("evil.example@api.mch.weixin.qq.com", ""),
        ("api.mch.weixin.qq.com@evil.example", ""),
        ("api.mch.weixin.qq.com:x", ""),
        ("api.mch.weixin.qq.com:0", ""),
        ("api.mch.weixin.qq.com:+443", ""),
        ("[::1]evil.example", ""),
        ("[::1]evil.example:443", ""),
        ("api.mch.weixin.qq.com:99999", ""),
        ("api.mch.weixin.qq.com, evil.example", ""),
        ("127.0.0.1.evil.example", ""),
        ("", ""),
        ("api.mch.weixin.qq.com", "Host: evil.example\r\n"),
        (
            "sandbox",
            "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n",
        ),
    ] {
        let request = bytes_of(&v3_request(&sandbox, "GET", BILL, ""), host, more);
        let answer = parse(&raw(sandbox.address(), &request).await);
        let address = address_in(&answer.body);
        assert!(
            address.starts_with(&format!("{}/v3/billdownload/file?token=", sandbox.base_url())),
            "{host}: {address}"
        );
    }
}

fn get(far_side: &FarSide, address: &str) -> Response<Bytes> {
    far_side
        .answer(&Request::get(address).body(Bytes::new()).unwrap())
        .unwrap()
}

#[test]
fn gives_each_host_the_paths_that_it_has_in_life() {
    let far_side = shop::far_side();
    for (address, platform) in [
        (
            "https://api.mch.weixin.qq.com/v3/certificates",
            Some(Platform::WechatV3),
        ),
        ("https://api.wechatpay.cn/v3/certificates", Some(Platform::WechatV3)),
        (
            "https://api2.mch.weixin.qq.com/pay/orderquery",
            Some(Platform::WechatV2),
        ),
        (
            "https://api.mch.weixin.qq.com/starpos/adpweb/ehpspos3/pubSigQry.json",
            None,
        ),
        ("https://api.mch.weixin.qq.com/sns/oauth2/access_token", None),
        (
            "https://api.weixin.qq.com/sns/oauth2/access_token",
            Some(Platform::WechatV3),
        ),
        (
            "https://open.weixin.qq.com/connect/oauth2/authorize",
            Some(Platform::WechatV3),
        ),
        ("https://open.weixin.qq.com/v3/certificates", None),
        ("https://api.weixin.qq.com/starpos/adpweb/ehpspos3/pubSigQry.json", None),
        (
            "http://gateway.starpos.com.cn/adpweb/ehpspos3/pubSigQry.json",
            Some(Platform::Starpos),
        ),
        (
            "http://139.196.77.69:8280/adpweb/ehpspos3/pubSigQry.json",
            Some(Platform::Starpos),
        ),
        (
            "https://gateway.starpos.com.cn/starpos/adpweb/ehpspos3/pubSigQry.json",
            Some(Platform::Starpos),
        ),
        ("https://gateway.starpos.com.cn/pay/orderquery", Some(Platform::Starpos)),
        (
            "https://openapi-liquidation.51fubei.com/gateway",
            Some(Platform::Fshows),
        ),
        (
            "https://openapi-liquidation-test.51fubei.com/payPage/?prepay_id=1",
            Some(Platform::Fshows),
        ),
        ("https://mpgateway.test/api/mpgateway", Some(Platform::Mpgateway)),
        // The sandbox's own names have everybody, the acquirers below their names.
        (
            "http://127.0.0.1/starpos/adpweb/ehpspos3/pubSigQry.json",
            Some(Platform::Starpos),
        ),
        ("http://localhost:8080/fshows/gateway", Some(Platform::Fshows)),
        ("https://sandbox.example/mpgateway/api/query", Some(Platform::Mpgateway)),
        ("https://sandbox.example/adpweb/ehpspos3/pubSigQry.json", None),
    ] {
        get(&far_side, address);
        let exchange = far_side.exchanges().pop().unwrap();
        assert_eq!(exchange.platform, platform, "{address}");
        // The log has the path that the client asked for.
        let path: http::Uri = address.parse().unwrap();
        assert_eq!(exchange.path(), path.path());
    }
    let named = |index: usize| far_side.exchanges()[index].operation;
    assert_eq!(named(9), "look-up-account");
    assert_eq!(named(11), "unknown");
    assert_eq!(named(14), "cashier-page");
    assert_eq!(named(15), "place-order");
}

#[test]
fn tells_a_bills_address_by_the_requests_own_in_memory() {
    let far_side = shop::far_side();
    with_a_trade(&far_side);
    for (address, origin) in [
        ("https://sandbox.example", "https://sandbox.example/"),
        ("https://evil.example", "https://sandbox.example/"),
        ("https://api.mch.weixin.qq.com", "https://api.mch.weixin.qq.com/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ] {
        let mut request = v3_request(&far_side, "GET", BILL, "");
        *request.uri_mut() = format!("{address}{BILL}").parse().unwrap();
        let answer = far_side.answer(&request).unwrap();
        let told = json_of(&answer)["download_url"].as_str().unwrap().to_owned();
        assert!(told.starts_with(origin), "{address}: {told}");
    }
}
