//! Signatures and bodies are the sheet's worked examples V1, V4 and V5, or the oracle's over JSON written here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yuanfen_sandbox::{FaultKind, FaultRule, NoticeOutcome, PageRefused, Platform, Sandbox, SignatureVerdict};
use yuanfen_testkit::oracle;

use crate::shop::Listener;
use crate::wire::{Reply, escape, field, form, get, post, sandbox};

const FORM: &str = "application/x-www-form-urlencoded";
const KEY: &str = "testkey-0123456789abcdef";
pub const SUBMIT: &str = "/mpgateway/api/mpgateway";
pub const QUERY: &str = "/mpgateway/api/query";
const CANCEL: &str = "/mpgateway/api/cancel";

/// Sheet, section 5, V1.
pub const V1: &str = "req=eyJhY3Rpb24iOiJXeFNhbyIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImJhY2t1cmwiOiJodHRwczovL3Nob3AuZXhhbXBsZS9ub3RpZnkifQ%3D%3D&sign=0ecf66aae8f63d9e7ce1742fb1df6424";
/// V4.
const V4: &str =
    "req=eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSJ9&sign=3c99b9c07d4e91b376c91b53ba110e9d";
/// V5.
const V5: &str = "req=eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImNvZGUiOiJQQVlJRC1URVNULTAwMDEifQ%3D%3D&sign=d044a273eba61a8e78a0525e695d7b42";

async fn send(sandbox: &Sandbox, target: &str, body: &str) -> Reply {
    post(sandbox.address(), target, FORM, body.as_bytes()).await
}

fn sealed(payload: &str) -> String {
    let base64 = oracle::mpgateway_base64(payload);
    let sign = oracle::mpgateway_sign(&base64, KEY);
    format!("req={}&sign={sign}", escape(&base64))
}

pub async fn call(sandbox: &Sandbox, target: &str, payload: &Value) -> Value {
    opened(&send(sandbox, target, &sealed(&payload.to_string())).await)
}

/// The payload of a reply whose signature holds.
fn opened(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200);
    let outer = reply.json();
    let resp = outer["resp"].as_str().unwrap();
    assert_eq!(outer["sign"], oracle::mpgateway_sign(resp, KEY));
    serde_json::from_slice(&STANDARD.decode(resp).unwrap()).unwrap()
}

/// The payload of a reply with an empty `sign`.
fn up_front(reply: &Reply) -> Value {
    let outer = reply.json();
    assert_eq!(outer["sign"], "");
    serde_json::from_slice(&STANDARD.decode(outer["resp"].as_str().unwrap()).unwrap()).unwrap()
}

pub fn order(action: &str, order_no: &str, backurl: &str) -> Value {
    json!({
        "action": action, "txnamt": 100, "merid": "00000001", "orderid": order_no, "backurl": backurl,
        "openid": "o1", "code": "130000000000000001", "ip": "203.0.113.7",
    })
}

/// A notice's payload, if its signature holds.
pub fn notice(body: &[u8]) -> Value {
    let fields = form(std::str::from_utf8(body).unwrap());
    assert_eq!(fields.len(), 2);
    let resp = field(&fields, "resp");
    assert_eq!(field(&fields, "sign"), oracle::mpgateway_sign(resp, KEY));
    serde_json::from_slice(&STANDARD.decode(resp).unwrap()).unwrap()
}

#[tokio::test]
async fn takes_the_sheets_own_submit_and_query() {
    let sandbox = sandbox().await;
    let reply = send(&sandbox, SUBMIT, V1).await;
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    let placed = opened(&reply);
    let query_id = placed["queryid"].as_str().unwrap().to_owned();
    assert!(query_id.starts_with('H') && query_id.len() == 25, "{query_id}");
    let form_action = placed["formaction"].as_str().unwrap();
    assert!(form_action.starts_with("weixin://wxpay/bizpayurl?pr="), "{form_action}");
    assert_eq!(placed["respcode"], "00");
    assert_eq!(placed["txnamt"], 100);
    assert_eq!(placed["orderid"], "TEST20240102030405");

    let unpaid = opened(&send(&sandbox, QUERY, V4).await);
    let expected = json!({
        "respcode": "00", "respmsg": "成功！", "resultcode": "1001", "resultmsg": "未支付", "txnamt": 100,
        "merid": "00000001", "orderid": "TEST20240102030405", "queryid": query_id, "paytime": "",
    });
    assert_eq!(unpaid, expected);

    sandbox.pay(Platform::Mpgateway, "TEST20240102030405").unwrap();
    let paid = opened(&send(&sandbox, QUERY, V4).await);
    assert_eq!(paid["resultcode"], "0000");
    assert_eq!(paid["paytime"], "2025-10-09 16:53:20");
    let signatures: Vec<_> = sandbox.exchanges().iter().map(|exchange| exchange.signature).collect();
    assert_eq!(signatures, [SignatureVerdict::Holds; 3]);
    let text = sandbox.exchanges()[1].canonical_text.clone().unwrap();
    assert_eq!(
        text,
        "eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSJ9<key>"
    );
}

#[tokio::test]
async fn refuses_up_front_with_an_empty_sign() {
    let sandbox = sandbox().await;
    let stranger = json!({ "merid": "00000002", "orderid": "TEST20240102030405" }).to_string();
    // JSON + key and escaped base64 + key are the sheet's wrong variants of V1.
    let wrong = |sign: &str| V1.replace("0ecf66aae8f63d9e7ce1742fb1df6424", sign);
    let cases = [
        (sealed(&stranger), SignatureVerdict::UnknownKey),
        (wrong("7c0ddf1a079dea07469d82a82382f452"), SignatureVerdict::Mismatch),
        (wrong("a817033316bbfdba0a95bc6b0536e63f"), SignatureVerdict::Mismatch),
        (wrong(""), SignatureVerdict::Missing),
        (V1.replace("&sign", "&sing"), SignatureVerdict::Missing),
        (V1.replace("%3D", "="), SignatureVerdict::Holds),
        (V1.replace("%3D%3D", ""), SignatureVerdict::NotChecked),
        ("req=AAAA".to_owned(), SignatureVerdict::NotChecked),
        (String::new(), SignatureVerdict::NotChecked),
    ];
    for (body, verdict) in cases {
        let reply = send(&sandbox, SUBMIT, &body).await;
        assert_eq!(sandbox.exchanges().last().unwrap().signature, verdict, "{body}");
        if verdict != SignatureVerdict::Holds {
            let payload = up_front(&reply);
            assert_eq!(payload["respcode"], "90", "{body}");
            assert_eq!(payload.as_object().unwrap().len(), 2, "{body}");
        }
    }
    // Only the one whose signature holds placed anything.
    assert_eq!(sandbox.orders(Platform::Mpgateway).len(), 1);
    let upper = V4.replace("3c99b9c07d4e91b376c91b53ba110e9d", "3C99B9C07D4E91B376C91B53BA110E9D");
    assert_eq!(opened(&send(&sandbox, QUERY, &upper).await)["respcode"], "00");
}

#[tokio::test]
async fn refuses_a_req_whose_plus_was_not_escaped() {
    let sandbox = sandbox().await;
    let mut payload = order("WxSao", "TEST20240102030406", "https://shop.example/n");
    payload["note"] = json!("支付成功！");
    let body = sealed(&payload.to_string());
    assert!(body.contains("%2B"), "the example holds no plus");
    assert_eq!(
        up_front(&send(&sandbox, SUBMIT, &body.replace("%2B", "+")).await)["respcode"],
        "90"
    );
    assert_eq!(opened(&send(&sandbox, SUBMIT, &body).await)["respcode"], "00");
}

#[tokio::test]
async fn takes_all_nine_actions_with_what_each_needs() {
    let sandbox = sandbox().await;
    let cases = [
        ("WxCode", Some("code"), None),
        ("WxSao", None, Some("weixin://")),
        ("WxJsApi", Some("openid"), Some("PAYID")),
        ("WxH5", Some("ip"), Some("https://wx.tenpay.com/")),
        ("AliCode", Some("code"), None),
        ("AliSao", None, Some("https://qr.alipay.com/")),
        ("QQCode", Some("code"), None),
        ("QQSao", None, Some("https://qpay.qq.com/")),
        ("USao", None, Some("https://qr.95516.com/")),
    ];
    for (index, (action, needed, form_action)) in cases.into_iter().enumerate() {
        let order_no = format!("ORDER{index:04}");
        let mut payload = order(action, &order_no, "http://127.0.0.1:9/n");
        if let Some(needed) = needed {
            let kept = payload.as_object_mut().unwrap().remove(needed).unwrap();
            let refused = call(&sandbox, SUBMIT, &payload).await;
            assert_eq!(refused["respcode"], "90", "{action}");
            assert_eq!(refused["respmsg"], format!("请求参数错误：{needed}"));
            assert_eq!(refused["orderid"], order_no.as_str());
            payload[needed] = kept;
        }
        payload["txnamt"] = json!("100");
        let placed = call(&sandbox, SUBMIT, &payload).await;
        assert_eq!(placed["respcode"], "00", "{action}: {placed}");
        match form_action {
            None => assert_eq!(placed.get("formaction"), None, "{action}"),
            Some(start) => assert!(placed["formaction"].as_str().unwrap().starts_with(start), "{action}"),
        }
        sandbox.pay(Platform::Mpgateway, &order_no).unwrap();
    }
}

#[tokio::test]
async fn enforces_every_field_of_a_submission() {
    let sandbox = sandbox().await;
    let cases = [
        ("action", json!("wxsao"), "90"),
        ("action", json!(null), "90"),
        ("txnamt", json!(0), "90"),
        ("txnamt", json!(-1), "90"),
        ("txnamt", json!("1.00"), "90"),
        ("txnamt", json!(1.5), "90"),
        ("txnamt", json!(10_000_000_001_i64), "90"),
        ("orderid", json!("SEVEN77"), "90"),
        ("orderid", json!("A".repeat(33)), "90"),
        ("orderid", json!("WITH-HYPHEN"), "90"),
        ("backurl", json!(""), "90"),
        ("backurl", json!("shop.example/n"), "90"),
        ("fronturl", json!("/front"), "90"),
        ("ip", json!("203.0.113"), "90"),
        ("orderid", json!("EIGHT888"), "00"),
        ("orderid", json!("A".repeat(32)), "00"),
        ("payway", json!(7), "00"),
        ("nobodyknows", json!({ "a": 1 }), "00"),
    ];
    for (index, (name, value, code)) in cases.into_iter().enumerate() {
        let mut payload = order("WxSao", &format!("FIELD{index:05}"), "https://shop.example/n");
        payload[name] = value;
        assert_eq!(call(&sandbox, SUBMIT, &payload).await["respcode"], code, "{payload}");
    }
}

#[tokio::test]
async fn refuses_a_second_order_of_one_number() {
    let sandbox = sandbox().await;
    opened(&send(&sandbox, SUBMIT, V1).await);
    let again = opened(&send(&sandbox, SUBMIT, V1).await);
    assert_eq!(again["respcode"], "91");
    assert_eq!(again["txnamt"], 100);
    assert_eq!(again.get("queryid"), None);
}

#[tokio::test]
async fn queries_and_cancels_by_either_number() {
    let sandbox = sandbox().await;
    let placed = opened(&send(&sandbox, SUBMIT, V1).await);
    call(&sandbox, SUBMIT, &order("AliSao", "ANOTHER1", "https://shop.example/n")).await;
    // With both, `queryid` wins.
    let both = json!({ "merid": "00000001", "orderid": "ANOTHER1", "queryid": placed["queryid"] });
    assert_eq!(call(&sandbox, QUERY, &both).await["orderid"], "TEST20240102030405");
    assert_eq!(
        call(&sandbox, QUERY, &json!({ "merid": "00000001" })).await["respcode"],
        "90"
    );
    let unknown = json!({ "merid": "00000001", "orderid": "NOBODYS1" });
    assert_eq!(call(&sandbox, QUERY, &unknown).await["respcode"], "92");
    assert_eq!(call(&sandbox, CANCEL, &unknown).await["respcode"], "92");

    let cancelled = call(&sandbox, CANCEL, &both).await;
    assert_eq!(cancelled["respcode"], "00");
    assert_eq!(cancelled["orderid"], "TEST20240102030405");
    assert_eq!(opened(&send(&sandbox, QUERY, V4).await)["resultcode"], "1003");
    assert_eq!(call(&sandbox, CANCEL, &both).await["respcode"], "00");
    assert!(sandbox.pay(Platform::Mpgateway, "TEST20240102030405").is_err());

    sandbox.pay(Platform::Mpgateway, "ANOTHER1").unwrap();
    let paid = call(&sandbox, QUERY, &json!({ "merid": "00000001", "orderid": "ANOTHER1" })).await;
    for named in [
        json!({ "merid": "00000001", "orderid": "ANOTHER1" }),
        json!({ "merid": "00000001", "queryid": paid["queryid"] }),
    ] {
        // By the table no field may be absent, and `respmsg` has the reason of a failure.
        assert_eq!(
            call(&sandbox, CANCEL, &named).await,
            json!({
                "respcode": "93", "respmsg": "订单已支付，不能撤销", "queryid": paid["queryid"], "txnamt": 100,
                "merid": "00000001", "orderid": "ANOTHER1",
            })
        );
    }
    // The fault plan takes the order that the gateway takes.
    sandbox.set_faults(FaultRule::new(FaultKind::UnsignedError).about("TEST20240102030405"));
    let struck = send(&sandbox, QUERY, &sealed(&both.to_string())).await;
    assert_eq!(up_front(&struck)["respcode"], "99");
    let spared = json!({ "merid": "00000001", "orderid": "TEST20240102030405", "queryid": paid["queryid"] });
    assert_eq!(call(&sandbox, QUERY, &spared).await["orderid"], "ANOTHER1");
}

#[tokio::test]
async fn keeps_an_order_open_when_the_payer_cancels_and_ends_it_when_the_payer_fails() {
    let sandbox = sandbox().await;
    opened(&send(&sandbox, SUBMIT, V1).await);
    sandbox.cancel(Platform::Mpgateway, "TEST20240102030405").unwrap();
    assert_eq!(opened(&send(&sandbox, QUERY, V4).await)["resultcode"], "1001");
    sandbox.fail(Platform::Mpgateway, "TEST20240102030405").unwrap();
    assert_eq!(opened(&send(&sandbox, QUERY, V4).await)["resultcode"], "1003");
    assert!(sandbox.pay(Platform::Mpgateway, "TEST20240102030405").is_err());
}

#[tokio::test]
async fn tells_ten_times_at_most_and_stops_at_exactly_0000() {
    let sandbox = sandbox().await;
    let deaf = Listener::start(&[
        (200, "OK"),
        (200, "0000\n"),
        (200, "\"0000\""),
        (500, "0000"),
        (204, ""),
        (200, "success"),
    ])
    .await;
    call(&sandbox, SUBMIT, &order("WxSao", "NOTICE0001", &deaf.url)).await;
    sandbox.pay(Platform::Mpgateway, "NOTICE0001").unwrap();
    sandbox.advance(Duration::from_secs(3600)).await.unwrap();
    let attempts = sandbox.notices();
    let start = attempts[0].at;
    let offsets: Vec<i64> = attempts.iter().map(|attempt| attempt.at.since(start)).collect();
    assert_eq!(offsets, [0, 10, 20, 30, 90, 150, 210, 390, 570, 750]);
    assert!(
        attempts
            .iter()
            .all(|attempt| matches!(attempt.outcome, NoticeOutcome::Refused { .. }))
    );

    let hearing = Listener::start(&[(200, "fail"), (200, "0000")]).await;
    call(&sandbox, SUBMIT, &order("WxSao", "NOTICE0002", &hearing.url)).await;
    sandbox.pay(Platform::Mpgateway, "NOTICE0002").unwrap();
    sandbox.advance(Duration::from_secs(3600)).await.unwrap();
    let received = hearing.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body(), received[1].body());
    assert_eq!(
        received[0].headers()["content-type"],
        "application/x-www-form-urlencoded; charset=UTF-8"
    );
    let told = notice(received[0].body());
    assert_eq!(told["resultcode"], "0000");
    assert_eq!(told["txnamt"], 100);
    assert_eq!(told["orderid"], "NOTICE0002");
    assert_eq!(told["merid"], "00000001");
    // The Chinese words bring a plus into the base64, which must be escaped.
    assert!(received[0].body().windows(3).any(|window| window == b"%2B"));
}

#[tokio::test]
async fn tells_1002_before_0000_where_payments_are_held() {
    let sandbox = sandbox().await;
    sandbox.hold_mpgateway_payments(true);
    let listener = Listener::start(&[(200, "0000")]).await;
    call(&sandbox, SUBMIT, &order("WxSao", "HELD00001", &listener.url)).await;
    sandbox.pay(Platform::Mpgateway, "HELD00001").unwrap();
    sandbox.delivered().await;
    let by_number = json!({ "merid": "00000001", "orderid": "HELD00001" });
    assert_eq!(call(&sandbox, QUERY, &by_number).await["resultcode"], "1002");
    sandbox.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(call(&sandbox, QUERY, &by_number).await["resultcode"], "0000");
    let told: Vec<Value> = listener
        .received()
        .iter()
        .map(|request| notice(request.body()))
        .collect();
    assert_eq!(told[0]["resultcode"], "1002");
    assert_eq!(told[1]["resultcode"], "0000");
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["queryid"], told[1]["queryid"]);
    assert_eq!(told[0]["paytime"], told[1]["paytime"]);
}

#[tokio::test]
async fn sends_a_visitor_back_with_an_openid() {
    let sandbox = sandbox().await;
    let openid = sandbox.mpgateway().openid;
    for (back, expected) in [
        (
            "https://shop.example/b",
            format!("https://shop.example/b?openid={openid}"),
        ),
        (
            "https://shop.example/b?x=1",
            format!("https://shop.example/b?x=1&openid={openid}"),
        ),
        (
            "https://shop.example/b?",
            format!("https://shop.example/b?openid={openid}"),
        ),
        (
            "https://shop.example/b#top",
            format!("https://shop.example/b?openid={openid}#top"),
        ),
    ] {
        let target = format!(
            "/mpgateway/wxjsapi/openid.html?backurl={}&merid=00000001&payway=3",
            escape(back)
        );
        let reply = get(sandbox.address(), &target).await;
        assert_eq!(reply.status, 302);
        assert_eq!(reply.header("location"), Some(&*expected));
    }
    for query in [
        "merid=00000001",
        "backurl=%2Fb",
        "backurl=https%3A%2F%2Fshop.example%2Fb&merid=00000002",
        "backurl=https%3A%2F%2Fshop.example%2Fb&payway=x",
        "backurl=https%3A%2F%2Fshop.example%2Fb&backurl=2",
    ] {
        let reply = get(sandbox.address(), &format!("/mpgateway/wxjsapi/openid.html?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
    }
}

#[tokio::test]
async fn walks_the_pay_page_to_the_front_return() {
    let sandbox = sandbox().await;
    let mut payload = order("WxJsApi", "TEST20240102030405", "http://127.0.0.1:9/n");
    payload["fronturl"] = json!("https://shop.example/front?o=1");
    let placed = call(&sandbox, SUBMIT, &payload).await;
    let page = "/mpgateway/wxjsapi/gopay.html";
    // V5 is signed well and names another pay id.
    assert_eq!(get(sandbox.address(), &format!("{page}?{V5}")).await.status, 400);
    assert_eq!(sandbox.exchanges().last().unwrap().signature, SignatureVerdict::Holds);

    let signed = sealed(
        &json!({ "merid": "00000001", "orderid": "TEST20240102030405", "code": placed["formaction"] }).to_string(),
    );
    let forged = signed.replace("sign=", "sign=0");
    assert_eq!(get(sandbox.address(), &format!("{page}?{forged}")).await.status, 400);
    let parameters = form(&signed);
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        sandbox.open_cashier(Platform::Mpgateway, &parameters).as_deref(),
        Ok("TEST20240102030405")
    );
    assert_eq!(
        sandbox.open_cashier(Platform::Mpgateway, &parameters[..1]),
        Err(PageRefused::Signature)
    );

    assert_eq!(get(sandbox.address(), &format!("{page}?{signed}")).await.status, 200);
    sandbox.pay(Platform::Mpgateway, "TEST20240102030405").unwrap();
    let sent_on = get(sandbox.address(), &format!("{page}?{signed}")).await;
    assert_eq!(sent_on.status, 302);
    let location = sent_on.header("location").unwrap();
    let query = location.strip_prefix("https://shop.example/front?o=1&").unwrap();
    let told = notice(query.as_bytes());
    assert_eq!(told["resultcode"], "0000");
    assert_eq!(told["orderid"], "TEST20240102030405");
}

#[tokio::test]
async fn makes_every_planned_trouble() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(200, "0000")]).await;
    sandbox.set_faults(FaultKind::CorruptSignature);
    let reply = send(
        &sandbox,
        SUBMIT,
        &sealed(&order("WxSao", "FAULT0001", &listener.url).to_string()),
    )
    .await;
    let outer = reply.json();
    let (resp, sign) = (outer["resp"].as_str().unwrap(), outer["sign"].as_str().unwrap());
    assert_ne!(sign, oracle::mpgateway_sign(resp, KEY));
    assert_eq!(sign.len(), 32);
    sandbox.pay(Platform::Mpgateway, "FAULT0001").unwrap();
    sandbox.delivered().await;
    let received = listener.received();
    let fields = form(std::str::from_utf8(received[0].body()).unwrap());
    assert_ne!(
        field(&fields, "sign"),
        oracle::mpgateway_sign(field(&fields, "resp"), KEY)
    );

    let by_number = json!({ "merid": "00000001", "orderid": "FAULT0001" });
    sandbox.set_faults(FaultKind::AddFields);
    assert_eq!(call(&sandbox, QUERY, &by_number).await["sandboxnewfield"], "a+b/c=d");
    sandbox.set_faults(FaultKind::UnknownValues);
    assert_eq!(
        call(&sandbox, QUERY, &by_number).await["resultcode"],
        "SANDBOX_NEW_VALUE"
    );
    sandbox.set_faults(FaultKind::UnsignedError);
    assert_eq!(up_front(&send(&sandbox, QUERY, V4).await)["respcode"], "99");
    sandbox.set_faults(FaultKind::EmptyReply);
    assert_eq!(send(&sandbox, QUERY, V4).await.body, b"");
}

#[test]
fn shows_no_key() {
    let far_side = crate::shop::far_side();
    let account = far_side.mpgateway();
    assert!(!format!("{account:?}").contains(account.key.expose()));
    assert_eq!(account.base_url, "https://sandbox.example/mpgateway");
}
