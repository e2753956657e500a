//! Hand-written calls as bytes, signed by openssl and hashlib (`tests/calls/make.py`), and what comes back as bytes.

use std::path::Path;

use yuanfen_sandbox::{Platform, Sandbox, SignatureVerdict};
use yuanfen_testkit::oracle;

use crate::shop::{V2Digest, clock, raw, v3_holds, xml_fields};

/// An answer taken apart by hand.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
}

pub async fn sandbox() -> Sandbox {
    Sandbox::builder().clock(clock()).seed(1).start().await.unwrap()
}

pub async fn send(sandbox: &Sandbox, name: &str) -> Answer {
    parse(&raw(sandbox.address(), &request_as(name, "sandbox")).await)
}

/// One of the calls of `tests/calls` as bytes, to that host.
pub fn request_as(name: &str, host: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/calls/{name}.http"));
    let file = std::fs::read(path).unwrap();
    let end = file.windows(2).position(|window| window == b"\n\n").unwrap();
    let head = String::from_utf8(file[..end].to_vec()).unwrap().replace('\n', "\r\n");
    let head = head.replacen("Host: sandbox", &format!("Host: {host}"), 1);
    let mut request = format!("{head}\r\n\r\n").into_bytes();
    request.extend_from_slice(&file[end + 2..]);
    request
}

pub fn parse(answer: &[u8]) -> Answer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = http::HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    Answer {
        status,
        headers,
        body: answer[end + 4..].to_vec(),
    }
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }

    pub fn is_signed(&self) -> bool {
        self.headers.contains_key("wechatpay-signature")
    }
}

#[tokio::test]
async fn places_an_order_whatever_the_order_of_the_authorization_parameters() {
    for name in ["v3-place", "v3-place-other-order-of-parameters"] {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        assert_eq!(answer.status, 200, "{name}");
        let prepay_id = answer.json()["prepay_id"].as_str().unwrap().to_owned();
        assert!(prepay_id.starts_with("wx20251009165320"), "{prepay_id}");
        assert_eq!(prepay_id.len(), 36);
        assert_eq!(answer.json().as_object().unwrap().len(), 1);
        let platform = sandbox.wechat_v3();
        assert_eq!(answer.headers["wechatpay-serial"], platform.platform_serial.as_str());
        assert!(v3_holds(
            &answer.headers,
            &answer.body,
            &platform.platform_certificate_pem
        ));
        assert_eq!(sandbox.exchanges()[0].signature, SignatureVerdict::Holds);
    }
}

#[tokio::test]
async fn repeats_the_same_prepay_id_for_the_identical_order_and_refuses_another() {
    let sandbox = sandbox().await;
    let first = send(&sandbox, "v3-place").await;
    let again = send(&sandbox, "v3-place").await;
    assert_eq!(first.body, again.body);
    let other = send(&sandbox, "v3-place-other-amount").await;
    assert_eq!(other.refusal(), (403, "OUT_TRADE_NO_USED".to_owned()));
    assert!(other.is_signed());
}

#[tokio::test]
async fn refuses_bodies_that_the_contract_does_not_have() {
    for (name, field) in [
        ("v3-place-unknown-member", "/surprise"),
        ("v3-place-null-member", "/attach"),
        ("v3-place-emoji", "/description"),
        ("v3-place-decimal-amount", "/amount/total"),
        ("v3-place-other-merchant", "/mchid"),
    ] {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        assert_eq!(answer.refusal(), (400, "PARAM_ERROR".to_owned()), "{name}");
        assert_eq!(answer.json()["detail"]["field"], field, "{name}");
        assert!(answer.is_signed(), "{name}");
        assert!(sandbox.orders(Platform::WechatV3).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn refuses_signatures_that_do_not_hold_and_says_over_what() {
    for (name, method, length) in [
        ("v3-place-wrong-signature", "POST", 0),
        // One blank more than what was signed.
        ("v3-place-rewritten-body", "POST", 1),
    ] {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        assert_eq!(answer.refusal(), (401, "SIGN_ERROR".to_owned()), "{name}");
        assert!(!answer.is_signed(), "{name}");
        let detail = &answer.json()["detail"];
        assert_eq!(detail["field"], "signature");
        assert_eq!(detail["location"], "authorization");
        let told = &detail["sign_information"];
        assert_eq!(told["method"], method);
        assert_eq!(told["url"], "/v3/pay/transactions/jsapi");
        let start = "POST\n/v3/pay/transactions/jsapi\n1760000000\n593BEC0C930BF1AFEB40B4A08C8FB242\n{\"appid\"";
        assert!(told["truncated_sign_message"].as_str().unwrap().starts_with(start));
        // Counted by hand: 76 before the body, the body, the last line feed.
        let body = 237 + length;
        assert_eq!(told["sign_message_length"], 76 + body + 1, "{name}");
        assert_eq!(sandbox.exchanges()[0].signature, SignatureVerdict::Mismatch);
        assert!(sandbox.orders(Platform::WechatV3).is_empty());
    }
}

#[tokio::test]
async fn takes_a_clock_that_is_five_minutes_off_and_not_a_second_more() {
    for (name, status, verdict) in [
        ("v3-place-300-seconds-old", 200, SignatureVerdict::Holds),
        ("v3-place-301-seconds-old", 401, SignatureVerdict::Stale),
        ("v3-place-301-seconds-ahead", 401, SignatureVerdict::Stale),
    ] {
        let sandbox = sandbox().await;
        assert_eq!(send(&sandbox, name).await.status, status, "{name}");
        assert_eq!(sandbox.exchanges()[0].signature, verdict, "{name}");
    }
}

#[tokio::test]
async fn looks_at_headers_before_the_signature() {
    for (name, expected) in [
        ("v3-place-without-user-agent", (400, "INVALID_REQUEST")),
        ("v3-place-without-authorization", (401, "SIGN_ERROR")),
        ("v3-place-parameter-twice", (401, "SIGN_ERROR")),
    ] {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        assert_eq!(answer.refusal(), (expected.0, expected.1.to_owned()), "{name}");
        assert!(!answer.is_signed(), "{name}");
    }
}

#[tokio::test]
async fn queries_and_closes_an_order_whose_number_is_percent_encoded() {
    let sandbox = sandbox().await;
    assert_eq!(
        send(&sandbox, "v3-query").await.refusal(),
        (404, "ORDER_NOT_EXIST".to_owned())
    );
    send(&sandbox, "v3-place").await;
    let found = send(&sandbox, "v3-query").await;
    assert_eq!(
        found.json(),
        serde_json::json!({
            "appid": "wx5a6d0b0c5a1e4d21",
            "mchid": "1900000001",
            "out_trade_no": "AB|12_-*",
            "trade_state": "NOTPAY",
            "trade_state_desc": "订单未支付",
            "amount": { "total": 100, "currency": "CNY" },
        })
    );
    let refused = send(&sandbox, "v3-query-without-merchant").await;
    assert_eq!(refused.refusal(), (400, "PARAM_ERROR".to_owned()));

    for _ in 0..2 {
        let closed = send(&sandbox, "v3-close").await;
        assert_eq!(closed.status, 204);
        assert!(closed.body.is_empty());
        assert!(v3_holds(
            &closed.headers,
            b"",
            &sandbox.wechat_v3().platform_certificate_pem
        ));
    }
    assert_eq!(send(&sandbox, "v3-query").await.json()["trade_state"], "CLOSED");
    assert_eq!(
        send(&sandbox, "v3-place").await.refusal(),
        (400, "ORDER_CLOSED".to_owned())
    );
}

#[tokio::test]
async fn answers_under_the_public_key_when_the_call_asks_for_it() {
    let sandbox = sandbox().await;
    send(&sandbox, "v3-place").await;
    let answer = send(&sandbox, "v3-query-under-public-key").await;
    let platform = sandbox.wechat_v3();
    assert_eq!(
        answer.headers["wechatpay-serial"],
        platform.platform_public_key_id.as_str()
    );
    assert!(v3_holds(
        &answer.headers,
        &answer.body,
        &platform.platform_public_key_pem
    ));
    assert!(!v3_holds(
        &answer.headers,
        &answer.body,
        &platform.platform_certificate_pem
    ));
}

#[tokio::test]
async fn lists_certificates_that_open_under_the_api_key_and_prove_the_list() {
    let sandbox = sandbox().await;
    let first = sandbox.wechat_v3();
    let rotated = sandbox.rotate_platform_certificate().unwrap();
    assert_ne!(rotated, first.platform_serial);
    let answer = send(&sandbox, "v3-certificates").await;
    assert_eq!(answer.headers["wechatpay-serial"], rotated.as_str());
    let data = answer.json()["data"].as_array().unwrap().clone();
    let mut serials = Vec::new();
    for entry in &data {
        let sealed = &entry["encrypt_certificate"];
        let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
        let key = yuanfen_sign::ApiV3Key::new(first.apiv3_key.expose()).unwrap();
        let pem = key
            .open(&text("nonce"), &text("associated_data"), &text("ciphertext"))
            .unwrap();
        let pem = String::from_utf8(pem).unwrap();
        let serial = oracle::certificate_serial(&pem).unwrap();
        assert_eq!(entry["serial_no"], serial.as_str());
        assert_eq!(entry["effective_time"], "2010-01-01T08:00:00+08:00");
        assert_eq!(entry["expire_time"], "2050-01-01T07:59:59+08:00");
        assert_eq!(v3_holds(&answer.headers, &answer.body, &pem), serial == rotated);
        serials.push(serial);
    }
    assert_eq!(serials, [first.platform_serial, rotated]);
}

#[tokio::test]
async fn knows_each_path_by_its_method() {
    let sandbox = sandbox().await;
    assert_eq!(send(&sandbox, "v3-get-on-a-posting-path").await.status, 405);
    let answer = raw(
        sandbox.address(),
        b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(parse(&answer).status, 404);
    let exchange = &sandbox.exchanges()[1];
    assert_eq!((exchange.platform, exchange.operation), (None, "unknown"));
    assert_eq!(sandbox.calls(Platform::WechatV3), 1);
}

#[tokio::test]
async fn refuses_a_body_beyond_a_mebibyte() {
    let sandbox = sandbox().await;
    let head = "POST /pay/unifiedorder HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\nconnection: close\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    request.resize(head.len() + 1_048_577, b'x');
    assert_eq!(parse(&raw(sandbox.address(), &request).await).status, 413);
    assert!(sandbox.exchanges().is_empty());
}

#[tokio::test]
async fn places_v2_orders_under_either_digest_and_answers_under_the_same() {
    let digests: [(&str, V2Digest); 2] = [("v2-place", oracle::v2_md5), ("v2-place-hmac", oracle::v2_hmac)];
    for (name, check) in digests {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        assert_eq!(answer.status, 200);
        let fields = xml_fields(&answer.body);
        assert_eq!(fields["return_code"], "SUCCESS", "{name}");
        assert_eq!(fields["result_code"], "SUCCESS", "{name}");
        assert_eq!(fields["trade_type"], "JSAPI");
        assert_eq!(fields["prepay_id"].len(), 36);
        assert_eq!(
            fields["sign"],
            check(&fields, "ThrowAwaySandboxApiKeyOfWechatV2"),
            "{name}"
        );
        let exchange = &sandbox.exchanges()[0];
        assert_eq!(exchange.signature, SignatureVerdict::Holds);
        let text = exchange.canonical_text.as_deref().unwrap();
        assert!(text.ends_with("&key=<key>"), "{text}");
        assert!(text.contains("attach=a < b & c&body=麻婆豆腐双拼饭&mch_id="), "{text}");
    }
}

#[tokio::test]
async fn refuses_v2_signatures_without_signing_the_answer() {
    for (name, words, verdict) in [
        ("v2-place-md5-under-hmac", "签名错误", SignatureVerdict::Mismatch),
        ("v2-place-lower-case", "签名错误", SignatureVerdict::Mismatch),
        ("v2-place-unsigned", "缺少参数sign", SignatureVerdict::Missing),
    ] {
        let sandbox = sandbox().await;
        let answer = send(&sandbox, name).await;
        let expected =
            format!("<xml><return_code>FAIL</return_code><return_msg><![CDATA[{words}]]></return_msg></xml>");
        assert_eq!(String::from_utf8(answer.body).unwrap(), expected, "{name}");
        assert_eq!(sandbox.exchanges()[0].signature, verdict, "{name}");
    }
}

#[tokio::test]
async fn refuses_v2_orders_in_signed_words() {
    for (name, code) in [
        ("v2-place-without-openid", "LACK_PARAMS"),
        ("v2-place-zero", "PARAM_ERROR"),
    ] {
        let sandbox = sandbox().await;
        let fields = xml_fields(&send(&sandbox, name).await.body);
        assert_eq!(fields["return_code"], "SUCCESS");
        assert_eq!(
            (fields["result_code"].as_str(), fields["err_code"].as_str()),
            ("FAIL", code)
        );
        assert_eq!(
            fields["sign"],
            oracle::v2_md5(&fields, "ThrowAwaySandboxApiKeyOfWechatV2")
        );
        assert!(!fields.contains_key("prepay_id"));
    }
}

#[tokio::test]
async fn walks_a_v2_order_from_placing_to_closing() {
    let sandbox = sandbox().await;
    let native = xml_fields(&send(&sandbox, "v2-place-native").await.body);
    assert!(native["code_url"].starts_with("weixin://wxpay/bizpayurl?pr="));
    // Another payment under the same number.
    assert_eq!(
        xml_fields(&send(&sandbox, "v2-place").await.body)["err_code"],
        "INVALID_REQUEST"
    );
    let found = xml_fields(&send(&sandbox, "v2-query").await.body);
    assert_eq!(found["trade_state"], "NOTPAY");
    assert!(!found.contains_key("transaction_id"));
    assert_eq!(
        xml_fields(&send(&sandbox, "v2-close").await.body)["result_code"],
        "SUCCESS"
    );
    assert_eq!(
        xml_fields(&send(&sandbox, "v2-query").await.body)["trade_state"],
        "CLOSED"
    );
    assert_eq!(
        xml_fields(&send(&sandbox, "v2-place-native").await.body)["err_code"],
        "ORDERCLOSED"
    );
}
