//! What is agreed with platforms outside their protocols, told over HTTP.

use std::time::Duration;

use http::Request;
use serde_json::json;
use yuanfen_core::Fen;
use yuanfen_sandbox::{Account, FarSide, Platform};

use crate::shop::{self, far_side, json_of, v2};

fn put(far_side: &FarSide, body: &str) -> (u16, serde_json::Value) {
    let request = Request::put("http://127.0.0.1:8601/api/settings")
        .header("content-type", "application/json")
        .body(bytes::Bytes::from(body.to_owned()))
        .unwrap();
    let response = far_side.administer(&request);
    (response.status().as_u16(), json_of(&response))
}

/// Places an unsigned StarPos order and gives `result` and whether the reply is signed.
fn pay(far_side: &FarSide, trade_no: &str) -> (String, bool) {
    let body = json!({
        "orgNo": "00001", "mercId": "000000000000001", "trmNo": "00000001", "txnTime": "20251009165320",
        "version": "V1.0.0", "openid": "o1", "amount": "100", "total_amount": "100", "tradeNo": trade_no,
    });
    let request = Request::post("https://sandbox.example/starpos/adpweb/ehpspos3/pubSigPay.json")
        .body(bytes::Bytes::from(body.to_string()))
        .unwrap();
    let reply = json_of(&far_side.answer(&request).unwrap());
    (
        reply["result"].as_str().unwrap().to_owned(),
        reply.get("signValue").is_some(),
    )
}

#[test]
fn changes_what_it_names_and_nothing_else() {
    let far_side = far_side();
    assert_eq!(pay(&far_side, "T1"), ("A".to_owned(), false));
    assert_eq!(put(&far_side, r#"{"starpos_unsure":true}"#).0, 200);
    assert_eq!(pay(&far_side, "T2"), ("Z".to_owned(), false));
    assert_eq!(put(&far_side, r#"{"starpos_signs_payments":true}"#).0, 200);
    assert_eq!(pay(&far_side, "T3"), ("Z".to_owned(), true));

    far_side.pay(Platform::Starpos, "T1").unwrap();
    assert!(far_side.due_notices().is_empty());
    let push = r#"{"starpos_push_url":"http://127.0.0.1:9/push","starpos_push":"encrypted-as-printed"}"#;
    assert_eq!(put(&far_side, push).0, 200);
    far_side.pay(Platform::Starpos, "T2").unwrap();
    let due = far_side.due_notices();
    assert_eq!(due[0].request.uri(), "http://127.0.0.1:9/push");
    let body: serde_json::Value = serde_json::from_slice(due[0].request.body()).unwrap();
    assert!(body.get("singValue").is_some());
}

#[test]
fn sets_what_v2_does_about_reversals_and_early_closings() {
    let far_side = far_side();
    let settings = r#"{"wechat_v2_recalls_reversals":1,"wechat_v2_keeps_five_minutes":true}"#;
    assert_eq!(put(&far_side, settings).0, 200);
    let ask = |path: &str| v2(&far_side, path, &[("out_trade_no", "A1")])["err_code"].clone();
    assert_eq!(ask("/secapi/pay/reverse"), "SYSTEMERROR");
    assert_eq!(ask("/secapi/pay/reverse"), "TRADE_ERROR");
    let order = [
        ("out_trade_no", "A1"),
        ("body", "noodles"),
        ("total_fee", "1"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://shop.example/notify"),
        ("trade_type", "APP"),
    ];
    v2(&far_side, "/pay/unifiedorder", &order);
    far_side.clock().advance(Duration::from_secs(299)).unwrap();
    assert_eq!(ask("/pay/closeorder"), "TRADE_STATE_ERROR");
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    let closed = v2(&far_side, "/pay/closeorder", &[("out_trade_no", "A1")]);
    assert_eq!(closed["result_code"], "SUCCESS");
    assert_eq!(ask("/pay/closeorder"), "ORDERCLOSED");
}

#[test]
fn sets_the_rules_that_wechat_keeps_only_where_it_is_told_to() {
    let far_side = far_side();
    let settings = r#"{"wechat_v3_keeps_five_minutes":true,"wechat_keeps_refund_minute":true,"wechat_keeps_rates":true,
        "wechat_asks_password_after_ten":true,"wechat_refund_balances_fen":{"wechat-v3":300,"wechat-v2-provider":5}}"#;
    assert_eq!(put(&far_side, settings).0, 200);
    let (v3, v2_provider) = (Platform::WechatV3, Account::provider(Platform::WechatV2));
    assert_eq!(far_side.refund_balance(v3), Some(Fen::new(300)));
    assert_eq!(far_side.refund_balance(v2_provider), Some(Fen::new(5)));
    shop::place(&far_side, "order-1", 100, "http://127.0.0.1:9/notify");
    let close = "/v3/pay/transactions/out-trade-no/order-1/close";
    let early = shop::v3(&far_side, "POST", close, "{\"mchid\":\"1900000001\"}");
    assert_eq!(shop::refusal(&early), (400, "INVALID_REQUEST".to_owned()));
    far_side.pay(v3, "order-1").unwrap();
    let refund = |number: &str| shop::refund(&far_side, "order-1", number, 10, 100).status().as_u16();
    assert_eq!((refund("R1"), refund("R2")), (200, 429));
    let rest = r#"{"wechat_keeps_refund_minute":false,"wechat_refund_balances_fen":{"wechat-v3":null}}"#;
    assert_eq!(put(&far_side, rest).0, 200);
    assert_eq!((refund("R2"), far_side.refund_balance(v3)), (200, None));
}

#[test]
fn takes_all_or_nothing() {
    let far_side = far_side();
    for body in [
        r#"{"starpos_unsure":true,"no_such_setting":1}"#,
        r#"{"starpos_unsure":true,"starpos_push":"loud"}"#,
        r#"{"starpos_unsure":true,"mpgateway_holds_payments":"yes"}"#,
        r#"{"starpos_unsure":true,"wechat_refund_balances_fen":{"wechat-v4":1}}"#,
        r#"{"starpos_unsure":true,"wechat_refund_balances_fen":{"wechat-v3":1.5}}"#,
        "",
    ] {
        let (status, reply) = put(&far_side, body);
        assert_eq!(status, 400, "{body}");
        assert!(
            reply["error"].as_str().unwrap().starts_with("not settings: "),
            "{reply}"
        );
    }
    assert_eq!(pay(&far_side, "T1").0, "A");
}
