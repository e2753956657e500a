//! The two fixed addresses that `credentials.json` names, for whoever drives another person's SDK.

use http::{Request, Response};
use serde_json::{Value, json};
use yuanfen_sandbox::{Account, FarSide, OrderState, Platform, RefundState};

use crate::shop::{self, far_side, json_of, place};

const URL: &str = "http://127.0.0.1:9/notify";

fn post(far_side: &FarSide, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::post(format!("http://127.0.0.1:8601/api/{path}"))
        .header("content-type", "application/json")
        .body(bytes::Bytes::from(body.to_string()))
        .unwrap();
    let response: Response<bytes::Bytes> = far_side.administer(&request);
    (response.status().as_u16(), json_of(&response))
}

#[test]
fn pays_by_platform_and_number_with_the_total_as_text_or_number() {
    let far_side = far_side();
    let bodies = [
        json!({ "platform": "wechat-v3", "out_trade_no": "order-0" }),
        json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": 100 }),
        json!({ "platform": "wechat-v3", "out_trade_no": "order-2", "total": "100", "mchid": "1900000001" }),
        json!({ "account": "wechat-v3", "out_trade_no": "order-3", "total": "", "mchid": "" }),
        json!({ "account": "wechat-v3", "platform": "", "out_trade_no": "order-4", "total": null }),
        json!({ "platform": "wechat-v3", "out_trade_no": "order-5", "total": "{total}", "mchid": "{mchid}" }),
    ];
    for (index, body) in bodies.iter().enumerate() {
        place(&far_side, &format!("order-{index}"), 100, URL);
        let (status, order) = post(&far_side, "pay", body);
        assert_eq!((status, &order["state"]), (200, &json!("paid")), "{body}: {order}");
    }
    assert_eq!(far_side.due_notices().len(), bodies.len());
}

#[test]
fn finds_the_account_by_the_merchants_number() {
    let far_side = far_side();
    let order = [
        ("out_trade_no", "P1"),
        ("sub_mch_id", "1900000111"),
        ("body", "noodles"),
        ("total_fee", "100"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", URL),
        ("trade_type", "APP"),
    ];
    assert_eq!(
        shop::v2_provider(&far_side, "/pay/unifiedorder", &order)["result_code"],
        "SUCCESS"
    );
    let pay = |mchid: &str| {
        post(
            &far_side,
            "pay",
            &json!({ "platform": "wechat-v2", "out_trade_no": "P1", "mchid": mchid }),
        )
        .0
    };
    assert_eq!(pay("1900000001"), 404);
    assert_eq!(pay("1900000999"), 404);
    assert_eq!(pay("1900000112"), 200);
    assert_eq!(pay("1900000101"), 200);
    let paid = far_side.order(Account::provider(Platform::WechatV2), "P1").unwrap();
    assert_eq!(paid.state(), OrderState::Paid);
}

#[test]
fn a_repeat_is_answered_alike_and_tells_nobody_again() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let body = json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": 100 });
    let first = post(&far_side, "pay", &body);
    assert_eq!(post(&far_side, "pay", &body), first);
    assert_eq!(far_side.due_notices().len(), 1);

    shop::refund(&far_side, "order-1", "R1", 40, 100);
    let body = json!({ "platform": "wechat-v3", "out_refund_no": "R1" });
    let first = post(&far_side, "settle-refund", &body);
    assert_eq!(first.0, 200);
    assert_eq!(first.1["refunds"][0]["state"], "succeeded");
    assert_eq!(post(&far_side, "settle-refund", &body), first);
    assert_eq!(far_side.due_notices().len(), 1);
    // Another end than the one it came to is no repeat.
    let other = json!({ "platform": "wechat-v3", "out_refund_no": "R1", "result": "close" });
    let (status, told) = post(&far_side, "settle-refund", &other);
    assert_eq!(
        (status, &told["error"]),
        (409, &json!("the refund came to its end already"))
    );
    // Nor is the repeat of a payment a way past the total.
    let wrong = json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": 99 });
    assert_eq!(post(&far_side, "pay", &wrong).0, 409);
}

#[test]
fn strands_a_refund_and_brings_it_to_its_end() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    shop::refund(&far_side, "order-1", "R1", 100, 100);
    let settle = |result: &str| {
        let body = json!({ "account": "wechat-v3", "out_refund_no": "R1", "result": result });
        post(&far_side, "settle-refund", &body)
    };
    assert_eq!(settle("abnormal").1["refunds"][0]["state"], "abnormal");
    assert_eq!(settle("succeed").1["state"], "refunded");
    let order = far_side.order(Platform::WechatV3, "order-1").unwrap();
    assert_eq!(order.refunds[0].state, RefundState::Succeeded);
    assert_eq!(settle("dance").0, 400);
}

#[test]
fn refuses_what_names_nothing_or_another_amount() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    for (body, status, words) in [
        (
            json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": 99 }),
            409,
            "the order is over 100 fen",
        ),
        (
            json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": "1.00" }),
            400,
            "`total` is a number",
        ),
        (
            json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": -100 }),
            400,
            "`total` is a number",
        ),
        (
            json!({ "platform": "wechat-v3", "out_trade_no": "order-1", "total": 100.0 }),
            400,
            "`total` is a number",
        ),
        (
            json!({ "platform": "wechat-v3", "out_trade_no": "order-9" }),
            404,
            "no such order",
        ),
        (
            json!({ "platform": "paypal", "out_trade_no": "order-1" }),
            404,
            "no such platform",
        ),
        (
            json!({ "account": "paypal", "out_trade_no": "order-1" }),
            404,
            "no such account",
        ),
        (
            json!({ "out_trade_no": "order-1" }),
            400,
            "name an `account` or a `platform`",
        ),
        (
            json!({ "platform": "wechat-v3" }),
            400,
            "not a payment: missing field `out_trade_no`",
        ),
        (json!([]), 400, "not a payment"),
    ] {
        let (found, told) = post(&far_side, "pay", &body);
        let told = told["error"].as_str().unwrap();
        assert_eq!(found, status, "{body}: {told}");
        assert!(told.starts_with(words), "{body}: {told}");
    }
    assert_eq!(
        far_side.order(Platform::WechatV3, "order-1").unwrap().state(),
        OrderState::Unpaid
    );
}
