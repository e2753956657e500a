//! Orders through the program, with what its folder says and nothing else: paid by the hooks, over plain HTTP, and over
//! TLS through the proxy under the host that clients have built in.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use yuanfen::core::{Address, BaseUrl, OrderNo, PayAmount, RefundNo, Secret, Standing};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, ClientIdentity, HyperTransport};
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_testkit::Value;

use super::Running;
use crate::program::Folder;

fn text<'v>(section: &'v Value, name: &str) -> &'v str {
    section[name].as_str().unwrap()
}

fn file(folder: &Path, section: &Value, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(text(section, name))).unwrap()
}

/// Does what a hook of the credentials says, as a harness in any language would.
fn follow(hook: &Value, fill: &[(&str, &str)]) -> u16 {
    let mut body = hook["json"].to_string();
    for (name, value) in fill {
        body = body.replace(&format!("{{{name}}}"), value);
    }
    let (host, path) = text(hook, "url")
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut request = format!("{} /{path} HTTP/1.1\r\nHost: {host}\r\n", text(hook, "method"));
    for (name, value) in hook["headers"].as_object().unwrap() {
        request += &format!("{name}: {}\r\n", value.as_str().unwrap());
    }
    request += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A client that has the hosts built in, knows the proxy, trusts the authority, and shows the merchant's PKCS#12.
fn through_the_proxy(folder: &Path, credentials: &Value) -> HyperTransport {
    let v2 = &credentials["wechat_v2"];
    let password = Secret::new(text(v2, "mch_id").to_owned());
    let identity = ClientIdentity::from_pkcs12(file(folder, v2, "merchant_p12_path"), &password).unwrap();
    HyperTransport::builder()
        .without_default_roots()
        .add_root(file(folder, &credentials["tls"], "ca_certificate_path"))
        .proxy(text(&credentials["connect_proxy"], "url"))
        .identity(identity)
        .build()
        .unwrap()
}

/// The merchant of the credentials, at the host that is built in.
fn v3_account(folder: &Path, given: &Value) -> wechat_v3::Account {
    let pem = |name| String::from_utf8(file(folder, given, name)).unwrap();
    let signer = RsaSigningKey::parse(&pem("merchant_private_key_path")).unwrap();
    let (number, serial) = (text(given, "mchid"), text(given, "merchant_serial"));
    let identity = wechat_v3::SigningIdentity::new(number, serial, Arc::new(signer)).unwrap();
    let key = ApiV3Key::new(text(given, "apiv3_key")).unwrap();
    let account = wechat_v3::Account::direct(identity, text(given, "appid"), key).unwrap();
    let certificate = pem("platform_certificate_path");
    account.with_certificate(&certificate).unwrap()
}

async fn pays_an_apiv3_order(client: &Client<wechat_v3::Account, HyperTransport>, credentials: &Value, number: &str) {
    let order_no = OrderNo::new(number).unwrap();
    let terms = wechat_v3::OrderTerms::new(
        order_no.clone(),
        PayAmount::from_fen(1234).unwrap(),
        "noodles",
        Address::parse("notify_url", "https://shop.example/notify").unwrap(),
    );
    let openid = wechat_v3::OpenId::new(text(&credentials["wechat_v3"], "openid"));
    let order = wechat_v3::ops::PlaceJsapiOrder::new(terms, openid);
    client.call(&order).await.unwrap();
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no);
    assert_eq!(client.call(&query).await.unwrap().standing(), Standing::Accepted);
    let hook = &credentials["admin"]["pay_v3"];
    let mchid = text(&credentials["wechat_v3"], "mchid");
    let with_total = |total| [("out_trade_no", number), ("total", total), ("mchid", mchid)];
    assert_eq!(follow(hook, &with_total("1233")), 409);
    assert_eq!(follow(hook, &with_total("1234")), 200);
    assert_eq!(client.call(&query).await.unwrap().standing(), Standing::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apiv3_order_is_paid_over_plain_http_and_through_the_proxy() {
    let folder = Folder::new();
    let (_running, credentials) = Running::in_folder(&folder, &[]);
    let given = &credentials["wechat_v3"];
    let plain = v3_account(folder.path(), given).with_base(BaseUrl::parse(text(given, "base_url")).unwrap());
    let plain = Client::with_transport(plain, HyperTransport::new().unwrap());
    pays_an_apiv3_order(&plain, &credentials, "PLAIN-0001").await;
    let built_in = v3_account(folder.path(), given);
    let proxied = Client::with_transport(built_in, through_the_proxy(folder.path(), &credentials));
    pays_an_apiv3_order(&proxied, &credentials, "PROXY-0001").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_v2_order_is_refunded_with_the_certificate_of_the_pkcs_12() {
    use wechat_v2::ops::{OrderKey, PlaceOrder, QueryRefund, Refund};

    // Also the way in from another machine: the hooks bear the token.
    let folder = Folder::new();
    let token = folder.put("token", "a-token-of-24-characters\n");
    let more = ["--seed", "5", "--admin-listen", "0.0.0.0:0", "--admin-token-file"];
    let (running, credentials) = Running::in_folder(&folder, &[&more[..], &[token.to_str().unwrap()]].concat());
    assert!(
        !running.addresses.to_string().contains("a-token-of"),
        "it is not printed"
    );
    assert!(running.addresses["warnings"].to_string().contains("sees its token"));
    let mut stranger = credentials["admin"]["pay_v2"].clone();
    stranger["headers"].as_object_mut().unwrap().remove("Authorization");
    assert_eq!(follow(&stranger, &[]), 401);
    let given = &credentials["wechat_v2"];
    let account = wechat_v2::Account::new(text(given, "appid"), text(given, "mch_id"), text(given, "api_key")).unwrap();
    let client = Client::with_transport(account, through_the_proxy(folder.path(), &credentials));
    let amount = PayAmount::from_fen(500).unwrap();
    let order_no = OrderNo::new("P12-0001").unwrap();
    let order = PlaceOrder::jsapi(
        order_no.clone(),
        amount,
        "noodles",
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        Address::parse("notify_url", "https://shop.example/notify").unwrap(),
        text(given, "openid"),
    );
    client.call(&order).await.unwrap();
    let mchid = text(given, "mch_id");
    let fill = [("out_trade_no", "P12-0001"), ("total", "500"), ("mchid", mchid)];
    assert_eq!(follow(&credentials["admin"]["pay_v2"], &fill), 200);
    let refund_no = RefundNo::new("P12-0001-R").unwrap();
    let refund = Refund::new(OrderKey::Merchant(order_no), refund_no.clone(), amount, amount);
    client.call(&refund).await.unwrap();
    let settle = &credentials["admin"]["settle_refund_v2"];
    assert_eq!(follow(settle, &[("out_refund_no", "P12-0001-R")]), 200);
    let found = client.call(&QueryRefund::by_refund_no(refund_no)).await.unwrap();
    assert_eq!(found.refunds.len(), 1);
}
