//! Rules that WeChat Pay keeps only where the sandbox is told to, each at its edge, and what refunds leave behind.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_core::Fen;
use yuanfen_sandbox::{Account, Coupon, FarSide, OrderState, Payer, Platform, Reaction, RefundState};

use crate::shop::{far_side, json_of, place, refund, refusal, v2, v3, v3_provider};
use crate::v3_combined::order as combined;
use crate::v3_orders::own_ids;
use crate::v3_till;

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";

fn later(far_side: &FarSide, seconds: u64) {
    far_side.clock().advance(Duration::from_secs(seconds)).unwrap();
}

/// The status alone where a call worked, else with its code.
fn said(response: &Response<Bytes>) -> (u16, String) {
    if response.status().is_success() {
        (response.status().as_u16(), String::new())
    } else {
        refusal(response)
    }
}

fn says(response: &Response<Bytes>, status: u16, code: &str) {
    assert_eq!(said(response), (status, code.to_owned()));
}

fn close(far_side: &FarSide, order_no: &str) -> Response<Bytes> {
    let target = format!("/v3/pay/transactions/out-trade-no/{order_no}/close");
    v3(far_side, "POST", &target, "{\"mchid\":\"1900000001\"}")
}

/// A paid order of 10 yuan on v2.
fn paid_v2(far_side: &FarSide) {
    let order = [
        ("out_trade_no", "A1"),
        ("body", "noodles"),
        ("total_fee", "1000"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", URL),
        ("trade_type", "APP"),
    ];
    assert_eq!(v2(far_side, "/pay/unifiedorder", &order)["result_code"], "SUCCESS");
    far_side.pay(V2, "A1").unwrap();
}

/// `SUCCESS`, or the code of the refusal.
fn refund_v2(far_side: &FarSide, refund_no: &str, amount: &str) -> String {
    let answer = v2(
        far_side,
        "/secapi/pay/refund",
        &[
            ("out_trade_no", "A1"),
            ("out_refund_no", refund_no),
            ("total_fee", "1000"),
            ("refund_fee", amount),
        ],
    );
    answer.get("err_code").unwrap_or(&answer["result_code"]).clone()
}

fn paid_v3(far_side: &FarSide, order_no: &str) {
    place(far_side, order_no, 1000, URL);
    far_side.pay(V3, order_no).unwrap();
}

#[test]
fn a_v3_order_is_closed_after_five_minutes_where_that_is_kept() {
    let far_side = far_side();
    place(&far_side, "order-0", 100, URL);
    says(&close(&far_side, "order-0"), 204, "");
    far_side.keep_wechat_v3_five_minutes(true);
    place(&far_side, "order-1", 100, URL);
    place(&far_side, "order-2", 100, URL);
    far_side.pay(V3, "order-2").unwrap();
    later(&far_side, 299);
    says(&close(&far_side, "order-1"), 400, "INVALID_REQUEST");
    // Money that has arrived is said before the clock, and a closed order is closed.
    says(&close(&far_side, "order-2"), 400, "ORDER_PAID");
    says(&close(&far_side, "order-0"), 204, "");
    later(&far_side, 1);
    says(&close(&far_side, "order-1"), 204, "");
}

#[test]
fn a_combined_order_is_closed_after_five_minutes_where_that_is_kept() {
    let far_side = far_side();
    far_side.keep_wechat_v3_five_minutes(true);
    let placed = v3(
        &far_side,
        "POST",
        "/v3/combine-transactions/native",
        &combined("native", &json!({})).to_string(),
    );
    assert_eq!(placed.status(), 200);
    let parts = ["PART_0", "PART_1"].map(|number| json!({ "mchid": "1900000001", "out_trade_no": number }));
    let body = json!({ "combine_appid": own_ids()["appid"], "sub_orders": parts }).to_string();
    let target = "/v3/combine-transactions/out-trade-no/WHOLE_1/close";
    later(&far_side, 299);
    says(&v3(&far_side, "POST", target, &body), 400, "INVALID_REQUEST");
    later(&far_side, 1);
    says(&v3(&far_side, "POST", target, &body), 204, "");
}

#[test]
fn a_minute_passes_between_two_refunds_of_an_order_where_that_is_kept() {
    let far_side = far_side();
    paid_v2(&far_side);
    paid_v3(&far_side, "order-1");
    paid_v3(&far_side, "order-2");
    let ask = |order_no: &str, refund_no: &str| refund(&far_side, order_no, refund_no, 10, 1000);
    // Not kept at first.
    says(&ask("order-2", "Q1"), 200, "");
    says(&ask("order-2", "Q2"), 200, "");
    far_side.keep_wechat_refund_minute(true);
    says(&ask("order-1", "R1"), 200, "");
    assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
    later(&far_side, 59);
    let early = ask("order-1", "R2");
    says(&early, 429, "FREQUENCY_LIMITED");
    let id = early.headers()["request-id"].to_str().unwrap();
    assert!(id.ends_with("-268447840"), "{id}");
    assert_eq!(refund_v2(&far_side, "R2", "10"), "FREQUENCY_LIMITED");
    // A repeat is the first refund, and another order's refund waits for none of this one.
    says(&ask("order-1", "R1"), 200, "");
    assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
    later(&far_side, 1);
    says(&ask("order-1", "R2"), 200, "");
    assert_eq!(refund_v2(&far_side, "R2", "10"), "SUCCESS");
    assert_eq!(far_side.order(V3, "order-1").unwrap().refunds.len(), 2);
}

#[test]
fn calls_of_a_second_are_counted_where_that_is_kept() {
    let far_side = far_side();
    let funds = "/v3/bill/fundflowbill?bill_date=2025-10-08";
    for _ in 0..4 {
        says(&v3(&far_side, "GET", funds, ""), 400, "NO_STATEMENT_EXIST");
    }
    far_side.keep_wechat_rates(true);
    for _ in 0..3 {
        says(&v3(&far_side, "GET", funds, ""), 400, "NO_STATEMENT_EXIST");
    }
    says(&v3(&far_side, "GET", funds, ""), 429, "FREQUENCY_LIMITED");
    // Another merchant's calls, and other calls of this one, are counted for themselves.
    says(&v3_provider(&far_side, "GET", funds, ""), 400, "NO_STATEMENT_EXIST");
    let query = "/v3/refund/domestic/refunds/R1";
    says(&v3(&far_side, "GET", query, ""), 404, "RESOURCE_NOT_EXISTS");
    later(&far_side, 1);
    says(&v3(&far_side, "GET", funds, ""), 400, "NO_STATEMENT_EXIST");
}

#[test]
fn six_refunds_that_fail_are_the_most_of_a_second_where_that_is_kept() {
    let far_side = far_side();
    far_side.keep_wechat_rates(true);
    paid_v2(&far_side);
    paid_v3(&far_side, "order-1");
    for _ in 0..6 {
        says(&refund(&far_side, "order-1", "R1", 10, 999), 400, "REFUND_FEE_MISMATCH");
        assert_eq!(refund_v2(&far_side, "R1", "1001"), "ERROR");
    }
    says(&refund(&far_side, "order-1", "R1", 10, 1000), 429, "FREQUENCY_LIMITED");
    assert_eq!(refund_v2(&far_side, "R1", "10"), "INVALID_REQ_TOO_MUCH");
    later(&far_side, 1);
    says(&refund(&far_side, "order-1", "R1", 10, 1000), 200, "");
    assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
}

#[test]
fn a_hundred_and_fifty_refunds_are_the_most_of_a_second_where_that_is_kept() {
    let far_side = far_side();
    far_side.keep_wechat_rates(true);
    paid_v2(&far_side);
    for _ in 0..150 {
        // The same number pays once, and counts as a call each time.
        assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
    }
    assert_eq!(refund_v2(&far_side, "R1", "10"), "FREQUENCY_LIMITED");
    later(&far_side, 1);
    assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
}

#[test]
fn a_payer_types_after_ten_payments_without_a_password_where_that_is_counted() {
    let far_side = far_side();
    let charge = |number: &str| {
        let code = far_side.payment_code(V3, Payer::default());
        let body = v3_till::body(own_ids(), &code, number, 100).to_string();
        v3(&far_side, "POST", "/v3/pay/transactions/codepay", &body)
    };
    for index in 0..11 {
        says(&charge(&format!("BEFORE_{index}")), 200, "");
    }
    far_side.ask_wechat_passwords_after_ten(true);
    // Those of the day so far count: it is a rule about the payer.
    says(&charge("ELEVENTH"), 202, "");
    let typing = far_side.order(V3, "ELEVENTH").unwrap();
    assert_eq!(typing.state(), OrderState::PayerTyping);
    far_side.pay(V3, "ELEVENTH").unwrap();
    // Another payer has ten of their own, and so has everybody on the next day: at midnight, seven hours from here.
    let mut other = Payer::default();
    other.openid = Some("oOther".to_owned());
    let code = far_side.payment_code(V3, other);
    let body = v3_till::body(own_ids(), &code, "OTHER_1", 100).to_string();
    says(&v3(&far_side, "POST", "/v3/pay/transactions/codepay", &body), 200, "");
    later(&far_side, 25_599);
    says(&charge("BEFORE_MIDNIGHT"), 202, "");
    later(&far_side, 1);
    for index in 0..10 {
        says(&charge(&format!("AFTER_{index}")), 200, "");
    }
    says(&charge("AFTER_10"), 202, "");
}

#[test]
fn v2_counts_passwords_as_well_and_leaves_those_who_cannot_pay_alone() {
    let far_side = far_side();
    far_side.ask_wechat_passwords_after_ten(true);
    let charge = |number: &str, reaction: Reaction| {
        let mut payer = Payer::default();
        payer.reaction = reaction;
        let code = far_side.payment_code(V2, payer);
        let fields = [
            ("out_trade_no", number),
            ("body", "tea"),
            ("total_fee", "99"),
            ("spbill_create_ip", "203.0.113.7"),
            ("auth_code", &code),
        ];
        let answer = v2(&far_side, "/pay/micropay", &fields);
        answer.get("err_code").unwrap_or(&answer["result_code"]).clone()
    };
    for index in 0..10 {
        assert_eq!(charge(&format!("T{index}"), Reaction::Pays), "SUCCESS");
        assert_eq!(charge(&format!("F{index}"), Reaction::LacksMoney), "NOTENOUGH");
    }
    assert_eq!(charge("T10", Reaction::LacksMoney), "NOTENOUGH");
    assert_eq!(charge("T11", Reaction::Pays), "USERPAYING");
}

#[test]
fn a_refund_that_the_account_does_not_cover_is_taken_under_its_number_later() {
    let far_side = far_side();
    paid_v2(&far_side);
    paid_v3(&far_side, "order-1");
    for account in [V2, V3] {
        assert_eq!(far_side.refund_balance(account), None);
        far_side.set_refund_balance(account, Some(Fen::new(300)));
    }
    says(&refund(&far_side, "order-1", "R1", 200, 1000), 200, "");
    assert_eq!(refund_v2(&far_side, "R1", "200"), "SUCCESS");
    says(&refund(&far_side, "order-1", "R2", 101, 1000), 403, "NOT_ENOUGH");
    assert_eq!(refund_v2(&far_side, "R2", "101"), "NOTENOUGH");
    // What was not taken left no trace, and the whole of what is there can go.
    assert_eq!(far_side.order(V3, "order-1").unwrap().refunds.len(), 1);
    says(&refund(&far_side, "order-1", "R3", 100, 1000), 200, "");
    assert_eq!(far_side.refund_balance(V3), Some(Fen::ZERO));
    // One that is given up puts its money back.
    far_side.settle_refund(V3, "R1", RefundState::Closed).unwrap();
    assert_eq!(far_side.refund_balance(V3), Some(Fen::new(200)));
    says(&refund(&far_side, "order-1", "R2", 101, 1000), 200, "");
    far_side.set_refund_balance(V2, Some(Fen::new(101)));
    assert_eq!(refund_v2(&far_side, "R2", "101"), "SUCCESS");
    far_side.set_refund_balance(V2, None);
    assert_eq!(refund_v2(&far_side, "R4", "699"), "SUCCESS");
    // The provider's account is another one.
    assert_eq!(far_side.refund_balance(Account::provider(V3)), None);
}

/// Ten yuan, of it 30 fen by a coupon that the merchant does not receive and 70 by one that it does.
fn paid_with_coupons(far_side: &FarSide) {
    place(far_side, "order-1", 1000, URL);
    let mut payer = Payer::default();
    payer.coupons = vec![
        Coupon::new("C1", Fen::new(30), false),
        Coupon::new("C2", Fen::new(70), true),
    ];
    far_side.pay_as(V3, "order-1", payer).unwrap();
}

#[test]
fn a_merchants_balance_covers_what_it_received() {
    let far_side = far_side();
    paid_with_coupons(&far_side);
    far_side.set_refund_balance(V3, Some(Fen::new(969)));
    says(&refund(&far_side, "order-1", "R1", 1000, 1000), 403, "NOT_ENOUGH");
    far_side.set_refund_balance(V3, Some(Fen::new(970)));
    says(&refund(&far_side, "order-1", "R1", 1000, 1000), 200, "");
    assert_eq!(far_side.refund_balance(V3), Some(Fen::ZERO));
}

#[test]
fn a_v3_refund_says_what_each_coupon_takes_back() {
    let far_side = far_side();
    paid_with_coupons(&far_side);
    let answer = json_of(&refund(&far_side, "order-1", "R1", 500, 1000));
    assert_eq!(
        answer["promotion_detail"],
        json!([
            { "promotion_id": "C2", "scope": "GLOBAL", "type": "CASH", "amount": 70, "refund_amount": 35 },
            { "promotion_id": "C1", "scope": "GLOBAL", "type": "NOCASH", "amount": 30, "refund_amount": 15 },
        ])
    );
    assert_eq!(answer["amount"]["discount_refund"], 50);
    assert_eq!(answer["amount"]["settlement_refund"], 485);
    paid_v3(&far_side, "order-2");
    let bare = json_of(&refund(&far_side, "order-2", "R2", 500, 1000));
    assert_eq!(bare.get("promotion_detail"), None);
}

#[test]
fn what_a_refund_takes_back_stays_when_another_is_given_up() {
    let far_side = far_side();
    place(&far_side, "order-1", 3, URL);
    let mut payer = Payer::default();
    payer.coupons.push(Coupon::new("C1", Fen::new(1), false));
    far_side.pay_as(V3, "order-1", payer).unwrap();
    let back = |answer: &Response<Bytes>| -> Value { json_of(answer)["amount"]["discount_refund"].clone() };
    assert_eq!(back(&refund(&far_side, "order-1", "R1", 1, 3)), 0);
    assert_eq!(back(&refund(&far_side, "order-1", "R2", 2, 3)), 1);
    far_side.settle_refund(V3, "R1", RefundState::Closed).unwrap();
    let asked = v3(&far_side, "GET", "/v3/refund/domestic/refunds/R2", "");
    assert_eq!(back(&asked), 1);
    // The coupon went back once.
    assert_eq!(back(&refund(&far_side, "order-1", "R3", 1, 3)), 0);
}

#[test]
fn refunds_of_an_old_order_are_found_by_the_platforms_number_of_the_payment() {
    let far_side = far_side();
    paid_v2(&far_side);
    assert_eq!(refund_v2(&far_side, "R1", "10"), "SUCCESS");
    let order = far_side.order(V2, "A1").unwrap();
    let (transaction, refund_id) = (
        order.payment.unwrap().transaction_id,
        order.refunds[0].refund_id.clone(),
    );
    let ask = |asked: &[(&str, &str)]| {
        let answer = v2(&far_side, "/pay/refundquery", asked);
        answer.get("err_code").unwrap_or(&answer["result_code"]).clone()
    };
    // A year and a half.
    later(&far_side, 548 * 86_400);
    assert_eq!(ask(&[("out_trade_no", "A1")]), "SUCCESS");
    later(&far_side, 1);
    for (asked, expected) in [
        (&[("out_trade_no", "A1")][..], "REFUNDNOTEXIST"),
        (&[("out_refund_no", "R1")], "REFUNDNOTEXIST"),
        (&[("refund_id", &refund_id)], "REFUNDNOTEXIST"),
        (&[("transaction_id", &transaction)], "SUCCESS"),
        (
            &[("transaction_id", &transaction), ("refund_id", &refund_id)],
            "SUCCESS",
        ),
        (&[("transaction_id", "420000")], "INVALID_TRANSACTIONID"),
    ] {
        assert_eq!(ask(asked), expected, "{asked:?}");
    }
}

#[test]
fn an_order_that_went_back_whole_says_so() {
    let far_side = far_side();
    paid_v2(&far_side);
    paid_v3(&far_side, "order-1");
    assert_eq!(refund_v2(&far_side, "R1", "1000"), "SUCCESS");
    says(&refund(&far_side, "order-1", "R1", 1000, 1000), 200, "");
    for account in [V2, V3] {
        far_side.settle_refund(account, "R1", RefundState::Succeeded).unwrap();
    }
    let older = v2(
        &far_side,
        "/secapi/pay/refund",
        &[
            ("out_trade_no", "A1"),
            ("out_refund_no", "R2"),
            ("total_fee", "1000"),
            ("refund_fee", "1"),
        ],
    );
    assert_eq!(
        (&*older["err_code"], &*older["err_code_des"]),
        ("ERROR", "订单已全额退款")
    );
    let newer = refund(&far_side, "order-1", "R2", 1, 1000);
    says(&newer, 400, "INVALID_REQUEST");
    assert_eq!(json_of(&newer)["message"], "订单已全额退款");
}
