//! Signed bodies are the sheet's worked examples T1a and T2; the others are signed here over the oracle's text.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_sandbox::{FaultKind, FaultRule, NoticeOutcome, PageRefused, Platform, Sandbox, SignatureVerdict};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_testkit::oracle;

use crate::shop::Listener;
use crate::wire::{Reply, escape, field, form, get, post, sandbox};

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";
pub const GATEWAY: &str = "/fshows/gateway";
pub const PLACE: &str = "fshows.liquidation.wxpay.mppay";
pub const QUERY: &str = "fshows.liquidation.alipay.trade.query";
const CLOSE: &str = "fshows.liquidation.order.close";

/// Sheet, section 7, T1a.
pub const T1A: &str = "app_id=20990101000000001&content=%7B%22sub_merchant_id%22%3A%2220990101000000000001%22%2C%22body%22%3A%22%E6%B5%8B%E8%AF%95%E5%BA%97-%E6%94%B6%E6%AC%BE+A%26B%3D1%2B2%22%2C%22out_trade_no%22%3A%22DEMO_20990101_0001%22%2C%22total_fee%22%3A%220.01%22%2C%22sub_openid%22%3A%22oTEST0000000000000000000000001%22%2C%22spbill_create_ip%22%3A%22203.0.113.7%22%2C%22notify_url%22%3A%22https%3A%2F%2Fmerchant.example%2Fnotify%3Fsrc%3Dfshows%26v%3D1%22%7D&method=fshows.liquidation.wxpay.mppay&sign=IUOxFCgdpr0cT%2FGRXJCP%2FNL%2FzXT83IuxPsIfj%2Bhwpzd98nsDfhixOxrf15GbdJpN91sofiACop2fToJnR1GJXSijXgj%2BF9jn2S1iAtxIuumAWAV9V4we8FKktFwU8TwTRvmOI0dCDzrs0WgANSlIwwF6H4NbNl8XUmL8FUs%2BeyI%3D&version=1.0";
/// T2: the same data with every character beyond ASCII and every slash escaped.
const T2_CONTENT: &str = r#"{"sub_merchant_id":"20990101000000000001","body":"\u6d4b\u8bd5\u5e97-\u6536\u6b3e A&B=1+2","out_trade_no":"DEMO_20990101_0001","total_fee":"0.01","sub_openid":"oTEST0000000000000000000000001","spbill_create_ip":"203.0.113.7","notify_url":"https:\/\/merchant.example\/notify?src=fshows&v=1"}"#;
const T2_SIGN: &str = "nWe/CaPk9/kohcQoDhgHV4gcfdkWzzCXM/pszoLyizUkhek9rKHxTtzGbzMCQ40kYKA3L5zilg44MUEMK+eiVcFK1hqKtKsdAsEOHRTZJ1cRUpmIH3sVI3y8OFyALbzXXE/7sWqE8bx6KmNpPF5bOvx4YshO2xVbYt0ZK+fj6h8=";

fn sealed(sandbox: &Sandbox, envelope: &[(&str, &str)]) -> String {
    let map: BTreeMap<String, String> = envelope
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let pem = sandbox.fshows().merchant_private_key_pem;
    let key = LegacyRsaSigningKey::parse(pem.expose(), RsaDigest::Sha1).unwrap();
    let sign = key
        .sign(oracle::fshows_text(&map).as_bytes(), &FixedAmbient::at(0))
        .unwrap();
    let pairs = map.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs = pairs.chain([("sign", sign.as_str())]);
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}

async fn send(sandbox: &Sandbox, body: &str) -> Reply {
    post(sandbox.address(), GATEWAY, FORM, body.as_bytes()).await
}

pub async fn call(sandbox: &Sandbox, method: &str, content: &Value) -> Value {
    let content = content.to_string();
    let body = sealed(
        sandbox,
        &[
            ("app_id", "20990101000000001"),
            ("method", method),
            ("version", "1.0"),
            ("content", &content),
        ],
    );
    send(sandbox, &body).await.json()
}

pub fn order(order_no: &str) -> Value {
    json!({
        "sub_merchant_id": "20990101000000000001", "body": "shop - noodles", "out_trade_no": order_no,
        "total_fee": "100.00", "sub_openid": "oBuyer", "spbill_create_ip": "203.0.113.7",
    })
}

pub fn order_told_at(order_no: &str, url: &str) -> Value {
    let mut order = order(order_no);
    order["notify_url"] = json!(url);
    order
}

/// A call-back's fields, and whether its signature holds by the oracle.
pub fn callback(sandbox: &Sandbox, body: &[u8]) -> (Vec<(String, String)>, bool) {
    let fields = form(std::str::from_utf8(body).unwrap());
    let map: BTreeMap<String, String> = fields.iter().cloned().collect();
    assert_eq!(map.len(), fields.len());
    let text = oracle::fshows_callback_text(&map, false);
    let pem = sandbox.fshows().platform_public_key_pem;
    let holds = oracle::rsa_verify(&pem, oracle::Hash::Sha1, text.as_bytes(), &map["sign"]);
    (fields, holds)
}

#[tokio::test]
async fn answers_the_sheets_own_request_number_by_number() {
    let sandbox = sandbox().await;
    let reply = send(&sandbox, T1A).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let text = reply.text();
    let (prepay_id, rest) = text
        .strip_prefix(r#"{"return_value":{"prepay_id":""#)
        .and_then(|rest| rest.split_once('"'))
        .unwrap();
    assert!(prepay_id.starts_with("wx20251009165320"), "{prepay_id}");
    // The numbers of T6, spelled as they are there.
    assert_eq!(
        rest,
        ",\"total_fee\":0.01,\"net_receipt_amount\":0.01,\"bank_commission_rate\":0.00030,\
         \"bank_commission_fee\":0.00,\"pay_platform_rate\":0.00200,\"pay_platform_fee\":0.00,\
         \"liquidator_commission_rate\":0.00140,\"liquidator_commission_fee\":0.00,\"gatewayCommissionRate\":0.00,\
         \"gatewayCommissionFee\":0.00,\"notify_url\":\"https://merchant.example/notify?src=fshows&v=1\"},\
         \"success\":true}"
    );
    let exchange = sandbox.exchanges().pop().unwrap();
    assert_eq!(exchange.signature, SignatureVerdict::Holds);
    // The sheet counts 355 bytes.
    assert_eq!(exchange.canonical_text.unwrap().len(), 355);
    let order = sandbox.order(Platform::Fshows, "DEMO_20990101_0001").unwrap();
    assert_eq!(order.payer.as_deref(), Some("oTEST0000000000000000000000001"));
    assert_eq!(send(&sandbox, T1A).await.json()["error_code"], "-206");
}

#[tokio::test]
async fn checks_the_text_that_was_sent_and_not_a_respelling() {
    let sandbox = sandbox().await;
    let t2 = format!(
        "app_id=20990101000000001&content={}&method={PLACE}&sign={}&version=1.0",
        escape(T2_CONTENT),
        escape(T2_SIGN)
    );
    assert_eq!(send(&sandbox, &t2).await.json()["success"], true);
    // T1's data under T2's signature.
    let sign = T1A.split("sign=").nth(1).unwrap().split('&').next().unwrap();
    let mixed = T1A.replace(sign, &escape(T2_SIGN));
    assert_eq!(send(&sandbox, &mixed).await.json()["error_code"], "-100");
}

#[tokio::test]
async fn refuses_what_no_known_caller_signed() {
    let sandbox = sandbox().await;
    let good: [(&str, &str); 4] = [
        ("app_id", "20990101000000001"),
        ("method", PLACE),
        ("version", "1.0"),
        ("content", "{}"),
    ];
    let with = |name: &str, value: &'static str| {
        let envelope: Vec<(&str, &str)> = good
            .iter()
            .map(|(found, old)| (*found, if *found == name { value } else { *old }))
            .filter(|(_, value)| *value != "-")
            .collect();
        sealed(&sandbox, &envelope)
    };
    let cases = [
        (
            with("app_id", "20990101000000002"),
            "-201",
            SignatureVerdict::UnknownKey,
        ),
        (with("app_id", "-"), "-101", SignatureVerdict::NotChecked),
        (with("method", "-"), "-101", SignatureVerdict::NotChecked),
        (with("content", "-"), "-101", SignatureVerdict::NotChecked),
        (with("version", "-"), "-101", SignatureVerdict::Holds),
        (with("version", "2.0"), "-101", SignatureVerdict::Holds),
        (
            with("method", "fshows.liquidation.order.reverse"),
            "-102",
            SignatureVerdict::Holds,
        ),
        (with("content", "{"), "-223", SignatureVerdict::Holds),
        (
            with("content", "{\"out_trade_no\":\"a\",\"out_trade_no\":\"b\"}"),
            "-223",
            SignatureVerdict::Holds,
        ),
        (with("content", "[]"), "-223", SignatureVerdict::Holds),
        (T1A.replace("0.01", "0.02"), "-100", SignatureVerdict::Mismatch),
        (T1A.replace("&sign=", "&sing="), "-100", SignatureVerdict::Missing),
        (
            T1A.replace("sign=IUOx", "sign=IUOy"),
            "-100",
            SignatureVerdict::Mismatch,
        ),
        (format!("{T1A}&extra=1"), "-100", SignatureVerdict::Mismatch),
        (format!("{T1A}&version=1.0"), "-223", SignatureVerdict::NotChecked),
        ("{}".to_owned(), "-223", SignatureVerdict::NotChecked),
        (String::new(), "-101", SignatureVerdict::NotChecked),
    ];
    for (body, code, verdict) in cases {
        let reply = send(&sandbox, &body).await.json();
        assert_eq!(reply["error_code"], code, "{body}");
        assert_eq!(reply["success"], false);
        assert_eq!(sandbox.exchanges().last().unwrap().signature, verdict, "{body}");
    }
    assert!(sandbox.orders(Platform::Fshows).is_empty());
}

#[tokio::test]
async fn reads_the_address_where_the_body_is_empty_as_the_server_does() {
    // Sheet, section 3: two live clients sent the five parameters so, and both worked.
    let sandbox = sandbox().await;
    let reply = post(sandbox.address(), &format!("{GATEWAY}?{T1A}"), FORM, b"").await;
    assert_eq!(reply.json()["success"], true);
    let exchange = sandbox.exchanges().pop().unwrap();
    assert_eq!(
        (exchange.operation, exchange.signature),
        ("place-order", SignatureVerdict::Holds)
    );
    assert!(sandbox.order(Platform::Fshows, "DEMO_20990101_0001").is_some());
    // A body counts alone.
    let reply = post(sandbox.address(), &format!("{GATEWAY}?{T1A}"), FORM, b"app_id=1").await;
    assert_eq!(reply.json()["error_code"], "-101");
}

#[tokio::test]
async fn enforces_every_row_of_the_table() {
    let sandbox = sandbox().await;
    let text = |length: usize| json!("测".repeat(length));
    let ascii = |length: usize| json!("a".repeat(length));
    let url = |length: usize| json!(format!("https://shop.example/{}", "a".repeat(length - 21)));
    let cases = [
        ("sub_merchant_id", Value::Null, "-101"),
        ("sub_merchant_id", json!("209901010000000000011"), "-101"),
        ("sub_merchant_id", json!("20990101000000000002"), "-203"),
        ("body", json!(""), "-101"),
        ("body", text(128), ""),
        ("body", text(129), "-101"),
        ("out_trade_no", Value::Null, "-101"),
        ("out_trade_no", ascii(64), ""),
        ("out_trade_no", ascii(65), "-101"),
        ("out_trade_no", json!("with-hyphen"), "-101"),
        ("total_fee", Value::Null, "-101"),
        ("total_fee", json!("0"), "-101"),
        ("total_fee", json!("0.00"), "-101"),
        ("total_fee", json!("-0.01"), "-101"),
        ("total_fee", json!("0.001"), "-101"),
        ("total_fee", json!("1e2"), "-101"),
        ("total_fee", json!("+1"), "-101"),
        ("total_fee", json!("100000000.01"), "-101"),
        ("total_fee", json!("100000000.00"), ""),
        ("total_fee", json!("0.01"), ""),
        ("total_fee", json!("43.9"), ""),
        ("total_fee", json!(7), ""),
        ("sub_openid", Value::Null, "-101"),
        ("sub_openid", ascii(128), ""),
        ("sub_openid", ascii(129), "-101"),
        ("spbill_create_ip", Value::Null, "-101"),
        ("spbill_create_ip", json!("203.0.113.256"), "-101"),
        ("spbill_create_ip", json!("2001:db8::1"), "-101"),
        ("notify_url", url(255), ""),
        ("notify_url", url(256), "-101"),
        ("notify_url", json!("/notify"), "-101"),
        ("sub_appid", ascii(32), ""),
        ("sub_appid", ascii(33), "-101"),
        ("sub_mch_id", ascii(33), "-101"),
        ("goods_tag", ascii(33), "-101"),
        ("body", json!(7), "-101"),
    ];
    for (index, (name, value, code)) in cases.into_iter().enumerate() {
        let mut content = order(&format!("ROW_{index}"));
        content[name] = value;
        let reply = call(&sandbox, PLACE, &content).await;
        if code.is_empty() {
            assert_eq!(reply["success"], true, "{content}: {reply}");
        } else {
            assert_eq!(reply["error_code"], code, "{content}: {reply}");
        }
        if code == "-101" {
            assert_eq!(reply["error_message"], format!("无效参数 >> {name}"));
        }
    }
}

#[tokio::test]
async fn queries_and_closes_by_either_number() {
    let sandbox = sandbox().await;
    call(&sandbox, PLACE, &order("Q_1")).await;
    call(&sandbox, PLACE, &order("Q_2")).await;
    let by_number = json!({ "out_trade_no": "Q_1" });
    let unpaid = call(&sandbox, QUERY, &by_number).await;
    assert_eq!(unpaid["return_value"]["trade_state"], "NOTPAY");
    assert_eq!(unpaid["return_value"].get("time_end"), None);
    let trade_no = unpaid["return_value"]["trade_no"].as_str().unwrap().to_owned();
    assert_eq!(trade_no.len(), 28);
    sandbox.cancel(Platform::Fshows, "Q_1").unwrap();
    assert_eq!(
        call(&sandbox, QUERY, &by_number).await["return_value"]["trade_state"],
        "NOTPAY"
    );
    sandbox.fail(Platform::Fshows, "Q_1").unwrap();
    assert_eq!(
        call(&sandbox, QUERY, &by_number).await["return_value"]["trade_state"],
        "PAYERROR"
    );

    sandbox.pay(Platform::Fshows, "Q_1").unwrap();
    // With both, `trade_no` wins.
    let both = json!({ "out_trade_no": "Q_2", "trade_no": trade_no });
    let content = both.to_string();
    let body = sealed(
        &sandbox,
        &[
            ("app_id", "20990101000000001"),
            ("method", QUERY),
            ("version", "1.0"),
            ("content", &content),
        ],
    );
    let reply = send(&sandbox, &body).await;
    assert_eq!(
        reply.text(),
        format!(
            "{{\"return_value\":{{\"trade_no\":\"{trade_no}\",\"out_trade_no\":\"Q_1\",\"trade_state\":\"SUCCESS\",\
             \"trade_state_desc\":\"支付成功\",\"openid\":\"oBuyer\",\"is_subscribe\":\"N\",\"trade_type\":\"JSAPI\",\
             \"bank_type\":\"CFT\",\"cash_fee\":100.00,\"time_end\":\"20251009165320\",\"total_fee\":100.00,\
             \"net_receipt_amount\":99.63,\"bank_commission_rate\":0.00030,\"bank_commission_fee\":0.03,\
             \"pay_platform_rate\":0.00200,\"pay_platform_fee\":0.20,\"liquidator_commission_rate\":0.00140,\
             \"liquidator_commission_fee\":0.14}},\"success\":true}}"
        )
    );
    assert_eq!(call(&sandbox, CLOSE, &both).await["error_code"], "-220");

    let second = json!({ "out_trade_no": "Q_2" });
    let closed = call(&sandbox, CLOSE, &second).await;
    assert_eq!(closed["return_value"]["out_trade_no"], "Q_2");
    assert_eq!(
        call(&sandbox, QUERY, &second).await["return_value"]["trade_state"],
        "CLOSED"
    );
    assert_eq!(call(&sandbox, CLOSE, &second).await["success"], true);
    assert!(sandbox.pay(Platform::Fshows, "Q_2").is_err());

    let nobody = json!({ "out_trade_no": "NOBODYS" });
    assert_eq!(call(&sandbox, QUERY, &nobody).await["error_code"], "-207");
    assert_eq!(call(&sandbox, CLOSE, &nobody).await["error_code"], "-207");
    assert_eq!(call(&sandbox, QUERY, &json!({})).await["error_code"], "-101");

    // The fault plan takes the order that the platform takes.
    sandbox.set_faults(FaultRule::new(FaultKind::UnsignedError).about("Q_1"));
    assert_eq!(call(&sandbox, QUERY, &both).await["error_code"], "-200");
    sandbox.set_faults(FaultRule::new(FaultKind::UnsignedError).about("Q_2"));
    assert_eq!(
        call(&sandbox, QUERY, &both).await["return_value"]["out_trade_no"],
        "Q_1"
    );
}

#[tokio::test]
async fn opens_the_cashier_page_for_two_hours() {
    let sandbox = sandbox().await;
    let prepay_id = async |order_no: &str| {
        let reply = call(&sandbox, PLACE, &order(order_no)).await;
        reply["return_value"]["prepay_id"].as_str().unwrap().to_owned()
    };
    let page = async |prepay_id: &str, back: &str| {
        let target = format!("/fshows/payPage/?prepay_id={prepay_id}&callback_url={}", escape(back));
        get(sandbox.address(), &target).await
    };
    let back = "https://shop.example/done?order=1&x=%E9%9D%A2";
    let (paid, late) = (prepay_id("PAGE_1").await, prepay_id("PAGE_2").await);
    assert_eq!(page(&paid, back).await.status, 200);
    assert_eq!(page(&paid, "/done").await.status, 400);
    assert_eq!(page("wx0", back).await.status, 400);
    let parameters = [("prepay_id", paid.as_str()), ("callback_url", back)];
    assert_eq!(
        sandbox.open_cashier(Platform::Fshows, &parameters).as_deref(),
        Ok("PAGE_1")
    );
    assert_eq!(
        sandbox.open_cashier(Platform::Fshows, &parameters[1..]),
        Err(PageRefused::Parameter("prepay_id"))
    );

    sandbox.pay(Platform::Fshows, "PAGE_1").unwrap();
    let sent_on = page(&paid, back).await;
    assert_eq!(sent_on.status, 302);
    assert_eq!(sent_on.header("location"), Some(back));

    sandbox.advance(Duration::from_secs(7199)).await.unwrap();
    assert_eq!(page(&late, back).await.status, 200);
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(page(&late, back).await.status, 400);
    assert_eq!(
        sandbox.open_cashier(Platform::Fshows, &[("prepay_id", &late)]),
        Err(PageRefused::Expired)
    );
    assert!(sandbox.pay(Platform::Fshows, "PAGE_2").is_err());
    assert_eq!(page(&paid, back).await.status, 302);
}

#[tokio::test]
async fn calls_back_until_the_shop_says_success() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[
        (200, "fail"),
        (200, "SUCCESS"),
        (200, "success\n"),
        (
            200,
            "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>",
        ),
        (201, "success"),
        (200, "success"),
    ])
    .await;
    let url = format!("{}?src=fshows&v=1", listener.url);
    call(&sandbox, PLACE, &order_told_at("BACK_1", &url)).await;
    sandbox.pay(Platform::Fshows, "BACK_1").unwrap();
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();
    let attempts = sandbox.notices();
    let offsets: Vec<i64> = attempts
        .iter()
        .map(|attempt| attempt.at.since(attempts[0].at))
        .collect();
    assert_eq!(offsets, [0, 15, 45, 105, 405, 1305]);
    assert!(matches!(attempts[5].outcome, NoticeOutcome::Acknowledged { .. }));

    let received = listener.received();
    assert_eq!(received[0].uri().to_string(), "/notify?src=fshows&v=1");
    assert_eq!(received[0].headers()["content-type"], FORM);
    // Nothing in it depends on the attempt.
    assert_eq!(received[0].body(), received[5].body());
    let (fields, holds) = callback(&sandbox, received[0].body());
    assert!(holds, "the signature does not hold");
    let order = sandbox.order(Platform::Fshows, "BACK_1").unwrap();
    let expected = [
        ("out_trade_no", "BACK_1"),
        ("transaction_id", order.detail("trade_no").unwrap()),
        ("openid", "oBuyer"),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "CFT"),
        ("total_fee", "100.00"),
        ("net_money", "99.63"),
        ("time_end", "20251009165320"),
        ("bank_commission_fee", "0.03000"),
        ("bank_commission_rate", "0.00030"),
        ("pay_platform_fee", "0.20000"),
        ("pay_platform_rate", "0.00200"),
        ("liquidator_commission_fee", "0.14000"),
        ("liquidator_commission_rate", "0.00140"),
        ("sign_type", "RSA"),
    ];
    for (name, value) in expected {
        assert_eq!(field(&fields, name), value, "{name}");
    }
    // The names of T3, one after the other.
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names.join("&"),
        "out_trade_no&transaction_id&openid&is_subscribe&trade_type&bank_type&total_fee&net_money&time_end&\
         bank_commission_fee&bank_commission_rate&liquidator_commission_fee&liquidator_commission_rate&\
         pay_platform_fee&pay_platform_rate&sign&sign_type"
    );

    // The same text over one changed value does not verify, so the check above can fail.
    let tampered = String::from_utf8(received[0].body().to_vec())
        .unwrap()
        .replace("total_fee=100.00", "total_fee=200.00");
    assert!(!callback(&sandbox, tampered.as_bytes()).1);
}

#[tokio::test]
async fn calls_nobody_back_without_an_address_and_gives_up_after_eight_attempts() {
    let sandbox = sandbox().await;
    call(&sandbox, PLACE, &order("MUTE_1")).await;
    sandbox.pay(Platform::Fshows, "MUTE_1").unwrap();
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();
    assert!(sandbox.notices().is_empty());
    let listener = Listener::start(&[(500, "success")]).await;
    call(&sandbox, PLACE, &order_told_at("DEAF_1", &listener.url)).await;
    sandbox.pay(Platform::Fshows, "DEAF_1").unwrap();
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(listener.received().len(), 8);
}

#[tokio::test]
async fn makes_every_planned_trouble() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(200, "success")]).await;
    let tell = async |order_no: &str| {
        call(&sandbox, PLACE, &order_told_at(order_no, &listener.url)).await;
        sandbox.pay(Platform::Fshows, order_no).unwrap();
        sandbox.delivered().await;
        let body = listener.received().last().unwrap().body().clone();
        callback(&sandbox, &body)
    };
    sandbox.set_faults(FaultKind::CorruptSignature);
    assert!(!tell("FAULT_1").await.1);
    sandbox.set_faults(FaultKind::AddFields);
    let (fields, holds) = tell("FAULT_2").await;
    assert!(holds);
    assert_eq!(field(&fields, "sandbox_new_field"), "新 a&b=c");
    let by_number = json!({ "out_trade_no": "FAULT_2" });
    let reply = call(&sandbox, QUERY, &by_number).await;
    assert_eq!(reply["return_value"]["sandbox_new_field"], "新 a&b=c");
    sandbox.set_faults(FaultKind::UnknownValues);
    let (fields, holds) = tell("FAULT_3").await;
    assert!(holds);
    assert_eq!(field(&fields, "bank_type"), "SANDBOX_NEW_VALUE");
    sandbox.set_faults(FaultKind::DuplicateNotice);
    let before = listener.received().len();
    tell("FAULT_4").await;
    assert_eq!(listener.received().len(), before + 2);
    sandbox.set_faults(FaultKind::UnsignedError);
    assert_eq!(call(&sandbox, QUERY, &by_number).await["error_code"], "-200");
}

#[test]
fn shows_no_key() {
    let account = crate::shop::far_side().fshows();
    let shown = format!("{account:?}");
    assert!(!shown.contains("KEY"), "{shown}");
    assert_eq!(account.base_url, "https://sandbox.example/fshows");
}
