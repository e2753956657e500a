//! Refunds of fshows: the whole order, once, asked for by a number of the order and one of the refund.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_sandbox::{FarSide, Platform, RefundState};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_testkit::oracle;

use crate::shop::far_side;
use crate::wire::escape;

const REFUND: &str = "pay.refund";
const QUERY: &str = "pay.refund.query";

fn call(far_side: &FarSide, method: &str, content: &Value) -> Value {
    let given = far_side.fshows();
    let map: BTreeMap<String, String> = [
        ("app_id", &*given.app_id),
        ("method", &format!("fshows.liquidation.{method}")),
        ("version", "1.0"),
        ("content", &content.to_string()),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    let key = LegacyRsaSigningKey::parse(given.merchant_private_key_pem.expose(), RsaDigest::Sha1).unwrap();
    let sign = key
        .sign(oracle::fshows_text(&map).as_bytes(), &FixedAmbient::at(0))
        .unwrap();
    let pairs = map.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<String> = pairs
        .chain([("sign", sign.as_str())])
        .map(|(name, value)| format!("{name}={}", escape(value)))
        .collect();
    let request = Request::post("https://sandbox.example/fshows/gateway")
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let response = far_side.answer(&request.body(pairs.join("&").into()).unwrap()).unwrap();
    serde_json::from_slice(response.body()).unwrap()
}

fn placed(far_side: &FarSide, order_no: &str) {
    let order = json!({
        "sub_merchant_id": "20990101000000000001", "body": "shop - noodles", "out_trade_no": order_no,
        "total_fee": "100.00", "sub_openid": "oBuyer", "spbill_create_ip": "203.0.113.7",
    });
    assert_eq!(call(far_side, "wxpay.mppay", &order)["success"], true);
}

fn paid() -> FarSide {
    let far_side = far_side();
    for order_no in ["A1", "A2"] {
        placed(&far_side, order_no);
        far_side.pay(Platform::Fshows, order_no).unwrap();
    }
    far_side
}

fn refund(far_side: &FarSide, order_no: &str, refund_no: &str) -> Value {
    let content = json!({"out_trade_no": order_no, "out_refund_no": refund_no});
    call(far_side, REFUND, &content)
}

fn query(far_side: &FarSide, refund_no: &str) -> Value {
    call(
        far_side,
        QUERY,
        &json!({"out_trade_no": "A1", "out_refund_no": refund_no}),
    )
}

#[test]
fn refunds_the_whole_order_once_under_a_number() {
    let far_side = paid();
    let first = refund(&far_side, "A1", "R1");
    assert_eq!(first["success"], true);
    let value = &first["return_value"];
    assert_eq!(
        (&value["out_trade_no"], &value["out_refund_no"]),
        (&json!("A1"), &json!("R1"))
    );
    assert_eq!(value["status"], 3);
    assert_eq!(refund(&far_side, "A1", "R1"), first, "the same again moves nothing");
    let order = far_side.order(Platform::Fshows, "A1").unwrap();
    assert_eq!(order.refunds.len(), 1);
    assert_eq!((order.refunds[0].amount.get(), order.refundable().get()), (10_000, 0));
    // Nothing is left for another number, and the number is taken for another order.
    assert_eq!(refund(&far_side, "A1", "R2")["error_code"], "-220");
    assert_eq!(refund(&far_side, "A2", "R1")["error_code"], "-206");
    let asked = call(&far_side, "alipay.trade.query", &json!({"out_trade_no": "A1"}));
    assert_eq!(asked["return_value"]["trade_state"], "REFUND");
}

#[test]
fn finds_a_refund_by_each_of_its_numbers_and_says_how_it_ended() {
    for (end, status) in [
        (RefundState::Succeeded, 4),
        (RefundState::Closed, 5),
        (RefundState::Abnormal, 5),
    ] {
        let far_side = paid();
        let taken = refund(&far_side, "A1", "R1")["return_value"].clone();
        for content in [
            json!({"out_trade_no": "A1", "out_refund_no": "R1"}),
            json!({"trade_no": taken["trade_no"], "refund_no": taken["refund_no"]}),
            json!({"trade_no": taken["trade_no"], "out_trade_no": "A2", "out_refund_no": "R1"}),
        ] {
            assert_eq!(call(&far_side, QUERY, &content)["return_value"], taken, "{content}");
        }
        far_side.settle_refund(Platform::Fshows, "R1", end).unwrap();
        assert_eq!(query(&far_side, "R1")["return_value"]["status"], status, "{end:?}");
        // What was given up leaves the order to be refunded.
        let again = refund(&far_side, "A1", "R2");
        assert_eq!(again["success"], end == RefundState::Closed, "{end:?}");
        let notices = far_side.due_notices();
        assert!(notices.is_empty(), "{end:?}: nobody is called back");
    }
}

#[test]
fn refuses_what_no_refund_can_be() {
    let far_side = paid();
    placed(&far_side, "A3");
    let long = "R".repeat(33);
    for (content, code) in [
        (json!({"out_trade_no": "A1"}), "-101"),
        (json!({"out_trade_no": "A1", "out_refund_no": ""}), "-101"),
        (json!({"out_trade_no": "A1", "out_refund_no": "R-1"}), "-101"),
        (json!({"out_trade_no": "A1", "out_refund_no": long}), "-101"),
        (json!({"out_refund_no": "R1"}), "-101"),
        (json!({"out_trade_no": "A9", "out_refund_no": "R1"}), "-207"),
        (json!({"out_trade_no": "A3", "out_refund_no": "R1"}), "-220"),
    ] {
        assert_eq!(call(&far_side, REFUND, &content)["error_code"], code, "{content}");
    }
    for (content, code) in [
        (json!({"out_trade_no": "A1"}), "-101"),
        (json!({"out_refund_no": "R1"}), "-101"),
        (json!({"out_trade_no": "A1", "out_refund_no": "R1"}), "-207"),
        (json!({"out_trade_no": "A1", "refund_no": "7"}), "-207"),
    ] {
        assert_eq!(call(&far_side, QUERY, &content)["error_code"], code, "{content}");
    }
    assert!(far_side.order(Platform::Fshows, "A1").unwrap().refunds.is_empty());
    far_side.clock().advance(Duration::from_secs(366 * 86_400)).unwrap();
    assert_eq!(refund(&far_side, "A1", "R1")["error_code"], "-220", "too long ago");
}
